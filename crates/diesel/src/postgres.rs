//! PostgreSQL: the same queries, mounted against its connection.
//!
//! Not in the default build yet: see `docs/adr/0003-one-tree-of-queries.md` for what it lacks.

mod classify;

#[path = "queries/mod.rs"]
mod queries;

pub(crate) use queries::Migrator;

use crate::failure::Failure;
use crate::{DatabaseUrl, MigrateError, OpenError, OpenOptions, ShopCurrency};
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, Pool};
use diesel::sql_types::Bool;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use std::path::PathBuf;
use tradepost_domain::{Currency, StoreError, StoreErrorKind};

/// The connection that the queries are written against.
pub(crate) type Conn = PgConnection;

/// An open database.
pub(crate) struct Database {
    pool: Pool<ConnectionManager<Conn>>,
    currency: Currency,
}

impl Database {
    /// Opens a database that is there and has every migration.
    pub(crate) fn open(url: &DatabaseUrl, options: &OpenOptions) -> Result<Self, OpenError> {
        let database = url.to_string();
        // One by hand first: the pool would keep the reason of a failure to itself for a while.
        let mut conn = connect(url)?;
        queries::check_current(&mut conn, &database)?;
        let unusable = |error: diesel::result::Error| OpenError::unusable(&database, &error);
        if let ShopCurrency::Is(currency) = options.currency {
            queries::fix_currency(&mut conn, currency.code()).map_err(unusable)?;
        }
        let stored = queries::stored_currency(&mut conn).map_err(unusable)?;
        let currency = options.currency.agree(stored.as_deref())?;
        let pool = Pool::builder()
            .max_size(options.readers)
            .min_idle(Some(1))
            .connection_timeout(options.wait)
            .test_on_check_out(false)
            .build(ConnectionManager::new(url.secret()))
            .map_err(|error| OpenError::unusable(&database, &error))?;
        Ok(Self { pool, currency })
    }

    /// The shop's currency.
    pub(crate) fn currency(&self) -> Currency {
        self.currency
    }

    /// Runs one query.
    pub(crate) fn read<T>(
        &self,
        job: impl Fn(&mut Conn) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.attempt(job)
    }

    /// Runs several queries that see the same moment.
    pub(crate) fn snapshot<T>(
        &self,
        job: impl Fn(&mut Conn) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.attempt(|conn| {
            within(
                conn,
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                &job,
            )
        })
    }

    /// Runs one write: whole or not at all, and committed when this returns.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        job: impl Fn(&mut Conn) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.attempt(|conn| within(conn, "BEGIN ISOLATION LEVEL READ COMMITTED", &job))
    }

    /// Runs a job, and again if somebody else was in its way and nothing of it was stored.
    fn attempt<T>(&self, job: impl Fn(&mut Conn) -> Result<T, Failure>) -> Result<T, StoreError> {
        let mut attempts = 1;
        loop {
            let busy = |error| StoreError::caused(StoreErrorKind::Busy, error);
            let mut conn = self.pool.get().map_err(busy)?;
            match job(&mut conn) {
                Ok(value) => return Ok(value),
                Err(Failure::Query(error))
                    if attempts < ATTEMPTS && classify::meaning(&error).again =>
                {
                    log::debug!("attempt {attempts} of {ATTEMPTS} failed: {error}");
                    attempts += 1;
                }
                Err(failure) => return Err(classify::store_error(failure)),
            }
        }
    }
}

/// How often a job is run before its failure is passed on.
const ATTEMPTS: u32 = 4;

fn within<T>(
    conn: &mut Conn,
    begin: &str,
    job: &impl Fn(&mut Conn) -> Result<T, Failure>,
) -> Result<T, Failure> {
    conn.batch_execute(begin)?;
    match job(conn) {
        Ok(value) => match conn.batch_execute("COMMIT") {
            Ok(()) => Ok(value),
            // Whether it was stored is not known, so it must not be run again.
            Err(error) => Err(StoreError::caused(StoreErrorKind::OutcomeUnknown, error).into()),
        },
        Err(failure) => {
            // A connection that is gone has rolled back by itself.
            let _ = conn.batch_execute("ROLLBACK");
            Err(failure)
        }
    }
}

