//! The measured databases.

use crate::plan::{Basket, Store};
use crate::{Outcome, fill, server};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;
use tradepost_test_postgres::Cluster;

/// A shop's database.
pub(crate) struct TestShop {
    pub(crate) store: Store,
    /// The program that serves it.
    pub(crate) program: PathBuf,
    /// Whether that is the binary that the measured one is compared with.
    pub(crate) is_compared: bool,
    pub(crate) url: String,
    pub(crate) products: u32,
    /// Orders placed before the measurement.
    pub(crate) earlier: u32,
}

/// A program to measure.
pub(crate) struct Program<'a> {
    pub(crate) path: &'a Path,
    pub(crate) is_compared: bool,
}

/// Number of rows of each kind in a shop.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) products: u32,
    pub(crate) users: u32,
    pub(crate) orders: u32,
}

/// A connection to one of the two databases.
pub(crate) enum Link {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

#[derive(QueryableByName)]
struct Words {
    #[diesel(sql_type = Text)]
    value: String,
}

impl Link {
    /// Runs a script.
    pub(crate) fn run(&mut self, sql: &str) -> QueryResult<()> {
        match self {
            Self::Postgres(conn) => conn.batch_execute(sql),
            Self::Sqlite(conn) => conn.batch_execute(sql),
        }
    }

    /// The number that a query returns as `value`.
    pub(crate) fn number(&mut self, sql: &str) -> QueryResult<i64> {
        let query = diesel::sql_query(sql);
        let row: Number = match self {
            Self::Postgres(conn) => query.get_result(conn)?,
            Self::Sqlite(conn) => query.get_result(conn)?,
        };
        Ok(row.value)
    }

    /// The text that a query returns as `value`.
    pub(crate) fn words(&mut self, sql: &str) -> QueryResult<String> {
        let query = diesel::sql_query(sql);
        let row: Words = match self {
            Self::Postgres(conn) => query.get_result(conn)?,
            Self::Sqlite(conn) => query.get_result(conn)?,
        };
        Ok(row.value)
    }
}

impl TestShop {
    /// Creates a shop on PostgreSQL.
    pub(crate) fn on_postgres(cluster: &Cluster, size: Size, by: &Program<'_>) -> Outcome<Self> {
        let url = cluster.url(&cluster.database()?);
        Self::open(Store::Postgres, url, size, by)
    }

    /// Creates a shop in an SQLite file.
    pub(crate) fn on_sqlite(folder: &Path, size: Size, by: &Program<'_>) -> Outcome<Self> {
        let kind = if by.is_compared { "compared" } else { "shop" };
        let file = folder.join(format!("{kind}-{}.db", size.products));
        let url = format!("sqlite://{}", file.display());
        Self::open(Store::Sqlite, url, size, by)
    }

    /// The schema is that of the program: a compared one may have an older schema, as long as it
    /// has the tables and columns of the test data.
    fn open(store: Store, url: String, size: Size, by: &Program<'_>) -> Outcome<Self> {
        server::migrate(by.path, &url)?;
        let shop = Self {
            store,
            program: by.path.to_owned(),
            is_compared: by.is_compared,
            url,
            products: size.products,
            earlier: size.orders,
        };
        let mut link = shop.connect()?;
        link.run("BEGIN")?;
        link.run(&fill::shop(size.products, size.users, size.orders))?;
        link.run("COMMIT")?;
        if shop.has_event_log()? {
            link.run(fill::EVENT_LOG)?;
        }
        link.run(match store {
            Store::Postgres => "VACUUM ANALYZE",
            Store::Sqlite => "ANALYZE",
        })?;
        Ok(shop)
    }

    /// Connects with the server's durability: SQLite keeps commits across a power cut.
    pub(crate) fn connect(&self) -> Outcome<Link> {
        match self.store {
            Store::Postgres => Ok(Link::Postgres(PgConnection::establish(&self.url)?)),
            Store::Sqlite => {
                let path = self.url.trim_start_matches("sqlite://");
                let mut link = Link::Sqlite(SqliteConnection::establish(path)?);
                link.run(
                    "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL;
                     PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
                     PRAGMA cache_size = -8000",
                )?;
                Ok(link)
            }
        }
    }

    /// Empties every cart, and fills the first ones.
    pub(crate) fn fill_carts(&self, basket: Basket, carts: u32) -> Outcome<()> {
        let mut link = self.connect()?;
        let filled = fill::carts(basket, carts, self.products);
        self.empty_carts()?;
        link.run(&filled)?;
        if self.store == Store::Postgres {
            link.run("VACUUM ANALYZE cart_items")?;
        }
        Ok(())
    }

    /// Empties every cart.
    pub(crate) fn empty_carts(&self) -> Outcome<()> {
        let mut link = self.connect()?;
        Ok(link.run(match self.store {
            Store::Postgres => "TRUNCATE cart_items RESTART IDENTITY",
            Store::Sqlite => {
                "DELETE FROM cart_items; DELETE FROM sqlite_sequence WHERE name = 'cart_items'"
            }
        })?)
    }

    /// Waits until the server has numbered the events of orders that were placed without it, which
    /// would be part of its measurement otherwise.
    pub(crate) fn await_numbered_events(&self) -> Outcome<()> {
        if self.store == Store::Sqlite || !self.has_event_log()? {
            return Ok(());
        }
        let mut link = self.connect()?;
        while link.number("SELECT count(*) AS value FROM outbox")? > 0 {
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Whether the schema has an event log: that of a compared program may be older.
    fn has_event_log(&self) -> Outcome<bool> {
        let tables = match self.store {
            Store::Postgres => "pg_tables WHERE tablename",
            Store::Sqlite => "sqlite_schema WHERE name",
        };
        let sql = format!("SELECT count(*) AS value FROM {tables} = 'events'");
        Ok(self.connect()?.number(&sql)? > 0)
    }

    /// Number of orders.
    pub(crate) fn orders(&self) -> Outcome<i64> {
        let mut link = self.connect()?;
        Ok(link.number("SELECT count(*) AS value FROM orders")?)
    }
}
