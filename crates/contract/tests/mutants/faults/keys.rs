//! Faults of idempotency keys.

use crate::store::{Behaviour, HONEST};
use crate::table::Row;

use super::a_moment;
use chrono::{DateTime, TimeDelta, Utc};
use tradepost_contract::{at, draft, first_page};
use tradepost_domain::cart::{CartItemDetail, ChangeCart};
use tradepost_domain::catalog::{CreateProduct, Product, ProductRepository};
use tradepost_domain::identity::{AccountRepository, UpdateUser, UserChange};
use tradepost_domain::inventory::InventoryRepository;
use tradepost_domain::inventory::{AdjustStock, Adjusted};
use tradepost_domain::kernel::{
    Error, Execution, IdempotencyScope, Idempotent, ResponseEncoder, StoreError, StoreErrorKind,
    UserId,
};
use tradepost_domain::maintenance::{ClockReading, Retention};
use tradepost_domain::orders::{
    Order, OrderFilter, OrderList, OrderRepository, PlaceOrder, Placement,
};
use tradepost_memory::MemoryStore as Store;

pub(crate) fn forgets_those_of_products(
    store: &Store,
    command: CreateProduct,
) -> Result<Execution<Product>, Error> {
    store.create(CreateProduct {
        key: None,
        ..command
    })
}

pub(crate) fn forgets_those_of_deliveries(
    store: &Store,
    command: AdjustStock,
) -> Result<Execution<Adjusted>, Error> {
    store.adjust_stock(AdjustStock {
        key: None,
        ..command
    })
}

pub(crate) fn forgets_those_of_carts(
    store: &Store,
    command: ChangeCart,
) -> Result<Execution<Option<CartItemDetail>>, Error> {
    tradepost_domain::cart::CartRepository::change(
        store,
        ChangeCart {
            key: None,
            ..command
        },
    )
}

/// Places a batch with replaced keys.
fn with_keys(
    store: &Store,
    requests: &[PlaceOrder],
    other: impl Fn(Idempotent<Order>) -> Option<Idempotent<Order>>,
) -> Result<Vec<Placement>, StoreError> {
    let change = |request: &PlaceOrder| PlaceOrder {
        key: request.key.clone().and_then(&other),
        ..request.clone()
    };
    let requests: Vec<_> = requests.iter().map(change).collect();
    store.place(&requests)
}

pub(crate) fn forgets_those_of_orders(
    store: &Store,
    requests: &[PlaceOrder],
) -> Result<Vec<Placement>, StoreError> {
    with_keys(store, requests, |_| None)
}

pub(crate) fn knows_one_command_for_each(
    store: &Store,
    requests: &[PlaceOrder],
) -> Result<Vec<Placement>, StoreError> {
    with_keys(store, requests, |key| {
        Some(Idempotent {
            fingerprint: String::new(),
            ..key
        })
    })
}

pub(crate) fn has_one_set_for_all_paths(
    store: &Store,
    requests: &[PlaceOrder],
) -> Result<Vec<Placement>, StoreError> {
    with_keys(store, requests, |key| {
        Some(Idempotent {
            scope: IdempotencyScope {
                path: String::new(),
                ..key.scope
            },
            ..key
        })
    })
}

/// Stores a response under a key, as if a product had been created with it.
fn remember(
    store: &Store,
    user: UserId,
    key: &Idempotent<Order>,
    answer: ResponseEncoder<Product>,
) {
    let command = CreateProduct {
        draft: draft("The shadow of a key", 100, 0),
        key: Some(Idempotent {
            scope: key.scope.clone(),
            fingerprint: key.fingerprint.clone(),
            render: answer,
        }),
        by: Some(user),
        at: at(0),
    };
    // Only staff create products.
    let Some(account) = AccountRepository::find(store, user).unwrap() else {
        return;
    };
    let switch = |is_staff| {
        let command = UpdateUser {
            by: None,
            user,
            change: UserChange {
                is_active: None,
                is_staff: Some(is_staff),
            },
            at: tradepost_contract::at(0),
        };
        drop(store.switch(command).unwrap());
    };
    switch(true);
    // A concurrent request may have stored it first.
    drop(store.create(command).unwrap());
    switch(account.is_staff);
}

