//! Entity tags (RFC 9110, section 8.8.3): what a client holds, told from what there is.
//!
//! A tag is a digest of all that the answer shows, in two parts: what edits change, and what moves
//! by itself, as the stock of a product does with every sale. `If-None-Match` compares both;
//! `If-Match` only what the request would edit.

use crate::shapes::{CartLineShape, OrderShape, ProductShape};
use actix_web::http::header::{EntityTag, Header, HeaderValue, IfMatch, IfNoneMatch};
use actix_web::{HttpRequest, http::Method};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tradepost_domain::{CartItem, CartLine, MoneyError, Order, Product, Render, Seen};

/// The tag of something as it was shown.
pub(crate) struct Tag {
    edited: String,
    moved: String,
}

impl Tag {
    pub(crate) fn of_product(product: &Product) -> Self {
        Self {
            edited: product_edits(product),
            moved: digest(&product.stock.units()),
        }
    }

    /// Price, name and stock of its product move by themselves.
    pub(crate) fn of_cart_line(item: &CartItem) -> Result<Self, MoneyError> {
        Ok(Self {
            edited: cart_line_edits(&item.line),
            moved: digest(&CartLineShape::of(item)?),
        })
    }

    /// All of an order is what edits change.
    pub(crate) fn of_order(order: &Order) -> Result<Self, MoneyError> {
        Ok(Self {
            edited: digest(&OrderShape::of(order)?),
            moved: String::new(),
        })
    }

    /// What does not change as long as the program runs.
    pub(crate) fn of_text(text: &[u8]) -> Self {
        Self {
            edited: short(text),
            moved: String::new(),
        }
    }

    /// Some tag of two parts.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn for_fuzzing() -> Self {
        Self {
            edited: digest(&"edited"),
            moved: digest(&"moved"),
        }
    }

    fn text(&self) -> String {
        match self.moved.as_str() {
            "" => self.edited.clone(),
            moved => format!("{}.{moved}", self.edited),
        }
    }

    /// As it stands in the header `ETag`.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        HeaderValue::try_from(format!("\"{}\"", self.text())).ok()
    }

    /// Whether the client holds what this is the tag of, and need not get it again.
    pub(crate) fn is_held(&self, request: &HttpRequest) -> bool {
        let reads = [Method::GET, Method::HEAD].contains(request.method());
        let own = EntityTag::new_strong(self.text());
        reads
            && match IfNoneMatch::parse(request) {
                Ok(IfNoneMatch::Any) => true,
                Ok(IfNoneMatch::Items(held)) => held.iter().any(|tag| tag.weak_eq(&own)),
                Err(_) => false,
            }
    }
}

/// The product that the client edits has to be the one that it saw; its stock too if it `sets_stock`.
pub(crate) fn seen_product(request: &HttpRequest, sets_stock: bool) -> Option<Seen<Product>> {
    if sets_stock {
        seen(
            request,
            |tag| tag,
            |product| Tag::of_product(product).text(),
        )
    } else {
        seen(request, edited, product_edits)
    }
}

/// The line that the client edits has to be the one that it saw.
pub(crate) fn seen_cart_line(request: &HttpRequest) -> Option<Seen<CartLine>> {
    seen(request, edited, cart_line_edits)
}

/// The order that the client edits has to be the one that it saw.
pub(crate) fn seen_order(request: &HttpRequest) -> Option<Seen<Order>> {
    seen(request, edited, order_edits)
}

/// The tags in `If-Match`, if it names any; an unparsable value counts as a tag of nothing. A weak tag
/// counts like the strong one: the tags given out are strong, and a proxy that compresses answers
/// (nginx with gzip) makes them weak on their way.
fn seen<T>(
    request: &HttpRequest,
    part: fn(&str) -> &str,
    tag: fn(&T) -> String,
) -> Option<Seen<T>> {
    if !request.headers().contains_key(IfMatch::name()) {
        return None;
    }
    let tags = match IfMatch::parse(request) {
        // Whatever there is; and what is not there is not found in any case.
        Ok(IfMatch::Any) => return None,
        Ok(IfMatch::Items(tags)) => tags,
        Err(_) => Vec::new(),
    };
    let tags = tags.iter().map(|tag| part(tag.tag()).to_owned());
    Some(Seen {
        tags: tags.collect(),
        tag: Render(tag),
    })
}

/// The first part of a tag.
fn edited(tag: &str) -> &str {
    tag.split_once('.').map_or(tag, |(edited, _)| edited)
}

fn product_edits(product: &Product) -> String {
    digest(&ProductShape::without_stock(product))
}

fn cart_line_edits(line: &CartLine) -> String {
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
    // One whose total cannot be written is not shown either.
    Tag::of_order(order).map_or_else(|_| String::new(), |tag| tag.edited)
}

/// Sixty-four bits of SHA-256: nobody gains anything by making two things look alike to themselves.
fn digest(shape: &impl Serialize) -> String {
    // Shapes can always be written.
    short(&serde_json::to_vec(shape).unwrap_or_default())
}

fn short(form: &[u8]) -> String {
    let digest = format!("{:x}", Sha256::digest(form));
    digest.get(..16).unwrap_or_default().to_owned()
}
