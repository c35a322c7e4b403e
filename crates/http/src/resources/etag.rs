//! Entity tags of the resources, and `If-Match` preconditions on them.

use crate::resources::cart::CartItemResponse;
use crate::resources::orders::OrderResponse;
use crate::resources::products::encoded;
use crate::respond::etag::{digest, digest_of, if_match, version};
use actix_web::HttpRequest;
use tradepost_domain::cart::{CartItem, CartItemDetail};
use tradepost_domain::catalog::Product;
use tradepost_domain::kernel::{MoneyError, Precondition};
use tradepost_domain::orders::Order;

pub(crate) use crate::respond::etag::ETag;

impl ETag {
    pub(crate) fn of_product(product: &Product) -> Self {
        Self::of_product_body(product, &encoded(product))
    }

    /// The tag of a product with this JSON body, which is not serialized again.
    pub(crate) fn of_product_body(product: &Product, body: &str) -> Self {
        Self::new(without_stock(body), digest(&product.stock.units()))
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

/// The field of a product that sales change.
const STOCK_FIELD: &str = ",\"stock\":";

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
    without_stock(&encoded(product))
}

/// The digest of a product's JSON body with a stock of 0, as sales change the stock. A quotation mark
/// is escaped inside of a string, so that no text of a product has the name of the field in it.
fn without_stock(body: &str) -> String {
    let (before, rest) = body.split_once(STOCK_FIELD).unwrap_or((body, ""));
    let after = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
    digest_of(&[before, STOCK_FIELD, "0", after])
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

#[cfg(test)]
mod tests {
    use super::*;
    use tradepost_domain::inventory::StockLevel;
    use tradepost_domain::kernel::Description;
    use tradepost_domain::testing::product;

    #[test]
    fn the_tag_of_a_product_has_its_stock_in_the_second_part_alone() {
        let stocked = |units, description: &str| {
            let mut product = product(1, 1_250, 0);
            product.stock = StockLevel::new(units).unwrap();
            product.description = Description::new(description).unwrap();
            ETag::of_product(&product)
        };
        let text = |units, description| stocked(units, description).text();
        let version = |units, description| stocked(units, description).into_version();
        // The second description has the field's name in it, escaped.
        for description in ["plain", r#"of 3,"stock":12,"weight_grams":7"#] {
            assert_eq!(version(0, description), version(12, description));
            assert_eq!(text(12, description), text(12, description));
            assert_ne!(text(0, description), text(12, description));
        }
        let edited = [r#","stock":1"#, r#","stock":2"#].map(|text| version(5, text));
        assert_ne!(edited[0], edited[1]);
        let body = encoded(&product(1, 1_250, 0));
        assert_eq!(version(9, ""), digest_of(&[&body]));
    }
}