pub(crate) fn shares_those_of_users(
    store: &Store,
    requests: &[PlaceOrder],
) -> Result<Vec<Placement>, StoreError> {
    let placements = store.place(requests)?;
    for (request, placement) in requests.iter().zip(&placements) {
        if let (Some(key), Ok(_)) = (&request.key, placement) {
            for user in (1..=3).filter_map(UserId::new) {
                remember(
                    store,
                    user,
                    key,
                    ResponseEncoder(|_| "somebody else's".to_owned()),
                );
            }
        }
    }
    Ok(placements)
}

pub(crate) fn remembers_refusals(
    store: &Store,
    requests: &[PlaceOrder],
) -> Result<Vec<Placement>, StoreError> {
    let placements = store.place(requests)?;
    for (request, placement) in requests.iter().zip(&placements) {
        if let (Some(key), Err(_)) = (&request.key, placement) {
            remember(
                store,
                request.user,
                key,
                ResponseEncoder(|_| "refused".to_owned()),
            );
        }
    }
    Ok(placements)
}

/// Handles each request of a batch without regard to the earlier ones.
pub(crate) fn overlooks_duplicates_in_a_batch(
    store: &Store,
    requests: &[PlaceOrder],
) -> Result<Vec<Placement>, StoreError> {
    let mut seen = Vec::new();
    let change = |request: &PlaceOrder| {
        let name = request
            .key
            .as_ref()
            .map(|key| (request.user, key.scope.clone()));
        let twice = name.is_some() && seen.contains(&name);
        seen.push(name);
        let key = request.key.clone().filter(|_| !twice);
        PlaceOrder {
            key,
            ..request.clone()
        }
    };
    let requests: Vec<_> = requests.iter().map(change).collect();
    store.place(&requests)
}

/// Returns the current state instead of the stored response.
pub(crate) fn answers_as_it_is_now(
    store: &Store,
    requests: &[PlaceOrder],
) -> Result<Vec<Placement>, StoreError> {
    let mut placements = store.place(requests)?;
    for (request, placement) in requests.iter().zip(&mut placements) {
        if let (Some(key), Ok(Execution::Replayed(answer))) = (&request.key, placement) {
            let filter = OrderFilter {
                user: Some(request.user),
                ..OrderFilter::default()
            };
            let orders = OrderRepository::list(store, &OrderList::new(filter), first_page())?.items;
            let order = orders.last().map(key.render.0);
            *answer = order.unwrap_or_default();
        }
    }
    Ok(placements)
}

/// Looks up the key and executes the command in two steps.
pub(crate) fn looks_before_it_leaps(
    store: &Store,
    command: AdjustStock,
) -> Result<Execution<Adjusted>, Error> {
    let filter =
        |scope: &IdempotencyScope| tradepost_domain::kernel::Note::new(scope.key.as_str()).ok();
    let note = command.key.as_ref().and_then(|key| filter(&key.scope));
    let movements = store.movements(command.product, first_page())?.unwrap();
    let known = movements.items.iter();
    let mut known = known.filter(|movement| note.is_some() && movement.entry.note == note);
    if known.next().is_some() {
        return store.adjust_stock(command);
    }
    a_moment();
    let unkeyed = AdjustStock {
        key: None,
        note,
        ..command
    };
    store.adjust_stock(unkeyed)
}

/// Treats all keys as one.
pub(crate) fn has_one_for_all_deliveries(
    store: &Store,
    command: AdjustStock,
) -> Result<Execution<Adjusted>, Error> {
    let key = command.key.map(|key| Idempotent {
        scope: IdempotencyScope {
            key: tradepost_domain::kernel::IdempotencyKey::new("the-one").unwrap(),
            ..key.scope
        },
        ..key
    });
    store.adjust_stock(AdjustStock { key, ..command })
}

pub(crate) fn forgets_too_many(store: &Store, before: DateTime<Utc>) -> Result<u64, StoreError> {
    store.purge_idempotency_keys(before + TimeDelta::microseconds(1))
}

pub(crate) fn keeps_one_reading(
    store: &Store,
    reading: ClockReading,
    _: TimeDelta,
) -> Result<(), StoreError> {
    store.record_clock(reading, reading.uptime)
}

