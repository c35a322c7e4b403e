//! Test shop: short constructors of values, and commands that are retried while the store is busy.

use chrono::{DateTime, Utc};
use std::thread;
use std::time::Duration;
use tradepost_domain::Stores;
use tradepost_domain::cart::{Cart, CartAction, CartItemDetail, ChangeCart};
use tradepost_domain::catalog::{
    ChangeProduct, CreateProduct, Price, Product, ProductChange, ProductDraft,
};
use tradepost_domain::identity::{Account, PasswordHash, Register, Username};
use tradepost_domain::inventory::{AdjustStock, Adjusted, Movement, StockDelta};
use tradepost_domain::kernel::{
    Actor, Error, Execution, OrderId, PageRequest, ProductId, Refusal, StoreError, UserId,
};
use tradepost_domain::orders::{ChangeOrder, Order, OrderAction, OrderItem};
use tradepost_domain::testing::ProductBuilder;
pub use tradepost_domain::testing::{level, money, page, units, usd};

/// A time, in seconds after a fixed one with a microsecond part.
#[must_use]
pub fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 123_456_000).unwrap()
}

/// A hash that matches no password.
#[must_use]
pub fn hash(text: &str) -> PasswordHash {
    PasswordHash::new(format!("$2b$12${text:.<53}"))
}

/// The first page, of maximum size.
#[must_use]
pub fn first_page() -> PageRequest {
    page(1, PageRequest::MAX_SIZE)
}

/// A product without a SKU, at a price in cents.
#[must_use]
pub fn draft(name: &str, price: i64, stock: i64) -> ProductDraft {
    ProductBuilder::new(1)
        .name(name)
        .price(price)
        .stock(stock)
        .draft()
}

/// Product, unit price in cents and units of each line.
#[must_use]
pub fn line_totals(lines: &[OrderItem]) -> Vec<(ProductId, i64, i64)> {
    let row = |line: &OrderItem| (line.product, line.unit_price.minor(), line.quantity.units());
    lines.iter().map(row).collect()
}

/// Result of a method of a port, without the failures of the store.
pub trait PortResult {
    /// Answer of the rules: the value of a read, and the outcome or the refusal of a write.
    type Answer;

    /// The answer, unless the store failed.
    ///
    /// # Errors
    /// The failure of the store.
    ///
    /// # Panics
    /// On errors that no store returns.
    fn answer(self) -> Result<Self::Answer, StoreError>;
}

impl<T> PortResult for Result<T, StoreError> {
    type Answer = T;

    fn answer(self) -> Result<T, StoreError> {
        self
    }
}

impl<T> PortResult for Result<T, Error> {
    type Answer = Result<T, Refusal>;

    fn answer(self) -> Result<Result<T, Refusal>, StoreError> {
        match self {
            Ok(outcome) => Ok(Ok(outcome)),
            Err(Error::Refused(refusal)) => Ok(Err(refusal)),
            Err(Error::Store(failure)) => Err(failure),
            Err(other) => panic!("no error of a store: {other}"),
        }
    }
}

/// Runs a store operation, retried while the store is busy.
///
/// # Panics
/// On any other failure, and if the store is still busy after some seconds.
pub fn retry_busy<R: PortResult>(mut attempt: impl FnMut() -> R) -> R::Answer {
    let patience = 500;
    for _ in 0..patience {
        match attempt().answer() {
            Ok(answer) => return answer,
            Err(error) if error.kind().retryable() => thread::sleep(Duration::from_millis(10)),
            Err(error) => panic!("the store failed: {error}"),
        }
    }
    panic!("the store was busy {patience} times in a row");
}

/// The outcome of a command without a key, which is never replayed.
pub(crate) fn happened_now<T>(written: Execution<T>) -> T {
    match written {
        Execution::Executed(outcome) => outcome,
        Execution::Replayed(answer) => {
            panic!("without a key there is no answer of before: {answer}")
        }
    }
}

/// The shop under test.
#[derive(Clone, Copy)]
pub struct TestShop<'a> {
    /// Its store.
    pub stores: &'a Stores,
}

impl<'a> TestShop<'a> {
    /// The shop in this store.
    #[must_use]
    pub fn new(stores: &'a Stores) -> Self {
        Self { stores }
    }

    /// Creates a customer without an e-mail address.
    pub fn customer(&self, name: &str) -> UserId {
        self.register(name, false).unwrap().id
    }

    /// Creates this many customers.
    pub fn customers(&self, number: usize) -> Vec<UserId> {
        let customer = |at| self.customer(&format!("customer{at}"));
        (0..number).map(customer).collect()
    }

    /// Creates a staff user.
    pub fn staff(&self, name: &str) -> UserId {
        self.register(name, true).unwrap().id
    }

    /// Registers a user without an e-mail address.
    ///
    /// # Errors
    /// If the rules refuse.
    pub fn register(&self, name: &str, is_staff: bool) -> Result<Account, Refusal> {
        let command = Register {
            username: Username::new(name).unwrap(),
            email: None,
            password: hash(name),
            is_staff,
            at: at(0),
        };
        retry_busy(|| self.stores.accounts.register(command.clone()))
    }

    /// Creates a product at a price in cents.
    pub fn product(&self, price: i64, stock: i64) -> ProductId {
        self.create(draft("A thing", price, stock)).unwrap().id
    }

