pub(crate) mod products;

use crate::{MemoryStore, State, count};
use std::sync::Arc;
use tradepost_domain::import::{
    ExistingData, ImportRepository, ImportShop, Imported, decide_import, imported,
    imported_product, imported_user, sales_history,
};
use tradepost_domain::kernel::StoreError;

impl ImportRepository for MemoryStore {
    fn existing_data(&self) -> Result<ExistingData, StoreError> {
        Ok(self.lock().existing_data())
    }

    fn import(&self, command: Arc<ImportShop>) -> Imported {
        let mut state = self.lock();
        let decision = match decide_import(&command, &state.existing_data(), self.currency) {
            Ok(decision) => decision,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let sales = command.orders.iter().flat_map(sales_history);
        let movements = state.numbered(decision.openings.into_iter().chain(sales))?;
        let users = command
            .users
            .iter()
            .map(|user| imported_user(&user.account));
        let products = command.products.iter().map(imported_product);
        let orders = command.orders.iter().map(imported);
        let events = state.numbered_events(users.chain(products).chain(orders))?;
        state.write_movements(movements);
        state.take_over(&command);
        state.log(events);
        Ok(Ok(()))
    }
}

impl State {
    fn existing_data(&self) -> ExistingData {
        let (staff, customers): (Vec<_>, Vec<_>) = self
            .accounts
            .values()
            .map(|credentials| credentials.account.clone())
            .partition(|account| account.is_staff);
        ExistingData {
            products: count(self.products.len()),
            orders: count(self.orders.len()),
            customers: count(customers.len()),
            staff,
        }
    }

    fn take_over(&mut self, command: &ImportShop) {
        for credentials in &command.users {
            let id = credentials.account.id.get();
            self.insert_account(credentials.clone());
            self.last.user = self.last.user.max(id);
        }
        for product in &command.products {
            self.products.insert(product.id, product.clone());
            self.last.product = self.last.product.max(product.id.get());
        }
        for line in &command.carts {
            self.carts
                .entry(line.user)
                .or_default()
                .insert(line.id, *line);
            self.last.cart_item = self.last.cart_item.max(line.id.get());
        }
        for order in &command.orders {
            self.orders.insert(order.id, order.clone());
            self.last.order = self.last.order.max(order.id.get());
        }
    }
}
