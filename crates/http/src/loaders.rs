//! The loaders of the shop: which reads are batched or shared, and the size of their batches.

use crate::config::ConcurrencyLimits;
use crate::exec::batch_loader::BatchLoader;
use crate::exec::pools::Pools;
use crate::exec::single_flight::SingleFlight;
use crate::exec::worker_pool::JobKind;
use std::sync::Arc;
use tradepost_domain::Services;
use tradepost_domain::cart::Cart;
use tradepost_domain::catalog::{Product, ProductList};
use tradepost_domain::identity::Account;
use tradepost_domain::kernel::{Actor, Page, PageRequest, ProductId, UserId};
use tradepost_metrics::HistogramSnapshot;

/// Maximum number of accounts that one query reads: their rows are small.
const MAX_ACCOUNTS: usize = 256;

/// Maximum number of products that one query reads: a description has up to several kilobytes.
const MAX_PRODUCTS: usize = 64;

/// Maximum number of carts that one query reads: a cart can have a hundred items.
const MAX_CARTS: usize = 32;

pub(crate) struct Loaders {
    /// The accounts of token holders.
    pub(crate) accounts: BatchLoader<UserId, Account>,
    pub(crate) products: BatchLoader<ProductId, Product>,
    pub(crate) carts: BatchLoader<UserId, Cart>,
    /// Pages of the catalogue: requests for the same page share one read.
    pub(crate) pages: SingleFlight<CatalogPageKey, Arc<Page<Product>>>,
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

impl Loaders {
    /// At most as many requests per loader may wait as `limits` says; one more is rejected.
    pub(crate) fn new(services: &Services, pools: &Pools, limits: ConcurrencyLimits) -> Self {
        let (queries, lists) = (pools.of(JobKind::Query), pools.of(JobKind::List));
        let max_waiting = limits.work.waiting;
        let accounts = services.accounts.clone();
        let (products, pages) = (services.catalogue.clone(), services.catalogue.clone());
        let carts = services.carts.clone();
        Self {
            accounts: BatchLoader::new(queries, MAX_ACCOUNTS, max_waiting, move |ids| {
                let found = accounts.find_all(ids)?.into_iter();
                Ok(found.map(|account| (account.id, account)).collect())
            }),
            products: BatchLoader::new(queries, MAX_PRODUCTS, max_waiting, move |ids| {
                let found = products.find_all(ids)?.into_iter();
                Ok(found.map(|product| (product.id, product)).collect())
            }),
            carts: BatchLoader::new(queries, MAX_CARTS, max_waiting, move |ids| carts.all(ids)),
            pages: SingleFlight::new(lists, limits.lists.waiting, move |key: &CatalogPageKey| {
                let list = key.list.clone();
                Ok(Arc::new(pages.list(key.actor, list, key.page)?))
            }),
        }
    }

    /// Name, waiting requests and batch sizes of each loader.
    pub(crate) fn loads(&self) -> [(&'static str, usize, HistogramSnapshot); 4] {
        [
            ("accounts", self.accounts.waiting(), self.accounts.sizes()),
            ("products", self.products.waiting(), self.products.sizes()),
            ("carts", self.carts.waiting(), self.carts.sizes()),
            ("pages", self.pages.waiting(), self.pages.sizes()),
        ]
    }
}
