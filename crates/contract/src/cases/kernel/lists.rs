//! Lists: filters and sort orders.

use crate::cases::search::ids_of;
use crate::{TestShop, at, draft, first_page, money, page, place, retry_busy};
use tradepost_domain::Stores;
use tradepost_domain::catalog::{CreateProduct, ProductField, ProductFilter, ProductList};
use tradepost_domain::kernel::{Actor, OrderId, ProductId, Sorting, UserId};
use tradepost_domain::orders::{
    Order, OrderAction, OrderField, OrderFilter, OrderList, OrderStatus, PlaceOrder,
};

/// A product created at this second.
fn created(shop: &TestShop<'_>, name: &str, price: i64, stock: i64, second: i64) -> ProductId {
    let command = CreateProduct {
        draft: draft(name, price, stock),
        key: None,
        by: None,
        at: at(second),
    };
    retry_busy(|| shop.stores.products.create(command.clone())).unwrap();
    let newest = retry_busy(|| (shop.stores.products).list(&ProductList::default(), page(1, 1)));
    newest.items[0].id
}

/// Thirty products with equal names, prices, stock and times in different groups.
pub(crate) fn assortment(shop: &TestShop<'_>) -> Vec<ProductId> {
    let names = [
        "Tea",
        "tea",
        "Zebra",
        "mug",
        "Ärmel",
        "\u{10000}",
        "\u{ffee}",
    ];
    let product = |at: usize| {
        let number = i64::try_from(at).unwrap();
        let name = names[at % names.len()];
        created(shop, name, 100 + number % 4, number % 3, number * 7 % 5)
    };
    (0..30).map(product).collect()
}

/// Lists contain exactly the products that match the filter (price range with both ends inclusive,
/// stock, archived), and report their count.
pub fn products_are_filtered(stores: &Stores) {
    let shop = TestShop::new(stores);
    let [a, b, c, d] =
        [(100, 0), (200, 1), (300, 2), (400, 0)].map(|(price, stock)| shop.product(price, stock));
    shop.archive(d, true).unwrap();
    let all = ProductFilter::default;
    let price = |least: Option<i64>, most: Option<i64>| ProductFilter {
        min_price: least.map(money),
        max_price: most.map(money),
        ..all()
    };
    let in_stock = ProductFilter {
        in_stock: true,
        ..all()
    };
    for (filter, expected) in [
        (all(), &[c, b, a][..]),
        (price(Some(200), None), &[c, b]),
        (price(None, Some(200)), &[b, a]),
        (price(Some(200), Some(200)), &[b]),
        (price(Some(201), Some(299)), &[]),
        (price(Some(300), Some(200)), &[]),
        (price(Some(0), Some(i64::MAX)), &[c, b, a]),
        (in_stock.clone(), &[c, b]),
        (
            ProductFilter {
                in_stock: true,
                ..price(None, Some(250))
            },
            &[b],
        ),
        (
            ProductFilter {
                archived: true,
                ..all()
            },
            &[d],
        ),
        (
            ProductFilter {
                archived: true,
                ..in_stock
            },
            &[],
        ),
        (
            ProductFilter {
                archived: true,
                ..price(Some(400), None)
            },
            &[d],
        ),
    ] {
        assert_eq!(ids_of(stores, &filter), expected, "{filter:?}");
    }
}

/// Every sort by one, two or all fields, ascending and descending, equals the domain's order; pages
/// are consecutive parts of it.
pub fn products_are_sorted(stores: &Stores) {
    let shop = TestShop::new(stores);
    let ids = assortment(&shop);
    let all: Vec<_> = ids.iter().map(|id| shop.found(*id)).collect();
    for text in [
        "id",
        "-id",
        "name",
        "-name",
        "price",
        "-price",
        "stock",
        "-stock",
        "created_at",
        "-created_at",
        "-price,name",
        "price,-name",
        "stock,-price",
        "name,-id",
        "-created_at,id",
        "price,-stock,created_at,-name",
    ] {
        let sorting = Sorting::<ProductField>::parse(text).unwrap();
        let mut expected = all.clone();
        expected.sort_by(|one, other| sorting.compare(one, other));
        let list = ProductList {
            filter: ProductFilter::default(),
            sorting,
        };
        let whole = retry_busy(|| stores.products.list(&list, first_page()));
        assert_eq!(whole.items, expected, "{text}");
        let second = retry_busy(|| stores.products.list(&list, page(2, 7)));
        assert_eq!(
            (second.count, &second.items[..]),
            (30, &expected[7..14]),
            "{text}"
        );
    }
    let by_name = ProductList {
        filter: ProductFilter::default(),
        sorting: Sorting::by(ProductField::Name, false),
    };
    let names = retry_busy(|| stores.products.list(&by_name, first_page())).items;
    let mut names: Vec<_> = names
        .iter()
        .map(|product| product.name.to_string())
        .collect();
    names.dedup();
    // By code point: neither by locale nor by UTF-16 code unit.
    let expected = [
        "Tea",
        "Zebra",
        "mug",
        "tea",
        "Ärmel",
        "\u{ffee}",
        "\u{10000}",
    ];
    assert_eq!(names, expected);
}

