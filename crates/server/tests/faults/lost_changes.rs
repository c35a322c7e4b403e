//! A connection that is lost at the COMMIT of a change of a cart, an order, a product or stock: the
//! client learns the true outcome, and the change is made once.

use crate::changes::{Change, Kind};
use crate::client::Answer;
use crate::lost_commit::{CUTS, await_ready, crash, shop_behind_a_proxy};
use crate::proxy::Cut;
use crate::shop::{IN_TIME, Shop, print_line};
use crate::verify::assert_no_deadlock;
use std::thread;

fn told(change: &Change, cut: Cut, answer: &Answer) {
    let code = (answer.status >= 400).then(|| answer.code());
    print_line(&format!(
        "{cut:?} {:?}: {} {code:?} after {:.0?}",
        change.kind, answer.status, answer.took
    ));
    assert!(answer.took < IN_TIME);
}

fn assert_books(shop: &Shop) {
    assert_no_deadlock(shop);
    print_line(&shop.verify());
}

#[test]
fn a_change_with_a_lost_commit_answer_is_acknowledged_and_made_once() {
    let (shop, proxy) = shop_behind_a_proxy();
    let mut customers = shop.customers(CUTS.len() * Kind::ALL.len()).into_iter();
    for cut in CUTS {
        for kind in Kind::ALL {
            let mut change = Change::prepare(&shop, kind, &customers.next().unwrap());
            proxy.arm(cut);
            let answer = change.send();
            assert!(proxy.has_cut(cut), "the connection was cut");
            told(&change, cut, &answer);
            change.assert_done(&answer);
            change.assert_made_once(true);
        }
    }
    assert_books(&shop);
}

/// Changes that are sent at once.
const BATCH: usize = 4;

/// Of several customers, or of a staff user, whose changes share commits.
#[test]
fn a_lost_commit_answer_is_resolved_for_a_whole_batch_of_changes() {
    let (shop, proxy) = shop_behind_a_proxy();
    let kinds = [
        Kind::Add,
        Kind::SetQuantity,
        Kind::Cancel,
        Kind::Process,
        Kind::Deliver,
    ];
    let mut customers = shop.customers(BATCH * CUTS.len() * kinds.len()).into_iter();
    for cut in CUTS {
        for kind in kinds {
            let of_customer = |token: String| Change::prepare(&shop, kind, &token);
            let changes: Vec<_> = customers.by_ref().take(BATCH).map(of_customer).collect();
            proxy.arm(cut);
            let sending = changes.into_iter().map(|mut change| {
                thread::spawn(move || {
                    let answer = change.send();
                    (change, answer)
                })
            });
            let sending: Vec<_> = sending.collect();
            for one in sending {
                let (mut change, answer) = one.join().unwrap();
                change.assert_done(&answer);
                assert_eq!(change.effect(), 1, "{cut:?} {kind:?}");
            }
            assert!(proxy.has_cut(cut), "the connection was cut");
        }
    }
    assert_books(&shop);
}

/// Kinds of each table, for the tests in which a change takes as long as a request may.
const SLOW_KINDS: [Kind; 5] = [
    Kind::AddWithKey,
    Kind::SetQuantity,
    Kind::Cancel,
    Kind::Process,
    Kind::DeliverWithKey,
];

/// The database is unreachable before the outcome can be looked up.
#[test]
fn an_unknown_outcome_of_a_change_is_reported_and_its_repetition_resolves_it_later() {
    let (shop, proxy) = shop_behind_a_proxy();
    let mut customers = shop.customers(CUTS.len() * SLOW_KINDS.len()).into_iter();
    for cut in CUTS {
        for kind in SLOW_KINDS {
            let mut change = Change::prepare(&shop, kind, &customers.next().unwrap());
            proxy.arm_for_good(cut);
            let answer = change.send();
            assert!(proxy.has_cut(cut), "the connection was cut");
            told(&change, cut, &answer);
            let told = (answer.status, &*answer.code());
            assert_eq!(told, (503, "outcome_unknown"), "{kind:?}");
            proxy.open();
            await_ready(&shop);
            change.assert_made_once(cut == Cut::AfterCommit);
        }
    }
    assert_books(&shop);
}

/// After a crash, PostgreSQL reuses the id of a lost transaction for another one, whose outcome is
/// not that of the change.
#[test]
fn a_change_that_a_crash_has_swallowed_is_not_acknowledged() {
    let (mut shop, proxy) = shop_behind_a_proxy();
    for (kind, token) in SLOW_KINDS.into_iter().zip(shop.customers(SLOW_KINDS.len())) {
        let mut change = Change::prepare(&shop, kind, &token);
        proxy.arm(Cut::Unheard);
        let sending = thread::spawn(move || (change.send(), change));
        crash(&mut shop, &proxy);
        let (answer, mut change) = sending.join().unwrap();
        told(&change, Cut::Unheard, &answer);
        await_ready(&shop);
        let done = answer.status != 503;
        if done {
            change.assert_done(&answer);
        } else {
            assert_eq!(answer.code(), "outcome_unknown", "{kind:?}");
        }
        change.assert_made_once(done);
    }
    assert_books(&shop);
}
