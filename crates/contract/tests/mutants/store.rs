mod ports;

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
use tradepost_domain::events::{EventQuery, EventRepository, LoggedEvent};
use tradepost_domain::identity::{
    Account, AccountRepository, Attempt, AttemptKey, AttemptRepository, ChangeEmail,
    ChangePassword, EndSessions, KnownNetwork, KnownNetworkKey, PasswordHash, Refresh,
    RefreshDigest, RefreshToken, Register, ResetUser, StaffSession, StaffSessionRepository,
    UpdateUser, UserField, UserFilter,
};
use tradepost_domain::import::products::{
    ApplyProducts, ImportCounts, ProductImportId, ProductImportRepository, ProductRow, Staged,
};
use tradepost_domain::import::{ImportRepository, ImportShop, Imported};
use tradepost_domain::inventory::{
    AdjustStock, Adjusted, Audit, InventoryRepository, Ledger, LedgerCheck, StockAudit,
};
use tradepost_domain::kernel::{
    AllOrNone, CursorPage, CursorRequest, Error, Execution, Keyset, NoProgress, Outcomes, Page,
    PageRequest, ProductId, StoreError, UserId,
};
use tradepost_domain::maintenance::{ClockReading, HealthCheck, Retention};
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
