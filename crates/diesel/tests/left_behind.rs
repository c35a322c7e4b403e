//! Growth of the database by one customer within an hour, in bytes of the database file.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot set up its shop has failed; its figures are printed"
)]

use chrono::Duration;
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use tradepost_contract::{PortResult, TestShop, at, draft, place, units, usd};
use tradepost_diesel::{DatabaseUrl, Migrator, Missing, OpenOptions, ShopCurrency, open};
use tradepost_domain::Stores;
use tradepost_domain::cart::{CartAction, CartItemDetail, ChangeCart, MAX_CART_ITEMS};
use tradepost_domain::catalog::ProductDraft;
use tradepost_domain::kernel::{
    Actor, Description, IdempotencyKey, IdempotencyRefusal, IdempotencyScope, Idempotent,
    MAX_STORED_RESPONSE_BYTES, ProductId, Refusal, ResponseEncoder, UserId,
};
use tradepost_domain::orders::{OrderAction, OrderQuota, OrderRefusal, OrderStatus, PlaceOrder};

const MEGABYTE: u64 = 1 << 20;

fn shop(folder: &TempDir) -> Stores {
    let url = DatabaseUrl::sqlite(&folder.path().join("shop.db"));
    Migrator::connect(&url, Missing::Create)
        .unwrap()
        .run(|_| ())
        .unwrap();
    let options = OpenOptions {
        currency: ShopCurrency::Is(usd()),
        readers: 1,
        wait: Duration::seconds(5).to_std().unwrap(),
    };
    open(&url, &options).unwrap()
}

/// Size of the shop's files in bytes after closing, when the log is merged into the database.
fn bytes(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).unwrap();
    files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum()
}

/// Growth of the database by a customer's work, in bytes.
fn growth(fill: impl FnOnce(&TestShop<'_>), work: impl FnOnce(&TestShop<'_>)) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let stores = shop(&folder);
    fill(&TestShop::new(&stores));
    drop(stores);
    let before = bytes(folder.path());
    let stores = shop(&folder);
    work(&TestShop::new(&stores));
    drop(stores);
    bytes(folder.path()) - before
}

/// Orders of full carts, cancelled at once. Places a tenth of the quota; ten times as much is
/// possible within an hour.
#[test]
fn orders_that_are_cancelled_leave_a_bounded_number_of_bytes_an_hour() {
    const PART: u32 = 10;
    let quota = OrderQuota::default();
    let quota = OrderQuota {
        hourly: quota.hourly / PART,
        ..quota
    };
    let fill = |shop: &TestShop<'_>| {
        shop.customer("ada");
        for number in 0..MAX_CART_ITEMS {
            let name = format!("A product with a name of ordinary length, {number}");
            shop.create(draft(&name, 100, 1_000_000)).unwrap();
        }
    };
    let ada = UserId::new(1).unwrap();
    let work = |shop: &TestShop<'_>| {
        for second in 0.. {
            for product in (1..=MAX_CART_ITEMS).filter_map(|id| i64::try_from(id).ok()) {
                shop.add(ada, ProductId::new(product).unwrap(), 1).unwrap();
            }
            let request = PlaceOrder {
                quota: Some(quota),
                at: at(second),
                ..place(ada)
            };
            let order = match shop.place_all(&[request]).remove(0) {
                Ok(order) => order,
                Err(refusal) => {
                    assert!(matches!(
                        refusal,
                        Refusal::Orders(OrderRefusal::TooMany { .. })
                    ));
                    assert_eq!(second, i64::from(quota.hourly));
                    return;
                }
            };
            let cancel = OrderAction::SetStatus(OrderStatus::Cancelled);
            shop.change_order(order.id, cancel, Actor::Customer(ada))
                .unwrap();
        }
    };
    let an_hour = growth(fill, work) * u64::from(PART);
    println!("orders of 100 lines that are cancelled: {an_hour} bytes an hour");
    assert!(an_hour < 16 * MEGABYTE, "{an_hour}");
}

/// Additions with new keys, of products with the longest descriptions, until the quota of stored
/// responses is used up. It is freed when they are purged, two days later.
#[test]
fn keyed_additions_leave_a_bounded_number_of_bytes() {
    let fill = |shop: &TestShop<'_>| {
        shop.customer("ada");
        let description = "d".repeat(Description::MAX);
        let draft = ProductDraft {
            description: Description::new(&description).unwrap(),
            ..draft("A mug", 100, 1_000_000)
        };
        shop.create(draft).unwrap();
    };
    let (ada, product) = (UserId::new(1).unwrap(), ProductId::new(1).unwrap());
    let add = |shop: &TestShop<'_>, number: u32| {
        let key = Idempotent {
            scope: IdempotencyScope {
                path: "/api/cart/".to_owned(),
                key: IdempotencyKey::new(&format!("{number:0>255}")).unwrap(),
            },
            fingerprint: "f".repeat(64),
            render: ResponseEncoder(|item: &CartItemDetail| format!("{item:?}")),
        };
        let quantity = units(1);
        let command = ChangeCart {
            user: ada,
            action: CartAction::Add { product, quantity },
            seen: None,
            key: Some(key),
            at: at(0),
        };
        shop.stores
            .carts
            .change(command)
            .answer()
            .unwrap()
            .map(drop)
    };
    let work = |shop: &TestShop<'_>| {
        let refused = (0..10_000).find_map(|number| add(shop, number).err());
        assert_eq!(
            refused,
            Some(Refusal::Idempotency(IdempotencyRefusal::TooManyKeys))
        );
    };
    let all = growth(fill, work);
    println!("answers that are kept: {all} bytes");
    // SQLite pages are not full to the last byte.
    assert!(all < MAX_STORED_RESPONSE_BYTES * 3 / 2, "{all}");
}
