//! The names that most programs need: `use tradepost_domain::prelude::*`.

pub use crate::Stores;
pub use crate::cart::{Cart, CartItem, CartItemDetail, CartRepository, Carts};
pub use crate::catalog::{
    Catalogue, Price, Product, ProductChange, ProductDraft, ProductRepository,
};
pub use crate::identity::{
    Account, AccountRepository, Accounts, Email, NewUser, Password, Username,
};
pub use crate::inventory::{StockDelta, StockLevel};
pub use crate::kernel::{
    Access, Actor, CartItemId, Clock, Currency, Description, Error, Money, OrderId, Page,
    PageRequest, ProductId, ProductName, Quantity, Refusal, Sku, StoreError, UserId,
};
pub use crate::orders::{Order, OrderAction, OrderItem, OrderRepository, OrderStatus, Orders};
