use crate::extract::request_context::RequestContext;
use crate::respond::responses::{self, HttpResult};
use schemars::JsonSchema;
use serde::Serialize;

/// Where the collections are.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Collections")]
pub(crate) struct Root {
    #[schemars(url)]
    products: String,
    #[schemars(url)]
    cart: String,
    #[schemars(url)]
    orders: String,
    #[schemars(url)]
    users: String,
}

impl Root {
    /// The collections of a server at this base URL.
    pub(crate) fn below(base: &str) -> Self {
        let url = |name| format!("{base}/api/{name}/");
        Self {
            products: url("products"),
            cart: url("cart"),
            orders: url("orders"),
            users: url("users"),
        }
    }
}

pub(crate) async fn index(call: RequestContext) -> HttpResult {
    responses::ok(&Root::below(&call.url("")))
}
