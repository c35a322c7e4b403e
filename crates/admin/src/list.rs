//! Lists: the parameters of a list page, and the links to its other pages and orders.

use tradepost_domain::kernel::{
    CursorPage, CursorRequest, Keyset, MessageSigner, SortField, Sorting,
};
use tradepost_http::kit::{Scope, encode, pairs};

/// Rows of a page.
pub(crate) const ROWS: u32 = 50;

/// The parameters of a list page. Unknown and invalid ones are ignored: a link may be old.
#[derive(Debug, Clone)]
pub(crate) struct ListQuery {
    pairs: Vec<(String, String)>,
}

/// Links to the neighbours of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pager {
    /// Link to the previous page, if any.
    pub(crate) previous: Option<String>,
    /// Link to the next page, if any.
    pub(crate) next: Option<String>,
}

/// A column heading that sorts the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SortLink {
    pub(crate) label: &'static str,
    pub(crate) href: String,
    /// `ascending` or `descending`, if the list is in this order: for `aria-sort`.
    pub(crate) state: Option<&'static str>,
    /// The class of the column.
    pub(crate) class: &'static str,
}

impl SortLink {
    /// The heading of a column of this class, such as `number`, or `wide` for one that small screens
    /// leave out.
    pub(crate) fn of_class(self, class: &'static str) -> Self {
        Self { class, ..self }
    }
}

impl ListQuery {
    pub(crate) fn read(query: &str) -> Self {
        Self {
            pairs: pairs(query),
        }
    }

    /// A parameter; empty without it.
    pub(crate) fn value(&self, name: &str) -> &str {
        let found = self.pairs.iter().rfind(|(other, _)| other == name);
        found.map_or("", |(_, value)| value)
    }

    /// Whether a parameter has a value, such as a ticked checkbox.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        !self.value(name).is_empty()
    }

    /// The order of the list, from `sort`: the name of a field, after `-` if descending.
    pub(crate) fn keyset<F: SortField>(&self) -> Keyset<F> {
        let sorting = Sorting::parse(self.value("sort")).unwrap_or_default();
        // An order without an index is not offered.
        Keyset::new(&sorting).unwrap_or_default()
    }

    /// The requested rows, from the signed `cursor`.
    pub(crate) fn span(&self, scope: &Scope, signer: &dyn MessageSigner) -> CursorRequest {
        let read = scope.read(self.value("cursor"), ROWS, signer);
        read.unwrap_or_else(|_| CursorRequest::first(ROWS))
    }

    /// Links to the neighbours of a cursor page.
    pub(crate) fn pager<T>(
        &self,
        page: &CursorPage<T>,
        scope: &Scope,
        signer: &dyn MessageSigner,
    ) -> Pager {
        let link = |span: &Option<CursorRequest>| {
            let cursor = span.as_ref().map(|span| scope.write(span, signer))?;
            Some(self.with(&[("cursor", &cursor)]))
        };
        Pager {
            previous: link(&page.previous),
            next: link(&page.next),
        }
    }

    /// A column heading. Its link reverses the order if the list is sorted by it.
    pub(crate) fn sort_link<F: SortField + PartialEq>(
        &self,
        label: &'static str,
        field: F,
        now: Keyset<F>,
    ) -> SortLink {
        let name = field.as_str();
        let is_current = now.field() == field;
        let state = is_current.then(|| {
            if now.is_descending() {
                "descending"
            } else {
                "ascending"
            }
        });
        let sort = match state {
            Some("ascending") => format!("-{name}"),
            _ => name.to_owned(),
        };
        SortLink {
            label,
            href: self.with(&[("sort", &sort), ("cursor", "")]),
            state,
            class: "",
        }
    }

    /// The query string with other values of these parameters; an empty value removes one.
    pub(crate) fn with(&self, changes: &[(&str, &str)]) -> String {
        let is_kept = |pair: &&(String, String)| {
            !pair.1.is_empty() && changes.iter().all(|(name, _)| *name != pair.0)
        };
        let kept = self.pairs.iter().filter(is_kept);
        let kept = kept.map(|(name, value)| (name.as_str(), value.as_str()));
        let mut query = "?".to_owned();
        for (name, value) in kept.chain(
            changes
                .iter()
                .copied()
                .filter(|(_, value)| !value.is_empty()),
        ) {
            if query.len() > 1 {
                query.push('&');
            }
            encode(name, &mut query);
            query.push('=');
            encode(value, &mut query);
        }
        query
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tradepost_domain::catalog::ProductField;

    #[test]
    fn links_keep_the_other_parameters() {
        let query = ListQuery::read("q=tea+mug&sort=name&cursor=x&empty=");
        assert_eq!(query.value("q"), "tea mug");
        assert_eq!(query.with(&[("cursor", "")]), "?q=tea%20mug&sort=name");
        let now = query.keyset::<ProductField>();
        let link = query.sort_link("Name", ProductField::Name, now);
        assert_eq!(link.href, "?q=tea%20mug&sort=-name");
        assert_eq!(link.state, Some("ascending"));
        let link = query.sort_link("Price", ProductField::Price, now);
        assert_eq!(
            (link.href.as_str(), link.state),
            ("?q=tea%20mug&sort=price", None)
        );
    }

    #[test]
    fn an_unknown_order_is_the_default_one() {
        for sort in ["", "x", "-", "stock", "name,price"] {
            let keyset = ListQuery::read(&format!("sort={sort}")).keyset::<ProductField>();
            assert_eq!(keyset.field(), ProductField::Id, "{sort}");
        }
    }
}
