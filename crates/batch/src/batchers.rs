//! A batcher for each write port that clients use often.

use crate::{BatchStats, Batcher, BatcherConfig};
use std::io;
use std::sync::Arc;
use std::thread;
use tradepost_domain::Stores;
use tradepost_domain::cart::{CartChange, ChangeCart};
use tradepost_domain::catalog::{ChangeProduct, Product};
use tradepost_domain::inventory::{AdjustStock, Adjusted};
use tradepost_domain::kernel::Execution;
use tradepost_domain::orders::{ChangeOrder, Order, PlaceOrder};

/// The batchers of a shop. Cloning is cheap: clones share the queues.
#[derive(Debug, Clone)]
pub struct Batchers {
    /// Places orders.
    pub orders: Arc<Batcher<PlaceOrder, Execution<Order>>>,
    /// Changes orders: their status, and deletions.
    pub order_changes: Arc<Batcher<ChangeOrder, Order>>,
    /// Changes carts.
    pub carts: Arc<Batcher<ChangeCart, CartChange>>,
    /// Adjusts stock.
    pub stock: Arc<Batcher<AdjustStock, Execution<Adjusted>>>,
    /// Changes products.
    pub products: Arc<Batcher<ChangeProduct, Product>>,
}

impl Batchers {
    /// Number of batchers. Each has a thread, which uses one connection at a time.
    pub const COUNT: usize = 5;

    /// Starts the batchers in front of these ports.
    ///
    /// # Errors
    /// If the operating system cannot create a thread.
    pub fn start(stores: &Stores, limits: BatcherConfig) -> io::Result<Self> {
        let orders = Arc::clone(&stores.orders);
        let place = move |commands: &[PlaceOrder]| orders.place(commands);
        let orders = Arc::clone(&stores.orders);
        let change_orders = move |commands: &[ChangeOrder]| orders.change_all(commands);
        let carts = Arc::clone(&stores.carts);
        let change_carts = move |commands: &[ChangeCart]| carts.change_all(commands);
        let inventory = Arc::clone(&stores.inventory);
        let adjust = move |commands: &[AdjustStock]| inventory.adjust_all(commands);
        let products = Arc::clone(&stores.products);
        let change_products = move |commands: &[ChangeProduct]| products.change_all(commands);
        Ok(Self {
            orders: Arc::new(Batcher::start("orders", place, limits)?),
            order_changes: Arc::new(Batcher::start("order-changes", change_orders, limits)?),
            carts: Arc::new(Batcher::start("carts", change_carts, limits)?),
            stock: Arc::new(Batcher::start("stock", adjust, limits)?),
            products: Arc::new(Batcher::start("products", change_products, limits)?),
        })
    }

    /// Statistics of each batcher but that of new orders, by its name in the metrics.
    #[must_use]
    pub fn stats_of_changes(&self) -> [(&'static str, BatchStats); 4] {
        [
            ("orders", self.order_changes.stats()),
            ("carts", self.carts.stats()),
            ("stock", self.stock.stats()),
            ("products", self.products.stats()),
        ]
    }

    /// Closes all of them at once, and returns when every accepted command is answered.
    pub fn close(&self) {
        thread::scope(|scope| {
            scope.spawn(|| self.orders.close());
            scope.spawn(|| self.order_changes.close());
            scope.spawn(|| self.carts.close());
            scope.spawn(|| self.stock.close());
            scope.spawn(|| self.products.close());
        });
    }
}
