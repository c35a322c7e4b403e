use crate::catalog::{
    ChangeProduct, CreateProduct, Product, ProductChange, ProductDraft, ProductField,
    ProductFilter, ProductList, ProductRepository,
};
use crate::inventory::{StockWrites, decide_stock_write};
use crate::kernel::System;
use crate::kernel::{
    Actor, Clock, CursorPage, CursorRequest, Error, Execution, Idempotent, Keyset, Page,
    PageRequest, Precondition, ProductId, Refusal, Refusals, StoreError, StoreErrorKind, executed,
    settle, settle_one, settle_together,
};
use crate::{Service, ServicesConfig, Stores};
use std::borrow::Borrow;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// An edit of a product by staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductEdit {
    /// The product.
    pub product: ProductId,
    /// The changes.
    pub change: ProductChange,
    /// Precondition on the product, if any.
    pub seen: Option<Precondition<Product>>,
}

/// Catalogue service: products and their stock.
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// # use tradepost_memory::MemoryStore;
/// # let shop = Services::new(MemoryStore::new(usd()), system(), ServicesConfig::default());
/// # let grace = shop.accounts.create_staff(NewUser::new("grace", "staple of horses")?)?.actor();
/// let mug = ProductDraft::new("Mug".parse()?, Price::parse("12.50", usd())?);
/// let mug = shop.catalogue.create(grace, mug, None)?.executed()?;
///
/// let change = ProductChange {
///     price: Some(Price::parse("9.90", usd())?),
///     ..ProductChange::default()
/// };
/// let cheaper = shop.catalogue.change(grace, mug.id, change, None)?;
/// assert_eq!(cheaper.price.money().to_string(), "9.90");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Catalogue {
    products: Arc<dyn ProductRepository>,
    clock: Arc<dyn Clock>,
    stock_writes: StockWrites,
}

impl Service for Catalogue {
    fn of(stores: &Stores, system: &System, config: &ServicesConfig) -> Self {
        Self::new(stores.products.clone(), system.clock.clone())
            .with_stock_writes(config.stock_writes)
    }
}

impl Catalogue {
    /// The service over these ports.
    #[must_use]
    pub fn new(products: Arc<dyn ProductRepository>, clock: Arc<dyn Clock>) -> Self {
        Self {
            products,
            clock,
            stock_writes: StockWrites::default(),
        }
    }

    /// The service with another rule for setting stock.
    #[must_use]
    pub fn with_stock_writes(self, stock_writes: StockWrites) -> Self {
        Self {
            stock_writes,
            ..self
        }
    }

    /// A page of products, of those that the actor [may see](ProductFilter::seen_by).
    ///
    /// # Errors
    /// [`Refusal::NotFound`] for a page that does not exist; if the store fails.
    pub fn list(
        &self,
        actor: Actor,
        list: ProductList,
        page: PageRequest,
    ) -> Result<Page<Product>, Error> {
        let filter = list.filter.seen_by(actor);
        let list = ProductList { filter, ..list };
        Ok(self.products.list(&list, page)?.existing(page)?)
    }

    /// Pages of a list of products, of those that the actor [may see](ProductFilter::seen_by), by
    /// their requests. Pages that lie close together are read as one, and have one count. Those that
    /// do not exist are left out.
    ///
    /// # Errors
    /// If the store fails.
    pub fn pages(
        &self,
        actor: Actor,
        list: ProductList,
        requests: &[PageRequest],
    ) -> Result<HashMap<PageRequest, Page<Product>>, StoreError> {
        let filter = list.filter.seen_by(actor);
        let list = ProductList { filter, ..list };
        let mut windows: HashMap<_, BTreeSet<u64>> = HashMap::new();
        for request in requests {
            let window = (request.window(), request.size());
            windows.entry(window).or_default().insert(request.number());
        }
        let mut found = HashMap::with_capacity(requests.len());
        for ((window, size), numbers) in windows {
            if is_dense(window, size, numbers.len()) {
                let whole = self.products.list(&list, window)?;
                let pages = whole.pages(window, size);
                found.extend(pages.filter(|(page, _)| numbers.contains(&page.number())));
            } else {
                for page in numbers
                    .into_iter()
                    .filter_map(|it| PageRequest::new(it, size))
                {
                    found.insert(page, self.products.list(&list, page)?);
                }
            }
        }
        found.retain(|request, page| page.has(*request));
        Ok(found)
    }

    /// A cursor page of products, of those that the actor [may see](ProductFilter::seen_by).
    ///
    /// # Errors
    /// If the store fails.
    pub fn cursor_page(
        &self,
        actor: Actor,
        filter: ProductFilter,
        keyset: Keyset<ProductField>,
        span: &CursorRequest,
    ) -> Result<CursorPage<Product>, Error> {
        let filter = filter.seen_by(actor);
        Ok(self.products.cursor_page(&filter, keyset, span)?)
    }

    /// A product: [`Catalogue::find_all`] and [`Catalogue::show`].
    ///
    /// # Errors
    /// [`Refusal::NotFound`]; if the store fails.
    pub fn product(&self, actor: Actor, id: ProductId, archived: bool) -> Result<Product, Error> {
        let found = self.find_all(&[id])?.pop();
        Ok(Self::show(actor, found, archived)?)
    }

    /// The products with these ids, without authorisation: [`Catalogue::show`] decides it. Unknown
    /// ids are left out.
    ///
    /// # Errors
    /// If the store fails.
    pub fn find_all(&self, ids: &[ProductId]) -> Result<Vec<Product>, Error> {
        Ok(self.products.find_all(ids)?)
    }

