//! The measured databases.

use crate::plan::{Basket, Store};
use crate::{Outcome, fill};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use std::path::Path;
use tradepost_diesel::{DatabaseUrl, Migrator, Missing};
use tradepost_test_postgres::Cluster;

/// A shop's database.
pub(crate) struct TestShop {
    pub(crate) store: Store,
    pub(crate) url: String,
    pub(crate) products: u32,
    /// Orders placed before the measurement.
    pub(crate) earlier: u32,
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
    pub(crate) fn on_postgres(cluster: &Cluster, size: Size) -> Outcome<Self> {
        let url = cluster.url(&cluster.database()?);
        Self::open(Store::Postgres, url, size)
    }

    /// Creates a shop in an SQLite file.
    pub(crate) fn on_sqlite(folder: &Path, size: Size) -> Outcome<Self> {
        let file = folder.join(format!("shop-{}.db", size.products));
        let url = format!("sqlite://{}", file.display());
        Self::open(Store::Sqlite, url, size)
    }

    fn open(store: Store, url: String, size: Size) -> Outcome<Self> {
        Migrator::connect(&DatabaseUrl::parse(&url)?, Missing::Create)?.run(|_| {})?;
        let shop = Self {
            store,
            url,
            products: size.products,
            earlier: size.orders,
        };
        let mut link = shop.connect()?;
        link.run("BEGIN")?;
        link.run(&fill::shop(size.products, size.users, size.orders))?;
        link.run("COMMIT")?;
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

    /// Number of orders.
    pub(crate) fn orders(&self) -> Outcome<i64> {
        let mut link = self.connect()?;
        Ok(link.number("SELECT count(*) AS value FROM orders")?)
    }
}
