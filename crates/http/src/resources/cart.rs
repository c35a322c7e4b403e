use crate::error::ApiError;
use crate::extract::fields::{Fields, integer};
use crate::extract::query::PageParams;
use crate::extract::request_context::RequestContext;
use crate::resources::etag::{self, ETag};
use crate::resources::json::{CartLineResponse, stored};
use crate::respond::json::{Amount, Units};
use crate::respond::pages::PageResponse;
use crate::respond::replay::{ReplayableResponse, keyed};
use crate::respond::responses::{self, HttpResult};
use schemars::JsonSchema;
use serde::Serialize;
use tradepost_domain::cart::{Cart, CartItemDetail};
use tradepost_domain::kernel::{
    CartItemId, Currency, FieldError, FieldName, Page, Precondition, ProductId, Quantity, Refusal,
};

/// A page of lines, and what is true of the whole cart.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Cart")]
pub(crate) struct CartResponse<'a> {
    #[serde(flatten)]
    page: PageResponse<CartLineResponse<'a>>,
    /// What the whole cart costs at the prices of now.
    total_price: Amount,
    /// Units in the whole cart.
    #[schemars(with = "Units")]
    total_quantity: i64,
}

pub(crate) async fn list(call: RequestContext) -> HttpResult {
    let mut listing = PageParams::read(call.query_string(), call.page_size())?;
    let user = call.actor.customer()?;
    let cart = call.loaders().carts.load(user, call.deadline).await?;
    let cart = cart.unwrap_or_default();
    listing.resolve_last(count(&cart));
    let shape = shape(&cart, &listing, &call.own_url(), call.currency())?;
    responses::ok(&shape)
}

/// The page of `listing`; `url` is that of the list.
pub(crate) fn shape<'a>(
    cart: &'a Cart,
    listing: &PageParams,
    url: &str,
    currency: Currency,
) -> Result<CartResponse<'a>, ApiError> {
    let page = page(cart, listing)?;
    let lines = page.items.iter().copied().map(CartLineResponse::of);
    let lines = lines.collect::<Result<_, _>>()?;
    Ok(CartResponse {
        page: PageResponse::new(url, listing, &page, lines),
        total_price: Amount(cart.total(currency)?),
        total_quantity: cart.units(),
    })
}

fn count(cart: &Cart) -> u64 {
    u64::try_from(cart.items.len()).unwrap_or(u64::MAX)
}

/// A cart is small and always read whole, for its total.
fn page<'a>(cart: &'a Cart, listing: &PageParams) -> Result<Page<&'a CartItemDetail>, Refusal> {
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

pub(crate) async fn add(call: RequestContext, mut fields: Fields) -> HttpResult {
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
    let tag = |item: &CartItemDetail| ETag::of_cart_item(item).ok();
    responses::created(ReplayableResponse::tagged(written, stored::cart_line, tag))
}

pub(crate) async fn empty(call: RequestContext) -> HttpResult {
    call.command(|shop, actor| shop.carts.empty(actor)).await?;
    responses::no_content()
}

pub(crate) async fn show(call: RequestContext) -> HttpResult {
    let id = call.id(CartItemId::parse)?;
    let item = call
        .query(move |shop, actor| shop.carts.item(actor, id))
        .await?;
    show_one(&call, &item)
}

fn show_one(call: &RequestContext, item: &CartItemDetail) -> HttpResult {
    let shape = CartLineResponse::of(item)?;
    responses::ok_with_etag(call, &shape, &ETag::of_cart_item(item)?)
}

pub(crate) async fn replace(call: RequestContext, mut fields: Fields) -> HttpResult {
    let quantity = fields.required("quantity", integer(Quantity::or_removal));
    set(call, fields, quantity).await
}

pub(crate) async fn change(call: RequestContext, mut fields: Fields) -> HttpResult {
    let quantity = fields.optional("quantity", integer(Quantity::or_removal));
    set(call, fields, quantity).await
}

/// Without a quantity nothing changes; with `Some(None)` the line is removed.
async fn set(
    call: RequestContext,
    mut fields: Fields,
    quantity: Option<Option<Quantity>>,
) -> HttpResult {
    refuse_quantity_synonyms(&mut fields);
    let id = call.id(CartItemId::parse)?;
    let product = fields.optional("product_id", integer(product_id));
    fields.complete(Some(()))?;
    let seen = etag::if_match_cart_item(call.request());
    let item = match quantity {
        Some(quantity) => {
            call.command(move |shop, actor| shop.carts.set(actor, id, quantity, product, seen))
                .await?
        }
        None => {
            let item = call
                .query(move |shop, actor| shop.carts.item(actor, id))
                .await?;
            Precondition::check(seen.as_ref(), &item.line)?;
            if product.is_some_and(|product| product != item.line.product) {
                return Err(Refusal::field("product_id", FieldError::OtherProduct).into());
            }
            Some(item)
        }
    };
    match item {
        Some(item) => show_one(&call, &item),
        None => responses::no_content(),
    }
}

pub(crate) async fn remove(call: RequestContext) -> HttpResult {
    let id = call.id(CartItemId::parse)?;
    let seen = etag::if_match_cart_item(call.request());
    call.command(move |shop, actor| shop.carts.remove(actor, id, seen))
        .await?;
    responses::no_content()
}

fn product_id(number: i64) -> Result<ProductId, FieldError> {
    ProductId::new(number).ok_or(FieldError::UnknownProduct)
}
