//! Pagination by page number (offset).

use crate::kernel::Refusal;

/// A page number and a page size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PageRequest {
    number: u64,
    size: u32,
}

impl PageRequest {
    /// Maximum page size.
    pub const MAX_SIZE: u32 = 100;

    /// Page `number`, from 1, of `size` rows, at most [`PageRequest::MAX_SIZE`]; `None` for page 0
    /// or a size of 0.
    #[must_use]
    pub fn new(number: u64, size: u32) -> Option<Self> {
        (number > 0 && size > 0).then_some(Self {
            number,
            size: size.min(Self::MAX_SIZE),
        })
    }

    /// The number of the page, from 1.
    #[must_use]
    pub fn number(self) -> u64 {
        self.number
    }

    /// Rows on a full page.
    #[must_use]
    pub fn size(self) -> u32 {
        self.size
    }

    /// The last page of a list of so many rows, in pages of this size; the first page of an empty
    /// list.
    #[must_use]
    pub fn last_of(self, count: u64) -> Self {
        let number = count.div_ceil(u64::from(self.size)).max(1);
        Self { number, ..self }
    }

    /// The largest page that begins and ends with pages of this size, and has this page in it.
    ///
    /// ```
    /// use tradepost_domain::kernel::PageRequest;
    ///
    /// let page = |number, size| PageRequest::new(number, size).unwrap();
    /// assert_eq!(page(12, 10).window(), page(2, 100));
    /// assert_eq!(page(4, 40).window(), page(2, 80));
    /// ```
    #[must_use]
    pub fn window(self) -> Self {
        let pages = Self::MAX_SIZE / self.size;
        Self {
            number: (self.number - 1) / u64::from(pages) + 1,
            size: pages * self.size,
        }
    }

    /// Rows before this page; saturates, as no list is that long.
    #[must_use]
    pub fn offset(self) -> u64 {
        (self.number - 1).saturating_mul(u64::from(self.size))
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// Number of rows in the whole list.
    pub count: u64,
    /// The rows of this page.
    pub items: Vec<T>,
}

impl<T> Page<T> {
    /// Whether there are rows after this page.
    #[must_use]
    pub fn has_next(&self, request: PageRequest) -> bool {
        request.offset().saturating_add(u64::from(request.size)) < self.count
    }

    /// Whether a page of this list exists. The first page of an empty list does.
    #[must_use]
    pub fn has(&self, request: PageRequest) -> bool {
        request.number == 1 || request.offset() < self.count
    }

    /// This page, if it exists.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] for a page after the last.
    pub fn existing(self, request: PageRequest) -> Result<Self, Refusal> {
        match self.has(request) {
            true => Ok(self),
            false => Err(Refusal::NotFound),
        }
    }

    /// The pages of another size that this page consists of, with their requests. `window` is the
    /// request of this page.
    pub fn pages(
        self,
        window: PageRequest,
        size: u32,
    ) -> impl Iterator<Item = (PageRequest, Self)> {
        let (count, pages) = (self.count, u64::from((window.size / size).max(1)));
        let mut rows = self.items.into_iter();
        let first = (window.number - 1).saturating_mul(pages);
        (1..=pages).map(move |nth| {
            let number = first.saturating_add(nth);
            let items = rows
                .by_ref()
                .take(usize::try_from(size).unwrap_or(usize::MAX));
            let items = items.collect();
            (PageRequest { number, size }, Self { count, items })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_exist_up_to_the_last_row() {
        for (count, number, exists, next) in [
            (0, 1, true, false),
            (0, 2, false, false),
            (10, 1, true, false),
            (10, 2, false, false),
            (11, 1, true, true),
            (11, 2, true, false),
            (11, 3, false, false),
            (11, u64::MAX, false, false),
        ] {
            let request = PageRequest::new(number, 10).unwrap();
            let page = Page::<()> {
                count,
                items: Vec::new(),
            };
            assert_eq!(page.has_next(request), next, "{count} {number}");
            assert_eq!(page.existing(request).is_ok(), exists, "{count} {number}");
        }
    }

    #[test]
    fn the_last_page_follows_from_the_count() {
        let first = PageRequest::new(1, 10).unwrap();
        for (count, last) in [(0, 1), (1, 1), (10, 1), (11, 2), (20, 2), (21, 3)] {
            let request = first.last_of(count);
            assert_eq!((request.number(), request.size()), (last, 10), "{count}");
        }
        assert!(first.last_of(u64::MAX).number() > 1);
    }

    #[test]
    fn a_page_has_at_most_100_rows_and_a_number_from_1() {
        assert_eq!(PageRequest::new(1, 1_000).unwrap().size(), 100);
        assert_eq!(PageRequest::new(0, 10), None);
        assert_eq!(PageRequest::new(1, 0), None);
    }
}
