//! `tradepost backup`, on the real binary.

use crate::place::{MIGRATIONS, Place, QUICK, Serving, answer, token};
use diesel::prelude::*;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

const JSON: &str = "Content-Type: application/json\r\n";

/// The request headers of a new customer.
fn customer(server: &Serving, name: &str) -> String {
    let who = format!("\"username\": \"{name}\", \"password\": \"correct horse battery\"");
    let body = format!("{{{who}, \"email\": \"{name}@example.org\"}}");
    assert_eq!(
        answer(server.send("POST", "/api/register/", JSON, &body)).0,
        201
    );
    let token = token(server.send("POST", "/api-token-auth/", JSON, &format!("{{{who}}}")));
    format!("Authorization: Bearer {}\r\n{JSON}", token.unwrap())
}

/// Orders one unit; returns the id of the acknowledged order.
fn order(server: &Serving, headers: &str) -> Option<u64> {
    let line = "{\"product_id\": 1, \"quantity\": 1}";
    let added = answer(server.send("POST", "/api/cart/", headers, line)).0;
    let (status, order) = answer(server.send("POST", "/api/orders/", headers, "{}"));
    let (_, id) = order.split_once("\"id\":")?;
    let id = id.split(',').next()?.parse().ok()?;
    ((added, status) == (201, 201)).then_some(id)
}

/// Sets a flag when dropped, also on a panic: threads that poll it would otherwise never end.
struct AtLast<'a>(&'a AtomicBool);

impl Drop for AtLast<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_copy_that_was_made_under_load_is_a_whole_shop() {
    let place = Place::new();
    place.make_staff(&QUICK).well();
    let server = place.serve(&[&QUICK[..], &["--demo"]].concat());
    let ada = format!(
        "Authorization: Bearer {}\r\n{JSON}",
        server.sign_in("correct horse").unwrap()
    );
    let plenty = answer(server.send("PATCH", "/api/products/1/", &ada, "{\"stock\": 1000000}"));
    assert_eq!(plenty.0, 200);
    let customers: Vec<_> = (0..3)
        .map(|n| customer(&server, &format!("customer{n}")))
        .collect();
    let acknowledged = Mutex::new(Vec::new());
    let over = AtomicBool::new(false);
    let sold = || acknowledged.lock().unwrap().len();
    let until = |orders| {
        while sold() < orders {
            thread::sleep(Duration::from_millis(5));
        }
    };
    let copies = thread::scope(|scope| {
        let _end = AtLast(&over);
        for headers in &customers {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let id = order(&server, headers).unwrap();
                    acknowledged.lock().unwrap().push(id);
                }
            });
        }
        let copies: Vec<_> = (1..=3)
            .map(|number| {
                until(number * 40);
                let before = acknowledged.lock().unwrap().clone();
                let name = format!("copy{number}.db");
                let said = place.run(&["backup", &name]).well();
                let first =
                    format!("The shop is copied to {name}.\nThe books are right: 12 products, ");
                assert!(said.starts_with(&first), "{said}");
                (name, before)
            })
            .collect();
        until(sold() + 20);
        copies
    });
    server.stop();
    for (name, before) in copies {
        let url = format!("sqlite://{name}");
        let elsewhere = ["--database", &*url, "--data-dir", "elsewhere"];
        let restored = place.serve(&[&QUICK[..], &elsewhere].concat());
        let headers = format!(
            "Authorization: Bearer {}\r\n",
            restored.sign_in("correct horse").unwrap()
        );
        for id in &before {
            let (status, _) = restored.get(&format!("/api/orders/{id}/"), &headers);
            assert_eq!(
                status, 200,
                "order {id}, acknowledged before {name} was begun"
            );
        }
        let headers = format!("{headers}{JSON}");
        assert!(order(&restored, &headers).is_some(), "{name} sells");
        restored.stop();
        place.run(&[&elsewhere[..], &["verify"]].concat()).well();
    }
    let left = place
        .files()
        .into_iter()
        .filter(|name| name.contains("partial"));
    assert_eq!(left.count(), 0);
}

