use crate::{TestShop, at, draft, first_page, hash, money, place, retry_busy, units};
use std::ops::RangeInclusive;
use std::sync::Arc;
use tradepost_domain::Stores;
use tradepost_domain::cart::CartItem;
use tradepost_domain::catalog::{Product, ProductFilter, ProductList};
use tradepost_domain::identity::{Account, Credentials, Email, Username};
use tradepost_domain::import::{ExistingData, ImportError, ImportRefusal, ImportShop};
use tradepost_domain::inventory::Reason;
use tradepost_domain::kernel::{Actor, CartItemId, Description, OrderId, ProductName, Sku};
use tradepost_domain::orders::{
    Order, OrderAction, OrderFilter, OrderItem, OrderList, OrderStatus,
};
use tradepost_domain::testing::{AccountBuilder, ProductBuilder, measuring, product_id, user};

fn order(id: i64) -> OrderId {
    OrderId::new(id).unwrap()
}

fn account(id: i64, name: &str) -> Credentials {
    Credentials {
        account: Account {
            created_at: at(id),
            ..AccountBuilder::new(id).username(name).build()
        },
        password: hash(name),
    }
}

fn thing(id: i64, stock: i64) -> Product {
    let product = ProductBuilder::new(id).name(&format!("Thing {id}"));
    Product {
        created_at: at(1),
        updated_at: at(2),
        ..product.price(500).stock(stock).build()
    }
}

fn line(product: i64, price: i64, quantity: i64) -> OrderItem {
    OrderItem {
        product: product_id(product),
        name: ProductName::new("As it was sold").unwrap(),
        unit_price: money(price),
        quantity: units(quantity),
    }
}

fn sale(id: i64, owner: i64, status: OrderStatus, lines: &[OrderItem]) -> Order {
    let total = lines.iter().map(|line| line.total().unwrap().minor()).sum();
    Order {
        id: order(id),
        user: user(owner),
        status,
        total: money(total),
        adjustment: money(0),
        lines: lines.to_vec(),
        archived: false,
        created_at: at(100 + id),
        updated_at: at(200 + id),
    }
}

/// The order with this adjustment: tax and shipping if positive, a discount if negative.
fn adjusted(minor: i64, order: Order) -> Order {
    let adjustment = money(minor);
    Order {
        total: order.total.plus(adjustment).unwrap(),
        adjustment,
        ..order
    }
}

/// A shop with one of each kind of row, with ids far from those of a new shop.
fn another_shop() -> ImportShop {
    let mut staff = account(1_001, "Grace");
    staff.account.is_staff = true;
    staff.account.email = Some(Email::new("Grace@Example.org").unwrap());
    let mut gone = account(1_003, "gone");
    gone.account.is_active = false;
    let mut archived = thing(2_002, 0);
    archived.archived = true;
    archived.sku = Some(Sku::new("OLD-1").unwrap());
    archived.description = Description::new("Of old.\n\nStill good.").unwrap();
    archived.measures = measuring(1_200);
    ImportShop {
        users: vec![staff, account(1_002, "ada"), gone],
        products: vec![archived, thing(2_001, 7), thing(2_003, 0)],
        carts: [(3_001, 2_003, 2), (3_002, 2_002, 1)]
            .map(|(id, of, quantity)| CartItem {
                id: CartItemId::new(id).unwrap(),
                user: user(1_002),
                product: product_id(of),
                quantity: units(quantity),
                created_at: at(50),
                updated_at: at(60),
            })
            .to_vec(),
        orders: vec![
            sale(
                4_002,
                1_002,
                OrderStatus::Pending,
                &[line(2_001, 400, 1), line(2_002, 90, 2), line(2_001, 350, 2)],
            ),
            adjusted(
                450,
                sale(4_001, 1_003, OrderStatus::Delivered, &[line(2_002, 80, 5)]),
            ),
            sale(4_003, 1_002, OrderStatus::Cancelled, &[line(2_003, 500, 4)]),
        ],
    }
}

