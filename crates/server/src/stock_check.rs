//! The daily stock check: a background thread that compares the units on hand of every product with
//! the sum of its movements, in small parts with pauses, so that orders do not notice it.

use crate::system::background::Background;
use chrono::{DateTime, Utc};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tradepost_auth::SystemClock;
use tradepost_domain::inventory::{
    Audit, Ledger, LedgerCheck, LedgerCheckKind, decide_stock_check,
};
use tradepost_domain::kernel::{Clock, ProductId, StoreError};

/// Time between two parts, at least: a shop of 100,000 products is checked within five minutes.
const TICK: Duration = Duration::from_millis(250);

/// Products of a part: a few milliseconds, unless they have very many movements.
const PART: u32 = 100;

/// A part is followed by a pause of so many times its duration: the check uses at most a fifth of a
/// core.
const PAUSE: u32 = 4;

/// The first look after the start of a server, which it does not slow down.
const FIRST_LOOK: Duration = Duration::from_secs(60);

/// Time between two looks whether the check is due. Another server may have made it.
const LOOK: Duration = Duration::from_secs(10 * 60);

/// Starts the background thread.
///
/// # Errors
/// If the operating system cannot create a thread.
pub(crate) fn start(ledger: Arc<dyn Ledger>) -> io::Result<Background> {
    let next_look = Instant::now() + FIRST_LOOK;
    let mut check = StockCheck::new(ledger, Arc::new(SystemClock), next_look);
    Background::every(TICK, "stock-check", move || check.step(Instant::now()))
}

/// The stock check, step by step.
struct StockCheck {
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
    running: Option<Run>,
    next_look: Instant,
}

/// A check that has begun.
struct Run {
    at: DateTime<Utc>,
    audit: Audit,
    after: Option<ProductId>,
    resume: Instant,
}

impl StockCheck {
    fn new(ledger: Arc<dyn Ledger>, clock: Arc<dyn Clock>, next_look: Instant) -> Self {
        Self {
            ledger,
            clock,
            running: None,
            next_look,
        }
    }

    fn step(&mut self, now: Instant) {
        let stepped = match self.running.take() {
            Some(run) if now < run.resume => {
                self.running = Some(run);
                Ok(())
            }
            Some(run) => self.part(run),
            None if now < self.next_look => Ok(()),
            None => {
                self.next_look = now + LOOK;
                self.look(now)
            }
        };
        if let Err(error) = stepped {
            log::warn!("the stock was not checked, which is tried again later: {error}");
        }
    }

    /// Begins a check, if it is due.
    fn look(&mut self, now: Instant) -> Result<(), StoreError> {
        let checks = self.ledger.last_checks()?.into_iter();
        let mut of_stock = checks.filter(|check| check.kind == LedgerCheckKind::Stock);
        let at = self.clock.now();
        if decide_stock_check(of_stock.next().map(|last| last.at), at) {
            self.running = Some(Run {
                at,
                audit: Audit::default(),
                after: None,
                resume: now,
            });
        }
        Ok(())
    }

    /// Checks the next products.
    fn part(&mut self, mut run: Run) -> Result<(), StoreError> {
        let start = Instant::now();
        let part = self.ledger.audit_stock(run.after, PART)?;
        let Some(last) = part.last else {
            return self.finish(&run);
        };
        run.audit.products += part.audit.products;
        run.audit.movements += part.audit.movements;
        run.audit.discrepancies.extend(part.audit.discrepancies);
        run.after = Some(last);
        let end = Instant::now();
        run.resume = end + end.duration_since(start).saturating_mul(PAUSE);
        self.running = Some(run);
        Ok(())
    }

