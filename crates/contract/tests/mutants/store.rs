use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;
use std::sync::Arc;
use tradepost_contract::usd;
use tradepost_domain::Stores;
use tradepost_domain::cart::{Cart, CartChange, CartRepository, ChangeCart};
use tradepost_domain::catalog::{
    ChangeProduct, CreateProduct, Product, ProductField, ProductFilter, ProductList,
    ProductRepository,
};
use tradepost_domain::decision::Event;
use tradepost_domain::events::{EventQuery, EventRepository, FeedId, LoggedEvent};
use tradepost_domain::identity::{
    Account, AccountRepository, Attempt, AttemptKey, AttemptRepository, ChangeEmail,
    ChangePassword, Credentials, EndSessions, KnownNetwork, KnownNetworkKey, PasswordHash, Refresh,
    RefreshDigest, RefreshToken, Register, ResetUser, SessionDigest, StaffSession,
    StaffSessionRepository, UpdateUser, UserField, UserFilter,
};
use tradepost_domain::import::products::{
    ApplyProducts, ImportCounts, ProductImportId, ProductImportRepository, ProductRow, Staged,
};
use tradepost_domain::import::{ExistingData, ImportRepository, ImportShop, Imported};
use tradepost_domain::inventory::{
    AdjustStock, Adjusted, Audit, InventoryRepository, Ledger, LedgerCheck, Movement, StockAudit,
    StockLevel,
};
use tradepost_domain::kernel::{
    AllOrNone, CursorPage, CursorRequest, Error, EventSeq, Execution, Keyset, NoProgress, OrderId,
    Outcomes, Page, PageRequest, ProductId, Progress, StoreError, UserId,
};
use tradepost_domain::maintenance::{ClockReading, HealthCheck, Retention};
use tradepost_domain::orders::OrderStatus;
use tradepost_domain::orders::{
    ChangeOrder, Order, OrderField, OrderFilter, OrderList, OrderRepository, PlaceOrder, Placement,
};
use tradepost_domain::reports::{SalesBucket, SalesReport};
use tradepost_domain::testing::one_by_one;
use tradepost_memory::MemoryStore;

type Store = MemoryStore;

pub(crate) type SliceProducts = fn(
    &Store,
    &ProductFilter,
    Keyset<ProductField>,
    &CursorRequest,
) -> Result<CursorPage<Product>, StoreError>;
pub(crate) type SliceOrders = fn(
    &Store,
    &OrderFilter,
    Keyset<OrderField>,
    &CursorRequest,
) -> Result<CursorPage<Order>, StoreError>;

pub(crate) type SliceUsers = fn(
    &Store,
    &UserFilter,
    Keyset<UserField>,
    &CursorRequest,
) -> Result<CursorPage<Account>, StoreError>;

pub(crate) type ChangeOneCart = fn(&Store, ChangeCart) -> Result<CartChange, Error>;
type ReadCarts = fn(&Store, &[UserId]) -> Result<HashMap<UserId, Cart>, StoreError>;

pub(crate) type StagedRows = Result<Vec<(ProductRow, Option<Product>)>, StoreError>;
type ReadSales = fn(&Store, DateTime<Utc>, DateTime<Utc>) -> Result<Vec<SalesBucket>, StoreError>;
type RepeatedSkus = Result<(Vec<(u64, u64)>, u64), StoreError>;

