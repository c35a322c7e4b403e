//! Carts.

use super::prelude::*;
use super::{catalog, idempotency};
use crate::rows::{CartItemRow, NewCartItem, ProductRow};
use crate::schema::{cart_items, products, stock};
use std::collections::HashMap;
use tradepost_domain::cart::{
    Cart, CartDecision, CartItem, CartItemDetail, CartRepository, ChangeCart, decide_cart,
};
use tradepost_domain::catalog::Product;
use tradepost_domain::kernel::{
    CartItemId, Currency, Execution, MAX_STORED_RESPONSE_BYTES, Quantity, Refusal, UserId,
};

fn lines(conn: &mut Conn, user: UserId) -> Result<Vec<CartItem>, Failure> {
    let rows = cart_items::table
        .filter(cart_items::user_id.eq(user.get()))
        .order(cart_items::id)
        .select(CartItemRow::as_select())
        .load(conn)?;
    all(rows, CartItemRow::line)
}

fn insert(
    conn: &mut Conn,
    command: &ChangeCart,
    product: &Product,
    quantity: Quantity,
) -> Result<CartItem, Failure> {
    let row = diesel::insert_into(cart_items::table)
        .values(NewCartItem {
            user_id: command.user.get(),
            product_id: product.id.get(),
            quantity: quantity.units(),
            created_at: micros(command.at),
            updated_at: micros(command.at),
        })
        .returning(CartItemRow::as_returning())
        .get_result::<CartItemRow>(conn)?;
    Ok(row.line()?)
}

fn update(conn: &mut Conn, line: &CartItem) -> QueryResult<()> {
    diesel::update(cart_items::table.find(line.id.get()))
        .set((
            cart_items::quantity.eq(line.quantity.units()),
            cart_items::updated_at.eq(micros(line.updated_at)),
        ))
        .execute(conn)
        .map(drop)
}

/// Deletes the lines with these ids: exactly those that were read.
pub(super) fn delete(conn: &mut Conn, lines: &[CartItemId]) -> QueryResult<()> {
    let ids: Vec<i64> = lines.iter().map(|line| line.get()).collect();
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

    fn change(&self, command: ChangeCart) -> Outcome<Execution<Option<CartItemDetail>>> {
        let currency = self.currency();
        self.write(move |conn| {
            let Some(key) = &command.key else {
                locks::users(conn, &[command.user])?;
                return Ok(change(conn, &command, currency)?.map(Execution::Executed));
            };
            let (user, quota) = (Some(command.user), MAX_STORED_RESPONSE_BYTES);
            let added = idempotency::once(conn, user, Some(key), quota, command.at, |conn| {
                let item = change(conn, &command, currency)?;
                // A response is stored only if the command leaves a line behind.
                Ok(item.and_then(|item| item.ok_or(Refusal::NotFound)))
            })?;
            Ok(added.map(|written| written.map(Some)))
        })
    }
}

fn change(
    conn: &mut Conn,
    command: &ChangeCart,
    currency: Currency,
) -> Result<Result<Option<CartItemDetail>, Refusal>, Failure> {
    let lines = lines(conn, command.user)?;
    let product = match command.product(&lines) {
        Some(product) => catalog::find(conn, product, currency)?,
        None => None,
    };
    let decision = match decide_cart(command, &lines, product.as_ref()) {
        Ok(decision) => decision,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let line = write(conn, command, decision, &lines, product.as_ref())?;
    Ok(Ok(line
        .zip(product)
        .map(|(line, product)| CartItemDetail { line, product })))
}

fn write(
    conn: &mut Conn,
    command: &ChangeCart,
    decision: CartDecision,
    lines: &[CartItem],
    product: Option<&Product>,
) -> Result<Option<CartItem>, Failure> {
    match decision {
        CartDecision::Insert { quantity, .. } => product
            .map(|product| insert(conn, command, product, quantity))
            .transpose(),
        CartDecision::Update(line) => {
            update(conn, &line)?;
            Ok(Some(line))
        }
        CartDecision::Keep(line) => Ok(Some(line)),
        CartDecision::Delete { line } => {
            delete(conn, &[line])?;
            Ok(None)
        }
        CartDecision::Clear => {
            let ids: Vec<_> = lines.iter().map(|line| line.id).collect();
            delete(conn, &ids)?;
            Ok(None)
        }
    }
}
