//! `tradepost migrate` and `verify`, on the real binary.

use crate::place::{MIGRATIONS, Place, each_migration};
use diesel::prelude::*;

#[test]
fn migrate_says_what_it_does() {
    let place = Place::new();
    let missing = place.run(&["migrate", "--plan"]).sentence(1);
    assert!(missing.contains("tradepost migrate"), "{missing}");
    assert!(place.files().is_empty(), "a plan makes nothing");
    let first = place.run(&["migrate"]).well();
    let applying = each_migration(|name| format!("  Applying {name}... OK\n"));
    assert_eq!(first, format!("Running migrations:\n{applying}"));
    let again = place.run(&["migrate"]).well();
    assert_eq!(again, "Running migrations:\n  No migrations to apply.\n");
    let plan = place.run(&["migrate", "--plan"]).well();
    assert_eq!(
        plan,
        "Planned operations:\n  No planned migration operations.\n"
    );
    for name in MIGRATIONS.iter().rev() {
        let back = place.run(&["migrate", "--revert"]).well();
        assert!(back.starts_with(&format!("Running migrations:\n  Unapplying {name}... OK\n")));
    }
    let plan = place.run(&["migrate", "--plan"]).well();
    let planned = each_migration(|name| format!("  {name}\n"));
    assert_eq!(plan, format!("Planned operations:\n{planned}"));
    assert!(
        place
            .run(&["verify"])
            .sentence(1)
            .contains("tradepost migrate")
    );
    let nothing = place.run(&["migrate", "--revert"]).well();
    assert_eq!(
        nothing,
        "Running migrations:\n  No migrations to unapply.\n"
    );
    place.run(&["migrate"]).well();
}

#[test]
fn verify_audits_the_ledger() {
    let place = Place::new();
    assert!(place.run(&["verify"]).sentence(1).contains("no database"));
    place.serve(&["--demo"]).stop();
    let right = place.run(&["verify"]).well();
    assert_eq!(
        right,
        "The books are right: 12 products, 0 orders, 12 movements.\n"
    );
    let path = place.path("data/tradepost.db");
    let mut database = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    diesel::sql_query("UPDATE stock SET on_hand = on_hand + 1 WHERE product_id IN (1, 2)")
        .execute(&mut database)
        .unwrap();
    drop(database);
    let wrong = place.run(&["verify"]);
    assert_eq!(
        wrong.out,
        "product 1: 121 on hand, but its movements add up to 120\n\
         product 2: 81 on hand, but its movements add up to 80\n"
    );
    assert_eq!(
        wrong.sentence(1),
        "The books are wrong: 2 differences in 12 products, 0 orders, 12 movements."
    );
}