/// The operations of a store as function pointers, each of which a fault can replace.
#[derive(Clone, Copy)]
pub(crate) struct Behaviour {
    pub(crate) list_products:
        fn(&Store, &ProductList, PageRequest) -> Result<Page<Product>, StoreError>,
    pub(crate) slice_products: SliceProducts,
    pub(crate) find_products: fn(&Store, &[ProductId]) -> Result<Vec<Product>, StoreError>,
    pub(crate) create: fn(&Store, CreateProduct) -> Result<Execution<Product>, Error>,
    pub(crate) change_product: fn(&Store, ChangeProduct) -> Result<Product, Error>,
    pub(crate) change_together: fn(&Store, &[ChangeProduct]) -> AllOrNone<Product>,
    pub(crate) adjust: fn(&Store, AdjustStock) -> Result<Execution<Adjusted>, Error>,
    pub(crate) carts: ReadCarts,
    pub(crate) change_cart: ChangeOneCart,
    pub(crate) slice_carts: fn(&Store, ChangeOneCart, &[ChangeCart]) -> Outcomes<CartChange>,
    pub(crate) list_orders: fn(&Store, &OrderList, PageRequest) -> Result<Page<Order>, StoreError>,
    pub(crate) slice_orders: SliceOrders,
    pub(crate) place: fn(&Store, &[PlaceOrder]) -> Result<Vec<Placement>, StoreError>,
    pub(crate) change_order: fn(&Store, ChangeOrder) -> Result<Order, Error>,
    pub(crate) find_accounts: fn(&Store, &[UserId]) -> Result<Vec<Account>, StoreError>,
    pub(crate) register: fn(&Store, Register) -> Result<Account, Error>,
    pub(crate) register_first_staff: fn(&Store, Register) -> Result<Account, Error>,
    pub(crate) change_password: fn(&Store, ChangePassword) -> Result<Account, Error>,
    pub(crate) renew_hash: fn(&Store, UserId, PasswordHash, PasswordHash) -> Result<(), StoreError>,
    pub(crate) switch: fn(&Store, UpdateUser) -> Result<Account, Error>,
    pub(crate) list_users: fn(&Store, UserFilter, PageRequest) -> Result<Page<Account>, StoreError>,
    pub(crate) slice_users: SliceUsers,
    pub(crate) change_email: fn(&Store, ChangeEmail) -> Result<Account, Error>,
    pub(crate) refresh: fn(&Store, Refresh) -> Result<Account, Error>,
    pub(crate) begin_family: fn(&Store, RefreshToken) -> Result<(), StoreError>,
    pub(crate) end_family: fn(&Store, RefreshDigest) -> Result<(), StoreError>,
    pub(crate) forget_tokens: fn(&Store, DateTime<Utc>) -> Result<u64, StoreError>,
    pub(crate) end_sessions: fn(&Store, EndSessions) -> Result<Account, Error>,
    pub(crate) reset_user: fn(&Store, ResetUser) -> Result<Account, Error>,
    pub(crate) begin_session: fn(&Store, StaffSession) -> Result<(), StoreError>,
    pub(crate) use_session: fn(&Store, StaffSession) -> Result<(), StoreError>,
    pub(crate) purge_staff_sessions: fn(&Store, DateTime<Utc>) -> Result<u64, StoreError>,
    pub(crate) import: fn(&Store, Arc<ImportShop>) -> Imported,
    pub(crate) stage_products: fn(&Store, ProductImportId, Arc<[ProductRow]>) -> Staged<()>,
    pub(crate) staged_products: fn(&Store, ProductImportId, u64, u32) -> StagedRows,
    pub(crate) repeated_skus: fn(&Store, ProductImportId, u32) -> RepeatedSkus,
    pub(crate) apply_products: fn(&Store, ApplyProducts) -> Staged<ImportCounts>,
    pub(crate) check_attempt: fn(&Store, &Attempt, DateTime<Utc>) -> Result<(), Error>,
    pub(crate) count_attempt: fn(&Store, &Attempt, DateTime<Utc>) -> Result<(), Error>,
    pub(crate) release: fn(&Store, &AttemptKey) -> Result<(), StoreError>,
    pub(crate) reset: fn(&Store, &AttemptKey) -> Result<(), StoreError>,
    pub(crate) audit: fn(&Store) -> Result<Audit, StoreError>,
    pub(crate) audit_stock: fn(&Store, Option<ProductId>, u32) -> Result<StockAudit, StoreError>,
    pub(crate) record_check: fn(&Store, &LedgerCheck) -> Result<(), StoreError>,
    pub(crate) check: fn(&Store) -> Result<(), StoreError>,
    pub(crate) purge_idempotency_keys: fn(&Store, DateTime<Utc>) -> Result<u64, StoreError>,
    pub(crate) purge_attempts: fn(&Store, DateTime<Utc>) -> Result<u64, StoreError>,
    pub(crate) record_clock: fn(&Store, ClockReading, TimeDelta) -> Result<(), StoreError>,
    pub(crate) known_network:
        fn(&Store, &KnownNetworkKey) -> Result<Option<KnownNetwork>, StoreError>,
    pub(crate) remember_network:
        fn(&Store, &KnownNetworkKey, KnownNetwork) -> Result<(), StoreError>,
    pub(crate) purge_known_networks: fn(&Store, DateTime<Utc>) -> Result<u64, StoreError>,
    pub(crate) read_events: fn(&Store, &EventQuery) -> Result<Vec<LoggedEvent>, StoreError>,
    pub(crate) sales: ReadSales,
    pub(crate) low_stock: fn(&Store, u32) -> Result<Vec<Product>, StoreError>,
    /// Replaces ports as a whole, for the faults of ports that have no functions above.
    pub(crate) replace: fn(Stores) -> Stores,
}

