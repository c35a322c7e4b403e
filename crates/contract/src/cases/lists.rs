//! Lists: which rows, in which order, and from part to part.

use super::finding::ids_of;
use crate::{Shop, at, draft, first_page, money, page, place, settled};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use tradepost_domain::{
    Actor, CreateProduct, Keyset, Order, OrderAction, OrderField, OrderFilter, OrderId, OrderList,
    OrderStatus, PlaceOrder, Product, ProductField, ProductFilter, ProductId, ProductList, Slice,
    SortField, Sorting, Span, Stores, UserId,
};

/// A product that was created at some second.
fn created(shop: &Shop<'_>, name: &str, price: i64, stock: i64, second: i64) -> ProductId {
    let command = CreateProduct {
        draft: draft(name, price, stock),
        key: None,
        by: None,
        at: at(second),
    };
    settled(|| {
        shop.stores
            .products
            .create(command.clone())
            .map(Result::unwrap)
    });
    let newest = settled(|| (shop.stores.products).list(&ProductList::default(), page(1, 1)));
    newest.items[0].id
}

/// Thirty products that share names, prices, stock and times, each in other groups.
fn assortment(shop: &Shop<'_>) -> Vec<ProductId> {
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

/// Those alone are listed that the filter matches, by price with both ends, by stock and by what is
/// archived, and they are counted.
pub fn products_are_filtered(stores: &Stores) {
    let shop = Shop::new(stores);
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

/// Every order of one, two or all fields, and its reverse, is that of the domain; pages are pieces
/// of it.
pub fn products_are_sorted(stores: &Stores) {
    let shop = Shop::new(stores);
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
        let whole = settled(|| stores.products.list(&list, first_page()));
        assert_eq!(whole.items, expected, "{text}");
        let second = settled(|| stores.products.list(&list, page(2, 7)));
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
    let names = settled(|| stores.products.list(&by_name, first_page())).items;
    let mut names: Vec<_> = names
        .iter()
        .map(|product| product.name.to_string())
        .collect();
    names.dedup();
    // By code point: not by any language, and not by UTF-16.
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

/// Those alone are listed that the filter matches, by owner, status and time with both ends.
pub fn orders_are_filtered(stores: &Stores) {
    let shop = Shop::new(stores);
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
        let list = OrderList::of(filter);
        let found = settled(|| stores.orders.list(&list, first_page()));
        let ids: Vec<_> = found.items.iter().map(|order| order.id).collect();
        assert_eq!(ids, expected, "{list:?}");
        assert_eq!(
            found.count,
            u64::try_from(expected.len()).unwrap(),
            "{list:?}"
        );
    }
}

fn placed(shop: &Shop<'_>, user: UserId, product: ProductId, units: i64, second: i64) -> Order {
    shop.add(user, product, units).unwrap();
    let request = PlaceOrder {
        at: at(second),
        ..place(user)
    };
    shop.place_all(&[request]).remove(0).unwrap()
}

/// Orders of two customers that share totals, times and statuses, each in other groups.
fn order_book(shop: &Shop<'_>, customers: &[UserId], tea: ProductId) -> Vec<OrderId> {
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

/// Every order of one or more fields, and its reverse, is that of the domain; a status is sorted by
/// its word.
pub fn orders_are_sorted(stores: &Stores) {
    let shop = Shop::new(stores);
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
            let whole = settled(|| stores.orders.list(&list, first_page()));
            assert_eq!(whole.items, expected, "{text}");
            let second = settled(|| stores.orders.list(&list, page(2, 3)));
            assert_eq!(second.items, expected[3..6], "{text}");
        }
    }
}

/// What a walk needs to know of a list.
struct Walk<'a, F: SortField> {
    keyset: Keyset<F>,
    /// Reads a part.
    read: &'a dyn Fn(&Span) -> Slice<F::Row>,
    /// Makes rows come and go.
    stir: &'a dyn Fn(),
    id: fn(&F::Row) -> i64,
}

impl<F: SortField> Walk<'_, F>
where
    F::Row: Debug,
{
    /// Walks from the start to the end and back: whatever comes and goes, each way passes those who
    /// stay once, nobody twice, and all in order.
    fn there_and_back(&self, size: u32, stay: &BTreeSet<i64>) {
        let mut part = (self.read)(&Span::first(size));
        assert_eq!(part.previous, None);
        for backwards in [false, true] {
            let mut passed = Vec::new();
            loop {
                let mut rows: Vec<_> = part.items.iter().collect();
                assert!(rows.len() <= usize::try_from(size).unwrap());
                if backwards {
                    rows.reverse();
                }
                passed.extend(
                    rows.iter()
                        .map(|row| (self.keyset.place(row), (self.id)(row))),
                );
                (self.stir)();
                let further = if backwards {
                    part.previous
                } else {
                    part.next.clone()
                };
                match further {
                    Some(span) => part = (self.read)(&span),
                    None => break,
                }
            }
            let in_order = passed.windows(2).all(|pair| {
                let order = self.keyset.compare(&pair[0].0, &pair[1].0);
                if backwards {
                    order.is_gt()
                } else {
                    order.is_lt()
                }
            });
            assert!(in_order, "{:?} {backwards}: {passed:#?}", self.keyset);
            let seen: BTreeSet<_> = passed.iter().map(|(_, id)| *id).collect();
            assert_eq!(seen.len(), passed.len(), "{:?}", self.keyset);
            let missed: Vec<_> = stay.difference(&seen).collect();
            assert!(
                missed.is_empty(),
                "{:?} {backwards}: {missed:?}",
                self.keyset
            );
            // The way back begins at the end that there is by now.
            part = self.last_part(size);
        }
    }

    fn last_part(&self, size: u32) -> Slice<F::Row> {
        let mut part = (self.read)(&Span::first(size));
        while let Some(next) = &part.next {
            part = (self.read)(next);
        }
        part
    }
}

