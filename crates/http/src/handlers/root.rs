use crate::answer::{self, Answer};
use crate::call::Call;
use serde::Serialize;

#[derive(Serialize)]
struct Root {
    products: String,
    cart: String,
    orders: String,
    users: String,
}

pub(crate) async fn index(call: Call) -> Answer {
    answer::ok(&Root {
        products: call.url("/api/products/"),
        cart: call.url("/api/cart/"),
        orders: call.url("/api/orders/"),
        users: call.url("/api/users/"),
    })
}