/// Lists contain exactly the orders that match the filter: owner, status, and time range with both
/// ends inclusive.
pub fn orders_are_filtered(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, bob) = (shop.customer("ada"), shop.customer("bob"));
    let tea = shop.product(100, 99);
    let order = |user, second| placed(&shop, user, tea, 1, second).id;
    let [a, b, c, d] =
        [(ada, 10), (bob, 20), (ada, 30), (ada, 40)].map(|(user, second)| order(user, second));
    let staff = Actor::Staff(shop.staff("grace"));
    let to = OrderAction::SetStatus;
    shop.change_order(c, to(OrderStatus::Processing), staff)
        .unwrap();
    shop.change_order(d, OrderAction::Delete, staff).unwrap();
    let all = OrderFilter::default;
    let between = |after: Option<i64>, before: Option<i64>| OrderFilter {
        created_after: after.map(at),
        created_before: before.map(at),
        ..all()
    };
    let of_status = |status| OrderFilter {
        status: Some(status),
        ..all()
    };
    let of_ada = OrderFilter {
        user: Some(ada),
        ..all()
    };
    let just_after = at(20) + chrono::Duration::microseconds(1);
    for (filter, expected) in [
        (all(), &[c, b, a][..]),
        (of_status(OrderStatus::Pending), &[b, a]),
        (of_status(OrderStatus::Processing), &[c]),
        (of_status(OrderStatus::Cancelled), &[]),
        (
            OrderFilter {
                archived: true,
                ..of_status(OrderStatus::Cancelled)
            },
            &[d],
        ),
        (between(Some(20), None), &[c, b]),
        (between(None, Some(20)), &[b, a]),
        (between(Some(20), Some(20)), &[b]),
        (
            OrderFilter {
                created_after: Some(just_after),
                ..all()
            },
            &[c],
        ),
        (between(Some(30), Some(20)), &[]),
        (
            OrderFilter {
                archived: true,
                ..between(Some(40), None)
            },
            &[d],
        ),
        (of_ada.clone(), &[c, a]),
        (
            OrderFilter {
                user: Some(ada),
                ..of_status(OrderStatus::Pending)
            },
            &[a],
        ),
        (
            OrderFilter {
                archived: true,
                ..of_ada
            },
            &[d],
        ),
        (
            OrderFilter {
                user: UserId::new(99_999),
                ..all()
            },
            &[],
        ),
    ] {
        let list = OrderList::new(filter);
        let found = retry_busy(|| stores.orders.list(&list, first_page()));
        let ids: Vec<_> = found.items.iter().map(|order| order.id).collect();
        assert_eq!(ids, expected, "{list:?}");
        assert_eq!(
            found.count,
            u64::try_from(expected.len()).unwrap(),
            "{list:?}"
        );
    }
}

pub(crate) fn placed(
    shop: &TestShop<'_>,
    user: UserId,
    product: ProductId,
    units: i64,
    second: i64,
) -> Order {
    shop.add(user, product, units).unwrap();
    let request = PlaceOrder {
        at: at(second),
        ..place(user)
    };
    shop.place_all(&[request]).remove(0).unwrap()
}

/// Orders of two customers with equal totals, times and statuses in different groups.
pub(crate) fn order_book(
    shop: &TestShop<'_>,
    customers: &[UserId],
    tea: ProductId,
) -> Vec<OrderId> {
    let staff = Actor::Staff(shop.staff("grace"));
    let mut ids = Vec::new();
    for (at, number) in (0..20_usize).zip(0..) {
        let order = placed(shop, customers[at % 2], tea, 1 + number % 3, number * 7 % 5);
        let status = match at % 4 {
            0 => Some(OrderStatus::Processing),
            1 => Some(OrderStatus::Cancelled),
            _ => None,
        };
        if let Some(status) = status {
            let action = OrderAction::SetStatus(status);
            shop.change_order(order.id, action, staff).unwrap();
        }
        ids.push(order.id);
    }
    ids
}

/// Every sort by one or more fields, ascending and descending, equals the domain's order. A status
/// sorts by its name.
pub fn orders_are_sorted(stores: &Stores) {
    let shop = TestShop::new(stores);
    let customers = shop.customers(2);
    let tea = shop.product(100, 999);
    let ids = order_book(&shop, &customers, tea);
    let all: Vec<_> = ids.iter().map(|id| shop.found_order(*id)).collect();
    for user in [None, Some(customers[0])] {
        for text in [
            "id",
            "-id",
            "created_at",
            "-created_at",
            "total_price",
            "-total_price",
            "status",
            "-status",
            "status,-total_price",
            "-total_price,created_at,id",
        ] {
            let sorting = Sorting::<OrderField>::parse(text).unwrap();
            let mut expected = all.clone();
            expected.retain(|order| user.is_none_or(|user| user == order.user));
            expected.sort_by(|one, other| sorting.compare(one, other));
            let filter = OrderFilter {
                user,
                ..OrderFilter::default()
            };
            let list = OrderList { filter, sorting };
            let whole = retry_busy(|| stores.orders.list(&list, first_page()));
            assert_eq!(whole.items, expected, "{text}");
            let second = retry_busy(|| stores.orders.list(&list, page(2, 3)));
            assert_eq!(second.items, expected[3..6], "{text}");
        }
    }
}
