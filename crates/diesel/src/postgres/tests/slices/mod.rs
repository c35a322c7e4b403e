//! Slices of commands: the number of their statements, and the faults that orders are tested for.

mod kinds;

use super::super::proxy::{Cut, Proxy};
use super::*;
use diesel::connection::InstrumentationEvent;
use kinds::{Kind, Slice};
use std::sync::Mutex;

fn assert_executed(refusals: &[Option<Refusal>], kind: Kind) {
    let refused = refusals.iter().flatten().next();
    assert_eq!(refused, None, "{kind:?}");
}

/// A slice in a new shop, and the name of its database.
fn shop_with(kind: Kind, length: usize) -> (Stores, Slice, String) {
    let (database, name) = database();
    let stores = Stores::new(database);
    let slice = kind.slice(&stores, length);
    (stores, slice, name)
}

/// The statements of a slice of this length, with those that begin and end its transaction.
fn statements(kind: Kind, length: usize) -> Vec<String> {
    let (_, slice, name) = shop_with(kind, length);
    let url = DatabaseUrl::parse(&SERVER.0.url(&name)).unwrap();
    let one = OpenOptions {
        readers: 1,
        ..options()
    };
    let database = Database::open(&url, &one).unwrap();
    let statements = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&statements);
    let instrument = move |conn: &mut Conn| {
        let record = Arc::clone(&record);
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                record.lock().unwrap().push(query.to_string());
            }
        });
        Ok(())
    };
    database.write(instrument).unwrap();
    statements.lock().unwrap().clear();
    let refusals = slice.commands.execute(&Stores::new(Arc::new(database)));
    assert_eq!(refusals.len(), length);
    assert_executed(&refusals, kind);
    assert_eq!(slice.count(&name), length);
    std::mem::take(&mut *statements.lock().unwrap())
}

/// A round trip for each: a slice costs the same for one command and for thirty-two.
#[test]
fn a_slice_of_any_length_has_the_same_number_of_statements() {
    let expected = [
        (Kind::Place, 12),
        (Kind::PlaceUnderKeys, 15),
        (Kind::Add, 7),
        (Kind::AddUnderKeys, 10),
        (Kind::SetQuantity, 7),
        (Kind::Empty, 6),
        (Kind::Process, 10),
        (Kind::Cancel, 13),
        (Kind::Adjust, 10),
        (Kind::SetStock, 14),
        (Kind::SetPrice, 12),
        (Kind::Create, 15),
    ];
    let count = |kind| (kind, [1, 32].map(|length| statements(kind, length).len()));
    let expected = expected.map(|(kind, count)| (kind, [count, count]));
    assert_eq!(Kind::ALL.map(count), expected);
}

/// No statement waits: the command is left out, and the others are executed.
#[test]
fn a_locked_row_leaves_one_command_out_of_its_slice() {
    for kind in Kind::ALL {
        let rows = shop_with(kind, 3).1.rows.len();
        for row in 0..rows {
            let (stores, slice, name) = shop_with(kind, 3);
            let row = &slice.rows[row];
            let mut holder = other(&name);
            let hold = format!("BEGIN; SELECT FROM {row} FOR UPDATE");
            holder.batch_execute(&hold).unwrap();
            let began = Instant::now();
            let refusals = slice.commands.execute(&stores);
            // Waiting for the row would take as long as the lock timeout.
            assert!(began.elapsed() < PATIENCE / 2, "{kind:?}: {row}");
            assert_eq!(
                refusals,
                [Some(Refusal::LockConflict), None, None],
                "{kind:?}: {row}"
            );
            assert_eq!(slice.count(&name), 2, "{kind:?}: {row}");
            holder.batch_execute("ROLLBACK").unwrap();
            assert_eq!(
                slice.commands.execute_first(&stores),
                None,
                "{kind:?}: {row}"
            );
            assert_eq!(slice.count(&name), 3, "{kind:?}: {row}");
            assert_books(&stores);
        }
    }
}

/// Makes the first statement that writes a table fail, as PostgreSQL reports a deadlock. A sequence
/// is not rolled back.
fn deadlock_once(table: &str) -> String {
    format!(
        "CREATE SEQUENCE deadlocks;
         CREATE FUNCTION deadlock_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF nextval('deadlocks') = 1 THEN
                 RAISE 'deadlock detected' USING ERRCODE = 'deadlock_detected';
             END IF;
             RETURN NULL;
         END $$;
         CREATE TRIGGER deadlock_once AFTER INSERT OR UPDATE OR DELETE ON {table}
         FOR EACH STATEMENT EXECUTE FUNCTION deadlock_once()"
    )
}

#[test]
fn a_slice_that_is_the_victim_of_a_deadlock_is_retried() {
    for kind in Kind::ALL {
        let (stores, slice, name) = shop_with(kind, 3);
        sql(&name, &deadlock_once(slice.table));
        let refusals = slice.commands.execute(&stores);
        assert_executed(&refusals, kind);
        assert_ne!(
            sql(&name, "SELECT last_value FROM deadlocks"),
            "1",
            "{kind:?}"
        );
        assert_eq!(slice.count(&name), 3, "{kind:?}");
        assert_books(&stores);
    }
}

/// Of an unacknowledged commit, the whole slice is stored, or every command may be retried.
#[test]
fn an_unacknowledged_commit_of_a_slice_is_looked_up() {
    for kind in Kind::ALL {
        for cut in [Cut::BeforeCommit, Cut::AfterCommit] {
            let (stores, slice, name) = shop_with(kind, 3);
            let proxy = Proxy::start(cut);
            let unlucky = Stores::new(Arc::new(open(&proxy.url(&SERVER.0.url(&name)))));
            proxy.armed.store(true, Ordering::SeqCst);
            let refusals = slice.commands.execute(&unlucky);
            assert!(
                !proxy.armed.load(Ordering::SeqCst),
                "the connection was cut"
            );
            let is_stored = matches!(cut, Cut::AfterCommit);
            let expected = (!is_stored).then_some(Refusal::LockConflict);
            assert_eq!(refusals, vec![expected; 3], "{kind:?}");
            assert_eq!(
                slice.count(&name),
                if is_stored { 3 } else { 0 },
                "{kind:?}"
            );
            if !is_stored {
                assert_executed(&slice.commands.execute(&unlucky), kind);
                assert_eq!(slice.count(&name), 3, "{kind:?}");
            }
            assert_books(&stores);
        }
    }
}
