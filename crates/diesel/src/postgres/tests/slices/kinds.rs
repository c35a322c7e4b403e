//! Slices of each kind of command, so that one test covers all of them.

use super::super::*;
use tradepost_contract::{at, draft, level, money, units};
use tradepost_domain::cart::ChangeCart;
use tradepost_domain::catalog::{ChangeProduct, CreateProduct, Price, ProductChange};
use tradepost_domain::inventory::{AdjustStock, StockDelta};
use tradepost_domain::kernel::{Actor, Idempotent, Outcomes, ProductId, ResponseEncoder};
use tradepost_domain::orders::{ChangeOrder, OrderAction, OrderQuota, OrderStatus, PlaceOrder};

/// Commands of one kind.
pub(super) enum Commands {
    Place(Vec<PlaceOrder>),
    Carts(Vec<ChangeCart>),
    Orders(Vec<ChangeOrder>),
    Stock(Vec<AdjustStock>),
    Products(Vec<ChangeProduct>),
    Create(Vec<CreateProduct>),
}

impl Commands {
    /// Executes them as one slice; returns the refusals.
    pub(super) fn execute(&self, stores: &Stores) -> Vec<Option<Refusal>> {
        fn refusals<T>(outcomes: Outcomes<T>) -> Vec<Option<Refusal>> {
            outcomes.unwrap().into_iter().map(Result::err).collect()
        }
        match self {
            Self::Place(slice) => refusals(stores.orders.place(slice)),
            Self::Carts(slice) => refusals(stores.carts.change_all(slice)),
            Self::Orders(slice) => refusals(stores.orders.change_all(slice)),
            Self::Stock(slice) => refusals(stores.inventory.adjust_all(slice)),
            Self::Products(slice) => refusals(stores.products.change_all(slice)),
            Self::Create(slice) => refusals(stores.products.create_all(slice)),
        }
    }

    /// As [`Self::execute`], for the first command alone.
    pub(super) fn execute_first(&self, stores: &Stores) -> Option<Refusal> {
        let first = match self {
            Self::Place(slice) => Self::Place(slice[..1].to_vec()),
            Self::Carts(slice) => Self::Carts(slice[..1].to_vec()),
            Self::Orders(slice) => Self::Orders(slice[..1].to_vec()),
            Self::Stock(slice) => Self::Stock(slice[..1].to_vec()),
            Self::Products(slice) => Self::Products(slice[..1].to_vec()),
            Self::Create(slice) => Self::Create(slice[..1].to_vec()),
        };
        first.execute(stores).remove(0)
    }
}

/// A slice, whose commands have rows of their own.
pub(super) struct Slice {
    pub(super) commands: Commands,
    /// The table that it writes.
    pub(super) table: &'static str,
    /// Counts the executed commands in the database.
    pub(super) count: &'static str,
    /// Conditions on the rows that the first command needs: tables with their columns.
    pub(super) rows: Vec<String>,
}

impl Slice {
    pub(super) fn count(&self, name: &str) -> usize {
        sql(name, self.count).parse().unwrap()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Place,
    PlaceUnderKeys,
    Add,
    AddUnderKeys,
    SetQuantity,
    Empty,
    Process,
    Cancel,
    Adjust,
    SetStock,
    SetPrice,
    Create,
}

impl Kind {
    pub(super) const ALL: [Self; 12] = [
        Self::Place,
        Self::PlaceUnderKeys,
        Self::Add,
        Self::AddUnderKeys,
        Self::SetQuantity,
        Self::Empty,
        Self::Process,
        Self::Cancel,
        Self::Adjust,
        Self::SetStock,
        Self::SetPrice,
        Self::Create,
    ];

