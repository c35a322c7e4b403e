//! Proof that the contract is complete and can fail: its list of cases against the clauses of the
//! ports, and mutated stores with one fault each against the cases that must detect it.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: they fail by panicking"
)]

mod faults;
mod store;
mod table;
mod the_list;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use store::{Behaviour, Broken, HONEST};
use table::every_fault;
use tradepost_contract::{CASES, Case, check};

fn the_case(name: &str) -> &'static Case {
    CASES.iter().find(|case| case.name == name).unwrap()
}

fn finds(case: &Case, behaviour: Behaviour) -> bool {
    let run = || check(&Broken::stores(behaviour), case.run);
    catch_unwind(AssertUnwindSafe(run)).is_err()
}

#[test]
fn every_fault_is_found() {
    for (fault, behaviour, cases) in every_fault() {
        for name in *cases {
            // A race may pass by chance, though hardly twenty times.
            let found = (0..20).any(|_| finds(the_case(name), *behaviour));
            assert!(found, "{name} does not notice a store that {fault}");
        }
    }
}

/// Positive control: the cases detect the fault, not the wrapper around the store.
#[test]
fn without_a_fault_nothing_is_found() {
    for case in CASES {
        assert!(!finds(case, HONEST), "{}", case.name);
    }
}

/// Every case that a clause of the ports names, every race and every case about keys detects a
/// fault.
#[test]
fn every_case_that_matters_detects_a_fault() {
    let proved: BTreeSet<_> = every_fault().flat_map(|(_, _, cases)| *cases).collect();
    let all = ["idempotency", "races"];
    let cases = CASES.iter().filter(|case| all.contains(&case.subject));
    for name in cases
        .map(|case| case.name.to_owned())
        .chain(the_list::named())
    {
        assert!(proved.contains(&name.as_str()), "nothing proves {name}");
    }
}
