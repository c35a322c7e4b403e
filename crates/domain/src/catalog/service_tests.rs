//! Authorisation of the catalogue, and the calls that reach the port.

use super::*;
use crate::catalog::MockProductRepository;
use crate::kernel::{StoreError, StoreErrorKind};
use crate::testing::{ProductBuilder, at, clock, page, product, refusal, user};

use std::sync::Mutex;

const NOBODY: Actor = Actor::Anonymous;

fn ada() -> Actor {
    Actor::Customer(user(1))
}

fn grace() -> Actor {
    Actor::Staff(user(9))
}

/// A catalogue over a port that panics on unexpected calls, at 60 seconds on its clock.
fn catalogue(products: MockProductRepository) -> Catalogue {
    Catalogue::new(Arc::new(products), Arc::new(clock(60)))
}

fn busy() -> StoreError {
    StoreError::new(StoreErrorKind::Busy)
}

fn id() -> ProductId {
    ProductId::new(1).unwrap()
}

fn draft() -> ProductDraft {
    ProductBuilder::new(1).stock(5).draft()
}

#[test]
fn pages_that_lie_close_together_are_read_as_one() {
    // 95 products: numbers stand for the requests of the port, as (number, size).
    for (requests, expected, found) in [
        (&[(2, 10)][..], &[(2, 10)][..], &[(2, 10)][..]),
        (
            &[(1, 10), (3, 10), (5, 10), (1, 10)],
            &[(1, 10), (3, 10), (5, 10)],
            &[(1, 10), (3, 10), (5, 10)],
        ),
        (
            &[(1, 10), (3, 10), (5, 10), (10, 10)],
            &[(1, 100)],
            &[(1, 10), (3, 10), (5, 10), (10, 10)],
        ),
        (
            &[(1, 40), (2, 40), (1, 50), (2, 100)],
            &[(1, 50), (1, 80), (2, 100)],
            &[(1, 40), (1, 50), (2, 40)],
        ),
        (&[(11, 10), (12, 10), (13, 10), (14, 10)], &[(2, 100)], &[]),
    ] {
        let pages = |pages: &[(u64, u32)]| -> Vec<_> {
            pages
                .iter()
                .map(|(number, size)| page(*number, *size))
                .collect()
        };
        let asked = Arc::new(Mutex::new(Vec::new()));
        let mut products = MockProductRepository::new();
        let log = Arc::clone(&asked);
        products.expect_list().returning(move |list, asked| {
            assert_eq!(*list, ProductList::new(ProductFilter::default()));
            log.lock().unwrap().push(asked);
            let rows = (asked.offset()..95).take(asked.size().try_into().unwrap());
            Ok(Page {
                count: 95,
                items: rows
                    .map(|row| product(1 + i64::try_from(row).unwrap(), 100, 5))
                    .collect(),
            })
        });
        let list = ProductList::new(ProductFilter::all(true));
        let read = catalogue(products)
            .pages(NOBODY, list, &pages(requests))
            .unwrap();
        let in_order = |pages: &mut Vec<PageRequest>| {
            pages.sort_by_key(|page| (page.number(), page.size()));
        };
        let mut asked = asked.lock().unwrap().clone();
        in_order(&mut asked);
        assert_eq!(asked, pages(expected));
        let mut there: Vec<_> = read.keys().copied().collect();
        in_order(&mut there);
        assert_eq!(there, pages(found));
        for (request, page) in read {
            let ids = page.items.iter().map(|product| product.id.get());
            let last = (request.offset() + u64::from(request.size())).min(95);
            let expected = request.offset() + 1..=last;
            assert_eq!(page.count, 95);
            assert!(
                ids.eq(expected.map(|id| i64::try_from(id).unwrap())),
                "{request:?}"
            );
        }
    }
}

#[test]
fn archived_products_are_listed_for_staff_alone() {
    for (actor, wish, passed_on) in [
        (NOBODY, false, false),
        (NOBODY, true, false),
        (ada(), true, false),
        (grace(), false, false),
        (grace(), true, true),
    ] {
        let mut products = MockProductRepository::new();
        let filter = ProductFilter::all(passed_on);
        let list = ProductList::new(filter.clone());
        products
            .expect_list()
            .withf(move |asked, asked_page| (asked, *asked_page) == (&list, page(1, 10)))
            .once()
            .returning(|_, _| {
                Ok(Page {
                    count: 1,
                    items: vec![product(1, 100, 5)],
                })
            });
        products
            .expect_cursor_page()
            .withf(move |asked, _, span| (asked, span) == (&filter, &CursorRequest::first(9)))
            .once()
            .returning(|_, keyset, span| {
                Ok(CursorPage::new(vec![product(1, 100, 5)], keyset, span))
            });
        let catalogue = catalogue(products);
        let wish = ProductFilter::all(wish);
        let listed = catalogue.list(actor, ProductList::new(wish.clone()), page(1, 10));
        assert_eq!(listed.unwrap().items, [product(1, 100, 5)]);
        let keyset = Keyset::new(&crate::kernel::Sorting::default()).unwrap();
        let sliced = catalogue.cursor_page(actor, wish, keyset, &CursorRequest::first(9));
        assert_eq!(sliced.unwrap().items, [product(1, 100, 5)]);
    }
}