/// The unmodified memory store.
pub(crate) const HONEST: Behaviour = Behaviour {
    list_products: |store, list, page| ProductRepository::list(store, list, page),
    slice_products: |store, filter, keyset, span| {
        ProductRepository::cursor_page(store, filter, keyset, span)
    },
    create: |store, command| store.create(command),
    change_product: |store, command| ProductRepository::change(store, command),
    change_together: |store, commands| store.change_together(commands),
    adjust: |store, command| store.adjust_stock(command),
    carts: |store, users| store.carts(users),
    change_cart: |store, command| CartRepository::change(store, command),
    slice_carts: |store, change, commands| one_by_one(commands, |command| change(store, command)),
    list_orders: |store, list, page| OrderRepository::list(store, list, page),
    slice_orders: |store, filter, keyset, span| {
        OrderRepository::cursor_page(store, filter, keyset, span)
    },
    place: |store, requests| store.place(requests),
    change_order: |store, command| OrderRepository::change(store, command),
    find_products: |store, ids| ProductRepository::find_all(store, ids),
    find_accounts: |store, users| AccountRepository::find_all(store, users),
    register: |store, command| store.register(command),
    register_first_staff: |store, command| store.register_first_staff(command),
    change_password: |store, command| store.change_password(command),
    renew_hash: |store, user, old, new| store.renew_hash(user, old, new),
    switch: |store, command| store.switch(command),
    list_users: |store, filter, page| AccountRepository::list(store, filter, page),
    slice_users: |store, filter, keyset, span| {
        AccountRepository::cursor_page(store, filter, keyset, span)
    },
    change_email: |store, command| store.change_email(command),
    refresh: |store, command| store.refresh(command),
    begin_family: |store, token| store.begin_family(token),
    end_family: |store, token| store.end_family(token),
    forget_tokens: |store, before| store.purge_refresh_tokens(before),
    end_sessions: |store, command| store.end_sessions(command),
    reset_user: |store, command| store.reset_user(command),
    begin_session: |store, session| store.begin_session(session),
    use_session: |store, session| store.use_session(session),
    purge_staff_sessions: |store, before| store.purge_staff_sessions(before),
    import: |store, command| store.import(command),
    stage_products: |store, import, rows| store.stage(import, rows),
    staged_products: |store, import, after, limit| store.staged(import, after, limit),
    repeated_skus: |store, import, limit| store.repeated_skus(import, limit),
    apply_products: |store, command| store.apply(command, Arc::new(NoProgress)),
    check_attempt: |store, attempt, now| store.check_attempt(attempt, now),
    count_attempt: |store, attempt, now| store.count_attempt(attempt, now),
    release: |store, key| store.release(key),
    reset: |store, key| store.reset(key),
    audit: |store| store.audit(),
    audit_stock: |store, after, limit| store.audit_stock(after, limit),
    record_check: |store, check| store.record_check(check),
    check: |store| store.check(),
    purge_idempotency_keys: |store, before| store.purge_idempotency_keys(before),
    purge_attempts: |store, before| store.purge_attempts(before),
    record_clock: |store, reading, keep_from| store.record_clock(reading, keep_from),
    known_network: |store, key| store.known_network(key),
    remember_network: |store, key, known| store.remember_network(key, known),
    purge_known_networks: |store, before| store.purge_known_networks(before),
    read_events: |store, query| store.read(query),
    sales: |store, since, until| store.sales(since, until),
    low_stock: |store, limit| store.low_stock(limit),
    replace: |stores| stores,
};

