//! The root of the API: the URLs of its collections.

use crate::endpoint::SHOP_URL;
use crate::resources::prelude::*;

#[rustfmt::skip]
pub(crate) static ENDPOINTS: &[Endpoint] = &[
    Endpoint::get("/api/", Public, || web::to(index))
        .describe(Tag::DOCUMENTS, "listCollections", "Where the collections are")
        .ok::<RootResponse>().without_store(),
];

async fn index(call: RequestContext) -> HttpResult {
    responses::ok(&RootResponse::from_base(&call.url("")))
}

/// Where the collections are.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Collections")]
struct RootResponse {
    #[schemars(url)]
    products: String,
    #[schemars(url)]
    cart: String,
    #[schemars(url)]
    orders: String,
    #[schemars(url)]
    users: String,
}

impl RootResponse {
    /// The collections of a server at this base URL.
    fn from_base(base: &str) -> Self {
        let url = |name| format!("{base}/api/{name}/");
        Self {
            products: url("products"),
            cart: url("cart"),
            orders: url("orders"),
            users: url("users"),
        }
    }
}

impl Example for RootResponse {
    fn example(_: &str) -> Option<Value> {
        to_json(&RootResponse::from_base(SHOP_URL))
    }
}
