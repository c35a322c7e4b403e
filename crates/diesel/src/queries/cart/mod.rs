//! Carts.

use super::prelude::*;
use super::slices::{Free, Results};
use super::{catalog, slices};
use crate::rows::{CartItemRow, NewCartItemRow, ProductRow};
use crate::schema::{cart_items, products, stock};
use std::collections::{BTreeSet, HashMap};
use tradepost_domain::cart::{
    Cart, CartChange, CartItem, CartItemDetail, CartRepository, CartsState, ChangeCart,
    NewCartItem, decide_carts,
};
use tradepost_domain::kernel::{CartItemId, Currency, Outcomes, ProductId, UserId};

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

    fn change_all(&self, commands: &[ChangeCart]) -> Outcomes<CartChange> {
        let currency = self.currency();
        slices::run(self, commands, move |conn, commands| {
            change(conn, commands, currency)
        })
    }
}

fn change(conn: &mut Conn, commands: &[ChangeCart], currency: Currency) -> Results<CartChange> {
    let users: BTreeSet<UserId> = commands.iter().map(|command| command.user).collect();
    let locked = locks::skip_locked_users(conn, &users)?;
    let free = Free::of(commands, |command| locked.contains_key(&command.user));
    let mut state = CartsState {
        keys: slices::stored_keys(conn, &free.commands)?,
        ..CartsState::default()
    };
    let ids: Vec<i64> = locked.keys().map(|user| user.get()).collect();
    for line in of_users(conn, &ids)? {
        state.carts.entry(line.user).or_default().push(line);
    }
    let product = |command: &ChangeCart| {
        let lines = state.carts.get(&command.user);
        command.product(lines.map_or(&[][..], Vec::as_slice))
    };
    let products: BTreeSet<ProductId> = free.commands.iter().filter_map(product).collect();
    state.products = catalog::some(conn, &products, currency)?;
    let kept = state.keys.kept.clone();
    let decision = decide_carts(&free.commands, state);
    let results = slices::apply_keyed(conn, &free.commands, decision, kept)?;
    Ok(free.spread(results))
}
