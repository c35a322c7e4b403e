use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Failure of the store, as opposed to a refusal by the rules. Its text is for the log, never for a
/// client.
#[derive(Debug, Clone)]
pub struct StoreError {
    kind: StoreErrorKind,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// Kind of a store failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// The store is reachable but overloaded. Nothing was changed.
    Busy,
    /// The store cannot be reached. Nothing was changed.
    Unavailable,
    /// A query was interrupted at its [deadline](crate::kernel::deadline). Nothing was changed.
    DeadlineExceeded,
    /// The store has no space left. Nothing was changed.
    Full,
    /// The connection was lost during the commit: whether the write was committed is unknown.
    OutcomeUnknown,
    /// A column holds an invalid value.
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's id.
        row: i64,
    },
    /// The store is reachable, but has a schema of another version.
    SchemaMismatch,
    /// Any other failure: a defect.
    Other,
}

impl StoreErrorKind {
    /// Whether the same command may be retried unchanged.
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

    /// Whether the failure of a slice of commands, with which nothing was stored, may be caused by
    /// a single command. Then each of them is executed alone.
    #[must_use]
    pub fn may_be_of_one(&self) -> bool {
        match self {
            Self::Corrupt { .. } | Self::Other => true,
            Self::Busy
            | Self::Unavailable
            | Self::DeadlineExceeded
            | Self::Full
            | Self::OutcomeUnknown
            | Self::SchemaMismatch => false,
        }
    }
}

impl StoreError {
    /// A failure without a cause.
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

    /// An invalid value in a column of a row.
    #[must_use]
    pub fn corrupt(table: &'static str, column: &'static str, row: i64) -> Self {
        Self::new(StoreErrorKind::Corrupt { table, column, row })
    }

    /// Kind of the failure.
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
