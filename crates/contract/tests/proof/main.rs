//! Proof that the contract is whole and can be broken: its list of cases against the clauses of the
//! ports, and stores with one fault each against the cases that must find it.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: they fail by panicking"
)]

mod faults;
mod store;
mod the_list;

use faults::{carts, orders, people, products};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use store::{Behaviour, Broken, HONEST};
use tradepost_contract::{CASES, Case, check};
use tradepost_domain::Stores;

/// A fault, and the cases that must find it.
type Row = (&'static str, Behaviour, &'static [&'static str]);

const FAULTS: &[Row] = &[
    (
        "sells what is not there",
        Behaviour {
            place: orders::oversells,
            ..HONEST
        },
        &[
            "the_last_unit",
            "a_flash_sale_sells_what_there_is",
            "carts_in_opposite_order",
            "cancel_races_orders",
            "every_shortage_is_listed",
        ],
    ),
    (
        "orders a cart twice",
        Behaviour {
            place: orders::doubles,
            ..HONEST
        },
        &[
            "double_submit_is_one_order",
            "two_clicks_in_a_batch_are_one_order",
            "an_empty_cart_is_refused",
        ],
    ),
    (
        "lets one refusal spoil the batch",
        Behaviour {
            place: orders::spoils_the_batch,
            ..HONEST
        },
        &["a_refused_neighbour_harms_nobody"],
    ),
    (
        "answers in another order",
        Behaviour {
            place: orders::answers_backwards,
            ..HONEST
        },
        &["a_refused_neighbour_harms_nobody", "a_large_batch"],
    ),
    (
        "keeps the cart that was ordered",
        Behaviour {
            place: orders::keeps_the_cart,
            ..HONEST
        },
        &["an_order_is_the_whole_cart"],
    ),
    (
        "clears what was added while it ordered",
        Behaviour {
            place: orders::clears_the_cart_late,
            ..HONEST
        },
        &["a_cart_that_changes_while_it_is_ordered"],
    ),
    (
        "gives stock back twice",
        Behaviour {
            change_order: orders::returns_twice,
            ..HONEST
        },
        &[
            "cancel_races_cancel",
            "delete_races_cancel",
            "cancelling_twice_returns_stock_once",
            "cancelling_returns_the_stock",
        ],
    ),
    (
        "acknowledges a cancellation that came too late",
        Behaviour {
            change_order: orders::always_cancels,
            ..HONEST
        },
        &["cancel_races_shipping", "a_refused_change_changes_nothing"],
    ),
    (
        "lists orders oldest first",
        Behaviour {
            list_orders: orders::lists_oldest_first,
            ..HONEST
        },
        &["orders_are_listed_newest_first"],
    ),
    (
        "loses parallel adds",
        Behaviour {
            change_cart: carts::loses_adds,
            ..HONEST
        },
        &["parallel_adds_lose_nothing"],
    ),
    (
        "tidies a cart that is read",
        Behaviour {
            cart: carts::tidies,
            ..HONEST
        },
        &[
            "reading_a_cart_changes_nothing",
            "a_cart_shows_its_products_as_they_are",
        ],
    ),
    (
        "lists products oldest first",
        Behaviour {
            list_products: products::lists_oldest_first,
            ..HONEST
        },
        &[
            "products_are_listed_newest_first",
            "archived_products_are_listed_apart",
        ],
    ),
    (
        "counts at another moment than it lists",
        Behaviour {
            list_products: products::counts_first,
            ..HONEST
        },
        &["lists_are_of_one_moment"],
    ),
    (
        "forgets the opening movement",
        Behaviour {
            create: products::opens_without_a_word,
            ..HONEST
        },
        &["stock_from_the_start_is_in_the_ledger"],
    ),
    (
        "gives a sku to two products",
        Behaviour {
            create: products::shares_skus_of_new,
            change_product: products::shares_skus_of_old,
            ..HONEST
        },
        &["one_sku_goes_to_one_product", "a_sku_has_one_holder"],
    ),
    (
        "sets stock from a level that it read before",
        Behaviour {
            change_product: products::sets_stock_late,
            place: orders::waits_a_moment,
            ..HONEST
        },
        &["setting_stock_races_orders"],
    ),
    (
        "adjusts a level that it read before",
        Behaviour {
            adjust: products::adjusts_late,
            ..HONEST
        },
        &["restocking_races_orders", "writing_off_races_writing_off"],
    ),
    (
        "sells what is archived",
        Behaviour {
            place: orders::sells_archived,
            ..HONEST
        },
        &["archiving_races_orders", "an_archived_product_is_not_sold"],
    ),
    (
        "gives a username to two accounts",
        Behaviour {
            register: people::shares_names,
            ..HONEST
        },
        &["one_username_goes_to_one_account", "what_is_taken_is_named"],
    ),
    (
        "renews a hash whatever it is by now",
        Behaviour {
            renew_hash: people::renews_blindly,
            ..HONEST
        },
        &["a_renewed_hash_does_not_undo_a_change"],
    ),
    (
        "changes a password that was not checked",
        Behaviour {
            change_password: people::checks_nothing,
            ..HONEST
        },
        &[
            "one_checked_password_is_changed_once",
            "a_password_that_was_not_checked_stays",
        ],
    ),
    (
        "lets the last staff go",
        Behaviour {
            switch: people::lets_the_last_go,
            ..HONEST
        },
        &["the_last_staff_user_stays", "a_shop_keeps_its_last_staff"],
    ),
    (
        "keeps wrong books",
        Behaviour {
            audit: orders::confesses,
            ..HONEST
        },
        &[
            "an_empty_batch_does_nothing",
            "an_unknown_product_is_absent",
        ],
    ),
];

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
    for (fault, behaviour, cases) in FAULTS {
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

/// Every case that a clause of the ports names, and every race, has a fault to prove it.
#[test]
fn what_matters_most_is_proved() {
    let proved: BTreeSet<_> = FAULTS.iter().flat_map(|(_, _, cases)| *cases).collect();
    let races = CASES.iter().filter(|case| case.subject == "races");
    for name in races.map(|case| case.name).chain(the_list::named()) {
        assert!(proved.contains(&name), "nothing proves {name}");
    }
}
