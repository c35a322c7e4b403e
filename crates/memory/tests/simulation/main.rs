//! Deterministic simulation of the shop: clients act in turns over the in-memory store, with
//! commands that are refused, lost, repeated or crash. After each step the store is compared with a
//! model and with the invariants of the ledger audit. A run is determined by its seed.
//!
//! | variable | meaning |
//! |---|---|
//! | `SIMULATE_SEEDS` | how many seeds |
//! | `SIMULATE_FROM` | the first of them |
//! | `SIMULATE_SEED` | this seed alone, with every step |
//!
//! `scripts/simulate` runs ten thousand.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests: they fail by panicking, and show what was asked for"
)]

mod batches;
mod broken;
mod broken_accounts;
mod check;
mod clients;
mod command;
mod families;
mod flaky;
mod generate;
mod model;
mod outside;
mod random;
mod runner;

use broken::Defect;
use command::{Command, REACHED, UNREACHED};
use runner::{Tally, play};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use tradepost_domain::kernel::Refusal;

/// Default number of seeds of `cargo test`: a few seconds unoptimised.
const SEEDS: u64 = 300;

/// A number from an environment variable.
fn told(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

/// Fails with the report of a seed.
fn fail(seed: u64) -> ! {
    const LAST: usize = 24;
    let report = play(seed, None, true);
    let (step, wrong) = report
        .wrong
        .unwrap_or((0, "only once, and not when played again".to_owned()));
    let from = report.trace.len().saturating_sub(LAST);
    panic!(
        "seed {seed} goes wrong at step {step}: {wrong}\n\nThe last lines of its trace:\n{}\n\n\
         Replay it with\n  SIMULATE_SEED={seed} cargo test -p tradepost-memory --test simulation \
         seeds -- --nocapture\n",
        report.trace[from..].join("\n")
    );
}

/// Runs seeds on every core; returns their coverage tally. Of several failing seeds it reports the
/// one that fails after the fewest steps, which is the shortest to read.
fn play_all(from: u64, seeds: u64) -> Tally {
    /// Stops after so many failing seeds: more would hardly give a shorter one.
    const ENOUGH: usize = 100;
    let (next, tally) = (AtomicU64::new(from), Mutex::new(Tally::new()));
    let wrong = Mutex::new(BTreeSet::new());
    let work = || {
        let mut reached = Tally::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= from + seeds || wrong.lock().unwrap().len() >= ENOUGH {
                break;
            }
            let report = play(seed, None, false);
            if let Some((step, _)) = report.wrong {
                wrong.lock().unwrap().insert((step, seed));
            }
            add(&mut reached, report.tally);
        }
        add(&mut tally.lock().unwrap(), reached);
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    if let Some((_, seed)) = wrong.into_inner().unwrap().first() {
        fail(*seed);
    }
    tally.into_inner().unwrap()
}

/// Whether the simulation has commands of the context of a refusal.
fn is_played(refusal: &Refusal) -> bool {
    use Refusal::{Cart, Catalog, Idempotency, Identity, Inventory, Orders};
    matches!(
        refusal,
        Idempotency(_) | Catalog(_) | Inventory(_) | Cart(_) | Orders(_) | Identity(_)
    )
}

fn add(all: &mut Tally, more: Tally) {
    for (what, times) in more {
        *all.entry(what).or_default() += times;
    }
}

/// Every seed passes; and the default seeds reach all commands, refusals and faults, without which
/// passing would prove little.
#[test]
fn seeds_pass_and_reach_everything() {
    if let Some(seed) = told("SIMULATE_SEED") {
        let report = play(seed, None, true);
        println!("{}", report.trace.join("\n"));
        if report.wrong.is_some() {
            fail(seed);
        }
        return;
    }
    let seeds = told("SIMULATE_SEEDS").unwrap_or(SEEDS);
    let from = told("SIMULATE_FROM").unwrap_or(0);
    let tally = play_all(from, seeds);
    for ((what, name), times) in &tally {
        println!("{times:>9} {what}: {name}");
    }
    let reached = |kind: &str| -> BTreeSet<&str> {
        let reached = tally.keys().filter(|(what, _)| *what == kind);
        reached.map(|(_, name)| *name).collect()
    };
    for refusal in Refusal::samples().into_iter().filter(is_played) {
        let known = |name: &&str| REACHED.contains(name) || UNREACHED.contains(name);
        let name = refusal.code();
        assert!(name == "invalid" || known(&name), "{name} is new here");
    }
    for name in UNREACHED {
        assert!(!reached("refused").contains(name), "{name} can be reached");
    }
    // A few seeds, or others, need not reach everything.
    if from == 0 && seeds >= SEEDS {
        assert_eq!(reached("done"), Command::NAMES.into_iter().collect());
        assert_eq!(reached("refused"), REACHED.into_iter().collect());
        let sizes = batches::SIZES.into_iter().collect();
        assert_eq!(reached("batch of"), sizes);
        assert!(reached("twice in a batch").contains("place"));
        assert!(reached("beside a refused one").contains("place"));
        let keyed = ["add under a key", "adjust under a key", "create", "place"];
        assert_eq!(reached("replayed"), keyed.into_iter().collect());
        for what in ["lost", "crashed", "happened unseen"] {
            let missing: Vec<_> = keyed
                .iter()
                .filter(|key| !reached(what).contains(*key))
                .collect();
            assert!(missing.is_empty(), "{what}: {missing:?}");
        }
    }
}

#[test]
fn a_seed_is_always_the_same_run() {
    for seed in 0..5 {
        let (one, other) = (play(seed, None, true), play(seed, None, true));
        assert!(one.trace.len() > runner::STEPS);
        assert_eq!(one.trace, other.trace);
    }
}

#[test]
fn every_defect_is_found() {
    for defect in Defect::ALL {
        let found = (1..40).find_map(|seed| play(seed, Some(defect), false).wrong);
        let Some((step, wrong)) = found else {
            panic!("{defect:?} is not found");
        };
        println!("{defect:?}, at step {step}: {wrong}");
    }
}
