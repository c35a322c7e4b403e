//! Stores whose first query blocks until the test lets it pass.

use crate::support::{App, memory, settings};
use futures_util::future::join;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tradepost_domain::Stores;
use tradepost_domain::catalog::{
    ChangeProduct, CreateProduct, Product, ProductField, ProductFilter, ProductList,
    ProductRepository,
};
use tradepost_domain::identity::{
    Account, AccountRepository, ChangeEmail, ChangePassword, Credentials, EndSessions,
    PasswordHash, Refresh, RefreshDigest, RefreshToken, Register, ResetUser, UpdateUser, UserField,
    UserFilter,
};
use tradepost_domain::kernel::{
    AllOrNone, CursorPage, CursorRequest, Error, Execution, Keyset, Outcomes, Page, PageRequest,
    ProductId, StoreError, UserId,
};

/// An account store that calls a function before its lookups.
pub(crate) struct Watched<F> {
    inner: Arc<dyn AccountRepository>,
    ask: F,
}

pub(crate) fn watched<F>(ask: F) -> Stores
where
    F: Fn(&[UserId]) -> Result<(), StoreError> + Send + Sync + 'static,
{
    let stores = memory();
    let inner = stores.accounts.clone();
    Stores {
        accounts: Arc::new(Watched { inner, ask }),
        ..stores
    }
}

impl<F> AccountRepository for Watched<F>
where
    F: Fn(&[UserId]) -> Result<(), StoreError> + Send + Sync,
{
    fn find(&self, user: UserId) -> Result<Option<Account>, StoreError> {
        self.inner.find(user)
    }

    fn find_all(&self, users: &[UserId]) -> Result<Vec<Account>, StoreError> {
        (self.ask)(users)?;
        self.inner.find_all(users)
    }

    fn credentials(&self, username_key: &str) -> Result<Option<Credentials>, StoreError> {
        self.inner.credentials(username_key)
    }

    fn list(&self, filter: UserFilter, page: PageRequest) -> Result<Page<Account>, StoreError> {
        self.inner.list(filter, page)
    }

    fn cursor_page(
        &self,
        filter: &UserFilter,
        keyset: Keyset<UserField>,
        span: &CursorRequest,
    ) -> Result<CursorPage<Account>, StoreError> {
        self.inner.cursor_page(filter, keyset, span)
    }

    fn register(&self, command: Register) -> Result<Account, Error> {
        self.inner.register(command)
    }

    fn register_first_staff(&self, command: Register) -> Result<Account, Error> {
        self.inner.register_first_staff(command)
    }

    fn change_email(&self, command: ChangeEmail) -> Result<Account, Error> {
        self.inner.change_email(command)
    }

    fn change_password(&self, command: ChangePassword) -> Result<Account, Error> {
        self.inner.change_password(command)
    }

    fn end_sessions(&self, command: EndSessions) -> Result<Account, Error> {
        self.inner.end_sessions(command)
    }

    fn reset_user(&self, command: ResetUser) -> Result<Account, Error> {
        self.inner.reset_user(command)
    }

    fn renew_hash(
        &self,
        user: UserId,
        old: PasswordHash,
        new: PasswordHash,
    ) -> Result<(), StoreError> {
        self.inner.renew_hash(user, old, new)
    }

    fn switch(&self, command: UpdateUser) -> Result<Account, Error> {
        self.inner.switch(command)
    }

    fn has_staff(&self) -> Result<bool, StoreError> {
        self.inner.has_staff()
    }

    fn begin_family(&self, token: RefreshToken) -> Result<(), StoreError> {
        self.inner.begin_family(token)
    }

    fn refresh(&self, command: Refresh) -> Result<Account, Error> {
        self.inner.refresh(command)
    }

    fn end_family(&self, token: RefreshDigest) -> Result<(), StoreError> {
        self.inner.end_family(token)
    }
}

/// A function that is called with the keys of each query.
pub(crate) type Pass<K> = Box<dyn Fn(&[K]) + Send + Sync>;

/// A door that blocks the first query until it is opened, and records all queries.
pub(crate) struct Door<K> {
    pub(crate) open: Sender<()>,
    pub(crate) asked: Arc<Mutex<Vec<Vec<K>>>>,
}

impl<K: Clone + Send + 'static> Door<K> {
    /// The door, and the function for the store.
    pub(crate) fn new() -> (Self, Pass<K>) {
        let (open, opened) = channel::<()>();
        let opened = Mutex::new(opened);
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        let pass = move |keys: &[K]| {
            let first = {
                let mut seen = seen.lock().unwrap();
                seen.push(keys.to_vec());
                seen.len() == 1
            };
            if first {
                let _ = opened.lock().unwrap().recv();
            }
        };
        (Self { open, asked }, Box::new(pass))
    }

    /// Waits until a query blocks at the door.
    pub(crate) async fn reached(&self) {
        while self.asked.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Asserts that this many keys were read, and that at least two of them shared a query.
    pub(crate) fn asked_together(&self, total: usize) {
        let asked = self.asked.lock().unwrap();
        let sizes: Vec<usize> = asked.iter().map(Vec::len).collect();
        let shared = sizes.iter().any(|size| *size > 1);
        assert!(shared && sizes.iter().sum::<usize>() == total, "{sizes:?}");
    }

    /// The result of the first request, and those of the others, which arrive while it blocks at
    /// the door.
    pub(crate) async fn hold<A, B>(
        &self,
        first: impl Future<Output = A>,
        others: impl Future<Output = B>,
    ) -> (A, B) {
        let others = async {
            self.reached().await;
            // They are enqueued before any other task runs.
            join(others, async { self.open.send(()).unwrap() }).await.0
        };
        join(first, others).await
    }
}

/// A product store that blocks at a door after its query. A mock would block all other queries
/// meanwhile.
pub(crate) struct Guarded {
    pub(crate) inner: Arc<dyn ProductRepository>,
    pub(crate) found: Pass<ProductId>,
    pub(crate) listed: Pass<PageRequest>,
}

impl Guarded {
    pub(crate) async fn shop(guard: impl FnOnce(Arc<dyn ProductRepository>) -> Self) -> App {
        let stores = memory();
        let products = Arc::new(guard(stores.products.clone()));
        let mut settings = settings();
        // With a single slot, pages would wait for each other even if they share nothing.
        settings.limits.lists.running = 4;
        App::with(Stores { products, ..stores }, settings).await
    }
}

impl ProductRepository for Guarded {
    fn list(&self, list: &ProductList, page: PageRequest) -> Result<Page<Product>, StoreError> {
        let listed = self.inner.list(list, page);
        (self.listed)(&[page]);
        listed
    }

    fn cursor_page(
        &self,
        filter: &ProductFilter,
        keyset: Keyset<ProductField>,
        span: &CursorRequest,
    ) -> Result<CursorPage<Product>, StoreError> {
        self.inner.cursor_page(filter, keyset, span)
    }

    fn find_all(&self, ids: &[ProductId]) -> Result<Vec<Product>, StoreError> {
        let found = self.inner.find_all(ids);
        (self.found)(ids);
        found
    }

    fn create_all(&self, commands: &[CreateProduct]) -> Outcomes<Execution<Product>> {
        self.inner.create_all(commands)
    }

    fn change_all(&self, commands: &[ChangeProduct]) -> Outcomes<Product> {
        self.inner.change_all(commands)
    }

    fn change_together(&self, commands: &[ChangeProduct]) -> AllOrNone<Product> {
        self.inner.change_together(commands)
    }
}
