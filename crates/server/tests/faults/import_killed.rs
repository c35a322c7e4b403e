//! kill -9 of an import of products at each of its stages, while customers order.
//!
//! The stage is a state that the test sees, not a time. An import reads from a pipe that the test
//! fills, or is held up by a trigger: on PostgreSQL at an advisory lock, for which it is seen to wait,
//! and on SQLite in an endless query, whose memory is seen. A server that starts afterwards completes
//! the import.

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
    /// The first transaction that applies rows writes the first of them.
    Beginning,
    /// Some rows are committed, and a transaction writes others.
    Writing,
    /// All rows are applied, and the staged ones are deleted.
    Tidying,
}

impl Stage {
    const ALL: [Self; 4] = [Self::Reading, Self::Beginning, Self::Writing, Self::Tidying];

    /// Whether the import has committed this number of rows when it is killed.
    fn has_committed(self, rows: u64) -> bool {
        match self {
            Self::Reading | Self::Beginning => rows == 0,
            Self::Writing => (1..1_500).contains(&rows),
            Self::Tidying => rows == ROWS,
        }
    }

    /// The products that the shop has in the end.
    fn applied(self) -> u64 {
        match self {
            Self::Reading => 0,
            Self::Beginning | Self::Writing | Self::Tidying => ROWS,
        }
    }

    /// The write that a trigger holds up: its event with the table, and its condition.
    fn write(self) -> Option<(&'static str, String)> {
        match self {
            Self::Reading => None,
            Self::Beginning => Some(("INSERT ON products", format!("NEW.sku = '{self:?}1'"))),
            Self::Writing => Some(("INSERT ON products", format!("NEW.sku = '{self:?}1500'"))),
            Self::Tidying => Some((
                "DELETE ON product_import_rows",
                format!("OLD.sku = '{self:?}1500'"),
            )),
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

    /// The imported products.
    fn imported(&mut self) -> u64 {
        let products = "SELECT count(*) AS value FROM products WHERE name LIKE 'Imported%'";
        self.number(products).unsigned_abs()
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

fn file(sku: &str, rows: u64) -> String {
    let text = "of stoneware ".repeat(10);
    let rows = (1..=rows).map(|row| format!("{sku}{row},Imported thing {row},{text},1.50,5\n"));
    format!(
        "sku,name,description,price,stock\n{}",
        rows.collect::<String>()
    )
}

/// Runs an import until it has reached a stage, and kills it. The server is killed before, unless the
/// import reads: it would take the step that holds the import up.
fn kill_import(shop: &mut Shop, database: &mut Database, stage: Stage, words: &[&str]) {
    let mut command = shop.place.command(words);
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    let mut process = command.spawn().unwrap();
    let mut pipe = process.stdin.take().unwrap();
    if stage == Stage::Reading {
        let rows = file(&format!("{stage:?}"), READ);
        pipe.write_all(rows.as_bytes()).unwrap();
    }
    let began = Instant::now();
    while !database.has_reached(stage, &process) {
        assert_eq!(process.try_wait().unwrap(), None, "{stage:?}");
        assert!(began.elapsed() < 6 * IN_TIME, "{stage:?}");
        sleep(Duration::from_millis(5));
    }
    if stage != Stage::Reading {
        shop.kill(0);
    }
    process.kill().unwrap();
    process.wait().unwrap();
}

fn is_killed_at_each_stage(mut shop: Shop, mut database: Database, url: &str) {
    let import = |file: &'static str| {
        let words = ["import", "products", file, "--database", url];
        [&words[..], &["--data-dir", "data0"]].concat()
    };
    let load = Load::start(shop.buyers(4));
    let mut applied = 0;
    for stage in Stage::ALL {
        let sku = format!("{stage:?}");
        std::fs::write(shop.place.path("products.csv"), file(&sku, ROWS)).unwrap();
        let is_writing = stage.write().is_some();
        database.hold(stage);
        let words = import(if is_writing { "products.csv" } else { "-" });
        kill_import(&mut shop, &mut database, stage, &words);
        let committed = database.imported() - applied;
        assert!(stage.has_committed(committed), "{stage:?}: {committed}");
        shop.verify();
        database.release(stage);
        if is_writing {
            shop.restart(0);
        }
        applied += stage.applied();
        let killed = Instant::now();
        while database.imported() != applied {
            assert!(killed.elapsed() < 6 * IN_TIME, "{stage:?}");
            sleep(Duration::from_millis(50));
        }
        shop.verify();
    }
    shop.place.run(&import("products.csv")).well();
    assert_eq!(database.imported(), applied);
    load.await_recovery();
    let buyers = load.stop();
    print_line(&format!("kill -9 of an import at {:?}", Stage::ALL));
    prove(&shop, buyers);
}

#[test]
fn an_import_on_sqlite_is_killed() {
    let shop = Shop::on_sqlite(&[]);
    let path = shop.place.path("shop.db");
    let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    conn.batch_execute("PRAGMA busy_timeout = 60000").unwrap();
    is_killed_at_each_stage(shop, Database::Sqlite(conn), "sqlite://shop.db");
}

#[test]
fn an_import_on_postgres_is_killed() {
    let mut shop = Shop::on_postgres(&[]);
    let url = shop.postgres().url();
    let conn = PgConnection::establish(&url).unwrap();
    is_killed_at_each_stage(shop, Database::Postgres(conn), &url);
}
