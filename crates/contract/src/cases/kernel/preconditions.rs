//! Optimistic concurrency: an edit with a precondition fails if the row has changed since.

use crate::{TestShop, at, retry_busy, units};
use std::fmt::Debug;
use tradepost_domain::Stores;
use tradepost_domain::cart::{CartAction, ChangeCart};
use tradepost_domain::catalog::{ChangeProduct, Product, ProductChange};
use tradepost_domain::kernel::{
    Actor, Precondition, ProductName, Quantity, Refusal, ResponseEncoder,
};
use tradepost_domain::orders::{ChangeOrder, OrderAction, OrderStatus};

/// The precondition of a client that has read this value.
pub(crate) fn saw<T: Debug>(thing: &T) -> Option<Precondition<T>> {
    Some(Precondition {
        tags: vec!["another version".to_owned(), format!("{thing:?}")],
        tag: ResponseEncoder(|thing: &T| format!("{thing:?}")),
    })
}

/// Renames a product, with the version that was read as the precondition.
pub(crate) fn name(stores: &Stores, seen: &Product, name: &str) -> Result<Product, Refusal> {
    let change = ProductChange {
        name: Some(ProductName::new(name).unwrap()),
        ..ProductChange::default()
    };
    let command = ChangeProduct {
        product: seen.id,
        change,
        seen: saw(seen),
        by: None,
        at: at(50),
    };
    retry_busy(|| stores.products.change(command.clone()))
}

/// A product is changed only if the precondition holds.
pub fn a_product_edit_checks_its_precondition(stores: &Stores) {
    let shop = TestShop::new(stores);
    let first = shop.found(shop.product(100, 5));
    let second = name(stores, &first, "Cup").unwrap();
    assert_eq!(second.name.as_str(), "Cup");
    assert_eq!(
        name(stores, &first, "Bowl"),
        Err(Refusal::PreconditionFailed)
    );
    assert_eq!(shop.found(first.id), second);
    assert!(name(stores, &second, "Bowl").is_ok());
    // A missing product is `NotFound`, not a failed precondition.
    shop.archive(first.id, true).unwrap();
    assert_eq!(name(stores, &second, "Pot"), Err(Refusal::NotFound));
}

/// A cart line is changed or removed only if the precondition holds.
pub fn a_cart_line_edit_checks_its_precondition(stores: &Stores) {
    let shop = TestShop::new(stores);
    let ada = shop.customer("ada");
    let product = shop.product(100, 50);
    let first = shop.add(ada, product, 1).unwrap().line;
    let second = shop.add(ada, product, 1).unwrap().line;
    let set = |quantity| CartAction::Set {
        line: first.id,
        quantity,
        product: None,
    };
    let remove = CartAction::Remove { line: first.id };
    let act = |action, seen| {
        let command = ChangeCart {
            user: ada,
            action,
            seen: saw(seen),
            key: None,
            at: at(30),
        };
        retry_busy(|| stores.carts.change(command.clone())).map(|_| ())
    };
    for action in [
        set(Some(Quantity::ONE)),
        set(Some(units(7))),
        set(None),
        remove,
    ] {
        assert_eq!(
            act(action, &first),
            Err(Refusal::PreconditionFailed),
            "{action:?}"
        );
    }
    assert_eq!(shop.items(ada)[0].line, second);
    assert_eq!(act(set(Some(units(7))), &second), Ok(()));
    let third = shop.items(ada)[0].line;
    assert_eq!(act(remove, &third), Ok(()));
    assert_eq!(act(remove, &third), Err(Refusal::NotFound));
}

/// An order is changed only if the precondition holds. Refusals for other reasons than its state
/// take precedence.
pub fn an_order_edit_checks_its_precondition(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, staff) = (shop.customer("ada"), shop.staff("grace"));
    let product = shop.product(100, 5);
    let first = shop.order(ada, &[(product, 2)]);
    let act = |action, seen, by| {
        let command = ChangeOrder {
            order: first.id,
            action,
            seen: saw(seen),
            by,
            at: at(300),
        };
        retry_busy(|| stores.orders.change(command.clone()))
    };
    let to = OrderAction::SetStatus;
    let (ada, staff) = (Actor::Customer(ada), Actor::Staff(staff));
    let second = act(to(OrderStatus::Processing), &first, staff).unwrap();
    for action in [
        to(OrderStatus::Processing),
        to(OrderStatus::Shipped),
        to(OrderStatus::Cancelled),
        to(OrderStatus::Pending),
        OrderAction::Delete,
    ] {
        assert_eq!(
            act(action, &first, staff),
            Err(Refusal::PreconditionFailed),
            "{action:?}"
        );
    }
    assert_eq!(
        act(to(OrderStatus::Shipped), &first, ada),
        Err(Refusal::Forbidden)
    );
    assert_eq!(
        act(to(OrderStatus::Processing), &second, ada),
        Ok(second.clone())
    );
    assert_eq!(shop.stock(product), 3);
    assert!(act(to(OrderStatus::Cancelled), &second, staff).is_ok());
    assert_eq!(shop.stock(product), 5);
}
