//! Cursor pagination.

use crate::cases::lists::{assortment, order_book, placed};
use crate::{TestShop, first_page, money, retry_busy};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use tradepost_domain::Stores;
use tradepost_domain::catalog::{Product, ProductField, ProductFilter, ProductList};
use tradepost_domain::identity::{Account, UserField, UserFilter};
use tradepost_domain::kernel::{
    Actor, CursorPage, CursorRequest, Keyset, Search, SortField, Sorting, UserSearch,
};
use tradepost_domain::orders::{Order, OrderAction, OrderField, OrderFilter};

/// A list under test.
struct Walk<'a, F: SortField> {
    keyset: Keyset<F>,
    /// Reads one cursor page.
    read: &'a dyn Fn(&CursorRequest) -> CursorPage<F::Row>,
    /// Inserts and removes rows between two pages.
    stir: &'a dyn Fn(),
    id: fn(&F::Row) -> i64,
}

impl<F: SortField> Walk<'_, F>
where
    F::Row: Debug,
{
    /// Reads every page forwards, then backwards, under concurrent changes. Each direction returns
    /// every row of `stay` exactly once, no row twice, and all in order.
    fn there_and_back(&self, size: u32, stay: &BTreeSet<i64>) {
        let mut part = (self.read)(&CursorRequest::first(size));
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
                        .map(|row| (self.keyset.position(row), (self.id)(row))),
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
            // The way back starts at the current end of the list.
            part = self.last_part(size);
        }
    }

    fn last_part(&self, size: u32) -> CursorPage<F::Row> {
        let mut part = (self.read)(&CursorRequest::first(size));
        while let Some(next) = &part.next {
            part = (self.read)(next);
        }
        part
    }
}

/// In every sort order that supports keyset pagination, forwards and backwards, each product that
/// stays is returned once, while others are archived and restored at both ends and in the middle.
pub fn cursor_pages_list_every_product_once(stores: &Stores) {
    let shop = TestShop::new(stores);
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
    for field in ProductField::ALL
        .iter()
        .filter(|field| field.supports_keyset())
    {
        for (descending, size) in [(false, 4), (true, 7)] {
            let keyset = Keyset::new(&Sorting::by(*field, descending)).unwrap();
            let read = |span: &CursorRequest| {
                retry_busy(|| stores.products.cursor_page(&filter, keyset, span))
            };
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

/// Cursor pages of a filtered list return the same rows as numbered pages.
pub fn cursor_pages_respect_the_filter(stores: &Stores) {
    let shop = TestShop::new(stores);
    assortment(&shop);
    let all = ProductFilter::default;
    let search = Search::new("TEA").unwrap();
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
            let expected = retry_busy(|| stores.products.list(&list, first_page())).items;
            let mut seen = Vec::new();
            let mut span = Some(CursorRequest::first(2));
            while let Some(from) = span {
                let part = retry_busy(|| stores.products.cursor_page(&filter, keyset, &from));
                seen.extend(part.items);
                span = part.next;
            }
            assert_eq!(seen, expected, "{list:?}");
        }
    }
}

/// The same for all orders and for those of one customer, under concurrent orders and deletions.
pub fn cursor_pages_list_every_order_once(stores: &Stores) {
    let shop = TestShop::new(stores);
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
            // Pages longer than the rows added between them, so that the reading ends.
            for (descending, size) in [(false, 5), (true, 8)] {
                let keyset = Keyset::new(&Sorting::by(*field, descending)).unwrap();
                let read = |span: &CursorRequest| {
                    retry_busy(|| stores.orders.cursor_page(&filter, keyset, span))
                };
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
        retry_busy(|| {
            stores.orders.cursor_page(
                &OrderFilter::default(),
                Keyset::new(&Sorting::default()).unwrap(),
                span,
            )
        })
    };
    let part = first(&CursorRequest::first(3));
    let found: Vec<_> = part
        .items
        .iter()
        .map(|order| shop.found_order(order.id))
        .collect();
    assert_eq!(part.items, found, "a part shows orders with their lines");
}

/// The same for all accounts and for those that a search finds, while users register.
pub fn cursor_pages_list_every_account_once(stores: &Stores) {
    let shop = TestShop::new(stores);
    let ids =
        ["ada", "bob", "adam", "carol", "nadal", "dave", "ADAMS"].map(|name| shop.customer(name));
    let accounts = ids.map(|id| shop.account(id));
    let turn = std::cell::Cell::new(0);
    let stir = || {
        turn.set(turn.get() + 1);
        shop.customer(&format!("ada{}", turn.get()));
    };
    for search in [None, Some("ada")] {
        let filter = UserFilter {
            search: search.map(|text| UserSearch::new(text).unwrap()),
        };
        let stay = accounts.iter().filter(|account| filter.matches(account));
        let stay: BTreeSet<_> = stay.map(|account| account.id.get()).collect();
        assert_eq!(stay.len(), if search.is_some() { 4 } else { 7 });
        for descending in [false, true] {
            let keyset = Keyset::new(&Sorting::by(UserField::Id, descending)).unwrap();
            let read = |span: &CursorRequest| {
                let page = retry_busy(|| stores.accounts.cursor_page(&filter, keyset, span));
                assert!(page.items.iter().all(|account| filter.matches(account)));
                page
            };
            let id = |account: &Account| account.id.get();
            let walk = Walk {
                keyset,
                read: &read,
                stir: &stir,
                id,
            };
            walk.there_and_back(3, &stay);
        }
    }
}
