//! A scripted fake write port that records its calls.

use chrono::DateTime;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use tradepost_domain::cart::CartRefusal;
use tradepost_domain::kernel::{
    Currency, Execution, Money, OrderId, Outcomes, Refusal, StoreError, StoreErrorKind, UserId,
};
use tradepost_domain::orders::{Order, OrderStatus, PlaceOrder, PlacementId};

/// Scripted behaviour for a batch.
pub(crate) enum Act {
    /// Place all requests.
    Place,
    /// Refuse the users with an even id.
    RefuseEven,
    /// Report a lock conflict for the users with an even id.
    ContendEven,
    /// Fail.
    Fail(StoreErrorKind),
    /// Panic.
    Panic,
    /// Return so many results, regardless of the number of requests.
    Answer(usize),
}

pub(crate) struct Fake {
    acts: Mutex<VecDeque<Act>>,
    batches: Mutex<Vec<Vec<i64>>>,
    contending: AtomicBool,
    /// The id of a user with a corrupt row, if any: every batch with them fails.
    pub(crate) corrupt: Mutex<Option<i64>>,
    gate: Option<Mutex<(Sender<()>, Receiver<()>)>>,
}

/// Holds every batch back until it is opened.
pub(crate) struct Gate {
    arrived: Receiver<()>,
    open: Sender<()>,
}

impl Gate {
    /// Returns when a batch has reached the repository.
    pub(crate) fn wait_for_batch(&self) {
        self.arrived.recv().unwrap();
    }

    /// Lets this batch and all later ones through.
    pub(crate) fn open(self) {
        drop(self.open);
    }
}

impl Fake {
    pub(crate) fn placing() -> Arc<Self> {
        Arc::new(Self::new(None))
    }

    pub(crate) fn gated() -> (Arc<Self>, Gate) {
        let (arrives, arrived) = mpsc::channel();
        let (open, opened) = mpsc::channel();
        let fake = Self::new(Some(Mutex::new((arrives, opened))));
        (Arc::new(fake), Gate { arrived, open })
    }

    fn new(gate: Option<Mutex<(Sender<()>, Receiver<()>)>>) -> Self {
        Self {
            acts: Mutex::default(),
            batches: Mutex::default(),
            contending: AtomicBool::new(false),
            corrupt: Mutex::default(),
            gate,
        }
    }

    /// Scripts the next batch that has no instruction yet; unscripted batches are placed.
    pub(crate) fn then(&self, act: Act) {
        self.acts.lock().unwrap().push_back(act);
    }

    /// Whether unscripted batches report a lock conflict for users with an even id.
    pub(crate) fn contend(&self, contending: bool) {
        self.contending.store(contending, Ordering::SeqCst);
    }

    /// The users of each batch.
    pub(crate) fn batches(&self) -> Vec<Vec<i64>> {
        self.batches.lock().unwrap().clone()
    }
}

impl Fake {
    pub(crate) fn place(&self, requests: &[PlaceOrder]) -> Outcomes<Execution<Order>> {
        let users = requests.iter().map(|request| request.user.get());
        self.batches.lock().unwrap().push(users.collect());
        if let Some(gate) = &self.gate {
            let (arrives, opened) = &*gate.lock().unwrap();
            let _ = arrives.send(());
            let _ = opened.recv();
        }
        let corrupt = *self.corrupt.lock().unwrap();
        if requests
            .iter()
            .any(|request| Some(request.user.get()) == corrupt)
        {
            return Err(StoreError::corrupt("cart_items", "quantity", 7));
        }
        let act = self.acts.lock().unwrap().pop_front();
        let all = || {
            requests
                .iter()
                .map(|request| Ok(Execution::Executed(order(request))))
        };
        let refusing_even = |refusal: Refusal| {
            let refuse = |request: &PlaceOrder| request.user.get() % 2 == 0;
            let placed = requests.iter().zip(all());
            let placed = placed.map(|(request, placed)| match refuse(request) {
                true => Err(refusal.clone()),
                false => placed,
            });
            Ok(placed.collect())
        };
        let otherwise = match self.contending.load(Ordering::SeqCst) {
            true => Act::ContendEven,
            false => Act::Place,
        };
        match act.unwrap_or(otherwise) {
            Act::Place => Ok(all().collect()),
            Act::RefuseEven => refusing_even(Refusal::Cart(CartRefusal::Empty)),
            Act::ContendEven => refusing_even(Refusal::LockConflict),
            Act::Fail(kind) => Err(StoreError::new(kind)),
            Act::Panic => panic!("told to"),
            Act::Answer(count) => Ok(all()
                .collect::<Vec<_>>()
                .into_iter()
                .cycle()
                .take(count)
                .collect()),
        }
    }
}

/// The request of a user.
pub(crate) fn request(user: i64) -> PlaceOrder {
    PlaceOrder {
        user: UserId::new(user).unwrap(),
        expected_total: None,
        key: None,
        placement: PlacementId::new(u128::from(user.unsigned_abs())),
        quota: None,
        at: DateTime::UNIX_EPOCH,
    }
}

/// The order that a request becomes.
pub(crate) fn order(request: &PlaceOrder) -> Order {
    Order {
        id: OrderId::new(request.user.get()).unwrap(),
        user: request.user,
        status: OrderStatus::Pending,
        total: Money::zero(Currency::from_code("USD").unwrap()),
        adjustment: Money::zero(Currency::from_code("USD").unwrap()),
        lines: Vec::new(),
        archived: false,
        created_at: request.at,
        updated_at: request.at,
    }
}