/// A store with this behaviour.
pub(crate) struct Broken {
    store: Arc<Store>,
    does: Behaviour,
}

impl Broken {
    /// The ports of a store with this behaviour. Those that are not replaced here are correct.
    pub(crate) fn stores(does: Behaviour) -> Stores {
        let store = Arc::new(MemoryStore::new(usd()));
        let mut stores = Stores::new(store.clone());
        let broken = Arc::new(Self { store, does });
        stores.products = broken.clone();
        stores.inventory = broken.clone();
        stores.carts = broken.clone();
        stores.orders = broken.clone();
        stores.events = broken.clone();
        stores.reports = broken.clone();
        stores.accounts = broken.clone();
        stores.staff_sessions = broken.clone();
        stores.imports = broken.clone();
        stores.product_imports = broken.clone();
        stores.attempts = broken.clone();
        stores.ledger = broken.clone();
        stores.health = broken.clone();
        stores.retention = broken;
        (does.replace)(stores)
    }
}

impl ProductRepository for Broken {
    fn list(&self, list: &ProductList, page: PageRequest) -> Result<Page<Product>, StoreError> {
        (self.does.list_products)(&self.store, list, page)
    }

    fn cursor_page(
        &self,
        filter: &ProductFilter,
        keyset: Keyset<ProductField>,
        span: &CursorRequest,
    ) -> Result<CursorPage<Product>, StoreError> {
        (self.does.slice_products)(&self.store, filter, keyset, span)
    }

    fn find_all(&self, ids: &[ProductId]) -> Result<Vec<Product>, StoreError> {
        (self.does.find_products)(&self.store, ids)
    }

    fn create_all(&self, commands: &[CreateProduct]) -> Outcomes<Execution<Product>> {
        one_by_one(commands, |command| (self.does.create)(&self.store, command))
    }

    fn change_all(&self, commands: &[ChangeProduct]) -> Outcomes<Product> {
        let change = |command| (self.does.change_product)(&self.store, command);
        one_by_one(commands, change)
    }

    fn change_together(&self, commands: &[ChangeProduct]) -> AllOrNone<Product> {
        (self.does.change_together)(&self.store, commands)
    }
}

impl InventoryRepository for Broken {
    fn adjust_all(&self, commands: &[AdjustStock]) -> Outcomes<Execution<Adjusted>> {
        one_by_one(commands, |command| (self.does.adjust)(&self.store, command))
    }

    fn movements(
        &self,
        product: ProductId,
        page: PageRequest,
    ) -> Result<Option<Page<Movement>>, StoreError> {
        self.store.movements(product, page)
    }
}

impl CartRepository for Broken {
    fn carts(&self, users: &[UserId]) -> Result<HashMap<UserId, Cart>, StoreError> {
        (self.does.carts)(&self.store, users)
    }

    fn change_all(&self, commands: &[ChangeCart]) -> Outcomes<CartChange> {
        (self.does.slice_carts)(&self.store, self.does.change_cart, commands)
    }
}

impl OrderRepository for Broken {
    fn list(&self, list: &OrderList, page: PageRequest) -> Result<Page<Order>, StoreError> {
        (self.does.list_orders)(&self.store, list, page)
    }

    fn cursor_page(
        &self,
        filter: &OrderFilter,
        keyset: Keyset<OrderField>,
        span: &CursorRequest,
    ) -> Result<CursorPage<Order>, StoreError> {
        (self.does.slice_orders)(&self.store, filter, keyset, span)
    }

    fn find(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        OrderRepository::find(&*self.store, id)
    }

    fn place(&self, requests: &[PlaceOrder]) -> Result<Vec<Placement>, StoreError> {
        (self.does.place)(&self.store, requests)
    }

    fn change_all(&self, commands: &[ChangeOrder]) -> Outcomes<Order> {
        let change = |command| (self.does.change_order)(&self.store, command);
        one_by_one(commands, change)
    }
}

impl AccountRepository for Broken {
    fn find(&self, user: UserId) -> Result<Option<Account>, StoreError> {
        AccountRepository::find(&*self.store, user)
    }

