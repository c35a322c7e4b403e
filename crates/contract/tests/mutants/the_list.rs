//! Checks the list of cases against the clauses of the ports that name them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use tradepost_contract::CASES;

/// The sources of the ports: the files of the domain crate that declare a mocked trait.
fn ports(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&ports(&path));
        } else {
            let file = fs::read_to_string(&path).unwrap_or_default();
            if file.contains("mockall::automock") {
                text.push_str(&file);
            }
        }
    }
    text
}

/// Names in backticks within parentheses: `(`name`)`.
pub(crate) fn named() -> BTreeSet<String> {
    let domain = Path::new(env!("CARGO_MANIFEST_DIR")).join("../domain/src");
    let ports = ports(&domain);
    let clauses = ports.split("(`").skip(1);
    clauses
        .filter_map(|rest| Some(rest.split_once("`)")?.0.to_owned()))
        .collect()
}

#[test]
fn every_clause_of_the_ports_has_its_case() {
    let cases: BTreeSet<_> = CASES.iter().map(|case| case.name.to_owned()).collect();
    let named = named();
    assert!(named.len() >= 15, "the clauses are read: {named:?}");
    let missing: Vec<_> = named.difference(&cases).collect();
    assert!(missing.is_empty(), "no such case: {missing:?}");
}

#[test]
fn no_subject_names_two_cases_alike() {
    let names: BTreeSet<_> = CASES.iter().map(|case| (case.subject, case.name)).collect();
    assert_eq!(names.len(), CASES.len());
}
