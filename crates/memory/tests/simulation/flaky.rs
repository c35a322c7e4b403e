//! Fault injection: a store whose connection is lost before a command arrives, or before its
//! response does.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};
use tradepost_domain::Stores;
use tradepost_domain::cart::{Cart, CartChange, CartRepository, ChangeCart};
use tradepost_domain::catalog::{
    ChangeProduct, CreateProduct, Product, ProductField, ProductFilter, ProductList,
    ProductRepository,
};
use tradepost_domain::identity::{
    Account, AccountRepository, ChangeEmail, ChangePassword, Credentials, EndSessions,
    PasswordHash, Refresh, RefreshDigest, RefreshToken, Register, ResetUser, UpdateUser, UserField,
    UserFilter,
};
use tradepost_domain::inventory::{AdjustStock, Adjusted, InventoryRepository, Movement};
use tradepost_domain::kernel::{
    AllOrNone, CursorPage, CursorRequest, Error, Execution, Idempotent, Keyset, OrderId, Outcomes,
    Page, PageRequest, ProductId, ResponseEncoder, StoreError, StoreErrorKind, UserId,
};
use tradepost_domain::orders::{
    ChangeOrder, Order, OrderField, OrderFilter, OrderList, OrderRepository, PlaceOrder, Placement,
};

/// The fault of the next write.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Fate {
    #[default]
    Fine,
    /// The command is lost.
    Lost(StoreErrorKind),
    /// The command is executed, and its response is lost.
    Unanswered,
    /// If a response is to be stored, encoding it panics.
    Crash,
}

/// The result of a write under a fault.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Contact {
    /// The sender got the store's response, or the store was not called.
    #[default]
    Answered,
    /// The sender got a failure: the command was lost.
    Lost,
    /// The sender got a failure: the command panicked and changed nothing.
    Crashed,
    /// The sender got a failure: the command was executed or refused.
    Unseen,
}

impl Contact {
    pub(crate) fn came_to_nothing(self) -> bool {
        matches!(self, Self::Lost | Self::Crashed)
    }

    /// Its name in the coverage tally.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Answered => "done",
            Self::Lost => "lost",
            Self::Crashed => "crashed",
            Self::Unseen => "happened unseen",
        }
    }
}

/// The payload of injected panics.
struct Crash;

/// A store with faults in its writes; reads are reliable.
pub(crate) struct Flaky {
    inner: Stores,
    line: Mutex<(Fate, Contact)>,
}

impl Flaky {
    pub(crate) fn new(inner: Stores) -> Arc<Self> {
        let line = Mutex::default();
        Arc::new(Self { inner, line })
    }

    /// The ports, with writes that are subject to faults.
    pub(crate) fn stores(self: &Arc<Self>) -> Stores {
        Stores {
            products: self.clone(),
            inventory: self.clone(),
            carts: self.clone(),
            orders: self.clone(),
            accounts: self.clone(),
            ..self.inner.clone()
        }
    }

    pub(crate) fn arm(&self, fate: Fate) {
        *self.line.lock().unwrap() = (fate, Contact::Answered);
    }

    pub(crate) fn contact(&self) -> Contact {
        self.line.lock().unwrap().1
    }

    fn write<T, E>(&self, run: impl FnOnce(bool) -> Result<T, E>) -> Result<T, E>
    where
        E: From<StoreError> + Into<Error>,
    {
        let fate = std::mem::take(&mut self.line.lock().unwrap().0);
        let (contact, kind) = match fate {
            Fate::Fine => return run(false),
            Fate::Lost(kind) => (Contact::Lost, kind),
            Fate::Unanswered => {
                // A refusal is a lost answer too.
                if let Err(Error::Store(error)) = run(false).map_err(Into::into) {
                    return Err(error.into());
                }
                (Contact::Unseen, StoreErrorKind::OutcomeUnknown)
            }
            Fate::Crash => match catch_unwind(AssertUnwindSafe(|| run(true))) {
                Ok(answer) => return answer,
                Err(panic) if panic.is::<Crash>() => (Contact::Crashed, StoreErrorKind::Other),
                Err(panic) => resume_unwind(panic),
            },
        };
        self.line.lock().unwrap().1 = contact;
        Err(StoreError::new(kind).into())
    }
}

/// The key; under a crash, its encoder panics.
fn wired<T>(key: Option<Idempotent<T>>, crash: bool) -> Option<Idempotent<T>> {
    // Not panic!, so that the panic hook reports nothing.
    let render = ResponseEncoder(|_: &T| resume_unwind(Box::new(Crash)));
    key.map(|key| {
        if crash {
            Idempotent { render, ..key }
        } else {
            key
        }
    })
}

impl ProductRepository for Flaky {
    fn list(&self, list: &ProductList, page: PageRequest) -> Result<Page<Product>, StoreError> {
        self.inner.products.list(list, page)
    }

    fn cursor_page(
        &self,
        filter: &ProductFilter,
        keyset: Keyset<ProductField>,
        span: &CursorRequest,
    ) -> Result<CursorPage<Product>, StoreError> {
        self.inner.products.cursor_page(filter, keyset, span)
    }

    fn find_all(&self, ids: &[ProductId]) -> Result<Vec<Product>, StoreError> {
        self.inner.products.find_all(ids)
    }

