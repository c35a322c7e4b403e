//! Table of faults and the cases that detect them. Each subject has its rows beside its faults.

use crate::faults::{
    attempts, carts, events, imports, keys, ledger, order_lists, orders, people, product_imports,
    product_lists, products, quotas, roles, sessions, slices, staff_sessions,
};
use crate::store::Behaviour;

/// A fault, and the cases that must detect it.
pub(crate) type Row = (&'static str, Behaviour, &'static [&'static str]);

/// Every fault.
pub(crate) fn every_fault() -> impl Iterator<Item = &'static Row> {
    let subjects = [
        product_lists::ROWS,
        products::ROWS,
        carts::ROWS,
        orders::ROWS,
        order_lists::ROWS,
        ledger::ROWS,
        quotas::ROWS,
        people::ROWS,
        roles::ROWS,
        sessions::ROWS,
        staff_sessions::ROWS,
        attempts::ROWS,
        keys::ROWS,
        slices::ROWS,
        imports::ROWS,
        events::ROWS,
        product_imports::ROWS,
    ];
    subjects.into_iter().flatten()
}
