//! The driver of a simulation: a shop, its clients, and the random choice of turns and faults.

use crate::batches::LARGEST;
use crate::broken::{Broken, Defect};
use crate::check::{Checked, Witness, audit, read, same};
use crate::clients::{Client, PASSWORDS, Role};
use crate::command::{Answer, Command, Sent, Waiting};
use crate::families::Families;
use crate::flaky::{Contact, Fate, Flaky};
use crate::model::accounts::TOKEN_LIFE;
use crate::model::sessions::{REFRESH_LIFE, USED};
use crate::model::{Fresh, Model, Touched};
use crate::outside::{Notes, Plain, old_hash};
use crate::random::Random;
use chrono::Duration;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tradepost_contract::{at, draft, page, units, usd};
use tradepost_domain::catalog::ProductList;
use tradepost_domain::identity::{AccountSettings, Email, Register, Username};
use tradepost_domain::kernel::{
    Actor, Clock, Error, IDEMPOTENCY_KEY_TTL, StoreErrorKind, System, UserId,
};
use tradepost_domain::testing::{FixedClock, SequentialIds};
use tradepost_domain::{Services, ServicesConfig, Stores};
use tradepost_memory::MemoryStore;

/// Commands of one run, without those that fill the shop first.
pub(crate) const STEPS: usize = 200;

/// Steps between comparisons of the whole state, in addition to those after each failed command.
const WHOLE_EVERY: usize = 16;

/// Coverage tally: how often each command, refusal and fault was reached.
pub(crate) type Tally = BTreeMap<(&'static str, &'static str), u64>;

/// Result of a run.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) tally: Tally,
    pub(crate) trace: Vec<String>,
    /// The step that failed, and the difference found after it.
    pub(crate) wrong: Option<(usize, String)>,
}

pub(crate) struct World {
    pub(crate) flaky: Arc<Flaky>,
    pub(crate) stores: Stores,
    clock: Arc<FixedClock>,
    pub(crate) shop: Services,
    tokens: Arc<Notes>,
    families: Families,
    pub(crate) model: Model,
    pub(crate) witness: Witness,
    pub(crate) chance: Random,
    pub(crate) clients: Vec<Client>,
    pub(crate) waiting: Vec<Waiting>,
    pub(crate) steps: usize,
    report: Report,
    /// Turns for each batch placement: a large number makes large batches.
    haste: usize,
    traced: bool,
}

/// Runs one seed, over a store with a defect if given. A panic of the code under test is a failure
/// too.
pub(crate) fn play(seed: u64, defect: Option<Defect>, traced: bool) -> Report {
    let mut world = World::new(seed, defect, traced);
    let run = AssertUnwindSafe(|| world.fill(seed).and_then(|()| world.run()));
    let ended = catch_unwind(run).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        Err(format!("panicked: {}", text.unwrap_or_default()))
    });
    if let Err(wrong) = ended {
        world.report.wrong = Some((world.steps, wrong));
    }
    world.report
}

impl World {
    fn new(seed: u64, defect: Option<Defect>, traced: bool) -> Self {
        let mut chance = Random::new(seed);
        let memory = Stores::new(Arc::new(MemoryStore::new(usd())));
        let flaky = Flaky::new(match defect {
            Some(defect) => Broken::stores(memory, defect),
            None => memory,
        });
        let stores = flaky.stores();
        let clock = Arc::new(FixedClock::new(at(0)));
        let tokens = Arc::new(Notes::default());
        let system = System {
            clock: clock.clone(),
            placement_ids: Arc::new(SequentialIds::default()),
            hasher: Arc::new(Plain),
            tokens: tokens.clone(),
        };
        let config = ServicesConfig {
            accounts: AccountSettings {
                token_life: TOKEN_LIFE,
                access_life: TOKEN_LIFE,
                refresh_life: REFRESH_LIFE,
            },
            order_quota: None,
            ..ServicesConfig::default()
        };
        use Role::{Admin, Clerk, Member, Shopper, Stranger};
        let roles = [
            Shopper, Shopper, Shopper, Shopper, Shopper, Shopper, Shopper, Clerk, Clerk, Admin,
            Member, Stranger,
        ];
        Self {
            shop: Services::new(stores.clone(), system, config),
            tokens,
            families: Families::default(),
            flaky,
            stores,
            clock,
            model: Model::default(),
            witness: Witness::default(),
            haste: chance.pick(&[2, 6, 40]),
            chance,
            clients: roles.into_iter().map(Client::new).collect(),
            waiting: Vec::new(),
            steps: 0,
            report: Report::default(),
            traced,
        }
    }

