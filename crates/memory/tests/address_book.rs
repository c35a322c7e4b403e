//! Deterministic simulation of address books: customers change theirs in turns, with commands that
//! are refused, lost, crash, are repeated under a key, or whose answer is lost. After each step the
//! answer and the address books are compared with a model that states the rules a second time.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: they fail by panicking"
)]

#[allow(dead_code, reason = "the simulation of the shop uses the rest")]
#[path = "simulation/random.rs"]
mod random;

use random::Random;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};
use tradepost_contract::{at, first_page, hash, usd};
use tradepost_domain::addresses::{
    Address, AddressAction, AddressFields, AddressId, AddressLine, AddressRepository,
    AddressResult, AddressUpdate, ChangeAddress, Country,
};
use tradepost_domain::identity::{Register, Username};
use tradepost_domain::kernel::{
    Actor, Clock, Error, Execution, IdempotencyKey, IdempotencyScope, Idempotent, Page,
    PageRequest, Precondition, Refusal, ResponseEncoder, StoreError, StoreErrorKind, UserId,
};
use tradepost_domain::testing::{FixedClock, SequentialIds, system};
use tradepost_domain::{Services, ServicesConfig, Stores};
use tradepost_memory::MemoryStore;

const SEEDS: u64 = 150;
const STEPS: usize = 150;

/// The fault of the next write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Fine,
    /// The command is lost.
    Lost,
    /// The command is executed, and its answer is lost.
    Unanswered,
    /// Encoding the response under a key panics.
    Crash,
    /// A defect: the command is acknowledged and not executed.
    Forgotten,
}

/// Address books whose connection has faults.
struct Flaky {
    inner: Arc<dyn AddressRepository>,
    fate: Mutex<Fate>,
}

fn crash(_: &Address) -> String {
    resume_unwind(Box::new(()))
}

impl AddressRepository for Flaky {
    fn list(&self, user: UserId, page: PageRequest) -> Result<Page<Address>, StoreError> {
        self.inner.list(user, page)
    }

    fn find(&self, user: UserId, address: AddressId) -> Result<Option<Address>, StoreError> {
        self.inner.find(user, address)
    }

    fn change(&self, commands: &[ChangeAddress]) -> Result<Vec<AddressResult>, StoreError> {
        let fate = *self.fate.lock().unwrap();
        let lost = |kind| Err(StoreError::new(kind));
        match fate {
            Fate::Fine => self.inner.change(commands),
            Fate::Lost => lost(StoreErrorKind::Busy),
            Fate::Unanswered => {
                self.inner.change(commands)?;
                lost(StoreErrorKind::OutcomeUnknown)
            }
            Fate::Crash => {
                let mut commands = commands.to_vec();
                let keys = commands
                    .iter_mut()
                    .filter_map(|command| command.key.as_mut());
                keys.for_each(|key| key.render = ResponseEncoder(crash));
                let run = AssertUnwindSafe(|| self.inner.change(&commands));
                catch_unwind(run).unwrap_or_else(|_| lost(StoreErrorKind::Other))
            }
            Fate::Forgotten => {
                let kept = |command: &ChangeAddress| match &command.action {
                    AddressAction::Delete(_) => Ok(Ok(Execution::Executed(None))),
                    _ => Ok(self.inner.change(std::slice::from_ref(command))?.remove(0)),
                };
                commands.iter().map(kept).collect()
            }
        }
    }
}

fn render(address: &Address) -> String {
    format!("{address:?}")
}

fn line(text: &str) -> AddressLine {
    AddressLine::new(text).unwrap()
}