    /// A slice of this many commands in an empty shop, after the commands that it needs.
    pub(super) fn slice(self, stores: &Stores, length: usize) -> Slice {
        let shop = TestShop::new(stores);
        let staff = shop.staff("grace");
        let product = |_| shop.product(100, 100);
        let rows: Vec<_> = (shop.customers(length).into_iter())
            .zip((0..length).map(product))
            .collect();
        let (user, of) = rows[0];
        let by_user = format!("users WHERE id = {user}");
        let by_product = [format!("products WHERE id = {of}")];
        let by_stock = format!("stock WHERE product_id = {of}");
        match self {
            Self::Place | Self::PlaceUnderKeys => Slice {
                commands: Commands::Place(rows.iter().map(|row| self.place(shop, *row)).collect()),
                table: "orders",
                count: "SELECT count(*) FROM orders",
                rows: vec![by_user, by_stock],
            },
            Self::Add | Self::AddUnderKeys | Self::SetQuantity | Self::Empty => Slice {
                commands: Commands::Carts(rows.iter().map(|row| self.cart(shop, *row)).collect()),
                table: "cart_items",
                count: match self {
                    Self::Add | Self::AddUnderKeys => {
                        "SELECT count(*) FROM cart_items WHERE quantity = 2"
                    }
                    Self::SetQuantity => "SELECT count(*) FROM cart_items WHERE quantity = 7",
                    _ => {
                        "SELECT count(*) FROM users WHERE username LIKE 'customer%'
                         AND id NOT IN (SELECT user_id FROM cart_items)"
                    }
                },
                rows: vec![by_user],
            },
            Self::Process | Self::Cancel => {
                let commands = rows.iter().map(|row| self.order(shop, *row, staff));
                let commands: Vec<_> = commands.collect();
                let mut rows = vec![format!("orders WHERE id = {}", commands[0].order)];
                rows.extend((self == Self::Cancel).then_some(by_stock));
                Slice {
                    commands: Commands::Orders(commands),
                    table: "orders",
                    count: "SELECT count(*) FROM outbox WHERE kind = 'order.status'",
                    rows,
                }
            }
            Self::Adjust => Slice {
                commands: Commands::Stock(rows.iter().map(|row| adjust(row.1, staff)).collect()),
                table: "stock",
                count: "SELECT count(*) FROM stock_movements WHERE reason = 'adjustment'",
                rows: vec![by_stock],
            },
            Self::SetStock | Self::SetPrice => Slice {
                commands: Commands::Products(
                    rows.iter().map(|row| self.product(row.1, staff)).collect(),
                ),
                table: if self == Self::SetStock {
                    "stock"
                } else {
                    "products"
                },
                count: match self {
                    Self::SetStock => "SELECT count(*) FROM stock_movements WHERE reason = 'set'",
                    _ => "SELECT count(*) FROM outbox WHERE kind = 'product.changed'",
                },
                rows: [&by_product[..], &[by_stock]].concat(),
            },
            Self::Create => Slice {
                commands: Commands::Create((0..length).map(|_| create(staff)).collect()),
                table: "products",
                count: "SELECT count(*) FROM products WHERE name = 'New'",
                rows: Vec::new(),
            },
        }
    }

    fn place(self, shop: TestShop<'_>, (user, product): (UserId, ProductId)) -> PlaceOrder {
        shop.add(user, product, 2).unwrap();
        let key = (self == Self::PlaceUnderKeys).then(|| key("/api/orders/"));
        PlaceOrder {
            quota: key.as_ref().map(|_| OrderQuota::default()),
            key,
            ..place(user)
        }
    }

    fn cart(self, shop: TestShop<'_>, (user, product): (UserId, ProductId)) -> ChangeCart {
        let quantity = units(2);
        let action = match self {
            Self::SetQuantity => CartAction::Set {
                line: shop.add(user, product, 2).unwrap().line.id,
                quantity: Some(units(7)),
                product: None,
            },
            Self::Empty => {
                shop.add(user, product, 2).unwrap();
                CartAction::Empty
            }
            _ => CartAction::Add { product, quantity },
        };
        ChangeCart {
            seen: None,
            user,
            action,
            key: (self == Self::AddUnderKeys).then(|| key("/api/cart/")),
            at: at(30),
        }
    }

    fn order(
        self,
        shop: TestShop<'_>,
        (user, product): (UserId, ProductId),
        staff: UserId,
    ) -> ChangeOrder {
        let (status, by) = match self {
            Self::Cancel => (OrderStatus::Cancelled, Actor::Customer(user)),
            _ => (OrderStatus::Processing, Actor::Staff(staff)),
        };
        ChangeOrder {
            order: shop.order(user, &[(product, 2)]).id,
            action: OrderAction::SetStatus(status),
            seen: None,
            by,
            at: at(200),
        }
    }

    fn product(self, product: ProductId, staff: UserId) -> ChangeProduct {
        let is_stock = self == Self::SetStock;
        ChangeProduct {
            seen: None,
            product,
            change: ProductChange {
                stock: is_stock.then(|| level(7)),
                price: (!is_stock).then(|| Price::new(money(700)).unwrap()),
                ..ProductChange::default()
            },
            by: Some(staff),
            at: at(50),
        }
    }
}

fn adjust(product: ProductId, staff: UserId) -> AdjustStock {
    AdjustStock {
        product,
        delta: StockDelta::new(4).unwrap(),
        note: None,
        key: None,
        by: Some(staff),
        at: at(60),
    }
}

fn create(staff: UserId) -> CreateProduct {
    CreateProduct {
        draft: draft("New", 100, 5),
        key: None,
        by: Some(staff),
        at: at(70),
    }
}

/// A key of any user.
fn key<T: std::fmt::Debug>(path: &str) -> Idempotent<T> {
    Idempotent {
        scope: IdempotencyScope {
            path: path.to_owned(),
            key: IdempotencyKey::new("once").unwrap(),
        },
        fingerprint: String::new(),
        render: ResponseEncoder(|outcome: &T| format!("{outcome:?}")),
    }
}
