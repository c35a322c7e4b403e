//! Golden files: the expected text in `tests/golden/`. `UPDATE_GOLDEN=1 cargo test` writes them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn path(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    folder.join(name)
}

/// The text of a golden file.
#[allow(
    dead_code,
    reason = "not every test that includes this module reads one"
)]
pub(crate) fn golden(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Asserts that a folder of golden files has these and no other.
#[allow(
    dead_code,
    reason = "not every test that includes this module has a folder"
)]
pub(crate) fn expect_only(folder: &str, names: &[String]) {
    let entries = fs::read_dir(path(folder)).unwrap();
    let found = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let others: Vec<_> = found.filter(|name| !names.contains(name)).collect();
    assert!(others.is_empty(), "of no resource: {folder}/{others:?}");
}

/// Compares a text with its golden file; with `UPDATE_GOLDEN`, writes the file first.
pub(crate) fn expect_golden(name: &str, actual: &str) {
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path(name).parent().unwrap()).unwrap();
        fs::write(path(name), actual).unwrap();
    }
    let golden = fs::read_to_string(path(name)).unwrap_or_default();
    assert!(
        golden == actual,
        "tests/golden/{name} differs. UPDATE_GOLDEN=1 writes it.\n{}",
        differences(&golden, actual)
    );
}

/// The lines to remove with a minus, and those to add with a plus.
pub(crate) fn differences(golden: &str, actual: &str) -> String {
    let only = |sign, these: &str, those: &str| {
        let those: HashSet<&str> = those.lines().collect();
        let lines = these.lines().filter(|line| !those.contains(line));
        lines
            .map(|line| format!("{sign} {line}\n"))
            .collect::<String>()
    };
    let changes = only('-', golden, actual) + &only('+', actual, golden);
    if changes.is_empty() && golden != actual {
        return "The lines are in another order.\n".to_owned();
    }
    changes
}

#[test]
fn differences_are_lines_to_remove_and_to_add() {
    assert_eq!(differences("a 200\nb 401\n", "a 200\nb 401\n"), "");
    assert_eq!(differences("a 200\n", "a 200\nb 401\n"), "+ b 401\n");
    assert_eq!(differences("a 200\nb 401\n", "a 200\n"), "- b 401\n");
    assert_eq!(differences("a 200\n", "a 403\n"), "- a 200\n+ a 403\n");
    assert!(differences("a 200\nb 401\n", "b 401\na 200\n").contains("order"));
}
