//! Errors of opening, copying and migrating a database, as sentences for the operator.

use tradepost_domain::kernel::Currency;

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file does not exist.
    #[error(
        "There is no database at {database}. Make it with `tradepost migrate`, or name another with --database."
    )]
    Missing {
        /// The database: its file, or its URL without the password.
        database: String,
    },
    /// The file is not an SQLite database.
    #[error(
        "{database} is not an SQLite database. Name another file with --database, or move this one away."
    )]
    NotADatabase {
        /// The database: its file, or its URL without the password.
        database: String,
    },
    /// The file belongs to another program.
    #[error("{database} is the database of another program. Name another file with --database.")]
    OtherProgram {
        /// The database: its file, or its URL without the password.
        database: String,
    },
    /// The schema is of a later version.
    #[error(
        "The database {database} was made by a newer version of tradepost: it has the migration {migration}. Start that version, or restore a backup from before the upgrade."
    )]
    TooNew {
        /// The database: its file, or its URL without the password.
        database: String,
        /// A migration that this version does not know.
        migration: String,
    },
    /// The schema is of an earlier version.
    #[error(
        "The database {database} is not up to date: migrations that it lacks: {count}. Run `tradepost migrate`."
    )]
    Pending {
        /// The database: its file, or its URL without the password.
        database: String,
        /// Number of missing migrations.
        count: usize,
    },
    /// The bundled SQLite can corrupt data.
    #[error(
        "This binary contains SQLite {version}, which can corrupt a database that several connections use. Build it with SQLite 3.51.3 or later."
    )]
    OldSqlite {
        /// Its version.
        version: String,
    },
    /// The file system has no shared memory.
    #[error(
        "The file system under {database} cannot keep SQLite's write-ahead log. Put the data folder on a local disk."
    )]
    NoWriteAheadLog {
        /// The database: its file, or its URL without the password.
        database: String,
    },
    /// The shop has another currency.
    #[error(
        "The shop's currency is {stored}, written into its database at the first start; --currency says {wanted}. Start it with --currency {stored}."
    )]
    OtherCurrency {
        /// The stored currency.
        stored: String,
        /// The configured currency.
        wanted: Currency,
    },
    /// A PostgreSQL server that is no longer maintained.
    #[error("The database runs on PostgreSQL {version}. Upgrade it to version 15 or later.")]
    OldPostgres {
        /// Its version.
        version: String,
    },
    /// A database whose encoding cannot store every text.
    #[error(
        "The database {database} has the encoding {encoding}. Make one with the encoding UTF8."
    )]
    NotUtf8 {
        /// The database: its URL without the password.
        database: String,
        /// Its encoding.
        encoding: String,
    },
    /// A standby, or a server in recovery.
    #[error(
        "The database {database} is on a standby, or on a server in recovery, and takes no writes. Name the primary with --database, or all of its servers: postgres://HOST1,HOST2/NAME."
    )]
    Standby {
        /// The database: its URL without the password.
        database: String,
    },
    /// A read-only server.
    #[error(
        "The database {database} takes no writes: default_transaction_read_only is on. Set it to off."
    )]
    ReadOnly {
        /// The database: its URL without the password.
        database: String,
    },
    /// A database backend that this build does not include.
    #[error(
        "This binary was built without {name}. Build it with --features {name}, or name another database with --database."
    )]
    NotBuiltIn {
        /// Its name.
        name: &'static str,
    },
    /// No encrypted or verified connection, as its parameters demand.
    #[error("No secure connection to the database {database}: {reason}. {advice}.")]
    Tls {
        /// The database: its URL without the password.
        database: String,
        /// What libpq says.
        reason: String,
        /// The setting, and what to do.
        advice: String,
    },
    /// Any other error.
    #[error("The database {database} cannot be opened: {reason}.")]
    Unusable {
        /// The database: its file, or its URL without the password.
        database: String,
        /// The database's message.
        reason: String,
    },
}

impl OpenError {
    pub(crate) fn unusable(database: &str, reason: &dyn std::fmt::Display) -> Self {
        Self::Unusable {
            database: database.to_owned(),
            reason: reason.to_string(),
        }
    }
}

/// Why a database could not be copied.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It could not be opened.
    #[error(transparent)]
    Open(OpenError),
    /// No space is left for the copy.
    #[error("there is no room left")]
    Full,
    /// The database is empty.
    #[error("there is no shop in the database yet: `tradepost migrate` makes one")]
    Empty,
    /// Not an SQLite database: PostgreSQL has backup tools of its own.
    #[error("it is not an SQLite database")]
    NotAFile,
    /// Any other error.
    #[error("{0}")]
    Failed(String),
}

/// Why a database could not be migrated. The database is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// It could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database reported an error.
    #[error("The database cannot be migrated: {0}.")]
    Database(#[from] diesel::result::Error),
    /// Reverting the migration would delete data that cannot be restored.
    #[error(
        "The shop has {rows} {what}, which taking back {name} would delete. Copy the database with pg_dump, and delete them by hand."
    )]
    WouldBeLost {
        /// The migration.
        name: String,
        /// Number of rows.
        rows: String,
        /// Their name.
        what: &'static str,
    },
    /// A migration failed.
    #[error("The migration {name} failed, and nothing was changed: {reason}.")]
    Failed {
        /// Its name.
        name: String,
        /// The database's message.
        reason: String,
    },
}

impl MigrateError {
    pub(crate) fn failed(name: &str, reason: &dyn std::fmt::Display) -> Self {
        Self::Failed {
            name: name.to_owned(),
            reason: reason.to_string(),
        }
    }
}
