//! kill -9 of an import of products at each of its stages, while customers order.
//!
//! The stage is a state that the test sees, not a time. An import reads from a pipe that the test
//! fills, or is held up by a trigger: on PostgreSQL at an advisory lock, for which it is seen to wait,
//! and on SQLite in an endless query, whose memory is seen.

use crate::load::Load;
use crate::shop::{IN_TIME, Shop, print_line};
use crate::verify::prove;
use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection};
use std::io::Write;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Rows of the file.
const ROWS: u64 = 3_000;

/// Rows that are in the pipe when an import is killed while it reads. Their texts are longer than the
/// buffers of the reader.
const READ: u64 = 2_900;

/// The advisory lock that holds an import up on PostgreSQL.
const LOCK: &str = "774411";

/// Bytes of the endless query on SQLite. An import needs a small part of that otherwise.
const BYTES: u64 = 200_000_000;

/// A stage of an import, at which it is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Some rows are staged, and others are not read.
    Reading,
    /// The transaction that applies the rows writes the first of them.
    Beginning,
    /// The same transaction has written half of the rows.
    Writing,
    /// All rows are applied, and the staged ones are deleted.
    Tidying,
}

impl Stage {
    const ALL: [Self; 4] = [Self::Reading, Self::Beginning, Self::Writing, Self::Tidying];

    /// The products that the shop has afterwards.
    fn applied(self) -> u64 {
        match self {
            Self::Reading | Self::Beginning | Self::Writing => 0,
            Self::Tidying => ROWS,
        }
    }

    /// The write that a trigger holds up: its event with the table, and its condition.
    fn write(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Reading => None,
            Self::Beginning => Some(("INSERT ON products", "NEW.sku = 'SKU1'")),
            Self::Writing => Some(("INSERT ON products", "NEW.sku = 'SKU1500'")),
            Self::Tidying => Some(("DELETE ON product_import_rows", "OLD.sku = 'SKU1500'")),
        }
    }
}

/// The database, in which an import is held up and observed.
enum Database {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

impl Database {
    fn number(&mut self, sql: &str) -> i64 {
        let query = diesel::sql_query(sql);
        let number: Number = match self {
            Self::Sqlite(conn) => query.get_result(conn).unwrap(),
            Self::Postgres(conn) => query.get_result(conn).unwrap(),
        };
        number.value
    }

    fn run(&mut self, sql: &str) {
        match self {
            Self::Sqlite(conn) => conn.batch_execute(sql).unwrap(),
            Self::Postgres(conn) => conn.batch_execute(sql).unwrap(),
        }
    }

    /// Holds the next import up at a stage.
    fn hold(&mut self, stage: Stage) {
        let Some((event, condition)) = stage.write() else {
            return;
        };
        let sql = match self {
            Self::Sqlite(_) => format!(
                "CREATE VIEW endless AS
                 WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n)
                 SELECT n FROM n WHERE length(randomblob({BYTES})) < n - n;
                 CREATE TRIGGER hold_up BEFORE {event} WHEN {condition}
                 BEGIN SELECT count(*) FROM endless; END"
            ),
            Self::Postgres(_) => format!(
                "SELECT pg_advisory_lock({LOCK});
                 CREATE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                     PERFORM pg_advisory_xact_lock({LOCK});
                     RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
                 END $$;
                 CREATE TRIGGER hold_up BEFORE {event}
                 FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION hold_up()"
            ),
        };
        // The rows of killed imports, which the next import deletes first.
        self.run("DELETE FROM product_import_rows");
        self.run(&sql);
    }

    /// Whether an import is at the stage.
    fn has_reached(&mut self, stage: Stage, import: &Child) -> bool {
        if stage.write().is_none() {
            return self.number("SELECT count(*) AS value FROM product_import_rows") > 0;
        }
        let waits = format!(
            "SELECT count(*) AS value FROM pg_locks
             WHERE locktype = 'advisory' AND objid = {LOCK} AND NOT granted"
        );
        match self {
            Self::Sqlite(_) => resident(import) > BYTES / 2,
            Self::Postgres(_) => self.number(&waits) == 1,
        }
    }

    /// Lets imports pass again.
    fn release(&mut self, stage: Stage) {
        let Some((event, _)) = stage.write() else {
            return;
        };
        let (_, table) = event.split_once(" ON ").unwrap();
        self.run(&match self {
            Self::Sqlite(_) => "DROP TRIGGER hold_up; DROP VIEW endless".to_owned(),
            // The session of the killed import ends once it has the lock.
            Self::Postgres(_) => format!(
                "SELECT pg_advisory_unlock({LOCK});
                 DROP TRIGGER hold_up ON {table}; DROP FUNCTION hold_up"
            ),
        });
    }
}

/// Resident memory of a process, in bytes.
fn resident(process: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kilobytes.map_or(0, |number| number.trim().parse::<u64>().unwrap() * 1_024)
}

/// The imported products that the shop has.
fn imported(shop: &Shop) -> u64 {
    let found = shop.anonymous().get("/api/products/?search=imported");
    let page = found.unwrap().with(200);
    page["count"].as_u64().unwrap()
}

fn file(rows: u64) -> String {
    let text = "of stoneware ".repeat(10);
    let rows = (1..=rows).map(|row| format!("SKU{row},Imported thing {row},{text},1.50,5\n"));
    format!(
        "sku,name,description,price,stock\n{}",
        rows.collect::<String>()
    )
}

fn is_killed_at_each_stage(shop: &Shop, mut database: Database, url: &str) {
    std::fs::write(shop.place.path("products.csv"), file(ROWS)).unwrap();
    let import = |file: &'static str| {
        let words = ["import", "products", file, "--database", url];
        [&words[..], &["--data-dir", "data0"]].concat()
    };
    let load = Load::start(shop.buyers(4));
    for stage in Stage::ALL {
        database.hold(stage);
        let reads = stage == Stage::Reading;
        let words = import(if reads { "-" } else { "products.csv" });
        let mut command = shop.place.command(&words);
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        let mut process = command.spawn().unwrap();
        let mut pipe = process.stdin.take().unwrap();
        if reads {
            pipe.write_all(file(READ).as_bytes()).unwrap();
        }
        let began = Instant::now();
        while !database.has_reached(stage, &process) {
            assert_eq!(process.try_wait().unwrap(), None, "{stage:?}");
            assert!(began.elapsed() < 6 * IN_TIME, "{stage:?}");
            sleep(Duration::from_millis(5));
        }
        process.kill().unwrap();
        process.wait().unwrap();
        assert_eq!(imported(shop), stage.applied(), "{stage:?}");
        shop.verify();
        database.release(stage);
        assert_eq!(imported(shop), stage.applied(), "{stage:?}");
    }
    shop.place.run(&import("products.csv")).well();
    assert_eq!(imported(shop), ROWS);
    load.await_recovery();
    let buyers = load.stop();
    print_line(&format!("kill -9 of an import at {:?}", Stage::ALL));
    prove(shop, buyers);
}

#[test]
fn an_import_on_sqlite_is_killed() {
    let shop = Shop::on_sqlite(&[]);
    let path = shop.place.path("shop.db");
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    conn.batch_execute("PRAGMA busy_timeout = 60000").unwrap();
    is_killed_at_each_stage(&shop, Database::Sqlite(conn), "sqlite://shop.db");
}

#[test]
fn an_import_on_postgres_is_killed() {
    let mut shop = Shop::on_postgres(&[]);
    let url = shop.postgres().url();
    let conn = PgConnection::establish(&url).unwrap();
    is_killed_at_each_stage(&shop, Database::Postgres(conn), &url);
}
