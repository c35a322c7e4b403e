//! Proof that the contract is whole and can be broken: its list of cases against the clauses of the
//! ports, and stores with one fault each against the cases that must find it.

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
use std::sync::Arc;
use store::{Behaviour, Broken, HONEST};
use table::every_fault;
use tradepost_contract::{CASES, Case, check};
use tradepost_domain::Stores;

fn stores(behaviour: Behaviour) -> Stores {
    Stores::of(Arc::new(Broken::new(behaviour)))
}

fn the_case(name: &str) -> &'static Case {
    CASES.iter().find(|case| case.name == name).unwrap()
}

fn finds(case: &Case, behaviour: Behaviour) -> bool {
    let run = || check(&stores(behaviour), case.run);
    catch_unwind(AssertUnwindSafe(run)).is_err()
}

#[test]
fn every_fault_is_found() {
    for (fault, behaviour, cases) in every_fault() {
        for name in *cases {
            // A race may go well by chance, though hardly twenty times.
            let found = (0..20).any(|_| finds(the_case(name), *behaviour));
            assert!(found, "{name} does not notice a store that {fault}");
        }
    }
}

/// What is found is the fault and not the wrapping around it.
#[test]
fn without_a_fault_nothing_is_found() {
    for case in CASES {
        assert!(!finds(case, HONEST), "{}", case.name);
    }
}

/// Every case that a clause of the ports names, every race and every case about keys has a fault to
/// prove it.
#[test]
fn what_matters_most_is_proved() {
    let proved: BTreeSet<_> = every_fault().flat_map(|(_, _, cases)| *cases).collect();
    let all = ["keys", "races"];
    let cases = CASES.iter().filter(|case| all.contains(&case.subject));
    for name in cases.map(|case| case.name).chain(the_list::named()) {
        assert!(proved.contains(&name), "nothing proves {name}");
    }
}