#[expect(clippy::large_enum_variant, reason = "few values, in a test")]
/// The answer to a command: the address afterwards, a replayed response, or the names of a refusal.
#[derive(Debug, Clone, PartialEq)]
enum Answer {
    After(Option<Address>),
    Replayed(String),
    Refused(Vec<&'static str>),
}

#[derive(Default)]
struct Model {
    books: BTreeMap<UserId, BTreeMap<AddressId, Address>>,
    keys: BTreeMap<(UserId, String), (String, String)>,
    last: i64,
}

impl Model {
    /// The expected answer; applies its effects. `id` is the one that the store gave a new address.
    fn take(&mut self, command: &ChangeAddress, id: i64) -> Answer {
        let scope = |key: &Idempotent<Address>| (command.user, key.scope.key.as_str().to_owned());
        if let Some(key) = &command.key
            && let Some((fingerprint, answer)) = self.keys.get(&scope(key))
        {
            return match *fingerprint == key.fingerprint {
                true => Answer::Replayed(answer.clone()),
                false => Answer::Refused(vec!["idempotency_key_reused"]),
            };
        }
        let book = self.books.entry(command.user).or_default();
        let after = match &command.action {
            AddressAction::Create(fields) => Address {
                id: AddressId::new(id).unwrap(),
                user: command.user,
                fields: fields.clone(),
                created_at: command.at,
                updated_at: command.at,
            },
            AddressAction::Update(address, _) | AddressAction::Delete(address) => {
                let Some(before) = book.get(address) else {
                    return Answer::Refused(vec!["not_found"]);
                };
                let seen = command
                    .seen
                    .as_ref()
                    .map(|seen| seen.tags.contains(&render(before)));
                if seen == Some(false) {
                    return Answer::Refused(vec!["precondition_failed"]);
                }
                let AddressAction::Update(_, update) = &command.action else {
                    book.remove(address);
                    return Answer::After(None);
                };
                let mut after = before.clone();
                after.fields.country = update.country.unwrap_or(after.fields.country);
                if let Some(region) = &update.region {
                    after.fields.region.clone_from(region);
                }
                if after.fields != before.fields {
                    after.updated_at = command.at;
                }
                after
            }
        };
        let missing = missing(&after.fields);
        if !missing.is_empty() {
            return Answer::Refused(missing);
        }
        if matches!(command.action, AddressAction::Create(_)) {
            if book.len() == 20 {
                return Answer::Refused(vec!["address_book_full"]);
            }
            self.last = id;
        }
        book.insert(after.id, after.clone());
        if let Some(key) = &command.key {
            let kept = (key.fingerprint.clone(), render(&after));
            self.keys.insert(scope(key), kept);
        }
        Answer::After(Some(after))
    }
}

/// The missing fields, of the countries that the clients use.
fn missing(fields: &AddressFields) -> Vec<&'static str> {
    let needed = match fields.country.code() {
        "DE" => &["postal_code", "city"][..],
        "US" => &["postal_code", "city", "region"],
        "JP" => &["postal_code", "region"],
        _ => &[],
    };
    let given = |name: &&&str| match **name {
        "postal_code" => fields.postal_code.is_none(),
        "city" => fields.city.is_none(),
        _ => fields.region.is_none(),
    };
    needed.iter().filter(given).copied().collect()
}

struct World {
    stores: Stores,
    shop: Services,
    flaky: Arc<Flaky>,
    clock: Arc<FixedClock>,
    model: Model,
    chance: Random,
    /// A command to send again.
    again: Option<ChangeAddress>,
    reached: BTreeSet<String>,
}

impl World {
    fn new(seed: u64) -> Self {
        let memory = Stores::new(Arc::new(MemoryStore::new(usd())));
        for name in ["ada", "bob", "charles"] {
            let command = Register {
                username: Username::new(name).unwrap(),
                email: None,
                password: hash(name),
                is_staff: false,
                at: at(0),
            };
            memory.accounts.register(command).unwrap();
        }
        let (inner, fate) = (memory.addresses.clone(), Mutex::new(Fate::Fine));
        let flaky = Arc::new(Flaky { inner, fate });
        let stores = Stores {
            addresses: flaky.clone(),
            ..memory
        };
        let clock = Arc::new(FixedClock::new(at(0)));
        let mut system = system();
        system.clock = clock.clone();
        system.placement_ids = Arc::new(SequentialIds::default());
        Self {
            shop: Services::new(stores.clone(), system, ServicesConfig::default()),
            stores,
            flaky,
            clock,
            model: Model::default(),
            chance: Random::new(seed),
            again: None,
            reached: BTreeSet::new(),
        }
    }

    /// An address of any customer, or one that does not exist.
    fn any_address(&mut self) -> (AddressId, Option<Address>) {
        let books = self.model.books.values();
        let all: Vec<Address> = books.flat_map(BTreeMap::values).cloned().collect();
        if all.is_empty() || self.chance.one_in(12) {
            return (AddressId::new(99_999).unwrap(), None);
        }
        let found = all[self.chance.below(all.len())].clone();
        (found.id, Some(found))
    }

    fn command(&mut self) -> ChangeAddress {
        let user = UserId::new(self.chance.within(1, 3)).unwrap();
        let country = self.chance.pick(&["DE", "DE", "US", "JP", "AG"]);
        let country = Country::new(country).unwrap();
        let action = match self.chance.below(8) {
            0..=4 => {
                let some = |chance: &mut Random, text| (!chance.one_in(6)).then(|| line(text));
                AddressAction::Create(AddressFields {
                    label: None,
                    name: line("Ada"),
                    company: None,
                    line1: line("1 High St"),
                    line2: None,
                    postal_code: some(&mut self.chance, "20457"),
                    city: some(&mut self.chance, "Hamburg"),
                    region: some(&mut self.chance, "HH"),
                    country,
                    phone: None,
                    tax_id: None,
                })
            }
            5 | 6 => {
                let region = [None, Some(None), Some(Some(line("CA")))];
                let update = AddressUpdate {
                    country: Some(country),
                    region: region[self.chance.below(3)].clone(),
                    ..AddressUpdate::default()
                };
                AddressAction::Update(self.any_address().0, update)
            }
            _ => AddressAction::Delete(self.any_address().0),
        };
        let creates = matches!(action, AddressAction::Create(_));
        let seen = (!creates && self.chance.one_in(3)).then(|| Precondition {
            tags: self.any_address().1.iter().map(render).collect(),
            tag: ResponseEncoder(render),
        });
        let key = (creates && self.chance.one_in(2)).then(|| Idempotent {
            scope: IdempotencyScope {
                path: "/addresses/".to_owned(),
                key: IdempotencyKey::new(&format!("k{}", self.chance.below(40))).unwrap(),
            },
            fingerprint: format!("{action:?}"),
            render: ResponseEncoder(render),
        });
        let at = self.clock.now();
        ChangeAddress {
            user,
            action,
            seen,
            key,
            at,
        }
    }

