//! Carts: rules, the repository port and the cart service.

mod refusal;
mod repository;
mod rules;
mod service;
mod slice;

pub use refusal::CartRefusal;
pub use repository::{CartChange, CartRepository};
pub use rules::{
    Cart, CartAction, CartIssue, CartItem, CartItemDetail, CartOutcome, ChangeCart, MAX_CART_ITEMS,
    NewCartItem, decide_cart,
};
pub use service::{Carts, added};
pub use slice::{CartsState, decide_carts};

#[cfg(any(test, feature = "test-support"))]
pub use repository::MockCartRepository;
