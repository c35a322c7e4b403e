use crate::idempotency::kept;
use crate::{MemoryStore, State, slice_of, sorted_page};
use tradepost_domain::catalog::{
    ChangeProduct, CreateProduct, Product, ProductField, ProductFilter, ProductList,
    ProductRepository, decide_change, decide_creation,
};
use tradepost_domain::kernel::{
    CursorPage, CursorRequest, Error, Execution, Keyset, MAX_STORED_RESPONSE_BYTES_OF_STAFF, Page,
    PageRequest, ProductId, Sku, StoreError,
};

impl ProductRepository for MemoryStore {
    fn list(&self, list: &ProductList, page: PageRequest) -> Result<Page<Product>, StoreError> {
        let state = self.lock();
        let rows = state.products.values();
        let rows = rows.filter(|product| list.filter.matches(product));
        Ok(sorted_page(rows, &list.sorting, page))
    }

    fn cursor_page(
        &self,
        filter: &ProductFilter,
        keyset: Keyset<ProductField>,
        span: &CursorRequest,
    ) -> Result<CursorPage<Product>, StoreError> {
        let state = self.lock();
        let rows = state.products.values();
        let rows = rows.filter(|product| filter.matches(product));
        Ok(slice_of(rows, keyset, span))
    }

    fn find_all(&self, ids: &[ProductId]) -> Result<Vec<Product>, StoreError> {
        let state = self.lock();
        let products = state.products.iter();
        let found = products.filter(|(id, _)| ids.contains(id));
        Ok(found.map(|(_, product)| product.clone()).collect())
    }

    fn create(&self, command: CreateProduct) -> Result<Execution<Product>, Error> {
        let mut state = self.lock();
        let quota = MAX_STORED_RESPONSE_BYTES_OF_STAFF;
        if let Some(answer) = state.replay(command.by, command.key.as_ref(), quota)? {
            return Ok(Execution::Replayed(answer));
        }
        let holder = state.sku_holder(command.draft.sku.as_ref());
        let decision = decide_creation(&command, state.acting(command.by), holder, self.currency)?;
        let keep = |product: &Product| kept(command.by, command.key, product, command.at);
        Ok(Execution::Executed(state.apply_keeping(decision, keep)?))
    }

    fn change(&self, command: ChangeProduct) -> Result<Product, Error> {
        let mut state = self.lock();
        let sku = command.change.sku.as_ref().and_then(Option::as_ref);
        let holder = state.sku_holder(sku);
        let before = state.products.get(&command.product);
        let acting = state.acting(command.by);
        let decision = decide_change(&command, acting, before, holder, self.currency)?;
        Ok(state.apply(decision)?)
    }
}

impl State {
    fn sku_holder(&self, sku: Option<&Sku>) -> Option<ProductId> {
        let sku = sku?;
        let holder = |product: &&Product| product.sku.as_ref() == Some(sku);
        self.products
            .values()
            .find(holder)
            .map(|product| product.id)
    }
}