    fn find_all(&self, users: &[UserId]) -> Result<Vec<Account>, StoreError> {
        (self.does.find_accounts)(&self.store, users)
    }

    fn credentials(&self, username_key: &str) -> Result<Option<Credentials>, StoreError> {
        self.store.credentials(username_key)
    }

    fn register(&self, command: Register) -> Result<Account, Error> {
        (self.does.register)(&self.store, command)
    }

    fn register_first_staff(&self, command: Register) -> Result<Account, Error> {
        (self.does.register_first_staff)(&self.store, command)
    }

    fn change_password(&self, command: ChangePassword) -> Result<Account, Error> {
        (self.does.change_password)(&self.store, command)
    }

    fn end_sessions(&self, command: EndSessions) -> Result<Account, Error> {
        (self.does.end_sessions)(&self.store, command)
    }

    fn reset_user(&self, command: ResetUser) -> Result<Account, Error> {
        (self.does.reset_user)(&self.store, command)
    }

    fn renew_hash(
        &self,
        user: UserId,
        old: PasswordHash,
        new: PasswordHash,
    ) -> Result<(), StoreError> {
        (self.does.renew_hash)(&self.store, user, old, new)
    }

    fn switch(&self, command: UpdateUser) -> Result<Account, Error> {
        (self.does.switch)(&self.store, command)
    }

    fn has_staff(&self) -> Result<bool, StoreError> {
        self.store.has_staff()
    }

    fn list(&self, filter: UserFilter, page: PageRequest) -> Result<Page<Account>, StoreError> {
        (self.does.list_users)(&self.store, filter, page)
    }

    fn cursor_page(
        &self,
        filter: &UserFilter,
        keyset: Keyset<UserField>,
        span: &CursorRequest,
    ) -> Result<CursorPage<Account>, StoreError> {
        (self.does.slice_users)(&self.store, filter, keyset, span)
    }

    fn change_email(&self, command: ChangeEmail) -> Result<Account, Error> {
        (self.does.change_email)(&self.store, command)
    }

    fn begin_family(&self, token: RefreshToken) -> Result<(), StoreError> {
        (self.does.begin_family)(&self.store, token)
    }

    fn refresh(&self, command: Refresh) -> Result<Account, Error> {
        (self.does.refresh)(&self.store, command)
    }

    fn end_family(&self, token: RefreshDigest) -> Result<(), StoreError> {
        (self.does.end_family)(&self.store, token)
    }
}

impl StaffSessionRepository for Broken {
    fn begin_session(&self, session: StaffSession) -> Result<(), StoreError> {
        (self.does.begin_session)(&self.store, session)
    }

    fn find_session(&self, digest: SessionDigest) -> Result<Option<StaffSession>, StoreError> {
        self.store.find_session(digest)
    }

    fn use_session(&self, session: StaffSession) -> Result<(), StoreError> {
        (self.does.use_session)(&self.store, session)
    }

    fn end_session(&self, digest: SessionDigest) -> Result<(), StoreError> {
        self.store.end_session(digest)
    }
}

impl AttemptRepository for Broken {
    fn check_attempt(&self, attempt: &Attempt, now: DateTime<Utc>) -> Result<(), Error> {
        (self.does.check_attempt)(&self.store, attempt, now)
    }

    fn count_attempt(&self, attempt: &Attempt, now: DateTime<Utc>) -> Result<(), Error> {
        (self.does.count_attempt)(&self.store, attempt, now)
    }

    fn release(&self, key: &AttemptKey) -> Result<(), StoreError> {
        (self.does.release)(&self.store, key)
    }

    fn reset(&self, key: &AttemptKey) -> Result<(), StoreError> {
        (self.does.reset)(&self.store, key)
    }

    fn known_network(&self, key: &KnownNetworkKey) -> Result<Option<KnownNetwork>, StoreError> {
        (self.does.known_network)(&self.store, key)
    }

    fn remember_network(
        &self,
        key: &KnownNetworkKey,
        known: KnownNetwork,
    ) -> Result<(), StoreError> {
        (self.does.remember_network)(&self.store, key, known)
    }
}

