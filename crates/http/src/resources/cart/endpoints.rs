use super::fields::refuse_quantity_synonyms;
use super::response::{CartItemResponse, CartResponse, count, encoded, page, render};
use crate::extract::parameter::{PAGE, PAGE_SIZE};
use crate::extract::query::PageParams;
use crate::resources::etag::{self, ETag};
use crate::resources::prelude::*;
use crate::respond::replay::{ReplayableResponse, keyed};
use std::sync::Arc;
use tradepost_domain::cart::{Cart, CartAction, CartChange, CartItem, CartItemDetail, added};
use tradepost_domain::kernel::{
    CartItemId, FieldError, Idempotent, Precondition, ProductId, Quantity, Refusal,
};

const CART: &str = "/api/cart/";
const ITEM: &str = "/api/cart/{id}/";

#[rustfmt::skip]
pub(crate) static ENDPOINTS: &[Endpoint] = &[
    Endpoint::get(CART, Customer, || web::to(list)).cost(Cost::List)
        .describe(Tag::CART, "getCart", "Show the own cart, page by page, with its totals")
        .parameters(&[&PAGE.parameter, &PAGE_SIZE.parameter])
        .ok::<CartResponse<CartItemResponse<'_>>>().errors(&[Code::NotFound]),
    Endpoint::post(CART, Customer, || web::to(add))
        .describe(Tag::CART, "addToCart", "Put units of a product into the cart; they add up in one line")
        .request::<AddToCart>().created::<CartItemResponse>().etag().idempotent()
        .errors(&[Code::InsufficientStock, Code::CartFull]),
    Endpoint::delete(CART, Customer, || web::to(empty))
        .describe(Tag::CART, "emptyCart", "Empty the cart"),
    Endpoint::get(ITEM, Customer, || web::to(show))
        .describe(Tag::CART, "getCartLine", "Show a line")
        .ok::<CartItemResponse>().etag(),
    Endpoint::put(ITEM, Customer, || web::to(replace))
        .describe(Tag::CART, "replaceCartLine", "Set the quantity of a line; 0 removes it")
        .request::<ReplaceCartItem>().ok::<CartItemResponse>().or_no_content().etag()
        .errors(&[Code::InsufficientStock, Code::ProductUnavailable]),
    Endpoint::patch(ITEM, Customer, || web::to(update))
        .describe(Tag::CART, "updateCartLine", "Set the quantity of a line; 0 removes it")
        .request::<UpdateCartItem>().ok::<CartItemResponse>().or_no_content().etag()
        .errors(&[Code::InsufficientStock, Code::ProductUnavailable]),
    Endpoint::delete(ITEM, Customer, || web::to(remove))
        .describe(Tag::CART, "removeCartLine", "Remove a line")
        .etag(),
];

async fn list(call: RequestContext) -> HttpResult {
    let mut listing = PageParams::read(call.query_string(), call.page_size())?;
    let user = call.actor.customer()?;
    let cart = call.loaders().carts.load(user, call.deadline).await?;
    let cart = match cart {
        Some(cart) => cart?,
        None => Arc::new(render(&Cart::default(), call.currency())?),
    };
    listing.resolve_last(count(&cart));
    responses::shared(&call, &*page(&cart, &listing, &call.own_url())?)
}

request! {
    struct AddToCart as "CartAddition", "What to put into the cart.",
        {"product_id": 1, "quantity": 2};

    product_id: required(ProductId) "The product.";
    quantity: optional(Quantity) "Units; 1 without it.";
}

async fn add(call: RequestContext, mut fields: Fields) -> HttpResult {
    refuse_quantity_synonyms(&mut fields);
    let key = call.idempotency_key(&mut fields);
    let addition = fields.parse(AddToCart::read)?;
    let product = addition.product_id;
    let quantity = addition.quantity.unwrap_or(Quantity::ONE);
    let command = ("addition", product.get(), quantity.units());
    let key = key.map(|key| keyed(key, CART, &command, encoded));
    let action = CartAction::Add { product, quantity };
    let written = added(change_cart(&call, action, None, key).await?)?;
    let tag = |item: &CartItemDetail| ETag::of_cart_item(item).ok();
    responses::created(ReplayableResponse::tagged(written, encoded, tag))
}

