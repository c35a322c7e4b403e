use crate::keys::kept;
use crate::{Defect, MemoryStore, State, next, page_of, slice_of, sorted_page};
use tradepost_domain::Outcome;
use tradepost_domain::catalog::{
    ChangeProduct, CreateProduct, Product, ProductRepository, decide_change, decide_creation,
};
use tradepost_domain::inventory::{
    AdjustStock, Adjusted, Movement, NewMovement, decide_adjustment,
};
use tradepost_domain::kernel::{
    CursorPage, CursorRequest, Execution, Keyset, MAX_STORED_RESPONSE_BYTES_OF_STAFF, MovementId,
    Page, PageRequest, ProductField, ProductFilter, ProductId, ProductList, Sku, StoreError,
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

    fn create(&self, command: CreateProduct) -> Outcome<Execution<Product>> {
        let mut state = self.lock();
        match state.replay(
            command.by,
            command.key.as_ref(),
            MAX_STORED_RESPONSE_BYTES_OF_STAFF,
        ) {
            Ok(None) => {}
            Ok(Some(answer)) => return Ok(Ok(Execution::Replayed(answer))),
            Err(refusal) => return Ok(Err(refusal)),
        }
        let holder = state.sku_holder(command.draft.sku.as_ref());
        if let Err(refusal) =
            decide_creation(&command, state.acting(command.by), holder, self.currency)
        {
            return Ok(Err(refusal));
        }
        let id = next(&mut state.last.product, ProductId::new)?;
        let opening = state.numbered(command.opening(id))?;
        let CreateProduct { draft, key, by, at } = command;
        let product = Product {
            id,
            sku: draft.sku,
            name: draft.name,
            description: draft.description,
            price: draft.price,
            stock: draft.stock,
            archived: false,
            created_at: at,
            updated_at: at,
        };
        let kept = kept(by, key, &product, at);
        state.write(opening);
        state.products.insert(id, product.clone());
        state.keep(kept);
        Ok(Ok(Execution::Executed(product)))
    }

    fn change(&self, command: ChangeProduct) -> Outcome<Product> {
        let mut state = self.lock();
        let sku = command.change.sku.as_ref().and_then(Option::as_ref);
        let holder = state.sku_holder(sku);
        let before = state.products.get(&command.product);
        let acting = state.acting(command.by);
        let decision = match decide_change(&command, acting, before, holder, self.currency) {
            Ok(decision) => decision,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let movement = state.numbered(decision.movement)?;
        let product = decision.product;
        state.write(movement);
        state.products.insert(product.id, product.clone());
        Ok(Ok(product))
    }

    fn adjust_stock(&self, command: AdjustStock) -> Outcome<Execution<Adjusted>> {
        let mut state = self.lock();
        match state.replay(
            command.by,
            command.key.as_ref(),
            MAX_STORED_RESPONSE_BYTES_OF_STAFF,
        ) {
            Ok(None) => {}
            Ok(Some(answer)) => return Ok(Ok(Execution::Replayed(answer))),
            Err(refusal) => return Ok(Err(refusal)),
        }
        let before = state.products.get(&command.product);
        let decision = match decide_adjustment(&command, state.acting(command.by), before) {
            Ok(decision) => decision,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let id = next(&mut state.last.movement, MovementId::new)?;
        let adjusted = Adjusted {
            movement: Movement {
                id,
                entry: decision.movement,
            },
            level: decision.level,
        };
        let kept = kept(command.by, command.key, &adjusted, command.at);
        let product = state.products.get_mut(&command.product);
        let product = product.ok_or(Defect("what was adjusted is there"))?;
        product.stock = decision.level;
        state.write(vec![adjusted.movement.clone()]);
        state.keep(kept);
        Ok(Ok(Execution::Executed(adjusted)))
    }

    fn movements(
        &self,
        product: ProductId,
        page: PageRequest,
    ) -> Result<Option<Page<Movement>>, StoreError> {
        let state = self.lock();
        if !state.products.contains_key(&product) {
            return Ok(None);
        }
        let rows = state.movements.values();
        let rows = rows.filter(|movement| movement.entry.product == product);
        Ok(Some(page_of(rows.rev().collect(), page)))
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

    /// Assigns ledger ids to entries, for writing them.
    pub(crate) fn numbered(
        &mut self,
        entries: impl IntoIterator<Item = NewMovement>,
    ) -> Result<Vec<Movement>, StoreError> {
        let number = |entry| {
            let id = next(&mut self.last.movement, MovementId::new)?;
            Ok(Movement { id, entry })
        };
        entries.into_iter().map(number).collect()
    }

    pub(crate) fn write(&mut self, movements: Vec<Movement>) {
        let rows = movements
            .into_iter()
            .map(|movement| (movement.id, movement));
        self.movements.extend(rows);
    }
}
