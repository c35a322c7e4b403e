use crate::catalog::Product;
use crate::inventory::{Audit, Ledger, LedgerCheck, LedgerCheckKind};
use crate::kernel::{Actor, Clock, Error, System};
use crate::orders::OrderStatus;
use crate::reports::{SalesBucket, SalesReport};
use crate::{Service, ServicesConfig, Stores};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// Report service, for staff.
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// # use tradepost_memory::MemoryStore;
/// # let shop = Services::new(MemoryStore::new(usd()), system(), ServicesConfig::default());
/// # let grace = shop.accounts.create_staff(NewUser::new("grace", "staple of horses")?)?.actor();
/// # let ada = shop.accounts.register(NewUser::new("ada", "tea at ten")?)?.actor();
/// # let mug = ProductBuilder::new(1).price(1_250).stock(7).draft();
/// # let mug = shop.catalogue.create(grace, mug, None)?.executed()?;
/// shop.carts.add(ada, mug.id, Quantity::new(2)?, None)?;
/// shop.orders.place(ada, None, None)?;
///
/// let waiting = shop.reports.orders_by_status(grace)?;
/// assert_eq!(waiting, [(OrderStatus::Pending, 1)]);
/// let low = shop.reports.low_stock(grace, 10)?;
/// assert_eq!(low[0].id, mug.id);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Reports {
    reports: Arc<dyn SalesReport>,
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
}

impl Service for Reports {
    fn of(stores: &Stores, system: &System, _: &ServicesConfig) -> Self {
        Self::new(
            stores.reports.clone(),
            stores.ledger.clone(),
            system.clock.clone(),
        )
    }
}

impl Reports {
    /// The service over these ports.
    #[must_use]
    pub fn new(
        reports: Arc<dyn SalesReport>,
        ledger: Arc<dyn Ledger>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            reports,
            ledger,
            clock,
        }
    }

    /// The buckets with sales that start in a time, `until` excluded, ascending.
    ///
    /// # Errors
    /// For actors other than staff; if the store fails.
    pub fn sales(
        &self,
        actor: Actor,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<SalesBucket>, Error> {
        actor.staff()?;
        Ok(self.reports.sales(since, until)?)
    }

    /// The number of orders of each status, in the order of the statuses.
    ///
    /// # Errors
    /// For actors other than staff; if the store fails.
    pub fn orders_by_status(&self, actor: Actor) -> Result<Vec<(OrderStatus, u64)>, Error> {
        actor.staff()?;
        Ok(self.reports.orders_by_status()?)
    }

    /// Products low in stock, lowest level first.
    ///
    /// # Errors
    /// For actors other than staff; if the store fails.
    pub fn low_stock(&self, actor: Actor, limit: u32) -> Result<Vec<Product>, Error> {
        actor.staff()?;
        Ok(self.reports.low_stock(limit)?)
    }

    /// The ledger audit, whose result is kept. It reads every movement, so its cost grows with the
    /// shop.
    ///
    /// # Errors
    /// For actors other than staff; if the store fails.
    pub fn audit_ledger(&self, actor: Actor) -> Result<Audit, Error> {
        actor.staff()?;
        let at = self.clock.now();
        let audit = self.ledger.audit()?;
        let check = LedgerCheck::new(LedgerCheckKind::Whole, at, &audit);
        self.ledger.record_check(&check)?;
        Ok(audit)
    }

    /// The last results of ledger checks, by kind.
    ///
    /// # Errors
    /// For actors other than staff; if the store fails.
    pub fn ledger_checks(&self, actor: Actor) -> Result<Vec<LedgerCheck>, Error> {
        actor.staff()?;
        let mut checks = self.ledger.last_checks()?;
        checks.sort_by_key(|check| check.kind);
        Ok(checks)
    }
}
