//! Products, and the stock and movements of each.

mod lists;
pub(super) mod search_texts;

use super::prelude::{self, *};
use super::schema::shop_settings::grow_catalogue;
use super::{idempotency, identity, inventory};
use crate::rows::{MovementRow, NewProduct, ProductRow};
use crate::schema::{products, stock, stock_movements};
use tradepost_domain::catalog::{
    ChangeProduct, CreateProduct, Product, ProductRepository, decide_change, decide_creation,
};
use tradepost_domain::identity::Account;
use tradepost_domain::inventory::{
    AdjustStock, Adjusted, Movement, StockDecision, decide_adjustment,
};
use tradepost_domain::kernel::{
    Currency, CursorPage, CursorRequest, Execution, Keyset, MAX_STORED_RESPONSE_BYTES_OF_STAFF,
    Page, PageRequest, ProductField, ProductFilter, ProductId, ProductList, Refusal, Sku,
    StoreError,
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

fn insert(conn: &mut Conn, command: &CreateProduct) -> Result<ProductId, Failure> {
    let id = diesel::insert_into(products::table)
        .values(NewProduct::from(command))
        .returning(products::id)
        .get_result(conn)?;
    ProductId::new(id).ok_or_else(|| StoreError::corrupt("products", "id", id).into())
}

fn update(conn: &mut Conn, product: &Product) -> QueryResult<()> {
    diesel::update(products::table.find(product.id.get()))
        .set(NewProduct::from(product))
        .execute(conn)
        .map(drop)
}

fn create(
    conn: &mut Conn,
    command: &CreateProduct,
    acting: Option<&Account>,
    currency: Currency,
) -> Result<Result<Product, Refusal>, Failure> {
    let holder = sku_holder(conn, command.draft.sku.as_ref())?;
    if let Err(refusal) = decide_creation(command, acting, holder, currency) {
        return Ok(Err(refusal));
    }
    let id = insert(conn, command)?;
    search_texts::write(conn, id, &command.draft.name, &command.draft.description)?;
    inventory::open(conn, id)?;
    inventory::record(conn, command.opening(id).as_slice())?;
    grow_catalogue(conn, 1)?;
    Ok(find(conn, id, currency)?.ok_or(Refusal::NotFound))
}

fn adjust(
    conn: &mut Conn,
    command: &AdjustStock,
    acting: Option<&Account>,
    currency: Currency,
) -> Result<Result<Adjusted, Refusal>, Failure> {
    locks::lock_stock_or_abort(conn, &[command.product])?;
    let product = find(conn, command.product, currency)?;
    let StockDecision { level, movement } =
        match decide_adjustment(command, acting, product.as_ref()) {
            Ok(decision) => decision,
            Err(refusal) => return Ok(Err(refusal)),
        };
    let ids = inventory::record(conn, std::slice::from_ref(&movement))?;
    let id = ids.into_iter().flatten().next();
    let id =
        id.ok_or_else(|| StoreError::corrupt("stock_movements", "id", command.product.get()))?;
    let movement = Movement {
        id,
        entry: movement,
    };
    Ok(Ok(Adjusted { movement, level }))
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

    fn create(&self, command: CreateProduct) -> Outcome<Execution<Product>> {
        let currency = self.currency();
        self.write(move |conn| {
            let (by, key) = (command.by, command.key.as_ref());
            let acting = identity::acting(conn, by)?;
            idempotency::once(
                conn,
                by,
                key,
                MAX_STORED_RESPONSE_BYTES_OF_STAFF,
                command.at,
                |conn| create(conn, &command, acting.as_ref(), currency),
            )
        })
    }

    fn change(&self, command: ChangeProduct) -> Outcome<Product> {
        let currency = self.currency();
        self.write(move |conn| {
            let acting = identity::acting(conn, command.by)?;
            let acting = acting.as_ref();
            locks::product(conn, command.product)?;
            locks::lock_stock_or_abort(conn, &[command.product])?;
            let before = find(conn, command.product, currency)?;
            let sku = command.change.sku.as_ref().and_then(Option::as_ref);
            let holder = sku_holder(conn, sku)?;
            let decision = match decide_change(&command, acting, before.as_ref(), holder, currency)
            {
                Ok(decision) => decision,
                Err(refusal) => return Ok(Err(refusal)),
            };
            inventory::record(conn, decision.movement.as_slice())?;
            let product = &decision.product;
            if before.as_ref() != Some(product) {
                update(conn, product)?;
            }
            let says_the_same = |before: &Product| {
                (&before.name, &before.description) == (&product.name, &product.description)
            };
            if !before.as_ref().is_some_and(says_the_same) {
                search_texts::write(conn, product.id, &product.name, &product.description)?;
            }
            let was_archived = before.is_some_and(|product| product.archived);
            match (was_archived, decision.product.archived) {
                (false, true) => grow_catalogue(conn, -1)?,
                (true, false) => grow_catalogue(conn, 1)?,
                _ => {}
            }
            Ok(Ok(decision.product))
        })
    }

    fn adjust_stock(&self, command: AdjustStock) -> Outcome<Execution<Adjusted>> {
        let currency = self.currency();
        self.write(move |conn| {
            let (by, key) = (command.by, command.key.as_ref());
            let acting = identity::acting(conn, by)?;
            idempotency::once(
                conn,
                by,
                key,
                MAX_STORED_RESPONSE_BYTES_OF_STAFF,
                command.at,
                |conn| adjust(conn, &command, acting.as_ref(), currency),
            )
        })
    }

    fn movements(
        &self,
        product: ProductId,
        page: PageRequest,
    ) -> Result<Option<Page<Movement>>, StoreError> {
        self.snapshot(|conn| {
            let known: Option<i64> = products::table
                .find(product.get())
                .select(products::id)
                .first(conn)
                .optional()?;
            if known.is_none() {
                return Ok(None);
            }
            let of_product = stock_movements::product_id.eq(product.get());
            let count = stock_movements::table
                .filter(of_product)
                .count()
                .get_result(conn)?;
            let items = stock_movements::table
                .filter(of_product)
                .order(stock_movements::id.desc())
                .offset(offset(page))
                .limit(i64::from(page.size()))
                .select(MovementRow::as_select())
                .load(conn)?;
            Ok(Some(Page {
                count: row_count(count),
                items: all(items, MovementRow::movement)?,
            }))
        })
    }
}
