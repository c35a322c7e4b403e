//! The loaders: batched and shared reads, with their batch sizes.

use crate::exec::batch_loader::Together;
use crate::{ConcurrencyLimits, Services};
use std::collections::HashMap;
use std::sync::Arc;
use tradepost_batch::HistogramSnapshot;
use tradepost_domain::cart::Cart;
use tradepost_domain::catalog::Product;
use tradepost_domain::identity::Account;
use tradepost_domain::kernel::{
    Actor, Page, PageRequest, ProductId, ProductList, ShopError, UserId,
};

pub(crate) struct Reads {
    /// The accounts of token holders.
    pub(crate) accounts: Together<(), UserId, Account>,
    pub(crate) products: Together<(), ProductId, Product>,
    pub(crate) carts: Together<(), UserId, Cart>,
    /// Pages of the catalogue: requests for the same page share one read.
    pub(crate) pages: Together<CatalogPageKey, (), Arc<Page<Product>>>,
}

/// Cache key of a catalogue page: the list, the page, and the rights of the viewer.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct CatalogPageKey {
    actor: Actor,
    list: ProductList,
    page: PageRequest,
}

impl CatalogPageKey {
    /// Callers other than staff share the view of anonymous ones.
    pub(crate) fn of(actor: Actor, list: ProductList, page: PageRequest) -> Self {
        let actor = if actor.is_staff() {
            actor
        } else {
            Actor::Anonymous
        };
        Self { actor, list, page }
    }
}

impl Reads {
    /// Name, waiting requests and batch sizes of each loader.
    pub(crate) fn loads(&self) -> [(&'static str, usize, HistogramSnapshot); 4] {
        [
            ("accounts", self.accounts.waiting(), self.accounts.sizes()),
            ("products", self.products.waiting(), self.products.sizes()),
            ("carts", self.carts.waiting(), self.carts.sizes()),
            ("pages", self.pages.waiting(), self.pages.sizes()),
        ]
    }

    /// At most as many requests per loader may wait as `limits` says; one more is rejected.
    pub(crate) fn new(limits: ConcurrencyLimits) -> Self {
        let most_waiting = limits.work.waiting;
        Self {
            accounts: Together::new(accounts, 256, most_waiting),
            products: Together::new(products, 64, most_waiting),
            // A cart can have a hundred lines.
            carts: Together::new(carts, 32, most_waiting),
            pages: Together::new(page, usize::MAX, limits.lists.waiting).of_lists(),
        }
    }
}

fn accounts(
    shop: &Services,
    (): &(),
    ids: &[UserId],
) -> Result<HashMap<UserId, Account>, ShopError> {
    let found = shop.accounts.find_all(ids)?.into_iter();
    Ok(found.map(|account| (account.id, account)).collect())
}

fn products(
    shop: &Services,
    (): &(),
    ids: &[ProductId],
) -> Result<HashMap<ProductId, Product>, ShopError> {
    let found = shop.catalogue.find_all(ids)?.into_iter();
    Ok(found.map(|product| (product.id, product)).collect())
}

fn carts(shop: &Services, (): &(), users: &[UserId]) -> Result<HashMap<UserId, Cart>, ShopError> {
    shop.carts.all(users)
}

fn page(
    shop: &Services,
    shelf: &CatalogPageKey,
    _: &[()],
) -> Result<HashMap<(), Arc<Page<Product>>>, ShopError> {
    let list = shelf.list.clone();
    let page = shop.catalogue.list(shelf.actor, list, shelf.page)?;
    Ok(HashMap::from([((), Arc::new(page))]))
}
