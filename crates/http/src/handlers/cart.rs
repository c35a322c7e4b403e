use crate::answer::{self, Answer};
use crate::call::Call;
use crate::error::ApiError;
use crate::fields::{Fields, integer};
use crate::idempotency::{Told, keyed};
use crate::openapi::Units;
use crate::pages::PageShape;
use crate::query::Listing;
use crate::shapes::{Amount, CartLineShape, stored};
use crate::tags::{self, Tag};
use schemars::JsonSchema;
use serde::Serialize;
use tradepost_domain::{
    Cart, CartItem, CartItemId, Currency, FieldName, Page, Problem, ProductId, Quantity, Refusal,
    Seen,
};

/// A page of lines, and what is true of the whole cart.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Cart")]
pub(crate) struct CartShape<'a> {
    #[serde(flatten)]
    page: PageShape<CartLineShape<'a>>,
    /// What the whole cart costs at the prices of now.
    total_price: Amount,
    /// Units in the whole cart.
    #[schemars(with = "Units")]
    total_quantity: i64,
}

pub(crate) async fn list(call: Call) -> Answer {
    let mut listing = Listing::read(call.query_string(), call.page_size())?;
    let user = call.actor.customer()?;
    let cart = call.find(|reads| &reads.carts, (), user).await?;
    let cart = cart.unwrap_or_default();
    listing.resolve_last(count(&cart));
    let shape = shape(&cart, &listing, &call.own_url(), call.currency())?;
    answer::ok(&shape)
}

/// The page of `listing`; `url` is that of the list.
pub(crate) fn shape<'a>(
    cart: &'a Cart,
    listing: &Listing,
    url: &str,
    currency: Currency,
) -> Result<CartShape<'a>, ApiError> {
    let page = page(cart, listing)?;
    let lines = page.items.iter().copied().map(CartLineShape::of);
    let lines = lines.collect::<Result<_, _>>()?;
    Ok(CartShape {
        page: PageShape::new(url, listing, &page, lines),
        total_price: Amount(cart.total(currency)?),
        total_quantity: cart.units(),
    })
}

fn count(cart: &Cart) -> u64 {
    u64::try_from(cart.items.len()).unwrap_or(u64::MAX)
}

/// A cart is small and always read whole, for its total.
fn page<'a>(cart: &'a Cart, listing: &Listing) -> Result<Page<&'a CartItem>, Refusal> {
    let before = usize::try_from(listing.page.offset()).unwrap_or(usize::MAX);
    let size = usize::try_from(listing.page.size()).unwrap_or(usize::MAX);
    let page = Page {
        count: count(cart),
        items: cart.items.iter().skip(before).take(size).collect(),
    };
    page.existing(listing.page)
}

/// Names for `quantity` in other shop APIs. If they were ignored, a line would hold one unit, or
/// keep its quantity.
const QUANTITY_SYNONYMS: &[FieldName] = &["qty", "count", "amount", "units"];

fn refuse_quantity_synonyms(fields: &mut Fields) {
    if !fields.has_value("quantity") {
        fields.refuse(QUANTITY_SYNONYMS, "the units of a line are its quantity");
    }
}

pub(crate) async fn add(call: Call, mut fields: Fields) -> Answer {
    refuse_quantity_synonyms(&mut fields);
    let key = call.idempotency_key(&mut fields);
    let product = fields.required("product_id", integer(product_id));
    let quantity = fields.optional("quantity", integer(Quantity::new));
    let product = fields.complete(product)?;
    let quantity = quantity.unwrap_or(Quantity::ONE);
    let command = ("addition", product.get(), quantity.units());
    let key = key.map(|key| keyed(key, "/api/cart/", &command, stored::cart_line));
    let written = call
        .command(move |shop, actor| shop.carts.add(actor, product, quantity, key))
        .await?;
    let tag = |item: &CartItem| Tag::of_cart_line(item).ok();
    answer::told(Told::tagged(written, stored::cart_line, tag))
}

pub(crate) async fn empty(call: Call) -> Answer {
    call.command(|shop, actor| shop.carts.empty(actor)).await?;
    answer::done()
}

pub(crate) async fn show(call: Call) -> Answer {
    let id = call.id(CartItemId::parse)?;
    let item = call
        .query(move |shop, actor| shop.carts.item(actor, id))
        .await?;
    show_one(&call, &item)
}

fn show_one(call: &Call, item: &CartItem) -> Answer {
    let shape = CartLineShape::of(item)?;
    answer::shown(call, &shape, &Tag::of_cart_line(item)?)
}

pub(crate) async fn replace(call: Call, mut fields: Fields) -> Answer {
    let quantity = fields.required("quantity", integer(Quantity::or_removal));
    set(call, fields, quantity).await
}

pub(crate) async fn change(call: Call, mut fields: Fields) -> Answer {
    let quantity = fields.optional("quantity", integer(Quantity::or_removal));
    set(call, fields, quantity).await
}

/// Without a quantity nothing changes; with `Some(None)` the line is removed.
async fn set(call: Call, mut fields: Fields, quantity: Option<Option<Quantity>>) -> Answer {
    refuse_quantity_synonyms(&mut fields);
    let id = call.id(CartItemId::parse)?;
    let product = fields.optional("product_id", integer(product_id));
    fields.complete(Some(()))?;
    let seen = tags::seen_cart_line(call.request());
    let item = match quantity {
        Some(quantity) => {
            call.command(move |shop, actor| shop.carts.set(actor, id, quantity, product, seen))
                .await?
        }
        None => {
            let item = call
                .query(move |shop, actor| shop.carts.item(actor, id))
                .await?;
            Seen::check(seen.as_ref(), &item.line)?;
            if product.is_some_and(|product| product != item.line.product) {
                return Err(Refusal::field("product_id", Problem::OtherProduct).into());
            }
            Some(item)
        }
    };
    match item {
        Some(item) => show_one(&call, &item),
        None => answer::done(),
    }
}

pub(crate) async fn remove(call: Call) -> Answer {
    let id = call.id(CartItemId::parse)?;
    let seen = tags::seen_cart_line(call.request());
    call.command(move |shop, actor| shop.carts.remove(actor, id, seen))
        .await?;
    answer::done()
}

fn product_id(number: i64) -> Result<ProductId, Problem> {
    ProductId::new(number).ok_or(Problem::UnknownProduct)
}
