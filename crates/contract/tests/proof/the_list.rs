//! Checks the list of cases against the clauses of the ports that name them.

use std::collections::BTreeSet;
use tradepost_contract::CASES;

/// Names in backticks within parentheses: `(`name`)`.
pub(crate) fn named() -> BTreeSet<&'static str> {
    let ports = [
        include_str!("../../../domain/src/ports/accounts.rs"),
        include_str!("../../../domain/src/ports/attempts.rs"),
        include_str!("../../../domain/src/ports/carts.rs"),
        include_str!("../../../domain/src/ports/imports.rs"),
        include_str!("../../../domain/src/ports/ledger.rs"),
        include_str!("../../../domain/src/ports/orders.rs"),
        include_str!("../../../domain/src/ports/products.rs"),
        include_str!("../../../domain/src/ports/upkeep.rs"),
    ];
    let clauses = ports.iter().flat_map(|port| port.split("(`").skip(1));
    clauses
        .filter_map(|rest| Some(rest.split_once("`)")?.0))
        .collect()
}

#[test]
fn every_clause_of_the_ports_has_its_case() {
    let cases: BTreeSet<_> = CASES.iter().map(|case| case.name).collect();
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
