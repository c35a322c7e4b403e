//! Queued order placements, executed in batches.

use crate::check::{Checked, read, same};
use crate::command::{Command, Sent, Waiting, refusal_names};
use crate::flaky::{Contact, Fate};
use crate::model::{Fresh, Touched};
use crate::runner::World;
use std::collections::BTreeSet;
use tradepost_contract::page;
use tradepost_domain::kernel::{Execution, OrderId, Refusal, StoreError, StoreErrorKind};
use tradepost_domain::orders::{OrderList, PlaceOrder, Placement};

/// Largest batch of the simulation; the batcher has a limit of its own.
pub(crate) const LARGEST: usize = 8;

/// Batch sizes by name.
pub(crate) const SIZES: [&str; LARGEST] = ["1", "2", "3", "4", "5", "6", "7", "8"];

impl World {
    /// Queues a client's order, sometimes twice.
    pub(crate) fn queue(&mut self, client: usize, sent: &Sent) -> Checked {
        let Command::Checkout { expected, key } = sent.command.clone() else {
            return Ok(());
        };
        if sent.by.customer().is_err() {
            // An anonymous caller has no cart: nothing to queue.
            self.steps += 1;
            return self.send(sent, Fate::Fine).map(drop);
        }
        let again = key.clone();
        let placing = |key| self.shop.orders.placing(sent.by, expected, key);
        let request = placing(key).map_err(|refusal| refusal.to_string())?;
        let mut requests = vec![request.clone()];
        if self.chance.one_in(4) {
            // A second request with a key may be the same value; otherwise it gets a placement id
            // of its own.
            requests.push(if again.is_some() && self.chance.one_in(2) {
                request
            } else {
                let placing = self.shop.orders.placing(sent.by, expected, again);
                placing.map_err(|refusal| refusal.to_string())?
            });
        }
        for request in requests {
            self.trace(|| format!("client {client} hands in {request:?}"));
            self.clients[client].waiting += 1;
            self.waiting.push(Waiting { client, request });
        }
        Ok(())
    }

    /// Places some of the queued requests, in the order in which they came.
    pub(crate) fn place_some(&mut self) -> Checked {
        let most = self.waiting.len().min(LARGEST);
        let size = if self.chance.one_in(3) {
            1 + self.chance.below(most)
        } else {
            most
        };
        let batch: Vec<Waiting> = self.waiting.drain(..size).collect();
        for one in &batch {
            self.clients[one.client].waiting -= 1;
        }
        self.steps += size;
        let requests: Vec<PlaceOrder> = batch.iter().map(|one| one.request.clone()).collect();
        self.count("batch of", SIZES[size - 1]);
        let (fate, step) = (self.fate(), self.steps);
        self.trace(|| format!("{step}: a batch of {size} is placed ({fate:?}): {requests:?}"));
        self.flaky.arm(fate);
        let outcome = self.stores.orders.place(&requests);
        let contact = self.flaky.contact();
        self.trace(|| format!("  {contact:?}: {outcome:?}"));
        match (&outcome, contact) {
            (Err(error), Contact::Answered) => return Err(error.to_string()),
            (_, Contact::Lost | Contact::Crashed) => {
                self.model.touched = Touched::default();
                self.count(contact.name(), "place");
            }
            (_, Contact::Answered | Contact::Unseen) => self.compare(&requests, &outcome)?,
        }
        self.check_step()?;
        match outcome {
            Ok(placements) => {
                for (one, placement) in batch.iter().zip(placements) {
                    if placement.is_err() {
                        self.clients[one.client].refused(&mut self.chance);
                    }
                }
            }
            Err(error) => self.retry(batch, &error),
        }
        Ok(())
    }

    fn compare(
        &mut self,
        requests: &[PlaceOrder],
        outcome: &Result<Vec<Placement>, StoreError>,
    ) -> Checked {
        let fresh = Fresh {
            orders: self.fresh_orders()?,
            ..Fresh::default()
        };
        let expected = self.model.place(requests, &fresh);
        let harmless = expected.iter().any(Result::is_err) && expected.iter().any(Result::is_ok);
        let mut placed = BTreeSet::new();
        for (request, placement) in requests.iter().zip(&expected) {
            let key = request.key.as_ref().map(|key| (request.user, &key.scope));
            match placement {
                Ok(Execution::Executed(_)) => {
                    placed.extend(key);
                    let name = if outcome.is_ok() {
                        "done"
                    } else {
                        "happened unseen"
                    };
                    self.count(name, "place");
                }
                Ok(Execution::Replayed(_)) if key.is_some_and(|key| placed.contains(&key)) => {
                    self.count("twice in a batch", "place");
                }
                Ok(Execution::Replayed(_)) => self.count("replayed", "place"),
                Err(refusal) => self.refused(refusal),
            }
        }
        if harmless {
            self.count("beside a refused one", "place");
        }
        if let Ok(found) = outcome {
            same("the placements", found, &expected)?;
            for (request, placement) in requests.iter().zip(found) {
                if let Ok(written) = placement {
                    self.witness.acknowledge(request, written)?;
                }
            }
        }
        Ok(())
    }

    pub(crate) fn refused(&mut self, refusal: &Refusal) {
        for name in refusal_names(refusal) {
            self.count("refused", name);
        }
    }

    /// Orders that the model has not seen, oldest first.
    fn fresh_orders(&self) -> Checked<Vec<OrderId>> {
        let size = u32::try_from(LARGEST).unwrap();
        let newest = read(
            self.stores
                .orders
                .list(&OrderList::default(), page(1, size)),
        )?;
        let known = self.model.orders.keys().next_back().copied();
        let mut fresh: Vec<OrderId> = newest.items.iter().map(|order| order.id).collect();
        fresh.retain(|id| known.is_none_or(|known| *id > known));
        fresh.reverse();
        Ok(fresh)
    }

    /// After a failure, clients queue the same request again, unless that could order twice.
    fn retry(&mut self, batch: Vec<Waiting>, error: &StoreError) {
        let unknown = *error.kind() == StoreErrorKind::OutcomeUnknown;
        for one in batch {
            if (unknown && one.request.key.is_none()) || self.chance.one_in(4) {
                continue;
            }
            self.count("sent again", "place");
            self.clients[one.client].waiting += 1;
            self.waiting.push(one);
        }
    }
}
