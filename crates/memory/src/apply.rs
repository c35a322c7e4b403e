//! Applies decisions: the only code that writes products, stock, carts, orders, accounts and
//! refresh tokens, besides an import.

use crate::idempotency::Kept;
use crate::{Defect, State, next};
use std::collections::BTreeMap;
use tradepost_domain::catalog::Product;
use tradepost_domain::decision::{
    AccountUpdate, Changes, Decision, Event, NewIds, NewRows, Outcome, StoredRows, UsedToken,
};
use tradepost_domain::identity::{Account, Credentials, Email, RefreshDigest, RefreshToken};
use tradepost_domain::inventory::{Movement, NewMovement, StockAfter, StockLevel, crossings};
use tradepost_domain::kernel::{CartItemId, MovementId, OrderId, ProductId, StoreError, UserId};
use tradepost_domain::orders::PlacementId;

type Levels = BTreeMap<ProductId, StockLevel>;

impl State {
    /// Writes a decision; returns its outcome.
    pub(crate) fn apply<T: Outcome>(
        &mut self,
        decision: Decision<T>,
    ) -> Result<T::Stored, StoreError> {
        self.apply_keeping(decision, |outcome| (outcome, Vec::new()))
    }

    /// Writes a decision about commands with keys; returns their results. `answer` builds these and
    /// the responses to store: it may panic, so it runs before the first write, as does everything
    /// else that can fail.
    pub(crate) fn apply_keeping<T: Outcome, R>(
        &mut self,
        decision: Decision<T>,
        answer: impl FnOnce(T::Stored) -> (R, Vec<Kept>),
    ) -> Result<R, StoreError> {
        let placements = self.unused_placements(&decision.changes)?;
        let ids = self.assign(&decision.changes)?;
        let completed = decision.complete(ids);
        let completed = completed.ok_or(Defect("each new row has an id"))?;
        let movements = self.numbered(completed.movements)?;
        let levels = self.levels_after(&completed.rows, &movements)?;
        let crossings = self.crossings(&completed.changes, &movements, &levels);
        let events = completed.events.into_iter().chain(crossings);
        let events = self.numbered_events(events)?;
        let mut stored = StoredRows::new(&completed.rows, &movements);
        let outcome = completed.outcome.stored(&mut stored);
        let outcome = outcome.ok_or(Defect("the outcome has its rows"))?;
        let (results, kept) = answer(outcome);
        let orders = completed.rows.orders.iter().map(|order| order.id);
        self.placements.extend(placements.into_iter().zip(orders));
        self.insert(completed.rows);
        self.change(completed.changes);
        self.write_movements(movements);
        self.write_levels(levels);
        self.keys.extend(kept);
        self.log(events);
        Ok(results)
    }

    fn unused_placements(&self, changes: &Changes) -> Result<Vec<PlacementId>, StoreError> {
        let mut unused = Vec::with_capacity(changes.new_orders.len());
        for order in &changes.new_orders {
            let placement = order.placement;
            if self.placements.contains_key(&placement) || unused.contains(&placement) {
                return Err(Defect("a placement id was used before").into());
            }
            unused.push(placement);
        }
        Ok(unused)
    }

    fn assign(&mut self, changes: &Changes) -> Result<NewIds, StoreError> {
        let last = &mut self.last;
        Ok(NewIds {
            products: ids(
                &mut last.product,
                changes.new_products.len(),
                ProductId::new,
            )?,
            cart_items: ids(
                &mut last.cart_item,
                changes.new_cart_items.len(),
                CartItemId::new,
            )?,
            orders: ids(&mut last.order, changes.new_orders.len(), OrderId::new)?,
            accounts: ids(&mut last.user, changes.new_accounts.len(), UserId::new)?,
        })
    }

    /// Assigns ledger ids to entries.
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

    /// The levels of stock after movements. A new product starts from zero.
    fn levels_after(&self, new: &NewRows, movements: &[Movement]) -> Result<Levels, StoreError> {
        let is_new = |id: ProductId| new.products.iter().any(|product| product.id == id);
        let mut levels = Levels::new();
        for Movement { entry, .. } in movements {
            let on_hand = match self.products.get(&entry.product) {
                Some(product) => Some(product.stock),
                None => is_new(entry.product).then_some(StockLevel::ZERO),
            };
            let before = levels.get(&entry.product).copied().or(on_hand);
            let after = before.and_then(|level| level.after(entry.delta));
            let after = after.ok_or(Defect("each decision leads to a level of stock"))?;
            levels.insert(entry.product, after);
        }
        Ok(levels)
    }