    /// Creates two staff users and three customers, whose hashes are weak, and a few products. Some
    /// worlds have many products and an almost full cart.
    fn fill(&mut self, seed: u64) -> Checked {
        for (at, name) in ["grace", "edsger", "ada", "charles", "mary"]
            .iter()
            .enumerate()
        {
            let command = Register {
                username: Username::new(name).unwrap(),
                email: Some(Email::new(&format!("{name}@example.com")).unwrap()),
                password: old_hash(PASSWORDS[at % PASSWORDS.len()]),
                is_staff: at < 2,
                at: self.clock.now(),
            };
            let account = self.stores.accounts.register(command.clone());
            let account = account.map_err(|error| error.to_string())?;
            self.model.write_account(account, command.password);
        }
        let crowded = seed.is_multiple_of(50);
        let number = if crowded { 103 } else { 4 };
        let staff = Actor::Staff(UserId::new(1).unwrap());
        for at in 0..number {
            let draft = draft("A thing", at + 1, self.chance.within(1, 12));
            self.send(
                &sent(staff, Command::Create { draft, key: None }),
                Fate::Fine,
            )?;
        }
        let products: Vec<_> = self.model.products.keys().copied().collect();
        let full = if crowded { 99 } else { 0 };
        for product in products.into_iter().take(full) {
            let customer = Actor::Customer(UserId::new(3).unwrap());
            let add = Command::Add {
                product,
                quantity: units(1),
                key: None,
            };
            self.send(&sent(customer, add), Fate::Fine)?;
        }
        self.report.tally.clear();
        Ok(())
    }

    fn run(&mut self) -> Checked {
        while self.steps < STEPS {
            let before = self.steps;
            self.turn()?;
            if before / WHOLE_EVERY != self.steps / WHOLE_EVERY {
                audit(&self.stores, &self.model)?;
                self.witness.whole(&self.stores, &self.model)?;
            }
        }
        while !self.waiting.is_empty() {
            self.place_some()?;
        }
        self.witness.end(&self.stores, &self.model)
    }

    /// One client takes a turn.
    fn turn(&mut self) -> Checked {
        self.clock.advance(self.chance.within(0, 20));
        if self.waiting.is_empty() && self.chance.one_in(150) {
            let later = IDEMPOTENCY_KEY_TTL + Duration::hours(1);
            self.clock.advance(later.num_seconds());
            self.clients.iter_mut().for_each(Client::sleep);
            self.trace(|| "a day passes".to_owned());
        }
        let free = |client: &Client| client.waiting == 0;
        let free: Vec<usize> = (0..self.clients.len())
            .filter(|at| free(&self.clients[*at]))
            .collect();
        let ready = !self.waiting.is_empty()
            && (self.waiting.len() >= LARGEST || self.chance.one_in(self.haste));
        if ready || free.is_empty() {
            return self.place_some();
        }
        let at = self.chance.pick(&free);
        let sent = self.clients[at].next(&self.model, &mut self.chance);
        if let Command::Checkout { .. } = sent.command {
            return self.queue(at, &sent);
        }
        self.steps += 1;
        let fate = self.fate();
        match self.send(&sent, fate)? {
            None => self.clients[at].failed(sent, &mut self.chance),
            Some(Answer::Forgotten(1..)) => self.witness.forget_answers(),
            Some(Answer::Pair(pair)) => self.clients[at].stays_signed_in(pair),
            Some(Answer::SignedIn(signed_in)) => self.clients[at].signed_in(signed_in.token),
            Some(_) => {}
        }
        Ok(())
    }