pub(crate) fn keeps_every_reading(
    store: &Store,
    reading: ClockReading,
    _: TimeDelta,
) -> Result<(), StoreError> {
    store.record_clock(reading, TimeDelta::zero())
}

pub(crate) fn forgets_none(_: &Store, _: DateTime<Utc>) -> Result<u64, StoreError> {
    Ok(0)
}

pub(crate) fn is_of_another_version(_: &Store) -> Result<(), StoreError> {
    Err(StoreError::new(StoreErrorKind::SchemaMismatch))
}

pub(crate) const ROWS: &[Row] = &[
    (
        "forgets the keys of orders",
        Behaviour {
            place: forgets_those_of_orders,
            ..HONEST
        },
        &[
            "one_key_is_one_order",
            "another_command_under_a_key_is_refused",
            "a_key_is_of_one_user_and_one_path",
            "a_refused_attempt_may_be_retried",
            "a_key_twice_in_a_batch_is_one_order",
            "orders_under_one_key_are_one",
            "old_keys_are_purged",
        ],
    ),
    (
        "answers with the order as it is by now",
        Behaviour {
            place: answers_as_it_is_now,
            ..HONEST
        },
        &["one_key_is_one_order"],
    ),
    (
        "takes every command under a key for the same",
        Behaviour {
            place: knows_one_command_for_each,
            ..HONEST
        },
        &[
            "another_command_under_a_key_is_refused",
            "a_key_twice_in_a_batch_is_one_order",
        ],
    ),
    (
        "has one set of keys for all paths",
        Behaviour {
            place: has_one_set_for_all_paths,
            ..HONEST
        },
        &["a_key_is_of_one_user_and_one_path"],
    ),
    (
        "has one set of keys for all users",
        Behaviour {
            place: shares_those_of_users,
            ..HONEST
        },
        &["a_key_is_of_one_user_and_one_path"],
    ),
    (
        "remembers refusals under a key",
        Behaviour {
            place: remembers_refusals,
            ..HONEST
        },
        &["a_refused_attempt_may_be_retried"],
    ),
    (
        "overlooks a key that comes twice in a batch",
        Behaviour {
            place: overlooks_duplicates_in_a_batch,
            ..HONEST
        },
        &["a_key_twice_in_a_batch_is_one_order"],
    ),
    (
        "forgets the keys of products",
        Behaviour {
            create: forgets_those_of_products,
            ..HONEST
        },
        &["one_key_is_one_product", "products_under_one_key_are_one"],
    ),
    (
        "forgets the keys of deliveries",
        Behaviour {
            adjust: forgets_those_of_deliveries,
            ..HONEST
        },
        &[
            "one_key_is_one_delivery",
            "deliveries_under_one_key_are_one",
        ],
    ),
    (
        "looks for a key before it takes a lock",
        Behaviour {
            adjust: looks_before_it_leaps,
            ..HONEST
        },
        &["deliveries_under_one_key_are_one"],
    ),
    (
        "takes every key of a delivery for the same",
        Behaviour {
            adjust: has_one_for_all_deliveries,
            ..HONEST
        },
        &["deliveries_under_many_keys_all_count"],
    ),
    (
        "forgets the keys of carts",
        Behaviour {
            change_cart: forgets_those_of_carts,
            ..HONEST
        },
        &[
            "one_key_is_one_addition",
            "additions_under_one_key_are_one",
            "stored_responses_are_bounded_in_bytes",
        ],
    ),
    (
        "forgets keys that are not old",
        Behaviour {
            purge_idempotency_keys: forgets_too_many,
            ..HONEST
        },
        &["old_keys_are_purged"],
    ),
    (
        "keeps the latest reading of a clock alone",
        Behaviour {
            record_clock: keeps_one_reading,
            ..HONEST
        },
        &["clock_readings_are_kept"],
    ),
    (
        "keeps every reading of a clock",
        Behaviour {
            record_clock: keeps_every_reading,
            ..HONEST
        },
        &["clock_readings_are_kept"],
    ),
    (
        "forgets no keys",
        Behaviour {
            purge_idempotency_keys: forgets_none,
            ..HONEST
        },
        &["old_keys_are_purged"],
    ),
    (
        "has the schema of another version",
        Behaviour {
            check: is_of_another_version,
            ..HONEST
        },
        &["a_healthy_store_passes_its_health_check"],
    ),
];
