//! Entity tags of the resources, and `If-Match` preconditions on them.

use crate::resources::cart::CartItemResponse;
use crate::resources::orders::OrderResponse;
use crate::resources::products::ProductResponse;
use crate::respond::etag::{digest, if_match, version};
use actix_web::HttpRequest;
use tradepost_domain::cart::{CartItem, CartItemDetail};
use tradepost_domain::catalog::Product;
use tradepost_domain::kernel::{MoneyError, Precondition};
use tradepost_domain::orders::Order;

pub(crate) use crate::respond::etag::ETag;

impl ETag {
    pub(crate) fn of_product(product: &Product) -> Self {
        Self::new(product_edits(product), digest(&product.stock.units()))
    }

    /// Price, name and stock of its product are volatile.
    pub(crate) fn of_cart_item(item: &CartItemDetail) -> Result<Self, MoneyError> {
        let volatile = digest(&CartItemResponse::from_item(item)?);
        Ok(Self::new(cart_line_edits(&item.line), volatile))
    }

    /// All fields of an order change by edits alone.
    pub(crate) fn of_order(order: &Order) -> Result<Self, MoneyError> {
        Ok(Self::new(
            digest(&OrderResponse::from_order(order)?),
            String::new(),
        ))
    }
}

/// The `If-Match` precondition on a product; on its stock too if the request `sets_stock`.
pub(crate) fn if_match_product(
    request: &HttpRequest,
    sets_stock: bool,
) -> Option<Precondition<Product>> {
    if sets_stock {
        if_match(
            request,
            |tag| tag,
            |product| ETag::of_product(product).text(),
        )
    } else {
        if_match(request, version, product_edits)
    }
}

/// The `If-Match` precondition on a cart line.
pub(crate) fn if_match_cart_item(request: &HttpRequest) -> Option<Precondition<CartItem>> {
    if_match(request, version, cart_line_edits)
}

/// The `If-Match` precondition on an order.
pub(crate) fn if_match_order(request: &HttpRequest) -> Option<Precondition<Order>> {
    if_match(request, version, order_edits)
}

fn product_edits(product: &Product) -> String {
    digest(&ProductResponse::without_stock(product))
}

fn cart_line_edits(line: &CartItem) -> String {
    digest(&(
        line.id.get(),
        line.user.get(),
        line.product.get(),
        line.quantity.units(),
        line.created_at.timestamp_micros(),
        line.updated_at.timestamp_micros(),
    ))
}

fn order_edits(order: &Order) -> String {
    // An order whose total cannot be written is not shown either.
    ETag::of_order(order).map_or_else(|_| String::new(), ETag::into_version)
}