    pub(crate) fn fate(&mut self) -> Fate {
        let kinds = [
            StoreErrorKind::Busy,
            StoreErrorKind::Unavailable,
            StoreErrorKind::Full,
            StoreErrorKind::OutcomeUnknown,
        ];
        match self.chance.below(24) {
            0 => Fate::Lost(kinds[self.chance.below(kinds.len())].clone()),
            1 | 2 => Fate::Unanswered,
            3 => Fate::Crash,
            _ => Fate::Fine,
        }
    }

    /// Sends a command, and compares the response and the state with the model. `None` if the
    /// sender got a failure.
    pub(crate) fn send(&mut self, sent: &Sent, fate: Fate) -> Checked<Option<Answer>> {
        self.trace_command(sent, &fate);
        self.flaky.arm(fate);
        let outcome = self.carry_out(sent);
        let contact = self.flaky.contact();
        self.trace(|| format!("  {contact:?}: {outcome:?}"));
        let now = self.clock.now();
        let fresh = self.fresh(sent)?;
        let seen = match outcome {
            Ok(answer) => Some(Ok(answer)),
            Err(Error::Refused(refusal)) => Some(Err(refusal)),
            Err(error) if contact == Contact::Answered => return Err(error.to_string()),
            Err(_) => None,
        };
        let name = sent.command.name();
        if seen.is_none() && contact.came_to_nothing() {
            self.model.touched = Touched::default();
            self.count(contact.name(), name);
        } else {
            let renewed = !contact.came_to_nothing();
            let expected = self.model.take(sent, now, &fresh, renewed);
            match &expected {
                Ok(answer) if answer.is_replay() => self.count("replayed", name),
                // A sign-in succeeds even if the stronger hash is lost.
                Ok(_) if seen.is_some() => self.count("done", name),
                Ok(_) => self.count(contact.name(), name),
                Err(refusal) => self.refused(refusal),
            }
            if let Some(seen) = &seen {
                self.families.saw(sent, seen, now)?;
                same("the answer", seen, &expected)?;
            }
        }
        self.check_step()?;
        // A refusal is a response, and is not retried.
        Ok(seen.map(|seen| seen.unwrap_or(Answer::Done)))
    }

    pub(crate) fn check_step(&mut self) -> Checked {
        if self.model.touched.is_empty() {
            self.witness.whole(&self.stores, &self.model)
        } else {
            self.witness.touched(&self.stores, &self.model)
        }
    }

