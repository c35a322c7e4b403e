use crate::{MemoryStore, State, slice_of, sorted_page};
use std::collections::{BTreeMap, BTreeSet};
use tradepost_domain::catalog::{
    CatalogState, ChangeProduct, CreateProduct, Product, ProductField, ProductFilter, ProductList,
    ProductRepository, decide_changes, decide_changes_together, decide_creations,
};
use tradepost_domain::kernel::{
    AllOrNone, CursorPage, CursorRequest, Execution, Keyset, Outcomes, Page, PageRequest,
    ProductId, Sku, StoreError,
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

    fn create_all(&self, commands: &[CreateProduct]) -> Outcomes<Execution<Product>> {
        let mut state = self.lock();
        let skus = commands.iter().map(|command| command.draft.sku.as_ref());
        let floor = CatalogState {
            acting: state.all_acting(commands.iter().map(|command| command.by)),
            skus: state.sku_holders(skus),
            keys: state.stored_keys(commands),
            ..CatalogState::default()
        };
        let decision = decide_creations(commands, &floor, self.currency);
        state.apply_slice(commands, decision)
    }

    fn change_all(&self, commands: &[ChangeProduct]) -> Outcomes<Product> {
        let mut state = self.lock();
        let floor = state.catalog_state(commands);
        state.apply(decide_changes(commands, floor, self.currency))
    }

    fn change_together(&self, commands: &[ChangeProduct]) -> AllOrNone<Product> {
        let mut state = self.lock();
        let floor = state.catalog_state(commands);
        match decide_changes_together(commands, floor, self.currency) {
            Ok(decision) => state.apply(decision).map(Ok),
            Err(refusals) => Ok(Err(refusals)),
        }
    }
}

impl State {
    /// The state that a slice of changes needs.
    fn catalog_state(&self, commands: &[ChangeProduct]) -> CatalogState {
        let skus = commands
            .iter()
            .map(|command| command.change.sku.as_ref().and_then(Option::as_ref));
        CatalogState {
            acting: self.all_acting(commands.iter().map(|command| command.by)),
            products: self.some_products(commands.iter().map(|command| command.product)),
            skus: self.sku_holders(skus),
            ..CatalogState::default()
        }
    }

    /// The products that have these skus.
    fn sku_holders<'a>(
        &self,
        skus: impl Iterator<Item = Option<&'a Sku>>,
    ) -> BTreeMap<String, ProductId> {
        let wanted: BTreeSet<&str> = skus.flatten().map(Sku::as_str).collect();
        let held = |product: &Product| {
            let sku = product.sku.as_ref()?.as_str();
            wanted.contains(sku).then(|| (sku.to_owned(), product.id))
        };
        if wanted.is_empty() {
            return BTreeMap::new();
        }
        self.products.values().filter_map(held).collect()
    }

    /// Those of these products that exist.
    pub(crate) fn some_products(
        &self,
        ids: impl Iterator<Item = ProductId>,
    ) -> BTreeMap<ProductId, Product> {
        let found = |id| Some((id, self.products.get(&id)?.clone()));
        ids.filter_map(found).collect()
    }
}
