use super::*;
use crate::identity::{Email, PasswordHash, Username};
use crate::inventory::StockLevel;
use crate::kernel::{CartItemId, Money, OrderId};
use crate::kernel::{ProductName, Quantity, Sku};
use crate::orders::OrderItem;
use crate::testing::{at, product, usd, user};

fn account(id: i64, name: &str, email: Option<&str>) -> Account {
    Account {
        id: user(id),
        username: Username::new(name).unwrap(),
        email: email.map(|email| Email::new(email).unwrap()),
        is_staff: false,
        is_active: true,
        session_epoch: 0,
        created_at: at(0),
    }
}

fn credentials(id: i64, name: &str, email: Option<&str>) -> Credentials {
    Credentials {
        account: account(id, name, email),
        password: PasswordHash::new("!".to_owned()),
    }
}

fn line(product: i64, price: i64, quantity: i64) -> OrderItem {
    OrderItem {
        product: ProductId::new(product).unwrap(),
        name: ProductName::new("As it was").unwrap(),
        unit_price: Money::from_minor(price, usd()),
        quantity: Quantity::new(quantity).unwrap(),
    }
}

fn order(id: i64, owner: i64, status: OrderStatus, lines: Vec<OrderItem>) -> Order {
    let total = lines.iter().fold(0, |sum, line| {
        sum + line.unit_price.minor() * line.quantity.units()
    });
    Order {
        id: OrderId::new(id).unwrap(),
        user: user(owner),
        status,
        total: Money::from_minor(total, usd()),
        adjustment: Money::zero(usd()),
        lines,
        archived: false,
        created_at: at(10),
        updated_at: at(20),
    }
}

fn cart_line(id: i64, owner: i64, product: i64) -> CartItem {
    CartItem {
        id: CartItemId::new(id).unwrap(),
        user: user(owner),
        product: ProductId::new(product).unwrap(),
        quantity: Quantity::ONE,
        created_at: at(5),
        updated_at: at(5),
    }
}

fn shop() -> ImportShop {
    ImportShop {
        users: vec![credentials(3, "ada", Some("ada@example.org"))],
        products: vec![product(8, 500, 0), product(7, 100, 4)],
        carts: vec![cart_line(2, 3, 7)],
        orders: vec![
            order(
                5,
                3,
                OrderStatus::Shipped,
                vec![line(7, 90, 3), line(7, 80, 1)],
            ),
            order(6, 3, OrderStatus::Cancelled, vec![line(8, 500, 2)]),
        ],
    }
}

fn wrong(command: &ImportShop, existing: &ExistingData) -> Vec<String> {
    let refusal = decide_import(command, existing, usd()).unwrap_err();
    assert_eq!(refusal.unlisted, 0);
    refusal.problems.iter().map(ToString::to_string).collect()
}

#[test]
fn the_opening_stock_is_the_current_stock_plus_sales() {
    let decision = decide_import(&shop(), &ExistingData::default(), usd()).unwrap();
    let openings: Vec<_> = decision
        .openings
        .iter()
        .map(|entry| (entry.product.get(), entry.delta.units(), entry.reason))
        .collect();
    assert_eq!(openings, [(7, 8, Reason::Opening)], "nothing is no entry");
    assert_eq!(decision.catalogue_size, 2);
}

#[test]
fn archived_products_are_not_in_the_catalogue() {
    let mut command = shop();
    command.products[0].archived = true;
    let decision = decide_import(&command, &ExistingData::default(), usd()).unwrap();
    assert_eq!(decision.catalogue_size, 1);
}

#[test]
fn an_imported_order_sold_its_units_and_a_cancelled_one_returned_them() {
    let orders = shop().orders;
    let entries = |order| {
        let row = |entry: NewMovement| {
            let at = entry.at;
            (
                entry.product.get(),
                entry.delta.units(),
                entry.reason,
                entry.actor,
                at,
            )
        };
        sales_history(order)
            .into_iter()
            .map(row)
            .collect::<Vec<_>>()
    };
    let ada = Some(user(3));
    assert_eq!(
        entries(&orders[0]),
        [(7, -4, Reason::Sale, ada, at(10))],
        "two lines of a product are one entry"
    );
    assert_eq!(
        entries(&orders[1]),
        [
            (8, -2, Reason::Sale, ada, at(10)),
            (8, 2, Reason::Return, None, at(20))
        ]
    );
}

#[test]
fn an_import_needs_a_shop_without_products_orders_and_customers() {
    let existing = ExistingData {
        products: 2,
        orders: 1,
        customers: 0,
        staff: Vec::new(),
    };
    assert_eq!(
        wrong(&shop(), &existing),
        [
            "This shop already has 2 products, 1 orders and 0 customers: only a shop without any can take over another one"
        ]
    );
}

#[test]
fn existing_staff_may_stay_unless_they_conflict() {
    let staff = |id, name, email| ExistingData {
        staff: vec![account(id, name, email)],
        ..ExistingData::default()
    };
    let free = staff(1, "root", Some("root@example.org"));
    assert!(decide_import(&shop(), &free, usd()).is_ok());
    assert!(decide_import(&shop(), &staff(1, "root", None), usd()).is_ok());
    for (existing, field, holder) in [
        (staff(3, "root", None), "id", "root, with id 3"),
        (staff(1, "ADA", None), "username", "ADA, with id 1"),
        (
            staff(1, "root", Some("Ada@Example.org")),
            "email",
            "root, with id 1",
        ),
    ] {
        let sentence =
            format!("user 3, {field}: A staff user of this shop already has it: {holder}.");
        assert_eq!(wrong(&shop(), &existing), [sentence]);
    }
}

