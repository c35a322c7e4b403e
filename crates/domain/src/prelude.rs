//! The names that most programs need: `use tradepost_domain::prelude::*`.

pub use crate::cart::{Cart, CartItem, CartItemDetail, CartRepository, Carts};
pub use crate::catalog::{
    Catalogue, Price, Product, ProductChange, ProductDraft, ProductFilter, ProductList,
    ProductRepository,
};
pub use crate::events::{EventRepository, Events, LoggedEvent};
pub use crate::identity::{
    Account, AccountRepository, AccountSettings, Accounts, AttemptLimiter, Email, NewUser,
    Password, Session, Username,
};
pub use crate::inventory::{Inventory, InventoryRepository, StockDelta, StockLevel};
pub use crate::kernel::{
    Access, Actor, CartItemId, Clock, Currency, CursorRequest, Description, Error, EventSeq,
    Execution, FieldError, Keyset, Money, OrderId, Page, PageRequest, ProductId, ProductName,
    Quantity, Refusal, Sku, Sorting, StoreError, StoreErrorKind, System, UserId,
};
pub use crate::orders::{
    Order, OrderFilter, OrderItem, OrderList, OrderRepository, OrderStatus, Orders,
};
pub use crate::reports::{Reports, SalesBucket, SalesReport};
pub use crate::{Services, ServicesConfig, Store, Stores};
