use super::a_moment;
use super::products::stored;
use crate::store::{Behaviour, HONEST};
use crate::table::Row;
use tradepost_contract::{at, first_page, place};
use tradepost_domain::cart::{CartAction, CartRefusal, CartRepository, ChangeCart};
use tradepost_domain::catalog::{CatalogRefusal, ChangeProduct, ProductChange, ProductRepository};
use tradepost_domain::inventory::{AdjustStock, InventoryRefusal, InventoryRepository, StockDelta};
use tradepost_domain::kernel::{Error, Execution, ProductId, Refusal, StoreError, UserId};
use tradepost_domain::orders::{
    ChangeOrder, Order, OrderFilter, OrderList, OrderRefusal, OrderRepository, OrderStatus,
    PlaceOrder, Placement,
};
use tradepost_memory::MemoryStore as Store;

fn adjust(store: &Store, product: ProductId, units: i64) {
    let command = AdjustStock {
        product,
        delta: StockDelta::new(units).unwrap(),
        note: None,
        key: None,
        by: None,
        at: at(0),
    };
    store.adjust_stock(command).unwrap();
}

fn act(store: &Store, user: UserId, action: CartAction) {
    let command = ChangeCart {
        seen: None,
        user,
        action,
        key: None,
        at: at(0),
    };
    CartRepository::change(store, command).unwrap();
}

/// Puts an order's lines into the cart again, restocking products that are short.
fn refill(store: &Store, order: &Order) {
    for line in &order.lines {
        let on_hand = stored(store, line.product).unwrap().unwrap().stock;
        let missing = line.quantity.units() - on_hand.units();
        if missing > 0 {
            adjust(store, line.product, missing);
        }
        let (product, quantity) = (line.product, line.quantity);
        act(store, order.user, CartAction::Add { product, quantity });
    }
}

/// Orders placed by this batch, without replays.
fn placed(placements: &[Placement]) -> impl Iterator<Item = &Order> {
    placements
        .iter()
        .flatten()
        .filter_map(|written| match written {
            Execution::Executed(order) => Some(order),
            Execution::Replayed(_) => None,
        })
}

/// Places the requests one by one, and retries each after a remedy for its refusal.
fn each(
    store: &Store,
    requests: &[PlaceOrder],
    remedy: impl Fn(&PlaceOrder, &Refusal) -> bool,
) -> Result<Vec<Placement>, StoreError> {
    let one = |request: &PlaceOrder| {
        let placement = store.place(std::slice::from_ref(request))?.remove(0);
        match placement {
            Err(refusal) if remedy(request, &refusal) => {
                Ok(store.place(&[place(request.user)])?.remove(0))
            }
            placement => Ok(placement),
        }
    };
    requests.iter().map(one).collect()
}

pub(crate) fn oversells(
    store: &Store,
    requests: &[PlaceOrder],
) -> Result<Vec<Placement>, StoreError> {
    each(store, requests, |_, refusal| {
        let Refusal::Inventory(InventoryRefusal::InsufficientStock(shortages)) = refusal else {
            return false;
        };
        for short in shortages {
            adjust(
                store,
                short.product,
                short.requested - short.available.units(),
            );
        }
        true
    })
}

pub(crate) fn doubles(
    store: &Store,
    requests: &[PlaceOrder],
) -> Result<Vec<Placement>, StoreError> {
    each(store, requests, |request, refusal| {
        let filter = OrderFilter {
            user: Some(request.user),
            ..OrderFilter::default()
        };
        let last = OrderRepository::list(store, &OrderList::new(filter), first_page())
            .unwrap()
            .items;
        if let (Refusal::Cart(CartRefusal::Empty), Some(last)) = (refusal, last.first()) {
            refill(store, last);
            return true;
        }
        false
    })
}

pub(crate) fn sells_archived(
    store: &Store,
    requests: &[PlaceOrder],
) -> Result<Vec<Placement>, StoreError> {
    a_moment();
    each(store, requests, |_, refusal| {
        let Refusal::Catalog(CatalogRefusal::ProductUnavailable(products)) = refusal else {
            return false;
        };
        for product in products {
            let change = ProductChange {
                archived: Some(false),
                ..ProductChange::default()
            };
            let command = ChangeProduct {
                seen: None,
                product: *product,
                change,
                by: None,
                at: at(0),
            };
            ProductRepository::change(store, command).unwrap();
        }
        true
    })
}

pub(crate) fn spoils_the_batch(
    store: &Store,
    requests: &[PlaceOrder],
) -> Result<Vec<Placement>, StoreError> {
    let mut placements = store.place(requests)?;
    let refusal = placements
        .iter()
        .find_map(|placement| placement.clone().err());
    if let Some(refusal) = refusal {
        placements.fill(Err(refusal));
    }
    Ok(placements)
}

