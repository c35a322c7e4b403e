//! `tradepost check`, on the real binary.

use crate::place::{Ended, MIGRATIONS, Place, QUICK};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

/// A listen address that never collides with another program.
const FREE: (&str, &str) = ("TRADEPOST_LISTEN", "127.0.0.1:0");

fn run(place: &Place, words: &[&str]) -> Ended {
    place.run_with(&[&["check"], words].concat(), &[FREE], "")
}

#[test]
fn check_reports_unsafe_settings_and_creates_nothing() {
    let place = Place::new();
    let check = |words: &[&str]| run(&place, words);
    let at_first = check(&[]);
    assert_eq!(at_first.code, Some(0), "{at_first:?}");
    assert!(
        at_first.out.contains("warning: There is no database"),
        "{at_first:?}"
    );
    assert_eq!(check(&["--deploy"]).code, Some(1));
    assert!(place.files().is_empty() && !place.path("data").exists());

    let safe = [
        "--public-url",
        "https://shop.example.org",
        "--trusted-proxies",
        "127.0.0.1",
        "--stock-writes",
        "strict",
    ];
    place.serve(&[]).stop();
    place.make_staff(&QUICK).well();
    let files = place.files();
    let good = check(&[&safe[..], &["--deploy"]].concat());
    assert_eq!(good.out, "0 errors, 0 warnings.\n");
    assert_eq!((good.code, place.files()), (Some(0), files));
    // A recommendation, which does not fail the check.
    let lenient = check(&[&safe[..4], &["--deploy"]].concat());
    assert!(
        lenient.out.starts_with("note: --stock-writes is lenient"),
        "{lenient:?}"
    );
    assert_eq!(lenient.code, Some(0));

    for (words, said) in [
        (&[][..], "--public-url is not set"),
        (
            &["--public-url", "http://shop.example.org"],
            "--public-url is not https",
        ),
        (
            &["--listen", "0.0.0.0:0"],
            "--listen is 0.0.0.0:0, which others can reach",
        ),
        (
            &["--listen", "0.0.0.0:0"],
            "--listen is 0.0.0.0:0, but requests are answered only if they are for localhost",
        ),
        (&["--throttle", "off"], "--throttle is off"),
        (&safe[..2], "--trusted-proxies is not set"),
        (&["--allowed-hosts", "*"], "--allowed-hosts is *"),
        (&["--allowed-origins", "*"], "--allowed-origins is *"),
        (
            &["--trusted-proxies", "0.0.0.0/0"],
            "--trusted-proxies is every address",
        ),
        (
            &["--metrics-allow", "::/0"],
            "--metrics-allow is every address",
        ),
        (
            &["--setup-allow", "0.0.0.0/0"],
            "--setup-allow is every address",
        ),
    ] {
        let found = check(words);
        assert!(found.out.contains(&format!("warning: {said}")), "{found:?}");
        assert_eq!(found.code, Some(0), "{found:?}");
        assert_eq!(check(&[words, &["--deploy"]].concat()).code, Some(1));
    }
    let debugging = place.run_with(&["check"], &[FREE, ("RUST_LOG", "tradepost=debug")], "");
    assert!(debugging.out.contains("warning: RUST_LOG"), "{debugging:?}");
}

/// Without a product to compare with, only the stored setting of the first start tells the
/// currency.
#[test]
fn another_currency_is_found_without_a_product() {
    let place = Place::new();
    place.serve(&["--currency", "EUR"]).stop();
    let check = |words: &[&str]| run(&place, words);
    let wrong = check(&[]);
    assert!(
        wrong.out.contains("error: The shop's currency is EUR"),
        "{wrong:?}"
    );
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert_eq!(check(&["--currency", "EUR"]).code, Some(0));
}

#[test]
fn check_looks_at_files_and_database() {
    let place = Place::new();
    let found = |words: &[&str], code: i32, said: &str| {
        let found = run(&place, words);
        assert!(found.out.contains(said), "{said}: {found:?}");
        assert_eq!(found.code, Some(code), "{said}: {found:?}");
    };
    let mode = |name: &str, mode: u32| {
        fs::set_permissions(place.path(name), Permissions::from_mode(mode)).unwrap();
    };
    place.serve(&["--demo"]).stop();
    found(&[], 0, "warning: There is no active staff user");
    mode("data/tradepost.db", 0o644);
    found(
        &[],
        0,
        "warning: The database ./data/tradepost.db can be read or written by others (mode 644)",
    );
    mode("data/tradepost.db", 0o600);
    mode("data", 0o755);
    found(
        &[],
        0,
        "warning: The data folder ./data is open to others (mode 755)",
    );
    mode("data/jwt.key", 0o644);
    found(
        &[],
        0,
        "warning: The signing key ./data/jwt.key can be read or written by others (mode 644)",
    );
    fs::write(place.path("data/jwt.key"), "short").unwrap();
    found(
        &[],
        1,
        "error: The file ./data/jwt.key holds a signing key of 5 bytes",
    );
    fs::remove_file(place.path("data/jwt.key")).unwrap();
    found(
        &[],
        0,
        "note: The signing key ./data/jwt.key is made at the first start.",
    );
    found(
        &["--currency", "EUR"],
        1,
        "error: The shop's currency is USD, written into its database at the first start; \
         --currency says EUR.",
    );
    found(
        &["--data-dir", "data/tradepost.db"],
        1,
        "error: The data folder data/tradepost.db cannot be made: not a directory.",
    );
    let not_a_folder = run(&place, &["--data-dir", "data/tradepost.db"]);
    assert!(!not_a_folder.out.contains("jwt.key"), "{not_a_folder:?}");
    place.run(&["migrate", "--revert"]).well();
    let last = MIGRATIONS.last().unwrap();
    found(&[], 0, &format!("warning: The database lacks {last}"));
    fs::write(place.path("junk.db"), "x".repeat(5_000)).unwrap();
    found(
        &["--database", "sqlite://junk.db"],
        1,
        "error: junk.db is not an SQLite database.",
    );
}