    fn send(&self, command: &ChangeAddress) -> Result<Answer, Error> {
        let by = Actor::Customer(command.user);
        let (book, command) = (&self.shop.addresses, command.clone());
        let sent = match command.action {
            AddressAction::Create(fields) => match book.create(by, fields, command.key) {
                Ok(Execution::Executed(new)) => Ok(Answer::After(Some(new))),
                Ok(Execution::Replayed(answer)) => Ok(Answer::Replayed(answer)),
                Err(error) => Err(error),
            },
            AddressAction::Update(address, update) => {
                let after = book.update(by, address, update, command.seen);
                after.map(|after| Answer::After(Some(after)))
            }
            AddressAction::Delete(address) => {
                let deleted = book.delete(by, address, command.seen);
                deleted.map(|()| Answer::After(None))
            }
        };
        match sent {
            Err(Error::Refused(Refusal::Invalid(errors))) => Ok(Answer::Refused(
                errors.iter().map(|(field, _)| field).collect(),
            )),
            Err(Error::Refused(refusal)) => Ok(Answer::Refused(vec![refusal.code()])),
            other => other,
        }
    }

    fn list(&self, user: UserId) -> Vec<Address> {
        self.stores
            .addresses
            .list(user, first_page())
            .unwrap()
            .items
    }

    fn step(&mut self, fate: Fate) -> Result<(), String> {
        self.clock.advance(self.chance.within(0, 9));
        let again = self.again.take().map(|command| ChangeAddress {
            at: self.clock.now(),
            ..command
        });
        let command = again.unwrap_or_else(|| self.command());
        *self.flaky.fate.lock().unwrap() = fate;
        let answer = self.send(&command);
        let newest = self
            .list(command.user)
            .first()
            .map_or(0, |newest| newest.id.get());
        let is_lost = fate == Fate::Lost || fate == Fate::Crash && answer.is_err();
        if !is_lost {
            // A new address has an id above all others.
            let id = newest.max(self.model.last + 1);
            let expected = self.model.take(&command, id);
            if let Ok(answer) = &answer
                && *answer != expected
            {
                return Err(format!(
                    "{command:?}\ngives {answer:?}\ninstead of {expected:?}"
                ));
            }
            self.reached.insert(match &expected {
                Answer::After(_) => "executed".to_owned(),
                Answer::Replayed(_) => "replayed".to_owned(),
                Answer::Refused(names) => names.join(" "),
            });
        }
        self.reached.insert(format!("{fate:?}"));
        if answer.is_err() && command.key.is_some() {
            self.again = Some(command);
        }
        for user in (1..=3).filter_map(UserId::new) {
            let found = self.list(user);
            let mut expected: Vec<_> = self.model.books.entry(user).or_default().values().collect();
            expected.reverse();
            if found.iter().collect::<Vec<_>>() != expected {
                return Err(format!("{user} has {found:?} instead of {expected:?}"));
            }
        }
        Ok(())
    }

    fn play(&mut self, defect: bool) -> Result<(), String> {
        for step in 0..STEPS {
            let fate = match self.chance.below(16) {
                0 => Fate::Lost,
                1 => Fate::Unanswered,
                2 => Fate::Crash,
                3 if defect => Fate::Forgotten,
                _ => Fate::Fine,
            };
            self.step(fate)
                .map_err(|wrong| format!("step {step}: {wrong}"))?;
        }
        Ok(())
    }
}

#[test]
fn seeds_pass_and_reach_everything() {
    let mut reached = BTreeSet::new();
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        if let Err(wrong) = world.play(false) {
            panic!("seed {seed}, {wrong}");
        }
        reached.extend(world.reached);
    }
    for name in [
        "executed",
        "replayed",
        "not_found",
        "precondition_failed",
        "idempotency_key_reused",
        "address_book_full",
        "postal_code",
        "city",
        "region",
        "Lost",
        "Unanswered",
        "Crash",
    ] {
        assert!(reached.contains(name), "{name} is not among {reached:?}");
    }
}

#[test]
fn a_forgotten_command_is_found() {
    let mut worlds = (0..10).map(World::new);
    assert!(worlds.any(|mut world| world.play(true).is_err()));
}
