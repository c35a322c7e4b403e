//! The ports of a broken store: each operation is that of its behaviour, or of the memory store.

use super::{Broken, RepeatedSkus, StagedRows};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;
use std::sync::Arc;
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
    AllOrNone, CursorPage, CursorRequest, Error, EventSeq, Execution, Keyset, OrderId, Outcomes,
    Page, PageRequest, ProductId, Progress, StoreError, UserId,
};
use tradepost_domain::maintenance::{ClockReading, HealthCheck, Retention};
use tradepost_domain::orders::OrderStatus;
use tradepost_domain::orders::{
    ChangeOrder, Order, OrderField, OrderFilter, OrderList, OrderRepository, PlaceOrder, Placement,
};
use tradepost_domain::reports::{SalesBucket, SalesReport};
use tradepost_domain::testing::one_by_one;

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
