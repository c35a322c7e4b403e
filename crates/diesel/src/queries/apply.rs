//! Applies decisions: the only code that writes products, stock, carts, orders, accounts and
//! refresh tokens, besides an import and a renewed password hash.
//!
//! Each kind of row costs a number of statements that does not depend on the number of rows, on
//! PostgreSQL; an empty kind costs none. Accounts and tokens are written one by one. The caller
//! holds the locks, except that of the catalogue's size, which is the last of the lock order.

use super::prelude::*;
use super::schema::shop_settings::grow_catalogue;
use super::{cart, catalog, events, identity, inventory, orders};
use tradepost_domain::decision::{Completed, Decision, NewIds, Outcome, StoredRows};
use tradepost_domain::inventory::{Movement, crossings};
use tradepost_domain::kernel::StoreErrorKind;

/// Writes a decision; returns its outcome.
pub(super) fn apply<T: Outcome>(
    conn: &mut Conn,
    decision: Decision<T>,
) -> Result<T::Stored, Failure> {
    let changes = &decision.changes;
    let growth = changes.catalogue_growth();
    // Before the inserts: a product that is removed from a cart may be added again.
    cart::delete(conn, &changes.deleted_cart_items)?;
    let ids = NewIds {
        products: catalog::insert(conn, &changes.new_products)?,
        cart_items: cart::insert(conn, &changes.new_cart_items)?,
        orders: orders::insert(conn, &changes.new_orders)?,
        accounts: identity::insert(conn, &changes.new_accounts)?,
    };
    let Completed {
        outcome,
        changes,
        rows,
        movements,
        mut events,
    } = decision.complete(ids).ok_or_else(incomplete)?;
    orders::insert_items(conn, &rows.orders)?;
    orders::update(conn, &changes.orders)?;
    cart::update(conn, &changes.cart_items)?;
    catalog::update(conn, &changes.products)?;
    catalog::write_search_texts(conn, &rows.products, &changes.products)?;
    identity::update(conn, &changes.accounts)?;
    identity::write_tokens(conn, &changes)?;
    let (ids, levels) = inventory::record(conn, &movements)?;
    events.extend(crossings(&movements, &levels));
    let movement = |(id, entry)| Some(Movement { id: id?, entry });
    let movements: Option<Vec<_>> = ids.into_iter().zip(movements).map(movement).collect();
    let movements = movements.ok_or_else(incomplete)?;
    if growth != 0 {
        grow_catalogue(conn, growth)?;
    }
    events::append(conn, &events)?;
    let stored = outcome.stored(&mut StoredRows::new(&rows, &movements));
    stored.ok_or_else(incomplete)
}

/// A defect of this crate: the database assigned fewer ids than it inserted rows.
fn incomplete() -> Failure {
    StoreError::new(StoreErrorKind::Other).into()
}