#[test]
fn a_page_that_does_not_exist_is_not_found() {
    for (count, number, exists) in [(0, 1, true), (0, 2, false), (10, 2, false), (11, 2, true)] {
        let mut products = MockProductRepository::new();
        let empty = move |_: &ProductList, _| {
            Ok(Page {
                count,
                items: Vec::new(),
            })
        };
        products.expect_list().returning(empty);
        let listed = catalogue(products).list(NOBODY, ProductList::default(), page(number, 10));
        match listed {
            Ok(listed) => assert!(exists && listed.count == count),
            Err(error) => assert!(!exists && refusal::<()>(Err(error)) == Refusal::NotFound),
        }
    }
}

#[test]
fn an_archived_product_shows_itself_to_staff_who_ask_for_it() {
    for (actor, archived, wish, visible) in [
        (NOBODY, false, false, true),
        (NOBODY, false, true, true),
        (NOBODY, true, true, false),
        (ada(), true, true, false),
        (grace(), true, false, false),
        (grace(), true, true, true),
        (grace(), false, true, true),
    ] {
        let mut products = MockProductRepository::new();
        let found = crate::catalog::Product {
            archived,
            ..product(1, 100, 5)
        };
        let stored = found.clone();
        products
            .expect_find_all()
            .withf(|asked| asked == [id()])
            .returning(move |_| Ok(vec![stored.clone()]));
        let answer = catalogue(products).product(actor, id(), wish);
        if visible {
            assert_eq!(answer.unwrap(), found);
        } else {
            assert_eq!(refusal(answer), Refusal::NotFound);
        }
    }
}

#[test]
fn an_unknown_product_is_not_found() {
    let mut products = MockProductRepository::new();
    products.expect_find_all().returning(|_| Ok(Vec::new()));
    let answer = catalogue(products).product(grace(), id(), true);
    assert_eq!(refusal(answer), Refusal::NotFound);
}

#[test]
fn only_staff_write_products() {
    for (actor, expected) in [
        (NOBODY, Refusal::Unauthenticated),
        (ada(), Refusal::Forbidden),
    ] {
        // A mock without expectations panics on every call.
        let catalogue = catalogue(MockProductRepository::new());
        assert_eq!(refusal(catalogue.create(actor, draft(), None)), expected);
        let change = ProductChange::default();
        assert_eq!(
            refusal(catalogue.change(actor, id(), change, None)),
            expected
        );
        assert_eq!(refusal(catalogue.archive(actor, id(), None)), expected);
    }
}

#[test]
fn a_creation_carries_actor_and_time() {
    let mut products = MockProductRepository::new();
    let command = CreateProduct {
        draft: draft(),
        key: None,
        by: Some(user(9)),
        at: at(60),
    };
    products
        .expect_create_all()
        .withf(move |given| *given == [command.clone()])
        .once()
        .returning(|_| Ok(vec![Ok(Execution::Executed(product(1, 100, 5)))]));
    let created = catalogue(products).create(grace(), draft(), None);
    assert_eq!(created.unwrap(), Execution::Executed(product(1, 100, 5)));
}

#[test]
fn a_change_carries_actor_and_time() {
    let stock = Some(crate::inventory::StockLevel::ZERO);
    let change = ProductChange {
        stock,
        ..ProductChange::default()
    };
    let mut products = MockProductRepository::new();
    let command = ChangeProduct {
        seen: None,
        product: id(),
        change: change.clone(),
        by: Some(user(9)),
        at: at(60),
    };
    products
        .expect_change_all()
        .withf(move |given| *given == [command.clone()])
        .once()
        .returning(|_| Ok(vec![Ok(product(1, 100, 0))]));
    let changed = catalogue(products).change(grace(), id(), change, None);
    assert_eq!(changed.unwrap(), product(1, 100, 0));
}

#[test]
fn archiving_changes_no_other_field() {
    let mut products = MockProductRepository::new();
    let change = ProductChange {
        archived: Some(true),
        ..ProductChange::default()
    };
    let command = ChangeProduct {
        seen: None,
        product: id(),
        change,
        by: Some(user(9)),
        at: at(60),
    };
    products
        .expect_change_all()
        .withf(move |given| *given == [command.clone()])
        .once()
        .returning(|_| Ok(vec![Ok(product(1, 100, 5))]));
    assert!(catalogue(products).archive(grace(), id(), None).is_ok());
}

#[test]
fn refusals_and_store_failures_are_passed_on() {
    let mut products = MockProductRepository::new();
    products
        .expect_change_all()
        .returning(|_| Ok(vec![Err(Refusal::NotFound)]));
    products.expect_create_all().returning(|_| Err(busy()));
    products.expect_find_all().returning(|_| Err(busy()));
    products.expect_list().returning(|_, _| Err(busy()));
    let catalogue = catalogue(products);
    assert_eq!(
        refusal(catalogue.archive(grace(), id(), None)),
        Refusal::NotFound
    );
    for error in [
        catalogue.create(grace(), draft(), None).err(),
        catalogue.product(NOBODY, id(), false).err(),
        catalogue
            .list(NOBODY, ProductList::default(), page(1, 10))
            .err(),
    ] {
        assert!(
            matches!(&error, Some(Error::Store(error)) if *error.kind() == StoreErrorKind::Busy),
            "{error:?}"
        );
    }
}
