//! Model: the expected state of the shop after each command. It states the rules a second time, as
//! plainly as possible, one command after the other. It shares the values of the domain, and none
//! of its decisions.

pub(crate) mod accounts;
pub(crate) mod carts;
mod catalogue;
pub(crate) mod orders;
pub(crate) mod sessions;

use crate::command::{Answer, Command, Sent};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use tradepost_domain::cart::CartItem;
use tradepost_domain::catalog::Product;
use tradepost_domain::identity::Credentials;
use tradepost_domain::inventory::{NewMovement, Reason, Shortage, StockDelta, StockLevel};
use tradepost_domain::kernel::{
    Actor, CartItemId, FieldError, FieldName, IdempotencyRefusal, Idempotent, MovementId, OrderId,
    ProductId, Refusal, UserId,
};
use tradepost_domain::orders::Order;

/// The expected response.
pub(crate) type Expected<T = Answer> = Result<T, Refusal>;

/// Ids that only the store assigns: those of this step, if any. The model takes them over, and the
/// comparison afterwards finds missing rows.
#[derive(Debug, Default, Clone)]
pub(crate) struct Fresh {
    pub(crate) product: Option<ProductId>,
    pub(crate) movement: Option<MovementId>,
    pub(crate) line: Option<CartItemId>,
    pub(crate) user: Option<UserId>,
    /// Ascending.
    pub(crate) orders: Vec<OrderId>,
    /// The refresh token issued last.
    pub(crate) refresh: String,
}

/// Path and key, as one user sent them.
type KeyOf = (UserId, String, String);

#[derive(Debug, Clone)]
struct Kept {
    fingerprint: String,
    answer: String,
    at: DateTime<Utc>,
}

#[derive(Debug, Clone)]
struct Session {
    user: UserId,
    epoch: i64,
    expires_at: DateTime<Utc>,
}

/// The rows that the last command wrote.
#[derive(Debug, Clone, Default)]
pub(crate) struct Touched {
    pub(crate) products: Vec<ProductId>,
    pub(crate) carts: Vec<UserId>,
    pub(crate) orders: Vec<OrderId>,
    pub(crate) users: Vec<UserId>,
}

impl Touched {
    pub(crate) fn is_empty(&self) -> bool {
        self.products.is_empty()
            && self.carts.is_empty()
            && self.orders.is_empty()
            && self.users.is_empty()
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) products: BTreeMap<ProductId, Product>,
    /// The ledger, by product.
    pub(crate) ledger: BTreeMap<ProductId, Vec<NewMovement>>,
    pub(crate) carts: BTreeMap<UserId, Vec<CartItem>>,
    pub(crate) orders: BTreeMap<OrderId, Order>,
    pub(crate) accounts: BTreeMap<UserId, Credentials>,
    keys: BTreeMap<KeyOf, Kept>,
    sessions: BTreeMap<String, Session>,
    /// Tokens that were not purged, oldest first.
    pub(crate) tokens: Vec<sessions::Given>,
    pub(crate) touched: Touched,
    pub(crate) last_line: i64,
}

impl Model {
    /// The expected response of a command; applies its effects. `renewed` is whether the store
    /// received the stronger hash of a sign-in.
    pub(crate) fn take(
        &mut self,
        sent: &Sent,
        at: DateTime<Utc>,
        fresh: &Fresh,
        renewed: bool,
    ) -> Expected {
        self.touched = Touched::default();
        let by = sent.by;
        match &sent.command {
            Command::Create { draft, key } => self.create(by, draft, key.as_ref(), at, fresh),
            Command::Change {
                product,
                change,
                seen,
            } => self.change(by, *product, change, seen.as_ref(), at),
            Command::Adjust {
                product,
                delta,
                key,
            } => self.adjust(by, *product, *delta, key.as_ref(), at, fresh),
            Command::Add {
                product,
                quantity,
                key,
            } => self.add(by, *product, *quantity, key.as_ref(), at, fresh),
            Command::Set {
                line,
                quantity,
                product,
            } => self.set(by, *line, *quantity, *product, at),
            Command::Remove { line } => self.remove(by, *line),
            Command::Empty => self.empty(by),
            // It is queued, to be placed in a batch.
            Command::Checkout { .. } => somebody(by).map(|_| Answer::Done),
            Command::SetStatus { order, status } => self.set_status(by, *order, *status, at),
            Command::Delete { order } => self.delete(by, *order, at),
            Command::Register { user, staff } => self.register(user, *staff, at, fresh),
            Command::Switch(user, change) => self.switch(by, *user, *change),
            Command::ChangePassword { current, new } => self.change_password(by, current, new),
            Command::ResetPassword { username, new } => self.reset_password(username, new),
            Command::StorePassword(change) => self.store_password(change),
            Command::SignIn { username, password } => self.sign_in(username, password, at, renewed),
            Command::Authenticate { token } => self.authenticate(token, at),
            Command::OpenSession { username, password } => {
                self.open_session(username, password, at, fresh, renewed)
            }
            Command::Refresh { token } => self.refresh(token, at, fresh),
            Command::SignOut { token } => Ok(self.sign_out(token)),
            Command::ForgetKeys => Ok(self.purge_idempotency_keys(at)),
            Command::ForgetTokens => Ok(self.forget_tokens(at)),
        }
    }