/// Users, products and orders with these ids.
pub(crate) fn a_shop_of_many(ids: RangeInclusive<i64>) -> ImportShop {
    let user = |id| account(id, &format!("user{id}"));
    let order = |id| sale(id, id, OrderStatus::Shipped, &[line(id, 100, 1)]);
    ImportShop {
        users: ids.clone().map(user).collect(),
        products: ids.clone().map(|id| thing(id, 1)).collect(),
        carts: Vec::new(),
        orders: ids.map(order).collect(),
    }
}

pub(crate) fn import(
    stores: &Stores,
    shop: impl Into<Arc<ImportShop>>,
) -> Result<(), ImportRefusal> {
    let shop = shop.into();
    retry_busy(|| stores.imports.import(Arc::clone(&shop)))
}

fn newest_first<T>(rows: impl IntoIterator<Item = T>, id: impl Fn(&T) -> i64) -> Vec<T> {
    let mut rows: Vec<T> = rows.into_iter().collect();
    rows.sort_by_key(|row| -id(row));
    rows
}

/// Imported users, products, carts and orders keep their ids and values.
pub fn an_import_keeps_ids_and_values(stores: &Stores) {
    let shop = TestShop::new(stores);
    let other = another_shop();
    import(stores, other.clone()).unwrap();
    for credentials in &other.users {
        let key = credentials.account.username.key();
        let found = retry_busy(|| stores.accounts.credentials(&key));
        assert_eq!(found.as_ref(), Some(credentials));
    }
    assert!(retry_busy(|| stores.accounts.has_staff()));
    for archived in [false, true] {
        let listed = retry_busy(|| {
            stores.products.list(
                &ProductList::new(ProductFilter {
                    archived,
                    ..ProductFilter::default()
                }),
                first_page(),
            )
        });
        let products = other.products.iter().cloned();
        let products = products.filter(|product| product.archived == archived);
        let products = newest_first(products, |product| product.id.get());
        assert_eq!(listed.count, u64::try_from(products.len()).unwrap());
        assert_eq!(listed.items, products);
    }
    let lines: Vec<_> = shop
        .items(user(1_002))
        .iter()
        .map(|item| item.line)
        .collect();
    assert_eq!(lines, other.carts);
    let listed = retry_busy(|| {
        stores
            .orders
            .list(&OrderList::new(OrderFilter::default()), first_page())
    });
    assert_eq!(
        listed.items,
        newest_first(other.orders, |order| order.id.get())
    );
}

/// The imported ledger starts with the stock on hand plus the units sold. An order has a movement
/// for its units, a cancelled order one that returns them.
pub fn past_sales_are_in_the_ledger(stores: &Stores) {
    let shop = TestShop::new(stores);
    import(stores, another_shop()).unwrap();
    let ledger = |id| {
        let row = |entry: tradepost_domain::inventory::NewMovement| {
            (
                entry.delta.units(),
                entry.reason,
                entry.order.map(OrderId::get),
            )
        };
        let movements = shop.movements(product_id(id)).into_iter();
        movements
            .map(|movement| row(movement.entry))
            .collect::<Vec<_>>()
    };
    use Reason::{Opening, Return, Sale};
    assert_eq!(
        ledger(2_001),
        [(10, Opening, None), (-3, Sale, Some(4_002))]
    );
    assert_eq!(
        ledger(2_002),
        [
            (7, Opening, None),
            (-2, Sale, Some(4_002)),
            (-5, Sale, Some(4_001))
        ]
    );
    assert_eq!(
        ledger(2_003),
        [(-4, Sale, Some(4_003)), (4, Return, Some(4_003))]
    );
}

/// Rows created after an import get ids above the imported ones, and orders can be placed.
pub fn ids_continue_after_an_import(stores: &Stores) {
    let shop = TestShop::new(stores);
    shop.staff("root");
    import(stores, another_shop()).unwrap();
    let grace = shop.customer("linus");
    assert!(grace > user(1_003));
    let made = shop.create(draft("New", 100, 3)).unwrap().id;
    assert!(made > product_id(2_003));
    let item = shop.add(grace, made, 1).unwrap();
    assert!(item.line.id > CartItemId::new(3_002).unwrap());
    assert!(shop.place(grace).unwrap().id > order(4_003));
    let listed = retry_busy(|| {
        stores
            .products
            .list(&ProductList::new(ProductFilter::default()), first_page())
    });
    assert_eq!(listed.count, 3);
}