#[test]
fn a_copy_is_for_its_owner_alone_and_replaces_nothing() {
    let place = Place::new();
    let missing = place.run(&["backup", "copy.db"]).sentence(1);
    assert!(missing.starts_with("There is no database at "), "{missing}");
    place.make_staff(&QUICK).well();
    let right = "The books are right: 0 products, 0 orders, 0 movements.\n";
    let said = place.run(&["backup", "copy.db"]).well();
    assert_eq!(said, format!("The shop is copied to copy.db.\n{right}"));
    let mode = std::fs::metadata(place.path("copy.db"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let there = "copy.db is there already. Name another file, or replace it with --force.";
    assert_eq!(place.run(&["backup", "copy.db"]).sentence(1), there);
    std::fs::write(place.path("copy.db"), "of yesterday").unwrap();
    place.run(&["backup", "--force", "copy.db"]).well();
    assert!(
        place
            .run(&["--database", "sqlite://copy.db", "verify"])
            .well()
            .starts_with("The books")
    );
    symlink("nowhere", place.path("link.db")).unwrap();
    assert!(
        place
            .run(&["backup", "link.db"])
            .sentence(1)
            .contains("is there already")
    );
    assert_eq!(place.files(), ["copy.db", "link.db", "tradepost.db"]);
}

#[test]
fn a_backup_that_cannot_be_written_is_reported_in_a_sentence() {
    let place = Place::new();
    place.make_staff(&QUICK).well();
    let before = std::fs::read(place.path("data/tradepost.db")).unwrap();
    symlink("data/tradepost.db", place.path("link.db")).unwrap();
    std::fs::hard_link(place.path("data/tradepost.db"), place.path("hard.db")).unwrap();
    for target in [
        "data/tradepost.db",
        "link.db",
        "hard.db",
        "data/../data/tradepost.db",
    ] {
        let sentence = place.run(&["backup", "--force", target]).sentence(1);
        let itself = format!("{target} is the shop's database itself. Name another file.");
        assert_eq!(sentence, itself);
    }
    assert_eq!(
        std::fs::read(place.path("data/tradepost.db")).unwrap(),
        before
    );
    std::fs::write(place.path("old.db-wal"), "").unwrap();
    std::fs::create_dir(place.path("folder")).unwrap();
    for (target, said) in [
        (
            "nowhere/copy.db",
            "The copy nowhere/copy.db cannot be written: its folder is not there.",
        ),
        (
            "folder",
            "folder is a folder. Name the file that the copy is to be.",
        ),
        (
            "old.db",
            "old.db cannot be used: old.db-wal belongs to another database.",
        ),
    ] {
        assert_eq!(place.run(&["backup", target]).sentence(1), said);
    }
}

/// A limit on the file size (RLIMIT_FSIZE) simulates a full disk.
#[test]
fn a_full_disk_leaves_nothing_behind() {
    let place = Place::new();
    place.serve(&["--demo"]).stop();
    let binary = env!("CARGO_BIN_EXE_tradepost");
    let shell = format!("trap '' XFSZ; ulimit -f 40; exec {binary} backup copy.db");
    let output = std::process::Command::new("bash")
        .args(["-c", &shell])
        .current_dir(place.path(""))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.starts_with("error: The copy copy.db cannot be made: "),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
    let left: Vec<_> = place
        .files()
        .into_iter()
        .filter(|name| name.contains("copy"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_copy_that_fails_the_audit_replaces_none() {
    let place = Place::new();
    place.serve(&["--demo"]).stop();
    place.run(&["backup", "copy.db"]).well();
    let good = std::fs::read(place.path("copy.db")).unwrap();
    let path = place.path("data/tradepost.db");
    let mut database = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    diesel::sql_query("UPDATE stock SET on_hand = on_hand + 1 WHERE product_id = 1")
        .execute(&mut database)
        .unwrap();
    drop(database);
    let wrong = place.run(&["backup", "--force", "copy.db"]);
    assert_eq!(
        wrong.out,
        "The copy is kept as copy.db.unproven.\n\
         product 1: 121 on hand, but its movements add up to 120\n"
    );
    assert_eq!(
        wrong.sentence(1),
        "The books are wrong: 1 difference in 12 products, 0 orders, 12 movements."
    );
    assert_eq!(std::fs::read(place.path("copy.db")).unwrap(), good);
    assert!(place.files().contains(&"copy.db.unproven".to_owned()));
}

/// The backup before an upgrade, with the new binary already installed.
#[test]
fn a_shop_of_another_version_is_copied_and_restored() {
    let place = Place::new();
    let server = place.serve(&[&QUICK[..], &["--demo"]].concat());
    let id = order(&server, &customer(&server, "grace")).unwrap();
    place.make_staff(&QUICK).well();
    server.stop();
    let not_looked_at = "The file is whole. Its books were not looked at: the database is not of \
                         this version of tradepost.\n";
    let copy = |name: &str| {
        let said = place.run(&["backup", name]).well();
        let expected = format!("The shop is copied to {name}.\n{not_looked_at}");
        assert_eq!(said, expected);
    };
    for older in 1..MIGRATIONS.len() {
        place.run(&["migrate", "--revert"]).well();
        let name = format!("{older}.db");
        copy(&name);
        let url = format!("sqlite://{name}");
        let elsewhere = ["--database", &*url, "--data-dir", "elsewhere"];
        let restored = place.serve(&[&QUICK[..], &elsewhere].concat());
        let token = restored.sign_in("correct horse").unwrap();
        let headers = format!("Authorization: Bearer {token}\r\n");
        let (status, body) = restored.get(&format!("/api/orders/{id}/"), &headers);
        assert_eq!(status, 200, "{name}: {body}");
        restored.stop();
        place.run(&[&elsewhere[..], &["verify"]].concat()).well();
    }
    // An empty file is no shop, and replaces none. Databases that were served may still have a WAL.
    copy("good.db");
    place.run(&["migrate", "--revert"]).well();
    let good = std::fs::read(place.path("good.db")).unwrap();
    let refused = place.run(&["backup", "--force", "good.db"]).sentence(1);
    let empty = "there is no shop in the database yet: `tradepost migrate` makes one.";
    assert_eq!(refused, format!("The copy good.db cannot be made: {empty}"));
    assert_eq!(std::fs::read(place.path("good.db")).unwrap(), good);
    // A schema of a newer version.
    place.run(&["migrate"]).well();
    let path = place.path("data/tradepost.db");
    let mut database = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    diesel::sql_query("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000001')")
        .execute(&mut database)
        .unwrap();
    copy("newer.db");
    for damage in [
        "PRAGMA ignore_check_constraints = 1",
        "UPDATE shop SET catalogue_size = -1",
    ] {
        diesel::sql_query(damage).execute(&mut database).unwrap();
    }
    let damaged = place.run(&["backup", "--force", "newer.db"]);
    assert_eq!(
        damaged.out,
        "The copy is kept as newer.db.unproven.\nCHECK constraint failed in shop\n"
    );
    assert_eq!(damaged.sentence(1), "The database is damaged.");
}