pub(crate) fn answers_backwards(
    store: &Store,
    requests: &[PlaceOrder],
) -> Result<Vec<Placement>, StoreError> {
    let mut placements = store.place(requests)?;
    placements.reverse();
    Ok(placements)
}

pub(crate) fn keeps_the_cart(
    store: &Store,
    requests: &[PlaceOrder],
) -> Result<Vec<Placement>, StoreError> {
    let placements = store.place(requests)?;
    for order in placed(&placements) {
        refill(store, order);
    }
    Ok(placements)
}

pub(crate) fn clears_the_cart_late(
    store: &Store,
    requests: &[PlaceOrder],
) -> Result<Vec<Placement>, StoreError> {
    let placements = store.place(requests)?;
    a_moment();
    for order in placed(&placements) {
        act(store, order.user, CartAction::Empty);
    }
    Ok(placements)
}

/// Not a fault: pauses so that faults of other operations can show.
pub(crate) fn waits_a_moment(
    store: &Store,
    requests: &[PlaceOrder],
) -> Result<Vec<Placement>, StoreError> {
    a_moment();
    store.place(requests)
}

pub(crate) fn returns_twice(store: &Store, command: ChangeOrder) -> Result<Order, Error> {
    let order = OrderRepository::change(store, command)?;
    if order.status == OrderStatus::Cancelled {
        for line in &order.lines {
            adjust(store, line.product, line.quantity.units());
        }
    }
    Ok(order)
}

pub(crate) fn always_cancels(store: &Store, command: ChangeOrder) -> Result<Order, Error> {
    let changed = OrderRepository::change(store, command.clone());
    let order = OrderRepository::find(store, command.order)?;
    match (changed, order) {
        (
            Err(Error::Refused(Refusal::Orders(OrderRefusal::InvalidTransition { to, .. }))),
            Some(order),
        ) => Ok(Order {
            status: to,
            ..order
        }),
        (changed, _) => changed,
    }
}

pub(crate) fn overwrites(store: &Store, command: ChangeOrder) -> Result<Order, Error> {
    OrderRepository::change(
        store,
        ChangeOrder {
            seen: None,
            ..command
        },
    )
}

pub(crate) const ROWS: &[Row] = &[
    (
        "sells what is not there",
        Behaviour {
            place: oversells,
            ..HONEST
        },
        &[
            "the_last_unit",
            "a_flash_sale_sells_exactly_the_stock",
            "carts_in_opposite_order",
            "cancel_races_orders",
            "every_shortage_is_listed",
        ],
    ),
    (
        "orders a cart twice",
        Behaviour {
            place: doubles,
            ..HONEST
        },
        &[
            "double_submit_is_one_order",
            "two_clicks_in_a_batch_are_one_order",
            "an_empty_cart_is_refused",
        ],
    ),
    (
        "lets one refusal spoil the batch",
        Behaviour {
            place: spoils_the_batch,
            ..HONEST
        },
        &["a_refused_request_does_not_affect_its_neighbours"],
    ),
    (
        "answers in another order",
        Behaviour {
            place: answers_backwards,
            ..HONEST
        },
        &[
            "a_refused_request_does_not_affect_its_neighbours",
            "a_large_batch",
        ],
    ),
    (
        "keeps the cart that was ordered",
        Behaviour {
            place: keeps_the_cart,
            ..HONEST
        },
        &["an_order_is_the_whole_cart"],
    ),
    (
        "clears what was added while it ordered",
        Behaviour {
            place: clears_the_cart_late,
            ..HONEST
        },
        &["a_cart_that_changes_while_it_is_ordered"],
    ),
    (
        "gives stock back twice",
        Behaviour {
            change_order: returns_twice,
            ..HONEST
        },
        &[
            "cancel_races_cancel",
            "delete_races_cancel",
            "cancelling_twice_returns_stock_once",
            "cancelling_returns_the_stock",
        ],
    ),
    (
        "acknowledges a cancellation that came too late",
        Behaviour {
            change_order: always_cancels,
            ..HONEST
        },
        &["cancel_races_shipping", "a_refused_change_changes_nothing"],
    ),
    (
        "sells what is archived",
        Behaviour {
            place: sells_archived,
            ..HONEST
        },
        &["archiving_races_orders", "an_archived_product_is_not_sold"],
    ),
    (
        "changes an order that was edited since",
        Behaviour {
            change_order: overwrites,
            ..HONEST
        },
        &["an_order_edit_checks_its_precondition"],
    ),
];