/// An imported order total with tax and shipping, or less a discount, is kept; the ledger audit
/// accepts it.
pub fn an_adjusted_total_is_kept(stores: &Stores) {
    let shop = TestShop::new(stores);
    let mut other = another_shop();
    let discounted = sale(4_004, 1_002, OrderStatus::Shipped, &[line(2_001, 500, 2)]);
    other.orders.push(adjusted(-1_000, discounted));
    import(stores, other.clone()).unwrap();
    for (id, total, adjustment) in [(4_001, 850, 450), (4_003, 2_000, 0), (4_004, 0, -1_000)] {
        let found = retry_busy(|| stores.orders.find(order(id))).unwrap();
        assert_eq!(
            (found.total, found.adjustment),
            (money(total), money(adjustment))
        );
    }
    let audit = retry_busy(|| stores.ledger.audit());
    assert_eq!(audit.discrepancies, []);
    let cancel = OrderAction::SetStatus(OrderStatus::Cancelled);
    let changed = shop.change_order(order(4_002), cancel, Actor::Customer(user(1_002)));
    assert_eq!(changed.unwrap().adjustment, money(0));
}

/// An imported order is cancelled like any other, even with two lines of one product.
pub fn an_imported_order_can_be_cancelled(stores: &Stores) {
    let shop = TestShop::new(stores);
    import(stores, another_shop()).unwrap();
    let cancel = OrderAction::SetStatus(OrderStatus::Cancelled);
    shop.change_order(order(4_002), cancel, Actor::Customer(user(1_002)))
        .unwrap();
    assert_eq!(
        (shop.stock(product_id(2_001)), shop.stock(product_id(2_002))),
        (10, 2)
    );
}

/// An import larger than one chunk of inserted rows.
pub fn a_large_shop_is_imported(stores: &Stores) {
    let shop = TestShop::new(stores);
    let other = a_shop_of_many(1..=1_500);
    import(stores, other).unwrap();
    let audit = retry_busy(|| stores.ledger.audit());
    assert_eq!(
        (audit.products, audit.orders, audit.movements),
        (1_500, 1_500, 3_000)
    );
    assert_eq!(shop.stock(product_id(1_500)), 1);
}

/// An import is refused as a whole if any row is invalid, or if the shop has products, orders or
/// customers. Existing staff users are allowed.
pub fn a_refused_import_writes_nothing(stores: &Stores) {
    let shop = TestShop::new(stores);
    let root = shop.staff("root");
    let mut other = another_shop();
    other.orders[2].user = user(9);
    let refusal = import(stores, other).unwrap_err();
    assert_eq!(refusal.problems.len(), 1);
    let empty = ExistingData {
        staff: vec![shop.account(root)],
        ..ExistingData::default()
    };
    assert_eq!(retry_busy(|| stores.imports.existing_data()), empty);
    let mut other = another_shop();
    other.users[0].account.username = Username::new("ROOT").unwrap();
    assert!(import(stores, other).is_err(), "a staff user is in the way");
    assert_eq!(retry_busy(|| stores.imports.existing_data()), empty);
    let customer = shop.customer("ada");
    let thing = shop.product(100, 3);
    retry_busy(|| stores.orders.place(&[place(customer)]))[0]
        .as_ref()
        .unwrap_err();
    shop.order(customer, &[(thing, 1)]);
    let refusal = import(stores, another_shop()).unwrap_err();
    let not_empty = ImportError::NotEmpty {
        products: 1,
        orders: 1,
        customers: 1,
    };
    assert_eq!(refusal.problems[0], not_empty);
    let audit = retry_busy(|| stores.ledger.audit());
    assert_eq!((audit.products, audit.orders), (1, 1));
}