/// From part to part in every order that has places, there and back, each product that stays is
/// passed once, while others come and go at both ends and in the middle.
pub fn every_product_is_walked_past_once(stores: &Stores) {
    let shop = Shop::new(stores);
    let ids = assortment(&shop);
    let filter = ProductFilter::default();
    let come_and_go: Vec<_> = ids.iter().copied().step_by(3).collect();
    let stay = ids.iter().filter(|id| !come_and_go.contains(id));
    let stay: BTreeSet<_> = stay.map(|id| id.get()).collect();
    let turn = std::cell::Cell::new(0_usize);
    let stir = || {
        turn.set(turn.get() + 1);
        for at in [turn.get(), turn.get() * 3 + 1] {
            let id = come_and_go[at % come_and_go.len()];
            let archived = shop.found(id).archived;
            shop.archive(id, !archived).unwrap();
        }
    };
    for field in ProductField::ALL.iter().filter(|field| field.has_places()) {
        for (descending, size) in [(false, 4), (true, 7)] {
            let keyset = Keyset::new(&Sorting::by(*field, descending)).unwrap();
            let read = |span: &Span| settled(|| stores.products.slice(&filter, keyset, span));
            let id = |product: &Product| product.id.get();
            let walk = Walk {
                keyset,
                read: &read,
                stir: &stir,
                id,
            };
            walk.there_and_back(size, &stay);
        }
    }
}

/// A filtered list is walked like any other, and shows what the page of it shows.
pub fn filtered_products_are_walked(stores: &Stores) {
    let shop = Shop::new(stores);
    assortment(&shop);
    let all = ProductFilter::default;
    let search = tradepost_domain::Search::new("TEA").unwrap();
    for filter in [
        ProductFilter {
            in_stock: true,
            ..all()
        },
        ProductFilter {
            min_price: Some(money(101)),
            max_price: Some(money(102)),
            ..all()
        },
        ProductFilter { search, ..all() },
        ProductFilter {
            archived: true,
            ..all()
        },
    ] {
        for field in [ProductField::Id, ProductField::Name, ProductField::Price] {
            let sorting = Sorting::by(field, true);
            let keyset = Keyset::new(&sorting).unwrap();
            let list = ProductList {
                filter: filter.clone(),
                sorting,
            };
            let expected = settled(|| stores.products.list(&list, first_page())).items;
            let mut seen = Vec::new();
            let mut span = Some(Span::first(2));
            while let Some(from) = span {
                let part = settled(|| stores.products.slice(&filter, keyset, &from));
                seen.extend(part.items);
                span = part.next;
            }
            assert_eq!(seen, expected, "{list:?}");
        }
    }
}

/// The same of orders: everybody's, and those of one customer, while others are placed and deleted.
pub fn every_order_is_walked_past_once(stores: &Stores) {
    let shop = Shop::new(stores);
    let customers = shop.customers(2);
    let tea = shop.product(100, 9_999);
    let ids = order_book(&shop, &customers, tea);
    let orders: BTreeMap<_, _> = ids.iter().map(|id| (*id, shop.found_order(*id))).collect();
    let deleting = std::cell::RefCell::new(Vec::new());
    let turn = std::cell::Cell::new(0_i64);
    let stir = || {
        turn.set(turn.get() + 1);
        let user = customers[usize::from(turn.get() % 2 == 0)];
        let new = placed(&shop, user, tea, 1 + turn.get() % 3, turn.get() * 3 % 7);
        deleting.borrow_mut().push(new);
        if turn.get() % 3 == 0 {
            let old = deleting.borrow_mut().remove(0);
            shop.change_order(old.id, OrderAction::Delete, Actor::Customer(old.user))
                .unwrap();
        }
    };
    for user in [None, Some(customers[1])] {
        let filter = OrderFilter {
            user,
            ..OrderFilter::default()
        };
        let stay = orders.values().filter(|order| filter.matches(order));
        let stay: BTreeSet<_> = stay.map(|order| order.id.get()).collect();
        for field in OrderField::ALL {
            // Walks that end though rows are added where they go: with pages longer than what comes.
            for (descending, size) in [(false, 5), (true, 8)] {
                let keyset = Keyset::new(&Sorting::by(*field, descending)).unwrap();
                let read = |span: &Span| settled(|| stores.orders.slice(&filter, keyset, span));
                let id = |order: &Order| order.id.get();
                let walk = Walk {
                    keyset,
                    read: &read,
                    stir: &stir,
                    id,
                };
                walk.there_and_back(size, &stay);
            }
        }
    }
    let first = |span| {
        settled(|| {
            stores.orders.slice(
                &OrderFilter::default(),
                Keyset::new(&Sorting::default()).unwrap(),
                span,
            )
        })
    };
    let part = first(&Span::first(3));
    let found: Vec<_> = part
        .items
        .iter()
        .map(|order| shop.found_order(order.id))
        .collect();
    assert_eq!(part.items, found, "a part shows orders with their lines");
}