    /// Authorises a lookup: the product, or the value made of it, if the actor may see it.
    /// `archived` includes an archived product, which only staff may see.
    ///
    /// # Errors
    /// [`Refusal::NotFound`].
    pub fn show<P: Borrow<Product>>(
        actor: Actor,
        found: Option<P>,
        archived: bool,
    ) -> Result<P, Refusal> {
        let visible = |product: &Product| !product.archived || (archived && actor.is_staff());
        found
            .filter(|found| visible(found.borrow()))
            .ok_or(Refusal::NotFound)
    }

    /// Creates a product.
    ///
    /// # Errors
    /// For actors other than staff; see [`decide_creation`](crate::catalog::decide_creation); if the store
    /// fails.
    pub fn create(
        &self,
        actor: Actor,
        draft: ProductDraft,
        key: Option<Idempotent<Product>>,
    ) -> Result<Execution<Product>, Error> {
        let command = self.creating(actor, draft, key)?;
        settle_one(command, |slice| self.products.create_all(slice))
    }

    /// Creates products in one slice: one result for each, in order.
    ///
    /// # Errors
    /// For actors other than staff; if the store fails for the whole slice.
    pub fn create_all(
        &self,
        actor: Actor,
        drafts: Vec<ProductDraft>,
    ) -> Result<Vec<Result<Product, Error>>, Error> {
        let command = |draft| self.creating(actor, draft, None);
        let commands = drafts.into_iter().map(command);
        let commands = commands.collect::<Result<Vec<_>, _>>()?;
        let created = settle(commands, |slice| self.products.create_all(slice))?;
        Ok(created.into_iter().map(executed).collect())
    }

    fn creating(
        &self,
        actor: Actor,
        draft: ProductDraft,
        key: Option<Idempotent<Product>>,
    ) -> Result<CreateProduct, Refusal> {
        let by = Some(actor.staff()?);
        Ok(CreateProduct {
            draft,
            key,
            by,
            at: self.clock.now(),
        })
    }

    /// Builds the command that changes, archives or restores a product, for a slice of
    /// [`ProductRepository::change_all`].
    ///
    /// # Errors
    /// For actors other than staff; see [`decide_stock_write`].
    pub fn changing(&self, actor: Actor, edit: ProductEdit) -> Result<ChangeProduct, Refusal> {
        let by = Some(actor.staff()?);
        let ProductEdit {
            product,
            change,
            seen,
        } = edit;
        decide_stock_write(self.stock_writes, change.stock.is_some(), seen.is_some())?;
        Ok(ChangeProduct {
            product,
            change,
            seen,
            by,
            at: self.clock.now(),
        })
    }

    /// Changes products in one slice: one result for each, in order.
    ///
    /// # Errors
    /// For actors other than staff; if the store fails for the whole slice.
    pub fn change_all(
        &self,
        actor: Actor,
        edits: Vec<ProductEdit>,
    ) -> Result<Vec<Result<Product, Error>>, Error> {
        actor.staff()?;
        let mut commands = Vec::with_capacity(edits.len());
        let mut refused = Vec::with_capacity(edits.len());
        for edit in edits {
            refused.push(match self.changing(actor, edit) {
                Ok(command) => {
                    commands.push(command);
                    None
                }
                Err(refusal) => Some(refusal),
            });
        }
        let mut changed = settle(commands, |slice| self.products.change_all(slice))?.into_iter();
        let lost = || Err(StoreError::new(StoreErrorKind::Other).into());
        let result = |refused: Option<Refusal>| match refused {
            Some(refusal) => Err(refusal.into()),
            None => changed.next().unwrap_or_else(lost),
        };
        Ok(refused.into_iter().map(result).collect())
    }

    /// Changes all of these products, or none: then the refusals, one for each edit, in order.
    ///
    /// # Errors
    /// For actors other than staff; if the store fails; [`Catalogue::changing`].
    pub fn change_together(
        &self,
        actor: Actor,
        edits: Vec<ProductEdit>,
    ) -> Result<Result<Vec<Product>, Refusals>, Error> {
        let commands = edits.into_iter().map(|edit| self.changing(actor, edit));
        let commands = commands.collect::<Result<Vec<_>, _>>()?;
        settle_together(&commands, |slice| self.products.change_together(slice))
    }

    /// Changes, archives or restores a product, under the precondition `seen` if given.
    ///
    /// # Errors
    /// For actors other than staff; see [`decide_stock_write`] and
    /// [`decide_change`](crate::catalog::decide_change); if the store fails.
    pub fn change(
        &self,
        actor: Actor,
        product: ProductId,
        change: ProductChange,
        seen: Option<Precondition<Product>>,
    ) -> Result<Product, Error> {
        let edit = ProductEdit {
            product,
            change,
            seen,
        };
        let command = self.changing(actor, edit)?;
        settle_one(command, |slice| self.products.change_all(slice))
    }

    /// Archives a product.
    ///
    /// # Errors
    /// As [`Catalogue::change`].
    pub fn archive(
        &self,
        actor: Actor,
        product: ProductId,
        seen: Option<Precondition<Product>>,
    ) -> Result<(), Error> {
        let change = ProductChange {
            archived: Some(true),
            ..ProductChange::default()
        };
        self.change(actor, product, change, seen).map(drop)
    }
}

/// Whether so many pages of a window are read as one: it costs less than each alone if they are
/// several, and at least a third of it.
fn is_dense(window: PageRequest, size: u32, pages: usize) -> bool {
    let most = usize::try_from(window.size() / size).unwrap_or(usize::MAX);
    pages > 1 && pages.saturating_mul(3) >= most
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
