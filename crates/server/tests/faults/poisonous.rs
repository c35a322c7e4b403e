//! Rows that the database refuses to write, as a corrupt or a constrained one: the command fails, and
//! its neighbours in the same batch are executed.

use crate::changes::{Change, Kind};
use crate::client::Answer;
use crate::races::{Racer, race};
use crate::shop::{Shop, print_line};
use crate::verify::assert_no_deadlock;

/// The table whose rows a kind of change writes, and the column that names the poisonous one.
fn row(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Add | Kind::AddWithKey | Kind::SetQuantity | Kind::Remove | Kind::Empty => {
            ("cart_items", "product_id")
        }
        Kind::Cancel | Kind::Delete | Kind::Process => ("orders", "id"),
        Kind::Deliver | Kind::DeliverWithKey => ("stock_movements", "product_id"),
        Kind::SetStock => ("stock_movements", "product_id"),
        Kind::SetPrice => ("products", "id"),
    }
}

/// Makes every write of one row of a table fail, as its CHECK would.
fn poison(table: &str, column: &str, id: i64) -> [String; 2] {
    let refuse = |event: &str, row: &str| {
        format!(
            "CREATE TRIGGER poison_{event} BEFORE {event} ON {table} WHEN {row}.{column} = {id}
             BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed'); END;"
        )
    };
    let events = [("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")];
    let sqlite = events.map(|(event, row)| refuse(event, row)).concat();
    let postgres = format!(
        "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF COALESCE(NEW.{column}, OLD.{column}) = {id} THEN
                 RAISE 'violates check constraint' USING ERRCODE = 'check_violation';
             END IF;
             RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
         END $$;
         CREATE TRIGGER poison BEFORE INSERT OR UPDATE OR DELETE ON {table}
         FOR EACH ROW EXECUTE FUNCTION poison()"
    );
    [sqlite, postgres]
}

fn healed(table: &str) -> [String; 2] {
    [
        "DROP TRIGGER poison_INSERT; DROP TRIGGER poison_UPDATE; DROP TRIGGER poison_DELETE"
            .to_owned(),
        format!("DROP TRIGGER poison ON {table}; DROP FUNCTION poison"),
    ]
}

fn send(mut change: Change) -> Racer<(Change, Answer)> {
    Box::new(move || {
        let answer = change.send();
        (change, answer)
    })
}

fn a_poisonous_command_fails_alone(shop: &Shop) {
    const NEIGHBOURS: usize = 2;
    let mut customers = shop
        .customers(Kind::ALL.len() * (NEIGHBOURS + 1))
        .into_iter();
    for kind in Kind::ALL {
        let customers = customers.by_ref().take(NEIGHBOURS + 1);
        let changes = customers.map(|customer| Change::prepare(shop, kind, &customer));
        let changes: Vec<Change> = changes.collect();
        let (table, column) = row(kind);
        let id = if table == "orders" {
            changes[0].order
        } else {
            changes[0].product
        };
        let poison = poison(table, column, id);
        shop.change_schema([&poison[0], &poison[1]]);
        let mut answers = race(changes.into_iter().map(send).collect()).into_iter();
        let (mut failed, answer) = answers.next().unwrap();
        assert_eq!(
            (answer.status, &*answer.code()),
            (500, "internal_error"),
            "{kind:?}"
        );
        for (mut change, answer) in answers {
            change.assert_done(&answer);
            assert_eq!(change.effect(), 1, "{kind:?}");
        }
        let healed = healed(table);
        shop.change_schema([&healed[0], &healed[1]]);
        failed.assert_made_once(false);
    }
    assert_no_deadlock(shop);
    print_line(&shop.verify());
}

#[test]
fn a_poisonous_command_on_sqlite_fails_alone() {
    a_poisonous_command_fails_alone(&Shop::on_sqlite(&[]));
}

#[test]
fn a_poisonous_command_on_postgres_fails_alone() {
    a_poisonous_command_fails_alone(&Shop::on_postgres(&[]));
}