    fn carry_out(&self, sent: &Sent) -> Result<Answer, Error> {
        let by = sent.by;
        Ok(match sent.command.clone() {
            Command::Create { draft, key } => {
                Answer::Created(self.shop.catalogue.create(by, draft, key)?)
            }
            Command::Change {
                product,
                change,
                seen,
            } => Answer::Changed(self.shop.catalogue.change(by, product, change, seen)?),
            Command::Adjust {
                product,
                delta,
                key,
            } => Answer::Adjusted(
                self.shop
                    .inventory
                    .adjust_stock(by, product, delta, None, key)?,
            ),
            Command::Add {
                product,
                quantity,
                key,
            } => Answer::Added(self.shop.carts.add(by, product, quantity, key)?),
            Command::Set {
                line,
                quantity,
                product,
            } => Answer::Line(self.shop.carts.set(by, line, quantity, product, None)?),
            Command::Remove { line } => done(self.shop.carts.remove(by, line, None)?),
            Command::Empty => done(self.shop.carts.empty(by)?),
            Command::Checkout { expected, key } => {
                self.shop.orders.placing(by, expected, key)?;
                Answer::Done
            }
            Command::SetStatus { order, status } => {
                Answer::Ordered(self.shop.orders.set_status(by, order, status, None)?)
            }
            Command::Delete { order } => done(self.shop.orders.delete(by, order, None)?),
            Command::Register { user, staff: true } => {
                Answer::Account(self.shop.accounts.create_staff(user)?)
            }
            Command::Register { user, staff: false } => {
                Answer::Account(self.shop.accounts.register(user)?)
            }
            Command::Switch(user, change) => {
                Answer::Account(self.shop.accounts.switch(by, user, change)?)
            }
            Command::ChangePassword { current, new } => {
                done(self.shop.accounts.change_own_password(by, &current, &new)?)
            }
            Command::ResetPassword { username, new } => {
                Answer::Account(self.shop.accounts.reset_password(&username, &new)?)
            }
            Command::StorePassword(change) => {
                Answer::Account(self.stores.accounts.change_password(change)?)
            }
            Command::SignIn { username, password } => {
                Answer::SignedIn(self.shop.accounts.sign_in(&username, &password)?)
            }
            Command::Authenticate { token } => {
                Answer::Session(self.shop.accounts.authenticate(&token)?)
            }
            Command::OpenSession { username, password } => {
                let account = self
                    .shop
                    .accounts
                    .verify_credentials(&username, &password)?;
                Answer::Pair(self.shop.accounts.begin_session(&account)?)
            }
            Command::Refresh { token } => Answer::Pair(self.shop.accounts.refresh(&token)?),
            Command::SignOut { token } => done(self.shop.accounts.sign_out(&token)?),
            Command::ForgetTokens => {
                let before = self.clock.now() - USED;
                Answer::TokensForgotten(self.stores.retention.purge_refresh_tokens(before)?)
            }
            Command::ForgetKeys => {
                let before = self.clock.now() - IDEMPOTENCY_KEY_TTL;
                Answer::Forgotten(self.stores.retention.purge_idempotency_keys(before)?)
            }
        })
    }

    /// Ids that the store has assigned since the model last took any.
    fn fresh(&self, sent: &Sent) -> Checked<Fresh> {
        let mut fresh = Fresh {
            refresh: self.tokens.last_refresh(),
            ..Fresh::default()
        };
        let one = page(1, 1);
        match &sent.command {
            Command::Create { .. } => {
                let newest = read(self.stores.products.list(&ProductList::default(), one))?;
                let known = self.model.products.keys().next_back();
                let mut ids = newest.items.into_iter().map(|product| product.id);
                fresh.product = ids.find(|id| known.is_none_or(|known| id > known));
            }
            Command::Adjust { product, .. } => {
                let newest = read(self.stores.inventory.movements(*product, one))?;
                let newest = newest.and_then(|ledger| ledger.items.into_iter().next());
                fresh.movement = newest.map(|movement| movement.id);
            }
            Command::Add { .. } => {
                if let Ok(user) = sent.by.customer() {
                    let mut carts = read(self.stores.carts.carts(&[user]))?;
                    let newest = carts.remove(&user).and_then(|mut cart| cart.items.pop());
                    let newest = newest.map(|item| item.line.id);
                    fresh.line = newest.filter(|id| id.get() > self.model.last_line);
                }
            }
            Command::Register { user, .. } => {
                let found = self.stores.accounts.credentials(&user.username.key());
                let known = self.model.accounts.keys().next_back();
                let id = read(found)?.map(|found| found.account.id);
                fresh.user = id.filter(|id| known.is_none_or(|known| id > known));
            }
            _ => {}
        }
        Ok(fresh)
    }

    pub(crate) fn count(&mut self, what: &'static str, name: &'static str) {
        *self.report.tally.entry((what, name)).or_default() += 1;
    }

    pub(crate) fn trace(&mut self, line: impl FnOnce() -> String) {
        if self.traced {
            self.report.trace.push(line());
        }
    }

    fn trace_command(&mut self, sent: &Sent, fate: &Fate) {
        let step = self.steps;
        self.trace(|| format!("{step}: {:?} sends {:?} ({fate:?})", sent.by, sent.command));
    }
}

fn sent(by: Actor, command: Command) -> Sent {
    Sent { by, command }
}

fn done((): ()) -> Answer {
    Answer::Done
}
