//! Rows that another transaction holds, as an operator's session that is left open: the changes that
//! need one of them are refused as busy, and their neighbours in the same slices are executed.

use crate::changes::{Change, Kind};
use crate::client::Answer;
use crate::races::{Racer, race};
use crate::shop::{Shop, print_line};
use crate::verify::assert_no_deadlock;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

/// A short deadline, as each change of a locked row takes that long.
const IMPATIENT: [&str; 2] = ["--request-timeout", "2"];

/// The tables whose rows are locked, with the column that a change names.
const TABLES: [(&str, &str); 4] = [
    ("users", "username"),
    ("orders", "id"),
    ("stock", "product_id"),
    ("products", "id"),
];

/// The kinds of change that need a row of a table.
fn kinds(table: &str) -> impl Iterator<Item = Kind> {
    let needs = move |kind: &Kind| kind.locks().contains(&table);
    Kind::ALL.into_iter().filter(needs)
}

fn send(mut change: Change) -> Racer<(Change, Answer)> {
    Box::new(move || {
        let answer = change.send();
        (change, answer)
    })
}

#[test]
fn changes_of_locked_rows_are_busy_and_their_neighbours_are_made() {
    let mut shop = Shop::on_postgres(&IMPATIENT);
    let count = TABLES.iter().map(|(table, _)| 2 * kinds(table).count());
    let customers = shop.customers(count.sum());
    let mut customers = customers.iter().enumerate();
    for (table, column) in TABLES {
        let (mut held, mut free, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        for kind in kinds(table) {
            let (number, customer) = customers.next().unwrap();
            let change = Change::prepare(&shop, kind, customer);
            rows.push(match table {
                "users" => format!("'buyer{number}'"),
                "orders" => change.order.to_string(),
                _ => change.product.to_string(),
            });
            held.push(change);
            let (_, customer) = customers.next().unwrap();
            free.push(Change::prepare(&shop, kind, customer));
        }
        let mut holder = PgConnection::establish(&shop.postgres().url()).unwrap();
        let rows = rows.join(", ");
        let hold = format!("BEGIN; SELECT FROM {table} WHERE {column} IN ({rows}) FOR UPDATE");
        holder.batch_execute(&hold).unwrap();
        let held_count = held.len();
        let mut answers = race(held.into_iter().chain(free).map(send).collect());
        for (change, answer) in answers.drain(held_count..) {
            let mut change = change;
            change.assert_done(&answer);
            change.assert_made_once(true);
        }
        for (change, answer) in &mut answers {
            let told = (answer.status, &*answer.code());
            assert_eq!(told, (503, "busy"), "{table}: {:?}", change.kind);
            assert!(answer.header("Retry-After").is_some(), "{answer:?}");
        }
        holder.batch_execute("COMMIT").unwrap();
        print_line(&format!("{held_count} changes of locked {table} are busy"));
        for (mut change, _) in answers {
            change.assert_made_once(false);
        }
    }
    assert_no_deadlock(&shop);
    print_line(&shop.verify());
}
