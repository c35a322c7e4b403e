//! The loaders of the shop: which reads are batched or shared, and the size of their batches.
//!
//! The result of a read is rendered on the thread that reads: a product, a page of the catalogue or a
//! cart becomes bytes once, for all requests that the read answers. Visibility is decided later, for
//! each request.

use crate::backend::Backend;
use crate::config::ConcurrencyLimits;
use crate::error::ApiError;
use crate::exec::batch_loader::BatchLoader;
use crate::exec::pools::Pools;
use crate::exec::single_flight::SingleFlight;
use crate::exec::worker_pool::JobKind;
use crate::respond::pages::RenderedRows;
use crate::respond::rendered::Rendered;
use std::borrow::Borrow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;
use tradepost_domain::cart::Cart;
use tradepost_domain::catalog::{Catalogue, Product, ProductList};
use tradepost_domain::identity::Account;
use tradepost_domain::kernel::{
    Actor, Currency, Error, Money, Page, PageRequest, ProductId, Refusal, UserId,
};
use tradepost_metrics::HistogramSnapshot;

/// Maximum number of accounts that one query reads: their rows are small.
const MAX_ACCOUNTS: usize = 256;

/// Maximum number of products that one query reads: a description has up to several kilobytes.
const MAX_PRODUCTS: usize = 64;

/// Maximum number of carts that one query reads: a cart can have a hundred items.
const MAX_CARTS: usize = 32;

/// Maximum number of requests for pages that one job answers: each may be for another page.
const MAX_PAGES: usize = 64;

pub(crate) struct Loaders {
    /// The accounts of token holders.
    pub(crate) accounts: BatchLoader<UserId, Account>,
    pub(crate) products: BatchLoader<ProductId, Shared<RenderedProduct>>,
    pub(crate) carts: BatchLoader<UserId, Shared<RenderedCart>>,
    /// Pages of the catalogue that cost about as much as their rows.
    pages: BatchLoader<CatalogPageKey, Shared<RenderedPage>>,
    /// The other pages of the catalogue: requests for the same page share one read.
    searches: SingleFlight<CatalogPageKey, Shared<RenderedPage>>,
    /// The last position of the event log, for the requests that wait for an event.
    pub(crate) last_event: SingleFlight<(), i64>,
}

/// A rendered value, shared by all requests that its read answers.
type Shared<T> = Result<Arc<T>, ApiError>;

/// A product with its response.
pub(crate) struct RenderedProduct {
    pub(crate) product: Product,
    pub(crate) response: Rendered,
}

/// Visibility is decided on the product.
impl Borrow<Product> for &RenderedProduct {
    fn borrow(&self) -> &Product {
        &self.product
    }
}

/// A page of the catalogue, with the number of products in the list.
pub(crate) type RenderedPage = RenderedRows<u64>;

/// The items of a cart.
pub(crate) type RenderedCart = RenderedRows<CartTotals>;

/// The totals of a cart.
pub(crate) struct CartTotals {
    pub(crate) price: Money,
    pub(crate) units: i64,
}

/// The renderers of the resources.
#[derive(Clone, Copy)]
pub(crate) struct Renderers {
    pub(crate) product: fn(Product) -> Result<RenderedProduct, ApiError>,
    pub(crate) page: fn(&Page<Product>) -> Result<RenderedPage, ApiError>,
    pub(crate) cart: fn(&Cart, Currency) -> Result<RenderedCart, ApiError>,
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
    pub(crate) fn new(
        backend: &Backend,
        pools: &Pools,
        limits: ConcurrencyLimits,
        render: Renderers,
    ) -> Self {
        let (services, currency) = (&backend.services, backend.currency);
        let queries = pools.of(JobKind::Query);
        let max_waiting = limits.work.waiting;
        let accounts = services.accounts.clone();
        let (products, carts) = (services.catalogue.clone(), services.carts.clone());
        let events = services.events.clone();
        let (pages, searches) = (services.catalogue.clone(), services.catalogue.clone());
        let (lists, most_lists) = (JobKind::List, limits.lists.waiting);
        Self {
            last_event: SingleFlight::new(queries, max_waiting, move |()| {
                Ok(events.last_position()?)
            }),
            accounts: BatchLoader::new(
                queries,
                JobKind::Query,
                MAX_ACCOUNTS,
                max_waiting,
                move |ids| {
                    let found = accounts.find_all(ids)?.into_iter();
                    Ok(found.map(|account| (account.id, account)).collect())
                },
            ),
            products: BatchLoader::new(
                queries,
                JobKind::Query,
                MAX_PRODUCTS,
                max_waiting,
                move |ids| {
                    let found = products.find_all(ids)?.into_iter();
                    let rendered = found.map(|product| {
                        let id = product.id;
                        (id, (render.product)(product).map(Arc::new))
                    });
                    Ok(rendered.collect())
                },
            ),
            carts: BatchLoader::new(
                queries,
                JobKind::Query,
                MAX_CARTS,
                max_waiting,
                move |ids| {
                    let found = carts.all(ids)?.into_iter();
                    let rendered = found
                        .map(|(user, cart)| (user, (render.cart)(&cart, currency).map(Arc::new)));
                    Ok(rendered.collect())
                },
            ),
            pages: BatchLoader::new(pools.of(lists), lists, MAX_PAGES, most_lists, move |keys| {
                read_pages(&pages, keys, render)
            }),
            searches: SingleFlight::new(
                pools.of(JobKind::Search),
                most_lists,
                move |key: &CatalogPageKey| {
                    let CatalogPageKey { actor, list, page } = key.clone();
                    let page = searches.list(actor, list, page)?;
                    Ok((render.page)(&page).map(Arc::new))
                },
            ),
        }
    }

    /// A page of the catalogue, read in the pool of this kind of list.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] for a page that does not exist; those of the loaders.
    pub(crate) async fn page(
        &self,
        kind: JobKind,
        key: CatalogPageKey,
        deadline: Instant,
    ) -> Shared<RenderedPage> {
        match kind {
            JobKind::Search => self.searches.load(key, deadline).await?,
            _ => {
                let found = self.pages.load(key, deadline).await?;
                found.ok_or(Refusal::NotFound)?
            }
        }
    }

    /// Name, waiting requests and batch sizes of each loader.
    pub(crate) fn loads(&self) -> [(&'static str, usize, HistogramSnapshot); 5] {
        [
            ("accounts", self.accounts.waiting(), self.accounts.sizes()),
            ("products", self.products.waiting(), self.products.sizes()),
            ("carts", self.carts.waiting(), self.carts.sizes()),
            ("pages", self.pages.waiting(), self.pages.sizes()),
            ("searches", self.searches.waiting(), self.searches.sizes()),
        ]
    }
}

/// Reads pages of several lists. Those that do not exist are left out.
fn read_pages(
    catalogue: &Catalogue,
    keys: &[CatalogPageKey],
    render: Renderers,
) -> Result<HashMap<CatalogPageKey, Shared<RenderedPage>>, Error> {
    let mut lists: HashMap<_, Vec<PageRequest>> = HashMap::new();
    for key in keys {
        let list = (key.actor, &key.list);
        lists.entry(list).or_default().push(key.page);
    }
    let mut found = HashMap::with_capacity(keys.len());
    for ((actor, list), pages) in lists {
        for (page, read) in catalogue.pages(actor, list.clone(), &pages)? {
            let list = list.clone();
            let rendered = (render.page)(&read).map(Arc::new);
            found.insert(CatalogPageKey { actor, list, page }, rendered);
        }
    }
    Ok(found)
}

#[cfg(test)]
#[path = "loaders_tests.rs"]
mod tests;
