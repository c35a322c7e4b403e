//! Response bodies in the OpenAPI document.

use crate::extract::query::PageParams;
use crate::respond::pages::{CursorPageResponse, PageResponse};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;
use tradepost_domain::kernel::Page;

/// The shop's URL in examples.
pub(crate) const SHOP_URL: &str = "https://shop.example.org";

/// A response body with an example.
pub(crate) trait Example: JsonSchema {
    /// The example, of a response to a request for this URL; `None` if it cannot be built, which a
    /// test rejects.
    fn example(url: &str) -> Option<Value>;

    /// The example as an entry of a list.
    fn list_example(url: &str) -> Option<Value> {
        Self::example(url)
    }
}

/// Response body in the OpenAPI document: its schema and its example.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ResponseBody {
    /// The name of its schema.
    pub(crate) name: fn() -> Cow<'static, str>,
    /// Adds its schema to the definitions of a generator.
    pub(crate) define: fn(&mut SchemaGenerator) -> Schema,
    pub(crate) example: fn(&str) -> Option<Value>,
}

impl ResponseBody {
    pub(crate) const fn new<T: Example>() -> Self {
        Self {
            name: T::schema_name,
            define: SchemaGenerator::subschema_for::<T>,
            example: T::example,
        }
    }
}

/// The first of several numbered pages.
impl<T: Example> Example for PageResponse<T> {
    fn example(url: &str) -> Option<Value> {
        let params = PageParams::read("page_size=1", 1).ok()?;
        let page = Page::<()> {
            count: 2,
            items: Vec::new(),
        };
        to_json(&PageResponse::new(
            url,
            &params,
            &page,
            vec![T::list_example(url)?],
        ))
    }
}

/// The first of several cursor pages.
impl<T: Example> Example for CursorPageResponse<T> {
    fn example(url: &str) -> Option<Value> {
        to_json(&CursorPageResponse {
            next: Some(format!("{url}?cursor=eyJhZnRlciI6MTJ9")),
            previous: None,
            results: vec![T::list_example(url)?],
        })
    }
}

/// A response as JSON.
pub(crate) fn to_json(response: &impl Serialize) -> Option<Value> {
    serde_json::to_value(response).ok()
}
