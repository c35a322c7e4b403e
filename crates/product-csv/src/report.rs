use crate::Dialect;
use std::collections::BTreeMap;

/// Columns and rows of a file, with those that an import leaves out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The system that wrote the columns.
    pub dialect: Dialect,
    /// The character between cells.
    pub separator: char,
    /// Recognised columns.
    pub recognised: Vec<String>,
    /// Other columns, with the number of rows that have a value in them.
    pub ignored: Vec<(String, u64)>,
    /// Rows that are no products, by the reason.
    pub passed_over: BTreeMap<&'static str, u64>,
    /// Rows read, without the header and empty lines.
    pub rows: u64,
}

impl Report {
    pub(crate) fn pass_over(&mut self, reason: &'static str) {
        let count = self.passed_over.entry(reason).or_default();
        *count = count.saturating_add(1);
    }

    /// Sentences about the values that are not imported.
    #[must_use]
    pub fn left_out(&self) -> Vec<String> {
        let rows = |count: u64| match count {
            1 => "1 row".to_owned(),
            count => format!("{count} rows"),
        };
        let ignored = self.ignored.iter().filter(|(_, count)| *count > 0);
        let columns = ignored.map(|(name, count)| {
            let name: String = name.chars().take(40).collect();
            format!("{name} ({})", rows(*count))
        });
        let columns: Vec<String> = columns.collect();
        let mut sentences = Vec::new();
        if !columns.is_empty() {
            let columns = columns.join(", ");
            sentences.push(format!("Columns that are not imported: {columns}."));
        }
        let passed = self.passed_over.iter();
        sentences.extend(passed.map(|(reason, count)| format!("{} {reason}.", rows(*count))));
        sentences
    }
}
