//! Products.

mod lists;
pub(super) mod search_texts;

use super::prelude::{self, *};
use super::slices::{ActingLocks, Free, Results};
use super::{identity, import, slices};
use crate::rows::{NewProductRow, ProductRow, SearchTextRow, StockRow};
use crate::schema::{products, stock};
use std::collections::{BTreeMap, BTreeSet};
use std::iter;
use tradepost_domain::catalog::{
    CatalogState, ChangeProduct, CreateProduct, NewProduct, Product, ProductField, ProductFilter,
    ProductList, ProductRepository, decide_changes, decide_changes_together, decide_creations,
};
use tradepost_domain::decision::{KeyedCommand, ProductUpdate};
use tradepost_domain::inventory::StockLevel;
use tradepost_domain::kernel::{
    AllOrNone, Currency, CursorPage, CursorRequest, Execution, Keyset, Outcomes, Page, PageRequest,
    ProductId, Refusal, Refusals, Sku, StoreError,
};

/// Those of these products that exist.
pub(super) fn some(
    conn: &mut Conn,
    ids: &BTreeSet<ProductId>,
    currency: Currency,
) -> Result<BTreeMap<ProductId, Product>, Failure> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ids: Vec<i64> = ids.iter().map(|id| id.get()).collect();
    let found = by_ids(conn, &ids, currency)?.into_iter();
    Ok(found.map(|product| (product.id, product)).collect())
}

fn by_ids(conn: &mut Conn, ids: &[i64], currency: Currency) -> Result<Vec<Product>, Failure> {
    let rows = products::table
        .inner_join(stock::table)
        .filter(id_in(products::id, ids))
        .select(ProductRow::as_select())
        .load(conn)?;
    all(rows, |row: ProductRow| row.product(currency))
}

/// The products with these skus, archived or not.
pub(super) fn find_by_skus(
    conn: &mut Conn,
    skus: &[&str],
    currency: Currency,
) -> Result<Vec<Product>, Failure> {
    let rows = products::table
        .inner_join(stock::table)
        .filter(products::sku.eq_any(skus))
        .select(ProductRow::as_select())
        .load(conn)?;
    all(rows, |row: ProductRow| row.product(currency))
}

/// The products that have these skus.
fn sku_holders<'a>(
    conn: &mut Conn,
    skus: impl Iterator<Item = Option<&'a Sku>>,
) -> Result<BTreeMap<String, ProductId>, Failure> {
    let skus: BTreeSet<&str> = skus.flatten().map(Sku::as_str).collect();
    if skus.is_empty() {
        return Ok(BTreeMap::new());
    }
    let skus: Vec<&str> = skus.into_iter().collect();
    let holders = bulk::sku_holders(conn, &skus)?.into_iter();
    Ok(holders
        .filter_map(|(sku, id)| Some((sku, ProductId::new(id)?)))
        .collect())
}

/// Inserts products with a stock of zero; returns their ids.
pub(super) fn insert(conn: &mut Conn, new: &[NewProduct]) -> Result<Vec<ProductId>, Failure> {
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let ids = bulk::insert_products(conn, new.iter().map(NewProductRow::from))?;
    let stock = ids.iter().zip(new).map(|(id, new)| StockRow {
        product_id: *id,
        on_hand: 0,
        low_stock: new.draft.low_stock.map(StockLevel::units),
    });
    bulk::insert_stock(conn, stock)?;
    all(ids, |id| {
        ProductId::new(id).ok_or_else(|| StoreError::corrupt("products", "id", id))
    })
}

pub(super) fn update(conn: &mut Conn, updates: &[ProductUpdate]) -> QueryResult<()> {
    if updates.is_empty() {
        return Ok(());
    }
    bulk::update_products(conn, updates.iter().map(|update| &update.after))?;
    let threshold = |update: &ProductUpdate| {
        let after = &update.after;
        let changed = update.before.low_stock != after.low_stock;
        changed.then(|| (after.id.get(), after.low_stock.map(StockLevel::units)))
    };
    let thresholds: Vec<_> = updates.iter().filter_map(threshold).collect();
    if thresholds.is_empty() {
        return Ok(());
    }
    bulk::update_thresholds(conn, &thresholds)
}

/// Writes the search texts of new and of renamed products.
pub(super) fn write_search_texts(
    conn: &mut Conn,
    new: &[Product],
    updates: &[ProductUpdate],
) -> QueryResult<()> {
    let renamed = updates.iter().filter(|update| update.is_renamed());
    let products = new.iter().chain(renamed.map(|update| &update.after));
    let text =
        |product: &Product| SearchTextRow::new(product.id, &product.name, &product.description);
    let texts: Vec<_> = products.map(text).collect();
    if texts.is_empty() {
        return Ok(());
    }
    bulk::write_search_texts(conn, texts.into_iter())
}