    /// Creates a product.
    ///
    /// # Errors
    /// If the rules refuse.
    pub fn create(&self, draft: ProductDraft) -> Result<Product, Refusal> {
        let command = CreateProduct {
            draft,
            key: None,
            by: None,
            at: at(0),
        };
        retry_busy(|| self.stores.products.create(command.clone())).map(happened_now)
    }

    /// A product, if it exists.
    pub fn find(&self, product: ProductId) -> Option<Product> {
        retry_busy(|| self.stores.products.find_all(&[product])).pop()
    }

    /// An existing product.
    pub fn found(&self, product: ProductId) -> Product {
        self.find(product).unwrap()
    }

    /// Units on hand.
    pub fn stock(&self, product: ProductId) -> i64 {
        self.found(product).stock.units()
    }

    /// Changes a product.
    ///
    /// # Errors
    /// If the rules refuse.
    pub fn change(&self, product: ProductId, change: ProductChange) -> Result<Product, Refusal> {
        let command = ChangeProduct {
            seen: None,
            product,
            change,
            by: None,
            at: at(50),
        };
        retry_busy(|| self.stores.products.change(command.clone()))
    }

    /// Sets the stock on hand.
    pub fn set_stock(&self, product: ProductId, stock: i64) -> Product {
        let stock = Some(level(stock));
        let change = ProductChange {
            stock,
            ..ProductChange::default()
        };
        self.change(product, change).unwrap()
    }

    /// Sets the price, in cents.
    pub fn set_price(&self, product: ProductId, price: i64) -> Product {
        let price = Some(Price::new(money(price)).unwrap());
        let change = ProductChange {
            price,
            ..ProductChange::default()
        };
        self.change(product, change).unwrap()
    }

    /// Archives or restores a product.
    ///
    /// # Errors
    /// If the rules refuse.
    pub fn archive(&self, product: ProductId, archived: bool) -> Result<Product, Refusal> {
        let change = ProductChange {
            archived: Some(archived),
            ..ProductChange::default()
        };
        self.change(product, change)
    }

    /// Adjusts the stock on hand by this many units.
    ///
    /// # Errors
    /// If the rules refuse.
    pub fn adjust(&self, product: ProductId, delta: i64) -> Result<Adjusted, Refusal> {
        let command = AdjustStock {
            product,
            delta: StockDelta::new(delta).unwrap(),
            note: None,
            key: None,
            by: None,
            at: at(60),
        };
        retry_busy(|| self.stores.inventory.adjust_stock(command.clone())).map(happened_now)
    }

    /// The newest 100 entries of a product's ledger, oldest first.
    pub fn movements(&self, product: ProductId) -> Vec<Movement> {
        let page = retry_busy(|| self.stores.inventory.movements(product, first_page()));
        let mut movements = page.unwrap().items;
        movements.reverse();
        movements
    }

    /// Changes a cart.
    ///
    /// # Errors
    /// If the rules refuse.
    pub fn act(&self, user: UserId, action: CartAction) -> Result<Option<CartItemDetail>, Refusal> {
        self.act_at(user, action, at(20))
    }

    /// Changes a cart at this time.
    ///
    /// # Errors
    /// If the rules refuse.
    pub fn act_at(
        &self,
        user: UserId,
        action: CartAction,
        at: DateTime<Utc>,
    ) -> Result<Option<CartItemDetail>, Refusal> {
        let command = ChangeCart {
            seen: None,
            user,
            action,
            key: None,
            at,
        };
        retry_busy(|| self.stores.carts.change(command.clone())).map(happened_now)
    }

    /// Adds to a cart; returns the resulting line.
    ///
    /// # Errors
    /// If the rules refuse.
    pub fn add(
        &self,
        user: UserId,
        product: ProductId,
        quantity: i64,
    ) -> Result<CartItemDetail, Refusal> {
        let quantity = units(quantity);
        let item = self.act(user, CartAction::Add { product, quantity })?;
        Ok(item.unwrap())
    }

    /// A customer's cart.
    pub fn whole_cart(&self, user: UserId) -> Cart {
        let mut carts = retry_busy(|| self.stores.carts.carts(&[user]));
        carts.remove(&user).unwrap_or_default()
    }

    /// Lines of a cart.
    pub fn items(&self, user: UserId) -> Vec<CartItemDetail> {
        self.whole_cart(user).items
    }

    /// Product and units of each line in a cart.
    pub fn cart(&self, user: UserId) -> Vec<(ProductId, i64)> {
        let row = |item: CartItemDetail| (item.product.id, item.line.quantity.units());
        self.items(user).into_iter().map(row).collect()
    }

    /// Fills a cart with these products and units, and orders it.
    pub fn order(&self, user: UserId, lines: &[(ProductId, i64)]) -> Order {
        for (product, quantity) in lines {
            self.add(user, *product, *quantity).unwrap();
        }
        self.place(user).unwrap()
    }

    /// Applies an action to an order.
    ///
    /// # Errors
    /// If the rules refuse.
    pub fn change_order(
        &self,
        order: OrderId,
        action: OrderAction,
        by: Actor,
    ) -> Result<Order, Refusal> {
        let command = ChangeOrder {
            seen: None,
            order,
            action,
            by,
            at: at(200),
        };
        retry_busy(|| self.stores.orders.change(command.clone()))
    }

    /// An existing order.
    pub fn found_order(&self, order: OrderId) -> Order {
        retry_busy(|| self.stores.orders.find(order)).unwrap()
    }

    /// An existing account.
    pub fn account(&self, user: UserId) -> Account {
        retry_busy(|| self.stores.accounts.find(user)).unwrap()
    }
}