    fn finish(&self, run: &Run) -> Result<(), StoreError> {
        let check = LedgerCheck::new(LedgerCheckKind::Stock, run.at, &run.audit);
        if let Some(first) = check.first.first() {
            let wrong = check.discrepancies;
            log::error!(
                wrong;
                "the stock of {wrong} products differs from the ledger; run tradepost verify: {first}"
            );
        }
        self.ledger.record_check(&check)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use tradepost_domain::inventory::{Discrepancy, StockAudit};
    use tradepost_domain::kernel::StoreErrorKind;

    /// A ledger of 250 products with one movement each, of which the last is wrong.
    #[derive(Default)]
    struct Books {
        checks: Mutex<Vec<LedgerCheck>>,
        parts: Mutex<Vec<Option<i64>>>,
        fails: Mutex<bool>,
    }

    const PRODUCTS: i64 = 250;

    impl Ledger for Books {
        fn audit(&self) -> Result<Audit, StoreError> {
            Ok(Audit::default())
        }

        fn audit_stock(
            &self,
            after: Option<ProductId>,
            limit: u32,
        ) -> Result<StockAudit, StoreError> {
            if *self.fails.lock().unwrap() {
                return Err(StoreError::new(StoreErrorKind::Busy));
            }
            let after = after.map(ProductId::get);
            self.parts.lock().unwrap().push(after);
            let before = after.unwrap_or(0);
            let last = (before + i64::from(limit)).min(PRODUCTS);
            let products = u64::try_from(last - before).unwrap();
            let wrong = (before < last && last == PRODUCTS).then(|| Discrepancy::Stock {
                product: ProductId::new(last).unwrap(),
                on_hand: 2,
                ledger: 1,
            });
            Ok(StockAudit {
                audit: Audit {
                    products,
                    movements: products,
                    discrepancies: wrong.into_iter().collect(),
                    ..Audit::default()
                },
                last: ProductId::new(last).filter(|_| products > 0),
            })
        }

        fn record_check(&self, check: &LedgerCheck) -> Result<(), StoreError> {
            let mut checks = self.checks.lock().unwrap();
            checks.clear();
            checks.push(check.clone());
            Ok(())
        }

        fn last_checks(&self) -> Result<Vec<LedgerCheck>, StoreError> {
            Ok(self.checks.lock().unwrap().clone())
        }
    }

    struct Day(Mutex<DateTime<Utc>>);

    impl Clock for Day {
        fn now(&self) -> DateTime<Utc> {
            *self.0.lock().unwrap()
        }
    }

    #[test]
    fn the_stock_is_checked_once_a_day_in_parts() {
        let books = Arc::new(Books::default());
        let day = Arc::new(Day(Mutex::new(DateTime::UNIX_EPOCH)));
        let mut now = Instant::now();
        let mut check = StockCheck::new(books.clone(), day.clone(), now + FIRST_LOOK);
        // Each step is later than the pause after any part.
        let mut step = |check: &mut StockCheck| {
            now += Duration::from_secs(60 * 60);
            check.step(now);
        };
        for _ in 0..5 {
            step(&mut check);
        }
        let expected = [None, Some(100), Some(200), Some(250)];
        assert_eq!(*books.parts.lock().unwrap(), expected);
        let kept = books.checks.lock().unwrap()[0].clone();
        assert_eq!(
            (kept.products, kept.movements, kept.discrepancies),
            (250, 250, 1)
        );
        assert!(kept.first[0].starts_with("product 250: "), "{kept:?}");
        // It is not due.
        step(&mut check);
        assert!(check.running.is_none());
        *day.0.lock().unwrap() += chrono::TimeDelta::days(1);
        // A failure ends the check, which begins again at the next look.
        step(&mut check);
        *books.fails.lock().unwrap() = true;
        step(&mut check);
        assert!(check.running.is_none());
        *books.fails.lock().unwrap() = false;
        for _ in 0..5 {
            step(&mut check);
        }
        assert_eq!(books.checks.lock().unwrap()[0].at, day.now());
    }

    #[test]
    fn the_first_look_and_the_pauses_are_awaited() {
        let books = Arc::new(Books::default());
        let clock = Arc::new(Day(Mutex::new(DateTime::UNIX_EPOCH)));
        let start = Instant::now();
        let mut check = StockCheck::new(books, clock, start + FIRST_LOOK);
        check.step(start);
        assert!(check.running.is_none());
        check.step(start + FIRST_LOOK);
        let run = check.running.as_mut().unwrap();
        run.resume = start + 2 * FIRST_LOOK;
        check.step(start + FIRST_LOOK);
        assert_eq!(check.running.as_ref().unwrap().after, None);
    }
}
