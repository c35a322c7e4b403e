//! Problems of the rows of a file.

use crate::kernel::FieldError;
use std::borrow::Cow;
use std::fmt;

/// Problem of a cell or of a row. Its text is a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowFault {
    /// The value of a field.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// Another row has the same sku, which has to be unique.
    #[error("Line {line} has the same sku.")]
    SameSku {
        /// The line of the first row with the sku.
        line: u64,
    },
    /// A product cannot be created without this field.
    #[error("The shop has no product with this sku yet, and a new one needs this field.")]
    NeededByNew,
    /// The product of the sku is archived.
    #[error("The product with this sku is archived. A column archived with false restores it.")]
    Archived,
    /// A number that can be read in two ways.
    #[error(
        "{text:?} can be read in two ways. Write it with a decimal point and without separators of \
         thousands."
    )]
    Ambiguous {
        /// The cell.
        text: String,
    },
    /// A row of another width than the header.
    #[error(
        "The row has {found} cells and the header {expected}. A quotation mark may be missing."
    )]
    Width {
        /// Cells of the row.
        found: usize,
        /// Cells of the header.
        expected: usize,
    },
    /// A row longer than the maximum.
    #[error("The row is longer than {max} bytes. A quotation mark may be missing.")]
    TooLong {
        /// Maximum number of bytes.
        max: u64,
    },
    /// Any other problem of the format, as a sentence.
    #[error("{0}")]
    Format(Cow<'static, str>),
}

/// Problem of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowProblem {
    /// The line of the file on which the row begins, from 1.
    pub line: u64,
    /// The column, as the file calls it; empty for the whole row.
    pub column: Cow<'static, str>,
    /// The problem.
    pub fault: RowFault,
}

impl RowProblem {
    /// A problem of a column.
    pub fn new(
        line: u64,
        column: impl Into<Cow<'static, str>>,
        fault: impl Into<RowFault>,
    ) -> Self {
        Self {
            line,
            column: column.into(),
            fault: fault.into(),
        }
    }
}

impl fmt::Display for RowProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            line,
            column,
            fault,
        } = self;
        match column.is_empty() {
            true => write!(f, "line {line}: {fault}"),
            false => write!(f, "line {line}, {column}: {fault}"),
        }
    }
}

/// The problems of a file by line, up to a limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProblemList {
    listed: Vec<RowProblem>,
    count: u64,
}

impl ProblemList {
    /// Maximum number of listed problems.
    pub const LISTED: usize = 100;

    /// Adds a problem. The listed ones are those of the first lines.
    pub fn push(&mut self, problem: RowProblem) {
        self.count = self.count.saturating_add(1);
        let at = self.listed.partition_point(|one| one.line <= problem.line);
        if at < Self::LISTED {
            self.listed.insert(at, problem);
            self.listed.truncate(Self::LISTED);
        }
    }

    /// Counts problems that are not listed.
    pub(super) fn count_unlisted(&mut self, count: u64) {
        self.count = self.count.saturating_add(count);
    }

    /// Adds the problems of another list.
    pub fn merge(&mut self, other: &Self) {
        let listed = u64::try_from(other.listed.len()).unwrap_or(u64::MAX);
        self.extend(other.listed.iter().cloned());
        self.count_unlisted(other.count.saturating_sub(listed));
    }

    /// The listed problems, by ascending line.
    #[must_use]
    pub fn listed(&self) -> &[RowProblem] {
        &self.listed
    }

    /// Number of problems, listed or not.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether there is no problem.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl Extend<RowProblem> for ProblemList {
    fn extend<I: IntoIterator<Item = RowProblem>>(&mut self, problems: I) {
        problems.into_iter().for_each(|problem| self.push(problem));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_keeps_the_problems_of_the_first_lines() {
        let mut list = ProblemList::default();
        list.extend((1..=300).rev().map(|line| {
            let fault = RowFault::SameSku { line: 1 };
            RowProblem::new(line, "sku", fault)
        }));
        assert_eq!(list.count(), 300);
        let lines: Vec<u64> = list.listed().iter().map(|problem| problem.line).collect();
        assert_eq!(lines, (1..=100).collect::<Vec<_>>());
        assert!(!list.is_empty());
    }

    #[test]
    fn a_problem_names_its_line_and_column() {
        let cell = RowProblem::new(7, "Variant Price", FieldError::NotPositive);
        assert_eq!(
            cell.to_string(),
            "line 7, Variant Price: Must be greater than 0."
        );
        let row = RowProblem::new(9, "", RowFault::Archived);
        assert!(row.to_string().starts_with("line 9: The product"));
    }
}
