//! Carts: rules, the repository port and the cart service.

mod refusal;
mod repository;
mod rules;
mod service;

pub use refusal::CartRefusal;
pub use repository::CartRepository;
pub use rules::{
    Cart, CartAction, CartIssue, CartItem, CartItemDetail, CartOutcome, ChangeCart, MAX_CART_ITEMS,
    NewCartItem, decide_cart,
};
pub use service::Carts;

#[cfg(any(test, feature = "test-support"))]
pub use repository::MockCartRepository;