impl Ledger for Broken {
    fn audit(&self) -> Result<Audit, StoreError> {
        (self.does.audit)(&self.store)
    }

    fn audit_stock(&self, after: Option<ProductId>, limit: u32) -> Result<StockAudit, StoreError> {
        (self.does.audit_stock)(&self.store, after, limit)
    }

    fn record_check(&self, check: &LedgerCheck) -> Result<(), StoreError> {
        (self.does.record_check)(&self.store, check)
    }

    fn last_checks(&self) -> Result<Vec<LedgerCheck>, StoreError> {
        self.store.last_checks()
    }
}

impl ImportRepository for Broken {
    fn existing_data(&self) -> Result<ExistingData, StoreError> {
        self.store.existing_data()
    }

    fn import(&self, command: Arc<ImportShop>) -> Imported {
        (self.does.import)(&self.store, command)
    }
}

impl HealthCheck for Broken {
    fn check(&self) -> Result<(), StoreError> {
        (self.does.check)(&self.store)
    }
}

impl Retention for Broken {
    fn purge_idempotency_keys(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        (self.does.purge_idempotency_keys)(&self.store, before)
    }

    fn purge_refresh_tokens(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        (self.does.forget_tokens)(&self.store, before)
    }

    fn purge_attempts(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        (self.does.purge_attempts)(&self.store, before)
    }

    fn record_clock(&self, reading: ClockReading, keep_from: TimeDelta) -> Result<(), StoreError> {
        (self.does.record_clock)(&self.store, reading, keep_from)
    }

    fn clock_readings(&self) -> Result<Vec<ClockReading>, StoreError> {
        self.store.clock_readings()
    }

    fn purge_known_networks(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        (self.does.purge_known_networks)(&self.store, before)
    }

    fn purge_staff_sessions(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        (self.does.purge_staff_sessions)(&self.store, before)
    }
}

impl EventRepository for Broken {
    fn read(&self, query: &EventQuery) -> Result<Vec<LoggedEvent>, StoreError> {
        (self.does.read_events)(&self.store, query)
    }

    fn last(&self) -> Result<Option<EventSeq>, StoreError> {
        self.store.last()
    }

    fn feed_id(&self) -> Result<FeedId, StoreError> {
        self.store.feed_id()
    }

    fn append(&self, event: Event) -> Result<(), StoreError> {
        self.store.append(event)
    }
}

impl SalesReport for Broken {
    fn sales(
        &self,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<SalesBucket>, StoreError> {
        (self.does.sales)(&self.store, since, until)
    }

    fn orders_by_status(&self) -> Result<Vec<(OrderStatus, u64)>, StoreError> {
        self.store.orders_by_status()
    }

    fn low_stock(&self, limit: u32) -> Result<Vec<Product>, StoreError> {
        (self.does.low_stock)(&self.store, limit)
    }

    fn set_low_stock(&self, threshold: StockLevel) -> Result<(), StoreError> {
        self.store.set_low_stock(threshold)
    }
}

impl ProductImportRepository for Broken {
    fn begin(&self, at: DateTime<Utc>) -> Result<ProductImportId, StoreError> {
        self.store.begin(at)
    }

    fn stage(&self, import: ProductImportId, rows: Arc<[ProductRow]>) -> Staged<()> {
        (self.does.stage_products)(&self.store, import, rows)
    }

    fn staged(&self, import: ProductImportId, after: u64, limit: u32) -> StagedRows {
        (self.does.staged_products)(&self.store, import, after, limit)
    }

    fn repeated_skus(&self, import: ProductImportId, limit: u32) -> RepeatedSkus {
        (self.does.repeated_skus)(&self.store, import, limit)
    }

    fn apply(&self, command: ApplyProducts, _: Arc<dyn Progress>) -> Staged<ImportCounts> {
        (self.does.apply_products)(&self.store, command)
    }

    fn discard(&self, import: ProductImportId) -> Result<(), StoreError> {
        self.store.discard(import)
    }

    fn applying(&self) -> Result<Option<(ProductImportId, u64)>, StoreError> {
        self.store.applying()
    }

    fn tidy(&self) -> Result<bool, StoreError> {
        self.store.tidy()
    }
}
