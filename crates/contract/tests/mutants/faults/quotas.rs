//! Faults of the order quota.

use crate::store::{Behaviour, HONEST};
use crate::table::Row;
use tradepost_domain::kernel::StoreError;
use tradepost_domain::orders::{OrderList, OrderQuota, OrderRepository, PlaceOrder, Placement};
use tradepost_memory::MemoryStore as Store;

/// Ignores the quotas.
fn ignores_quotas(store: &Store, requests: &[PlaceOrder]) -> Result<Vec<Placement>, StoreError> {
    let unlimited = |request: &PlaceOrder| PlaceOrder {
        quota: None,
        ..request.clone()
    };
    let requests: Vec<_> = requests.iter().map(unlimited).collect();
    store.place(&requests)
}

/// Counts the orders of all customers against each quota.
fn shares_quotas(store: &Store, requests: &[PlaceOrder]) -> Result<Vec<Placement>, StoreError> {
    let list = OrderList::default();
    let orders = OrderRepository::list(store, &list, tradepost_contract::first_page())?;
    let of_all = u32::try_from(orders.count).unwrap();
    let stricter = |request: &PlaceOrder| PlaceOrder {
        quota: request.quota.map(|quota| OrderQuota {
            open: quota.open.saturating_sub(of_all),
            ..quota
        }),
        ..request.clone()
    };
    let requests: Vec<_> = requests.iter().map(stricter).collect();
    store.place(&requests)
}

/// Counts orders dated in the far future.
fn counts_the_future(store: &Store, requests: &[PlaceOrder]) -> Result<Vec<Placement>, StoreError> {
    let list = OrderList::default();
    let orders = OrderRepository::list(store, &list, tradepost_contract::first_page())?.items;
    let stricter = |request: &PlaceOrder| {
        let counts = orders
            .iter()
            .filter(|order| order.created_at > request.quota_until());
        let future = u32::try_from(counts.count()).unwrap();
        PlaceOrder {
            quota: request.quota.map(|quota| OrderQuota {
                hourly: quota.hourly.saturating_sub(future),
                ..quota
            }),
            ..request.clone()
        }
    };
    let requests: Vec<_> = requests.iter().map(stricter).collect();
    store.place(&requests)
}

pub(crate) const ROWS: &[Row] = &[
    (
        "has no quotas",
        Behaviour {
            place: ignores_quotas,
            ..HONEST
        },
        &[
            "open_orders_are_bounded",
            "orders_within_an_hour_are_bounded",
        ],
    ),
    (
        "has one quota for all customers",
        Behaviour {
            place: shares_quotas,
            ..HONEST
        },
        &["a_quota_is_each_customers_own"],
    ),
    (
        "counts orders from the far future",
        Behaviour {
            place: counts_the_future,
            ..HONEST
        },
        &["orders_from_the_future_use_no_quota"],
    ),
];