    fn replay<T>(&self, user: UserId, key: Option<&Idempotent<T>>) -> Expected<Option<String>> {
        let Some(key) = key else { return Ok(None) };
        match self.keys.get(&key_of(user, key)) {
            None => Ok(None),
            Some(kept) if kept.fingerprint == key.fingerprint => Ok(Some(kept.answer.clone())),
            Some(_) => Err(Refusal::Idempotency(IdempotencyRefusal::KeyReused)),
        }
    }

    fn keep<T>(
        &mut self,
        user: UserId,
        key: Option<&Idempotent<T>>,
        outcome: &T,
        at: DateTime<Utc>,
    ) {
        if let Some(key) = key {
            let kept = Kept {
                fingerprint: key.fingerprint.clone(),
                answer: (key.render.0)(outcome),
                at,
            };
            self.keys.insert(key_of(user, key), kept);
        }
    }

    fn purge_idempotency_keys(&mut self, at: DateTime<Utc>) -> Answer {
        let held = self.keys.len();
        let before = at - tradepost_domain::kernel::IDEMPOTENCY_KEY_TTL;
        self.keys.retain(|_, kept| kept.at >= before);
        Answer::Forgotten(u64::try_from(held - self.keys.len()).unwrap())
    }

    /// Changes a level of stock, and writes the movement.
    fn move_stock(
        &mut self,
        product: ProductId,
        units: i64,
        why: (Reason, Option<OrderId>),
        actor: UserId,
        at: DateTime<Utc>,
    ) {
        let Some(delta) = StockDelta::new(units) else {
            return;
        };
        let stock = &mut self.products.get_mut(&product).unwrap().stock;
        *stock = StockLevel::new(stock.units() + units).unwrap();
        let (reason, order) = why;
        self.ledger.entry(product).or_default().push(NewMovement {
            product,
            order,
            delta,
            reason,
            note: None,
            actor: Some(actor),
            at,
        });
        self.touched.products.push(product);
    }

    fn on_hand(&self, product: ProductId) -> i64 {
        self.products[&product].stock.units()
    }

    fn short(&self, product: ProductId, requested: i64) -> Shortage {
        Shortage {
            product,
            available: self.products[&product].stock,
            requested,
        }
    }

    /// The product, if it is in the catalogue.
    fn sold(&self, product: ProductId) -> Option<&Product> {
        let product = self.products.get(&product);
        product.filter(|product| !product.archived)
    }
}

fn key_of<T>(user: UserId, key: &Idempotent<T>) -> KeyOf {
    let path = key.scope.path.clone();
    (user, path, key.scope.key.as_str().to_owned())
}

fn somebody(by: Actor) -> Expected<UserId> {
    match by {
        Actor::Anonymous => Err(Refusal::Unauthenticated),
        Actor::Customer(user) | Actor::Staff(user) => Ok(user),
    }
}

fn staff(by: Actor) -> Expected<UserId> {
    match by {
        Actor::Anonymous => Err(Refusal::Unauthenticated),
        Actor::Customer(_) => Err(Refusal::Forbidden),
        Actor::Staff(user) => Ok(user),
    }
}

fn wrong<T>(field: FieldName, problem: FieldError) -> Expected<T> {
    Err(Refusal::field(field, problem))
}