async fn change_cart(
    call: &RequestContext,
    action: CartAction,
    seen: Option<Precondition<CartItem>>,
    key: Option<Idempotent<CartItemDetail>>,
) -> Result<CartChange, ApiError> {
    let shop = call.backend();
    let command = shop
        .services
        .carts
        .changing(call.actor, action, seen, key)?;
    call.execute(&shop.batchers.carts, command).await
}

async fn empty(call: RequestContext) -> HttpResult {
    change_cart(&call, CartAction::Empty, None, None).await?;
    responses::no_content()
}

async fn show(call: RequestContext) -> HttpResult {
    let id = call.id(CartItemId::parse)?;
    let item = call
        .query(move |shop, actor| shop.carts.item(actor, id))
        .await?;
    show_one(&call, &item)
}

fn show_one(call: &RequestContext, item: &CartItemDetail) -> HttpResult {
    let response = CartItemResponse::from_item(item)?;
    responses::ok_with_etag(call, &response, &ETag::of_cart_item(item)?)
}

request! {
    struct ReplaceCartItem as "CartLineReplacement", "What a line is to hold; 0 removes it.",
        {"quantity": 3};

    quantity: required(Option<Quantity>) "Units; 0 removes the line." then refuse_quantity_synonyms;
    product_id: optional(ProductId) "The product of the line; it cannot be another.";
}

async fn replace(call: RequestContext, fields: Fields) -> HttpResult {
    let id = call.id(CartItemId::parse)?;
    let new = fields.parse(ReplaceCartItem::read)?;
    set(call, id, new.quantity, new.product_id).await
}

request! {
    struct UpdateCartItem as "CartLineChange", "What a line is to hold; 0 removes it.",
        {"quantity": 3};

    quantity: optional(Option<Quantity>) "Units; 0 removes the line." then refuse_quantity_synonyms;
    product_id: optional(ProductId) "The product of the line; it cannot be another.";
}

async fn update(call: RequestContext, fields: Fields) -> HttpResult {
    let id = call.id(CartItemId::parse)?;
    let new = fields.parse(UpdateCartItem::read)?;
    if let Some(quantity) = new.quantity {
        return set(call, id, quantity, new.product_id).await;
    }
    let seen = etag::if_match_cart_item(call.request());
    let item = call
        .query(move |shop, actor| shop.carts.item(actor, id))
        .await?;
    Precondition::check(seen.as_ref(), &item.line)?;
    if new
        .product_id
        .is_some_and(|product| product != item.line.product)
    {
        return Err(Refusal::field("product_id", FieldError::OtherProduct).into());
    }
    show_one(&call, &item)
}

/// Sets the quantity of an item; without one the item is removed.
async fn set(
    call: RequestContext,
    id: CartItemId,
    quantity: Option<Quantity>,
    product: Option<ProductId>,
) -> HttpResult {
    let seen = etag::if_match_cart_item(call.request());
    let action = CartAction::Set {
        line: id,
        quantity,
        product,
    };
    match change_cart(&call, action, seen, None).await? {
        CartChange::Executed(Some(item)) => show_one(&call, &item),
        // Without a key there is no stored response.
        CartChange::Executed(None) | CartChange::Replayed(_) => responses::no_content(),
    }
}

async fn remove(call: RequestContext) -> HttpResult {
    let id = call.id(CartItemId::parse)?;
    let seen = etag::if_match_cart_item(call.request());
    change_cart(&call, CartAction::Remove { line: id }, seen, None).await?;
    responses::no_content()
}