impl ProductRepository for Database {
    fn list(&self, list: &ProductList, page: PageRequest) -> Result<Page<Product>, StoreError> {
        lists::page(self, list, page)
    }

    fn cursor_page(
        &self,
        filter: &ProductFilter,
        keyset: Keyset<ProductField>,
        span: &CursorRequest,
    ) -> Result<CursorPage<Product>, StoreError> {
        lists::cursor_page(self, filter, keyset, span)
    }

    fn find_all(&self, ids: &[ProductId]) -> Result<Vec<Product>, StoreError> {
        let currency = self.currency();
        let ids: Vec<i64> = ids.iter().map(|id| id.get()).collect();
        self.read(|conn| by_ids(conn, &ids, currency))
    }

    fn create_all(&self, commands: &[CreateProduct]) -> Outcomes<Execution<Product>> {
        let currency = self.currency();
        slices::run(self, commands, move |conn, commands| {
            create(conn, commands, currency)
        })
    }

    fn change_all(&self, commands: &[ChangeProduct]) -> Outcomes<Product> {
        let currency = self.currency();
        slices::run(self, commands, move |conn, commands| {
            change(conn, commands, currency)
        })
    }

    fn change_together(&self, commands: &[ChangeProduct]) -> AllOrNone<Product> {
        if commands.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        let currency = self.currency();
        let (count, commands) = (commands.len(), commands.to_vec());
        let changed = self.slice(move |conn| change_together(conn, &commands, currency))?;
        // Nothing was stored: the slice may be retried.
        Ok(changed.unwrap_or_else(|| Err(vec![Some(Refusal::LockConflict); count])))
    }
}

fn create(
    conn: &mut Conn,
    commands: &[CreateProduct],
    currency: Currency,
) -> Results<Execution<Product>> {
    if !import::is_catalogue_free(conn)? {
        return Ok(Free::of(commands, |_| false).spread(Vec::new()));
    }
    let keyed = commands.iter().filter_map(KeyedCommand::key);
    let locked = ActingLocks::take(
        conn,
        commands.iter().map(|command| command.by),
        keyed.map(|(user, _)| user),
    )?;
    let free = Free::of(commands, |command| {
        locked.cover(command.by, command.key.is_some())
    });
    let skus = free.commands.iter();
    let state = CatalogState {
        acting: identity::accounts(conn, &locked.acting())?,
        skus: sku_holders(conn, skus.map(|command| command.draft.sku.as_ref()))?,
        keys: slices::stored_keys(conn, &free.commands)?,
        ..CatalogState::default()
    };
    let decision = decide_creations(&free.commands, &state, currency);
    let results = slices::apply_keyed(conn, &free.commands, decision, state.keys.kept)?;
    Ok(free.spread(results))
}

fn change(conn: &mut Conn, commands: &[ChangeProduct], currency: Currency) -> Results<Product> {
    let (free, state) = lock(conn, commands, currency)?;
    let results = apply(conn, decide_changes(&free.commands, state, currency))?;
    Ok(free.spread(results))
}

fn change_together(
    conn: &mut Conn,
    commands: &[ChangeProduct],
    currency: Currency,
) -> Result<Result<Vec<Product>, Refusals>, Failure> {
    let (free, state) = lock(conn, commands, currency)?;
    if let Some(contended) = free.contended() {
        return Ok(Err(contended));
    }
    match decide_changes_together(commands, state, currency) {
        Ok(decision) => apply(conn, decision).map(Ok),
        Err(refusals) => Ok(Err(refusals)),
    }
}

/// Locks the rows of changes that are free, and loads the state of their commands.
fn lock(
    conn: &mut Conn,
    commands: &[ChangeProduct],
    currency: Currency,
) -> Result<(Free<ChangeProduct>, CatalogState), Failure> {
    if !import::is_catalogue_free(conn)? {
        return Ok((Free::of(commands, |_| false), CatalogState::default()));
    }
    let acting = commands.iter().map(|command| command.by);
    let acting = ActingLocks::take(conn, acting, iter::empty())?;
    let wanted: BTreeSet<ProductId> = commands.iter().map(|command| command.product).collect();
    let locked = locks::skip_locked_products(conn, &wanted)?;
    let locked = locks::skip_locked_stock(conn, &locked)?;
    let products = some(conn, &wanted, currency)?;
    let free = Free::of(commands, |command| {
        let product = &command.product;
        // A product that does not exist has no row to lock.
        let is_locked = locked.contains(product) || !products.contains_key(product);
        is_locked && acting.cover(command.by, false)
    });
    let skus = free.commands.iter();
    let skus = skus.map(|command| command.change.sku.as_ref().and_then(Option::as_ref));
    let state = CatalogState {
        acting: identity::accounts(conn, &acting.acting())?,
        skus: sku_holders(conn, skus)?,
        products,
        ..CatalogState::default()
    };
    Ok((free, state))
}
