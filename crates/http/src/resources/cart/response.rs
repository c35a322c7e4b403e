use crate::error::ApiError;
use crate::extract::query::PageParams;
use crate::resources::prelude::*;
use crate::resources::products::{self, ProductResponse};
use crate::respond::json::{Amount, Id, Time, Units, encode, words};
use crate::respond::pages::PageResponse;
use tradepost_domain::cart::{Cart, CartIssue, CartItem, CartItemDetail};
use tradepost_domain::kernel::{CartItemId, Currency, MoneyError, Page, Quantity, Refusal, UserId};

/// A page of the items, and the totals of the whole cart.
#[derive(Serialize, JsonSchema)]
#[schemars(
    rename = "Cart",
    description = "A page of lines, and what is true of the whole cart."
)]
pub(super) struct CartResponse<'a> {
    #[serde(flatten)]
    page: PageResponse<CartItemResponse<'a>>,
    #[schemars(description = "What the whole cart costs at the prices of now.")]
    total_price: Amount,
    /// Units in the whole cart.
    #[schemars(with = "Units")]
    total_quantity: i64,
}

impl<'a> CartResponse<'a> {
    /// The page of `listing`; `url` is that of the list.
    pub(super) fn from_cart(
        cart: &'a Cart,
        listing: &PageParams,
        url: &str,
        currency: Currency,
    ) -> Result<Self, ApiError> {
        let page = page(cart, listing)?;
        let items = page.items.iter().copied().map(CartItemResponse::from_item);
        let items = items.collect::<Result<_, _>>()?;
        Ok(Self {
            page: PageResponse::new(url, listing, &page, items),
            total_price: Amount(cart.total(currency)?),
            total_quantity: cart.units(),
        })
    }
}

pub(super) fn count(cart: &Cart) -> u64 {
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

impl Example for CartResponse<'_> {
    fn example(url: &str) -> Option<Value> {
        let items = vec![example()?];
        let (listing, usd) = (PageParams::read("", 10).ok()?, Currency::from_code("USD")?);
        to_json(&CartResponse::from_cart(&Cart { items }, &listing, url, usd).ok()?)
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
