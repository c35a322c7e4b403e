use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// A failure of the store, not an answer of the shop. What it says is for the log, never for a
/// client.
#[derive(Debug, Clone)]
pub struct StoreError {
    kind: StoreErrorKind,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// What kind of failure it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// The store is there, and has too much to do. Nothing was changed.
    Busy,
    /// The store cannot be reached. Nothing was changed.
    Unavailable,
    /// A query was interrupted at its [deadline](crate::deadline). Nothing was changed.
    DeadlineExceeded,
    /// The store has no room left. Nothing was changed.
    Full,
    /// The connection was lost at the commit: whether it happened is not known.
    OutcomeUnknown,
    /// A row holds what it cannot hold.
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's id.
        row: i64,
    },
    /// The store answers, but its schema is of another version.
    SchemaMismatch,
    /// Anything else: a defect.
    Other,
}

impl StoreErrorKind {
    /// Whether the same command may be run again as it is.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self {
            Self::Busy | Self::Unavailable => true,
            Self::DeadlineExceeded
            | Self::Full
            | Self::OutcomeUnknown
            | Self::Corrupt { .. }
            | Self::SchemaMismatch
            | Self::Other => false,
        }
    }
}

impl StoreError {
    /// A failure without a cause from below.
    #[must_use]
    pub fn new(kind: StoreErrorKind) -> Self {
        Self { kind, source: None }
    }

    /// A failure with its cause.
    #[must_use]
    pub fn caused(kind: StoreErrorKind, source: impl Error + Send + Sync + 'static) -> Self {
        Self {
            kind,
            source: Some(Arc::new(source)),
        }
    }

    /// A row that holds what it cannot hold.
    #[must_use]
    pub fn corrupt(table: &'static str, column: &'static str, row: i64) -> Self {
        Self::new(StoreErrorKind::Corrupt { table, column, row })
    }

    /// What kind of failure it was.
    #[must_use]
    pub fn kind(&self) -> &StoreErrorKind {
        &self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            StoreErrorKind::Busy => f.write_str("the database is busy")?,
            StoreErrorKind::Unavailable => f.write_str("the database cannot be reached")?,
            StoreErrorKind::DeadlineExceeded => {
                f.write_str("a query was interrupted at its deadline")?;
            }
            StoreErrorKind::Full => f.write_str("the database has no room left")?,
            StoreErrorKind::OutcomeUnknown => {
                f.write_str("the connection was lost at the commit; its outcome is not known")?;
            }
            StoreErrorKind::Corrupt { table, column, row } => {
                write!(
                    f,
                    "column {column} of row {row} in table {table} holds what it cannot hold"
                )?;
            }
            StoreErrorKind::SchemaMismatch => {
                f.write_str("the database has the schema of another version")?;
            }
            StoreErrorKind::Other => f.write_str("the database failed")?,
        }
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.source.as_deref()?)
    }
}