/// A change of a valid shop, and the errors that it results in.
type Fault = (fn(&mut ImportShop), &'static [&'static str]);

const FAULTS: &[Fault] = &[
    (
        |shop| shop.users.push(credentials(3, "grace", None)),
        &["user 3, id: This id occurs twice."],
    ),
    (
        |shop| {
            shop.users
                .push(credentials(4, "Ada", Some("ADA@example.org")))
        },
        &[
            "user 4, username: It is the same as that of user 3, except perhaps for small and capital letters.",
            "user 4, email: It is the same as that of user 3, except perhaps for small and capital letters.",
        ],
    ),
    (
        |shop| {
            shop.users
                .push(credentials(LARGEST_IMPORTED_ID + 1, "grace", None))
        },
        &["user 9007199254740992, id: Ids go up to 9007199254740991."],
    ),
    (
        |shop| {
            shop.products[0].sku = Some(Sku::new("A").unwrap());
            shop.products[1].sku = Some(Sku::new("A").unwrap());
        },
        &[
            "product 7, sku: It is the same as that of product 8, except perhaps for small and capital letters.",
        ],
    ),
    (
        |shop| shop.products.push(product(7, 1, 0)),
        &["product 7, id: This id occurs twice."],
    ),
    (
        |shop| {
            let yen = Currency::from_code("JPY").unwrap();
            shop.products[0].price = Price::new(Money::from_minor(5, yen)).unwrap();
        },
        &["product 8, price: The shop's currency is USD."],
    ),
    (
        |shop| shop.products[1].stock = StockLevel::new(i64::MAX).unwrap(),
        &["product 7, stock: It is too large."],
    ),
    (
        |shop| shop.carts = vec![cart_line(1, 4, 9), cart_line(1, 3, 7)],
        &[
            "cart line 1, user: There is no user 4.",
            "cart line 1, product: There is no product 9.",
            "cart line 1, id: This id occurs twice.",
        ],
    ),
    (
        |shop| shop.carts.push(cart_line(3, 3, 7)),
        &["cart line 3, product: The cart has another line of it."],
    ),
    (
        |shop| {
            shop.products
                .extend((100..=200).map(|id| product(id, 1, 0)));
            shop.carts = (100..=200).map(|id| cart_line(id, 3, id)).collect();
        },
        &["cart line 200, user: A cart holds at most 100 lines."],
    ),
    (
        |shop| shop.orders[0].user = user(4),
        &["order 5, user: There is no user 4."],
    ),
    (
        |shop| {
            shop.orders
                .push(order(6, 3, OrderStatus::Pending, vec![line(9, 1, 1)]))
        },
        &[
            "order 6, id: This id occurs twice.",
            "order 6, lines: There is no product 9.",
        ],
    ),
    (
        |shop| shop.orders[0].lines.clear(),
        &["order 5, lines: An order needs at least one line."],
    ),
    (
        |shop| shop.orders[0].total = Money::from_minor(351, usd()),
        &["order 5, total: The total is 3.51, but the lines add up to 3.50."],
    ),
    (
        |shop| shop.orders[0] = order(5, 3, OrderStatus::Pending, vec![line(7, 0, 1)]),
        &["order 5, lines: Must be greater than 0."],
    ),
    (
        |shop| {
            shop.orders[0] = order(
                5,
                3,
                OrderStatus::Pending,
                vec![line(7, 1_000_000_000_000, 1)],
            )
        },
        &["order 5, lines: It is too large."],
    ),
    (
        |shop| shop.orders[0].adjustment = Money::from_minor(100, usd()),
        &["order 5, total: The total is 3.50, but the lines add up to 4.50."],
    ),
    (
        |shop| {
            shop.orders[0].adjustment = Money::from_minor(-400, usd());
            shop.orders[0].total = Money::from_minor(-50, usd());
        },
        &["order 5, total: Must not be less than 0."],
    ),
    (
        |shop| {
            let yen = Currency::from_code("JPY").unwrap();
            shop.orders[0].adjustment = Money::zero(yen);
        },
        &["order 5, total: The shop's currency is USD."],
    ),
    (
        |shop| {
            shop.orders[0].adjustment = Money::from_minor(i64::MAX, usd());
        },
        &["order 5, total: It is too large."],
    ),
    (
        |shop| shop.orders[0].archived = true,
        &["order 5, status: An order that is deleted has to be cancelled."],
    ),
];

#[test]
fn a_total_with_tax_and_shipping_is_the_lines_and_the_adjustment() {
    for adjustment in [450, -350, 0] {
        let mut command = shop();
        let order = &mut command.orders[0];
        order.adjustment = Money::from_minor(adjustment, usd());
        order.total = order.subtotal().unwrap().plus(order.adjustment).unwrap();
        let decision = decide_import(&command, &ExistingData::default(), usd());
        assert!(decision.is_ok(), "{adjustment}: {decision:?}");
    }
}

#[test]
fn each_invalid_field_of_an_import_is_reported() {
    for (spoil, sentences) in FAULTS {
        let mut command = shop();
        spoil(&mut command);
        assert_eq!(wrong(&command, &ExistingData::default()), *sentences);
    }
}

#[test]
fn import_errors_beyond_the_limit_are_counted() {
    let mut command = shop();
    let unknown = |id| order(id, 4, OrderStatus::Pending, vec![line(7, 1, 1)]);
    command.orders = (1..=150).map(unknown).collect();
    let refusal = decide_import(&command, &ExistingData::default(), usd()).unwrap_err();
    assert_eq!((refusal.problems.len(), refusal.unlisted), (100, 50));
}
