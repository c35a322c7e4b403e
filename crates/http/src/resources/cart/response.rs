use crate::error::ApiError;
use crate::extract::query::PageParams;
use crate::loaders::{CartTotals, RenderedCart};
use crate::resources::prelude::*;
use crate::resources::products::{self, ProductResponse};
use crate::respond::coding::AcceptedCodings;
use crate::respond::json::{Amount, Id, Time, Units, encode, words};
use crate::respond::pages::{PageResponse, row};
use crate::respond::rendered::Rendered;
use std::sync::Arc;
use tradepost_domain::cart::{Cart, CartIssue, CartItem, CartItemDetail};
use tradepost_domain::kernel::{CartItemId, Currency, MoneyError, Page, Quantity, UserId};

/// A page of the items, and the totals of the whole cart.
#[derive(Serialize, JsonSchema)]
#[schemars(
    rename = "Cart",
    description = "A page of lines, and what is true of the whole cart."
)]
pub(super) struct CartResponse<T> {
    #[serde(flatten)]
    page: PageResponse<T>,
    #[schemars(description = "What the whole cart costs at the prices of now.")]
    total_price: Amount,
    /// Units in the whole cart.
    #[schemars(with = "Units")]
    total_quantity: i64,
}

/// Renders the items of a cart.
pub(crate) fn render(cart: &Cart, currency: Currency) -> Result<RenderedCart, ApiError> {
    let rows = cart
        .items
        .iter()
        .map(|item| row(&CartItemResponse::from_item(item)?));
    let totals = CartTotals {
        price: cart.total(currency)?,
        units: cart.units(),
    };
    Ok(RenderedCart::new(rows.collect::<Result<_, _>>()?, totals))
}

/// The page of `listing`; `url` is that of the list. A cart is small and always read whole, for its
/// total.
pub(super) fn page(
    cart: &RenderedCart,
    listing: &PageParams,
    url: &str,
) -> Result<Arc<Rendered>, ApiError> {
    let count = count(cart);
    let before = usize::try_from(listing.page.offset()).unwrap_or(usize::MAX);
    let size = usize::try_from(listing.page.size()).unwrap_or(usize::MAX);
    let page = Page {
        count,
        items: cart.rows().iter().skip(before).take(size).collect(),
    };
    let page = page.existing(listing.page)?;
    let totals = cart.whole();
    cart.body(url, listing, count, |links| CartResponse {
        page: PageResponse::linked(count, links, page.items),
        total_price: Amount(totals.price),
        total_quantity: totals.units,
    })
}

pub(super) fn count(cart: &RenderedCart) -> u64 {
    u64::try_from(cart.rows().len()).unwrap_or(u64::MAX)
}

/// Some units of a product in a cart.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "CartLine")]
pub(crate) struct CartItemResponse<'a> {
    #[schemars(with = "Id")]
    id: i64,
    /// Whose cart it is in.
    #[schemars(with = "Id")]
    user: i64,
    product: ProductResponse<'a>,
    #[schemars(range(min = 1, max = Quantity::MAX))]
    quantity: i64,
    #[schemars(description = "At the price of now.")]
    total_price: Amount,
    /// What stands in the way of ordering it.
    #[schemars(with = "Vec<CartIssueWord>")]
    issues: Vec<&'static str>,
    created_at: Time,
    updated_at: Time,
}

impl<'a> CartItemResponse<'a> {
    pub(crate) fn from_item(item: &'a CartItemDetail) -> Result<Self, MoneyError> {
        Ok(Self {
            id: item.line.id.get(),
            user: item.line.user.get(),
            product: ProductResponse::from_product(&item.product),
            quantity: item.line.quantity.units(),
            total_price: Amount(item.total()?),
            issues: item.issues().into_iter().map(issue_word).collect(),
            created_at: Time(item.line.created_at),
            updated_at: Time(item.line.updated_at),
        })
    }
}

words! {
    /// The word for a [`CartIssue`].
    CartIssueWord as "CartIssue", "What stands in the way of ordering a line.":
        CartIssue::ALL.map(issue_word)
}

fn issue_word(issue: CartIssue) -> &'static str {
    match issue {
        CartIssue::ProductUnavailable => "product_unavailable",
        CartIssue::InsufficientStock => "insufficient_stock",
    }
}

/// The response to store under an idempotency key.
pub(super) fn encoded(item: &CartItemDetail) -> String {
    CartItemResponse::from_item(item).map_or_else(|_| String::new(), |item| encode(&item))
}

impl Example for CartItemResponse<'_> {
    fn example(_: &str) -> Option<Value> {
        to_json(&CartItemResponse::from_item(&example()?).ok()?)
    }
}

impl Example for CartResponse<CartItemResponse<'_>> {
    fn example(url: &str) -> Option<Value> {
        let items = vec![example()?];
        let (listing, usd) = (PageParams::read("", 10).ok()?, Currency::from_code("USD")?);
        let cart = render(&Cart { items }, usd).ok()?;
        let (body, _) = page(&cart, &listing, url).ok()?.body(AcceptedCodings::NONE);
        serde_json::from_slice(&body).ok()
    }
}

fn example() -> Option<CartItemDetail> {
    let product = products::example()?;
    let line = CartItem {
        id: CartItemId::new(1)?,
        user: UserId::new(2)?,
        product: product.id,
        quantity: Quantity::new(2).ok()?,
        created_at: product.created_at,
        updated_at: product.updated_at,
    };
    Some(CartItemDetail { line, product })
}