    fn create_all(&self, commands: &[CreateProduct]) -> Outcomes<Execution<Product>> {
        self.write(|crash| {
            let mut commands = commands.to_vec();
            for command in &mut commands {
                command.key = wired(command.key.take(), crash);
            }
            self.inner.products.create_all(&commands)
        })
    }

    fn change_all(&self, commands: &[ChangeProduct]) -> Outcomes<Product> {
        self.write(|_| self.inner.products.change_all(commands))
    }

    fn change_together(&self, commands: &[ChangeProduct]) -> AllOrNone<Product> {
        self.write(|_| self.inner.products.change_together(commands))
    }
}

impl InventoryRepository for Flaky {
    fn adjust_all(&self, commands: &[AdjustStock]) -> Outcomes<Execution<Adjusted>> {
        self.write(|crash| {
            let mut commands = commands.to_vec();
            for command in &mut commands {
                command.key = wired(command.key.take(), crash);
            }
            self.inner.inventory.adjust_all(&commands)
        })
    }

    fn movements(
        &self,
        product: ProductId,
        page: PageRequest,
    ) -> Result<Option<Page<Movement>>, StoreError> {
        self.inner.inventory.movements(product, page)
    }
}

impl CartRepository for Flaky {
    fn carts(&self, users: &[UserId]) -> Result<HashMap<UserId, Cart>, StoreError> {
        self.inner.carts.carts(users)
    }

    fn change_all(&self, commands: &[ChangeCart]) -> Outcomes<CartChange> {
        self.write(|crash| {
            let mut commands = commands.to_vec();
            for command in &mut commands {
                command.key = wired(command.key.take(), crash);
            }
            self.inner.carts.change_all(&commands)
        })
    }
}

impl OrderRepository for Flaky {
    fn list(&self, list: &OrderList, page: PageRequest) -> Result<Page<Order>, StoreError> {
        self.inner.orders.list(list, page)
    }

    fn cursor_page(
        &self,
        filter: &OrderFilter,
        keyset: Keyset<OrderField>,
        span: &CursorRequest,
    ) -> Result<CursorPage<Order>, StoreError> {
        self.inner.orders.cursor_page(filter, keyset, span)
    }

    fn find(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        self.inner.orders.find(id)
    }

    fn place(&self, requests: &[PlaceOrder]) -> Result<Vec<Placement>, StoreError> {
        self.write(|crash| {
            let mut requests = requests.to_vec();
            for request in &mut requests {
                request.key = wired(request.key.take(), crash);
            }
            self.inner.orders.place(&requests)
        })
    }

    fn change_all(&self, commands: &[ChangeOrder]) -> Outcomes<Order> {
        self.write(|_| self.inner.orders.change_all(commands))
    }
}

impl AccountRepository for Flaky {
    fn find(&self, user: UserId) -> Result<Option<Account>, StoreError> {
        self.inner.accounts.find(user)
    }

    fn find_all(&self, users: &[UserId]) -> Result<Vec<Account>, StoreError> {
        self.inner.accounts.find_all(users)
    }

    fn credentials(&self, username_key: &str) -> Result<Option<Credentials>, StoreError> {
        self.inner.accounts.credentials(username_key)
    }

    fn cursor_page(
        &self,
        filter: &UserFilter,
        keyset: Keyset<UserField>,
        span: &CursorRequest,
    ) -> Result<CursorPage<Account>, StoreError> {
        self.inner.accounts.cursor_page(filter, keyset, span)
    }

    fn register(&self, command: Register) -> Result<Account, Error> {
        self.write(|_| self.inner.accounts.register(command))
    }

    fn register_first_staff(&self, command: Register) -> Result<Account, Error> {
        self.write(|_| self.inner.accounts.register_first_staff(command))
    }

    fn change_password(&self, command: ChangePassword) -> Result<Account, Error> {
        self.write(|_| self.inner.accounts.change_password(command))
    }

    fn end_sessions(&self, command: EndSessions) -> Result<Account, Error> {
        self.write(|_| self.inner.accounts.end_sessions(command))
    }

    fn reset_user(&self, command: ResetUser) -> Result<Account, Error> {
        self.write(|_| self.inner.accounts.reset_user(command))
    }

    fn renew_hash(
        &self,
        user: UserId,
        old: PasswordHash,
        new: PasswordHash,
    ) -> Result<(), StoreError> {
        self.write(|_| self.inner.accounts.renew_hash(user, old, new))
    }

    fn switch(&self, command: UpdateUser) -> Result<Account, Error> {
        self.write(|_| self.inner.accounts.switch(command))
    }

    fn has_staff(&self) -> Result<bool, StoreError> {
        self.inner.accounts.has_staff()
    }

    fn list(&self, filter: UserFilter, page: PageRequest) -> Result<Page<Account>, StoreError> {
        self.inner.accounts.list(filter, page)
    }

    fn change_email(&self, command: ChangeEmail) -> Result<Account, Error> {
        self.write(|_| self.inner.accounts.change_email(command))
    }

    fn begin_family(&self, token: RefreshToken) -> Result<(), StoreError> {
        self.write(|_| self.inner.accounts.begin_family(token))
    }

    fn refresh(&self, command: Refresh) -> Result<Account, Error> {
        self.write(|_| self.inner.accounts.refresh(command))
    }

    fn end_family(&self, token: RefreshDigest) -> Result<(), StoreError> {
        self.write(|_| self.inner.accounts.end_family(token))
    }
}