fn connect(url: &DatabaseUrl) -> Result<Conn, OpenError> {
    Conn::establish(&url.secret()).map_err(|error| OpenError::unusable(&url.to_string(), &error))
}

/// A connection for migrations.
pub(crate) fn migrator(url: &DatabaseUrl) -> Result<Migrator, OpenError> {
    Ok(Migrator::new(connect(url)?, url.to_string()))
}

pub(crate) type Db = diesel::pg::Pg;

pub(crate) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

#[derive(QueryableByName)]
struct Flag {
    #[diesel(sql_type = Bool)]
    value: bool,
}

pub(crate) fn has_history(conn: &mut Conn) -> QueryResult<bool> {
    diesel::sql_query("SELECT to_regclass('__diesel_schema_migrations') IS NOT NULL AS value")
        .get_result::<Flag>(conn)
        .map(|flag| flag.value)
}

/// Runs something while no other server does: "TPST" names the lock.
pub(crate) fn exclusively<T>(
    conn: &mut Conn,
    job: impl FnOnce(&mut Conn) -> Result<T, MigrateError>,
) -> Result<T, MigrateError> {
    conn.build_transaction().run(|conn| {
        conn.batch_execute("SELECT pg_advisory_xact_lock(1414550356)")?;
        job(conn)
    })
}

/// Nothing is copied from here: refuses if orders would be lost.
pub(crate) fn keep_copy(
    conn: &mut Conn,
    _database: &str,
    migration: &str,
) -> Result<Option<PathBuf>, MigrateError> {
    match crate::schema::orders::table.count().get_result(conn)? {
        0 => Ok(None),
        orders => Err(MigrateError::OrdersWouldBeLost {
            name: migration.to_owned(),
            orders,
        }),
    }
}

/// Row locks, each list in ascending order. NO KEY UPDATE, as FOR UPDATE conflicts with the lock
/// that a foreign key takes on the row that it refers to.
pub(crate) mod locks {
    use super::Conn;
    use crate::schema::{orders, products, stock, users};
    use diesel::prelude::*;
    use tradepost_domain::{OrderId, ProductId, UserId};

    pub(crate) fn users(conn: &mut Conn, ids: &[UserId]) -> QueryResult<()> {
        let ids: Vec<i64> = ids.iter().map(|user| user.get()).collect();
        users::table
            .filter(users::id.eq_any(ids))
            .order(users::id)
            .select(users::id)
            .for_no_key_update()
            .load::<i64>(conn)
            .map(drop)
    }

    /// Every staff user and this one, so that two cannot switch each other off.
    pub(crate) fn staff(conn: &mut Conn, user: UserId) -> QueryResult<()> {
        users::table
            .filter(users::is_staff.eq(true).or(users::id.eq(user.get())))
            .order(users::id)
            .select(users::id)
            .for_no_key_update()
            .load::<i64>(conn)
            .map(drop)
    }

    pub(crate) fn order(conn: &mut Conn, id: OrderId) -> QueryResult<()> {
        let order = orders::table.find(id.get()).select(orders::id);
        order.for_no_key_update().load::<i64>(conn).map(drop)
    }

    pub(crate) fn product(conn: &mut Conn, id: ProductId) -> QueryResult<()> {
        let product = products::table.find(id.get()).select(products::id);
        product.for_no_key_update().load::<i64>(conn).map(drop)
    }

    pub(crate) fn stock(conn: &mut Conn, ids: &[ProductId]) -> QueryResult<()> {
        let ids: Vec<i64> = ids.iter().map(|product| product.get()).collect();
        stock::table
            .filter(stock::product_id.eq_any(ids))
            .order(stock::product_id)
            .select(stock::product_id)
            .for_no_key_update()
            .load::<i64>(conn)
            .map(drop)
    }
}
