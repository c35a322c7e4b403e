//! Products.

mod lists;
pub(super) mod search_texts;

use super::prelude::{self, *};
use super::{idempotency, identity};
use crate::rows::{NewProductRow, ProductRow, SearchTextRow, StockRow};
use crate::schema::{products, stock};
use tradepost_domain::catalog::{
    ChangeProduct, CreateProduct, NewProduct, Product, ProductField, ProductFilter, ProductList,
    ProductRepository, decide_change, decide_creation,
};
use tradepost_domain::decision::ProductUpdate;
use tradepost_domain::kernel::{
    Currency, CursorPage, CursorRequest, Error, Execution, Keyset,
    MAX_STORED_RESPONSE_BYTES_OF_STAFF, Page, PageRequest, ProductId, Sku, StoreError,
};

pub(super) fn find(
    conn: &mut Conn,
    id: ProductId,
    currency: Currency,
) -> Result<Option<Product>, Failure> {
    let row: Option<ProductRow> = products::table
        .inner_join(stock::table)
        .filter(products::id.eq(id.get()))
        .select(ProductRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(|row| row.product(currency)).transpose()?)
}

fn sku_holder(conn: &mut Conn, sku: Option<&Sku>) -> QueryResult<Option<ProductId>> {
    let Some(sku) = sku else { return Ok(None) };
    let holder = products::table
        .filter(products::sku.eq(sku.as_str()))
        .select(products::id)
        .first(conn)
        .optional()?;
    Ok(holder.and_then(ProductId::new))
}

/// Inserts products with a stock of zero; returns their ids.
pub(super) fn insert(conn: &mut Conn, new: &[NewProduct]) -> Result<Vec<ProductId>, Failure> {
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let ids = bulk::insert_products(conn, new.iter().map(NewProductRow::from))?;
    let stock = ids.iter().map(|id| StockRow {
        product_id: *id,
        on_hand: 0,
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
    bulk::update_products(conn, updates.iter().map(|update| &update.after))
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
        self.read(|conn| {
            let rows = products::table
                .inner_join(stock::table)
                .filter(id_in(products::id, &ids))
                .select(ProductRow::as_select())
                .load(conn)?;
            all(rows, |row: ProductRow| row.product(currency))
        })
    }

    fn create(&self, command: CreateProduct) -> Result<Execution<Product>, Error> {
        let (currency, quota) = (self.currency(), MAX_STORED_RESPONSE_BYTES_OF_STAFF);
        self.command(move |conn| {
            let (by, key) = (command.by, command.key.as_ref());
            let acting = identity::acting(conn, by)?;
            idempotency::once(conn, by, key, quota, command.at, |conn| {
                let holder = sku_holder(conn, command.draft.sku.as_ref())?;
                apply(
                    conn,
                    decide_creation(&command, acting.as_ref(), holder, currency)?,
                )
            })
        })
    }

    fn change(&self, command: ChangeProduct) -> Result<Product, Error> {
        let currency = self.currency();
        self.command(move |conn| {
            let acting = identity::acting(conn, command.by)?;
            let acting = acting.as_ref();
            locks::product(conn, command.product)?;
            locks::lock_stock_or_abort(conn, &[command.product])?;
            let before = find(conn, command.product, currency)?;
            let sku = command.change.sku.as_ref().and_then(Option::as_ref);
            let holder = sku_holder(conn, sku)?;
            let decision = decide_change(&command, acting, before.as_ref(), holder, currency)?;
            apply(conn, decision)
        })
    }
}
