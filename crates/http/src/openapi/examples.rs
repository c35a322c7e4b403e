//! Examples of responses, serialized from the response DTOs.

use crate::extract::query::PageParams;
use crate::resources::json::{
    AccountResponse, CartLineResponse, MovementResponse, OrderResponse, PairResponse,
    ProductResponse, TokenResponse, stored,
};
use crate::resources::{cart, probes, root, tokens};
use crate::respond::pages::{CursorPageResponse, PageResponse};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use tradepost_domain::cart::{Cart, CartItem, CartItemDetail};
use tradepost_domain::catalog::{Price, Product};
use tradepost_domain::identity::{Account, Email, TokenPair, Username};
use tradepost_domain::inventory::{
    Adjusted, Movement, NewMovement, Reason, StockDelta, StockLevel,
};
use tradepost_domain::kernel::{
    CartItemId, Currency, Description, Money, MovementId, Note, OrderId, Page, ProductId,
    ProductName, Quantity, Sku, UserId,
};
use tradepost_domain::orders::{Order, OrderItem, OrderStatus};

const SHOP: &str = "https://shop.example.org";

/// The example of a schema; null if there is none, which a test rejects.
pub(super) fn of(schema: &str) -> Value {
    made(schema).unwrap_or_default()
}

fn made(schema: &str) -> Option<Value> {
    match schema {
        "Collections" => json(&root::Root::below(SHOP)),
        "Token" => json(&TokenResponse { token: ACCESS }),
        "TokenPair" => json(&PairResponse::of(&TokenPair {
            access: ACCESS.to_owned(),
            refresh: "tpr_2c1f87a0b9".to_owned(),
        })),
        "Nothing" => json(&tokens::Nothing {}),
        "User" => json(&AccountResponse::of(&account()?)),
        "UserPage" => page("users", &[account()?], |one| Some(AccountResponse::of(one))),
        "Product" => json(&ProductResponse::of(&product()?)),
        "ProductPage" => page("products", &[product()?], |one| {
            Some(ProductResponse::of(one))
        }),
        "ProductSlice" => {
            let product = product()?;
            cursor_page("products", ProductResponse::of(&product))
        }
        "OrderSlice" => cursor_page("orders", OrderResponse::of(&order()?).ok()?),
        "Movement" => serde_json::from_str(&stored::adjusted(&adjusted()?)).ok(),
        "MovementPage" => {
            let movements = [adjusted()?.movement];
            page("products/12/stock", &movements, |one| {
                Some(MovementResponse::of(one))
            })
        }
        "CartLine" => json(&CartLineResponse::of(&item()?).ok()?),
        "Cart" => {
            let cart = Cart {
                items: vec![item()?],
            };
            let (listing, url) = (PageParams::read("", 10).ok()?, format!("{SHOP}/api/cart/"));
            json(&cart::shape(&cart, &listing, &url, usd()?).ok()?)
        }
        "Order" => json(&OrderResponse::of(&order()?).ok()?),
        "OrderPage" => page("orders", &[order()?], |one| OrderResponse::of(one).ok()),
        "Health" => json(&probes::OK),
        _ => None,
    }
}

const ACCESS: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9";

fn json(shape: &impl Serialize) -> Option<Value> {
    serde_json::to_value(shape).ok()
}

/// The first of several numbered pages.
fn page<'a, R, T: Serialize>(
    collection: &str,
    items: &'a [R],
    shape: fn(&'a R) -> Option<T>,
) -> Option<Value> {
    let listing = PageParams::read("page_size=1", 1).ok()?;
    let results = items.iter().map(shape).collect::<Option<_>>()?;
    let page = Page::<()> {
        count: 2,
        items: Vec::new(),
    };
    let url = format!("{SHOP}/api/{collection}/");
    json(&PageResponse::new(&url, &listing, &page, results))
}

/// The first of several cursor pages.
fn cursor_page(collection: &str, first: impl Serialize) -> Option<Value> {
    json(&CursorPageResponse {
        next: Some(format!("{SHOP}/api/{collection}/?cursor=eyJhZnRlciI6MTJ9")),
        previous: None,
        results: vec![first],
    })
}

fn usd() -> Option<Currency> {
    Currency::from_code("USD")
}

fn at() -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(1_795_368_777_626_240)
}

fn account() -> Option<Account> {
    Some(Account {
        id: UserId::new(2)?,
        username: Username::new("grace").ok()?,
        email: Email::new("grace@example.org").ok(),
        is_staff: false,
        is_active: true,
        session_epoch: 0,
        created_at: at()?,
    })
}

fn product() -> Option<Product> {
    Some(Product {
        id: ProductId::new(12)?,
        sku: Sku::new("MUG-STONE-GREEN").ok(),
        name: ProductName::new("Stoneware mug, green").ok()?,
        description: Description::new("Holds a third of a litre.").ok()?,
        price: Price::new(Money::from_minor(1_400, usd()?)).ok()?,
        stock: StockLevel::new(37)?,
        archived: false,
        created_at: at()?,
        updated_at: at()?,
    })
}

fn adjusted() -> Option<Adjusted> {
    let entry = NewMovement {
        product: ProductId::new(12)?,
        order: None,
        delta: StockDelta::new(-3)?,
        reason: Reason::Adjustment,
        note: Note::new("Broken in transit").ok(),
        actor: UserId::new(1),
        at: at()?,
    };
    let id = MovementId::new(15)?;
    Some(Adjusted {
        movement: Movement { id, entry },
        level: StockLevel::new(37)?,
    })
}

fn item() -> Option<CartItemDetail> {
    let line = CartItem {
        id: CartItemId::new(1)?,
        user: UserId::new(2)?,
        product: ProductId::new(12)?,
        quantity: Quantity::new(2).ok()?,
        created_at: at()?,
        updated_at: at()?,
    };
    Some(CartItemDetail {
        line,
        product: product()?,
    })
}

fn order() -> Option<Order> {
    let line = OrderItem {
        product: ProductId::new(12)?,
        name: ProductName::new("Stoneware mug, green").ok()?,
        unit_price: Money::from_minor(1_400, usd()?),
        quantity: Quantity::new(2).ok()?,
    };
    Some(Order {
        id: OrderId::new(1)?,
        user: UserId::new(2)?,
        status: OrderStatus::Pending,
        total: line.total().ok()?,
        adjustment: Money::zero(usd()?),
        lines: vec![line],
        archived: false,
        created_at: at()?,
        updated_at: at()?,
    })
}
