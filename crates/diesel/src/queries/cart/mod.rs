//! Carts.

use super::prelude::*;
use super::{catalog, idempotency};
use crate::rows::{CartItemRow, NewCartItemRow, ProductRow};
use crate::schema::{cart_items, products, stock};
use std::collections::HashMap;
use tradepost_domain::cart::{
    Cart, CartItem, CartItemDetail, CartRepository, ChangeCart, NewCartItem, decide_cart,
};
use tradepost_domain::kernel::{
    CartItemId, Currency, Execution, MAX_STORED_RESPONSE_BYTES, Refusal, UserId,
};

fn lines(conn: &mut Conn, user: UserId) -> Result<Vec<CartItem>, Failure> {
    let rows = cart_items::table
        .filter(cart_items::user_id.eq(user.get()))
        .order(cart_items::id)
        .select(CartItemRow::as_select())
        .load(conn)?;
    all(rows, CartItemRow::line)
}

/// Inserts lines; returns their ids.
pub(super) fn insert(conn: &mut Conn, new: &[NewCartItem]) -> Result<Vec<CartItemId>, Failure> {
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let ids = bulk::insert_cart_items(conn, new.iter().map(NewCartItemRow::from))?;
    all(ids, |id| {
        CartItemId::new(id).ok_or_else(|| StoreError::corrupt("cart_items", "id", id))
    })
}

pub(super) fn update(conn: &mut Conn, lines: &[CartItem]) -> QueryResult<()> {
    match lines {
        [] => Ok(()),
        lines => bulk::update_cart_items(conn, lines),
    }
}

/// Deletes these lines: exactly those that were read.
pub(super) fn delete(conn: &mut Conn, lines: &[CartItem]) -> QueryResult<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = lines.iter().map(|line| line.id.get()).collect();
    diesel::delete(cart_items::table.filter(id_in(cart_items::id, &ids)))
        .execute(conn)
        .map(drop)
}

/// Carts of several users, each in the order in which its lines were added.
pub(super) fn of_users(conn: &mut Conn, users: &[i64]) -> Result<Vec<CartItem>, Failure> {
    let rows = cart_items::table
        .filter(id_in(cart_items::user_id, users))
        .order(cart_items::id)
        .select(CartItemRow::as_select())
        .load(conn)?;
    all(rows, CartItemRow::line)
}

impl CartRepository for Database {
    fn carts(&self, users: &[UserId]) -> Result<HashMap<UserId, Cart>, StoreError> {
        let currency = self.currency();
        let ids: Vec<i64> = users.iter().map(|user| user.get()).collect();
        self.read(|conn| {
            let rows = cart_items::table
                .inner_join(products::table.inner_join(stock::table))
                .filter(id_in(cart_items::user_id, &ids))
                .select((CartItemRow::as_select(), ProductRow::as_select()))
                .load::<(CartItemRow, ProductRow)>(conn)?;
            let mut carts = HashMap::<UserId, Cart>::new();
            for (line, product) in rows {
                let (line, product) = (line.line()?, product.product(currency)?);
                let cart = carts.entry(line.user).or_default();
                cart.items.push(CartItemDetail { line, product });
            }
            for cart in carts.values_mut() {
                cart.items.sort_unstable_by_key(|item| item.line.id);
            }
            Ok(carts)
        })
    }

    fn change(&self, command: ChangeCart) -> Result<Execution<Option<CartItemDetail>>, Error> {
        let currency = self.currency();
        self.command(move |conn| {
            let Some(key) = &command.key else {
                locks::users(conn, &[command.user])?;
                return Ok(Execution::Executed(change(conn, &command, currency)?));
            };
            let (user, quota) = (Some(command.user), MAX_STORED_RESPONSE_BYTES);
            let added = idempotency::once(conn, user, Some(key), quota, command.at, |conn| {
                // A response is stored only if the command leaves a line behind.
                Ok(change(conn, &command, currency)?.ok_or(Refusal::NotFound)?)
            })?;
            Ok(added.map(Some))
        })
    }
}

fn change(
    conn: &mut Conn,
    command: &ChangeCart,
    currency: Currency,
) -> Result<Option<CartItemDetail>, Failure> {
    let lines = lines(conn, command.user)?;
    let product = match command.product(&lines) {
        Some(product) => catalog::find(conn, product, currency)?,
        None => None,
    };
    apply(conn, decide_cart(command, &lines, product.as_ref())?)
}
