//! Cart lines: lines of one product in one cart are merged.

use crate::assemble::{Context, Notes};
use crate::index::{Found, Products};
use crate::kind::Kind;
use crate::rows::{self, Cart, Owner};
use crate::value::Reference;
use std::collections::HashMap;
use tradepost_domain::cart::CartItem;
use tradepost_domain::kernel::{CartItemId, ProductId, UserId};

/// The cart lines, the number without an account, and the number merged into another line.
pub(crate) fn assemble(
    context: &mut Context<'_>,
    carts: &HashMap<Reference, Cart>,
    rows: Vec<rows::CartItem>,
    products: &Products,
    notes: &mut Notes,
) -> (Vec<CartItem>, u64, u64) {
    let mut lines: Vec<CartItem> = Vec::with_capacity(rows.len());
    let mut places = HashMap::<(UserId, ProductId), usize>::new();
    let (mut anonymous, mut merged) = (0, 0);
    let ids = rows.iter().filter_map(|row| row.id).map(CartItemId::get);
    let mut last = ids.max().unwrap_or(0);
    for row in rows {
        let user = match user(context, carts, &row) {
            Found::User(user) => user,
            Found::Guest => {
                anonymous += 1;
                continue;
            }
            Found::Missing(model, key) => {
                let sentence = missing(&model, &key);
                context.say(Kind::CartItem, &row.key, "user", None, (&sentence, ""));
                continue;
            }
            Found::Closed => {
                notes.closed.push(&row.key);
                continue;
            }
            Found::Spoilt => continue,
        };
        let Some(product) = products.find(&row.product) else {
            if !context.is_spoilt(Kind::Product, &row.product) {
                let sentence = missing("product", &row.product);
                context.say(Kind::CartItem, &row.key, "product", None, (&sentence, ""));
            }
            continue;
        };
        let place = (user, product.id);
        if let Some(first) = places.get(&place).and_then(|at| lines.get_mut(*at)) {
            match first.quantity.plus(row.quantity) {
                Ok(both) => {
                    first.quantity = both;
                    merged += 1;
                }
                Err(problem) => {
                    let sentence = problem.to_string();
                    context.say(Kind::CartItem, &row.key, "quantity", None, (&sentence, ""));
                }
            }
            continue;
        }
        let id = row.id.or_else(|| {
            last = last.saturating_add(1);
            CartItemId::new(last)
        });
        let Some(id) = id else { continue };
        places.insert(place, lines.len());
        lines.push(CartItem {
            id,
            user,
            product: product.id,
            quantity: row.quantity,
            created_at: row.created_at,
            updated_at: row.updated_at,
        });
    }
    (lines, anonymous, merged)
}

fn user(
    context: &mut Context<'_>,
    carts: &HashMap<Reference, Cart>,
    row: &rows::CartItem,
) -> Found {
    match &row.owner {
        Owner::User(user) => Found::User(*user),
        Owner::None => Found::Guest,
        Owner::Closed => Found::Closed,
        Owner::Key(key) => context.find(Kind::CartItem, key),
        Owner::Cart(cart) => match carts.get(cart) {
            Some(Cart::Of(key)) => context.find(Kind::Cart, key),
            Some(Cart::Anonymous) => Found::Guest,
            Some(Cart::Closed) => Found::Closed,
            None if context.is_spoilt(Kind::Cart, cart) => Found::Spoilt,
            None => {
                let sentence = missing("cart", cart);
                context.say(Kind::CartItem, &row.key, "cart", None, (&sentence, ""));
                Found::Spoilt
            }
        },
    }
}

/// The message for a reference to a missing row.
pub(crate) fn missing(what: &str, reference: &Reference) -> String {
    match reference {
        Reference::Id(id) => format!("There is no {what} {id} in it."),
        Reference::Natural(_) => format!("There is no {what} {reference} in it, or more than one."),
    }
}