    fn insert(&mut self, rows: NewRows) {
        for product in rows.products {
            self.products.insert(product.id, product);
        }
        for item in rows.cart_items {
            let cart = self.carts.entry(item.user).or_default();
            cart.insert(item.id, item);
        }
        for order in rows.orders {
            self.orders.insert(order.id, order);
        }
        for credentials in rows.accounts {
            self.insert_account(credentials);
        }
    }

    pub(crate) fn insert_account(&mut self, credentials: Credentials) {
        let account = &credentials.account;
        self.usernames.insert(account.username.key(), account.id);
        self.skeletons.insert(account.username.skeleton());
        let email = account.email.as_ref().map(Email::key);
        self.emails.extend(email.map(|key| (key, account.id)));
        self.accounts.insert(account.id, credentials);
    }

    fn change(&mut self, changes: Changes) {
        for update in changes.products {
            // Movements alone change the stock.
            let id = update.after.id;
            let stock = update.before.stock;
            let stock = self
                .products
                .get(&id)
                .map_or(stock, |product| product.stock);
            let product = Product {
                stock,
                ..update.after
            };
            self.products.insert(id, product);
        }
        for item in changes.cart_items {
            let cart = self.carts.entry(item.user).or_default();
            cart.insert(item.id, item);
        }
        for item in changes.deleted_cart_items {
            if let Some(cart) = self.carts.get_mut(&item.user) {
                cart.remove(&item.id);
            }
        }
        for order in changes.orders {
            self.orders.insert(order.id, order);
        }
        for update in changes.accounts {
            self.update_account(update);
        }
        for UsedToken {
            digest,
            family,
            at,
            forget,
        } in changes.used_refresh_tokens
        {
            if let Some(token) = self.refresh_tokens.get_mut(&digest) {
                token.used_at = Some(at);
            }
            self.refresh_tokens.retain(|_, token| {
                token.family != family || token.used_at.is_none_or(|at| at >= forget)
            });
        }
        for family in changes.ended_families {
            self.end_family(family);
        }
        for token in changes.new_refresh_tokens {
            self.refresh_tokens.insert(token.digest, token);
        }
    }

    fn update_account(&mut self, update: AccountUpdate) {
        if update.ends_sessions() {
            self.end_sessions(&update.after);
        }
        let AccountUpdate {
            after, password, ..
        } = update;
        self.emails.retain(|_, holder| *holder != after.id);
        let email = after.email.as_ref().map(Email::key);
        self.emails.extend(email.map(|key| (key, after.id)));
        if let Some(credentials) = self.accounts.get_mut(&after.id) {
            credentials.account = after;
            if let Some(password) = password {
                credentials.password = password;
            }
        }
    }

    fn end_family(&mut self, family: RefreshDigest) {
        let is_other = |_: &RefreshDigest, token: &mut RefreshToken| token.family != family;
        self.refresh_tokens.retain(is_other);
    }

    /// Deletes the refresh tokens of every session of an account but the current one.
    fn end_sessions(&mut self, account: &Account) {
        self.refresh_tokens.retain(|_, token| {
            token.user != account.id || token.session_epoch == account.session_epoch
        });
    }

    pub(crate) fn write_movements(&mut self, movements: Vec<Movement>) {
        let rows = movements
            .into_iter()
            .map(|movement| (movement.id, movement));
        self.movements.extend(rows);
    }

    /// The crossings of movements, by the thresholds after the changes.
    fn crossings(&self, changes: &Changes, movements: &[Movement], levels: &Levels) -> Vec<Event> {
        let entries: Vec<_> = movements.iter().map(|one| one.entry.clone()).collect();
        let after = levels.iter().map(|(product, level)| {
            let mut updates = changes.products.iter().map(|update| &update.after);
            let updated = updates.find(|after| after.id == *product);
            let stored = updated.or_else(|| self.products.get(product));
            let own = stored.and_then(|product| product.low_stock);
            let after = StockAfter {
                level: *level,
                threshold: own.unwrap_or(self.low_stock()),
            };
            (*product, after)
        });
        crossings(&entries, &after.collect())
    }

    fn write_levels(&mut self, levels: Levels) {
        for (product, level) in levels {
            if let Some(product) = self.products.get_mut(&product) {
                product.stock = level;
            }
        }
    }
}

/// The next ids of a kind.
fn ids<Id>(
    last: &mut i64,
    number: usize,
    id: fn(i64) -> Option<Id>,
) -> Result<Vec<Id>, StoreError> {
    (0..number).map(|_| next(last, id)).collect()
}

#[cfg(test)]
#[path = "apply_tests.rs"]
mod tests;
