use crate::{MemoryStore, State, next, page_of};
use std::collections::BTreeMap;
use tradepost_domain::addresses::{
    Address, AddressChange, AddressId, AddressRepository, AddressResult, ChangeAddress,
    decide_address,
};
use tradepost_domain::kernel::{
    Error, Execution, MAX_STORED_RESPONSE_BYTES, Page, PageRequest, StoreError, StoredResponse,
    UserId, check_replay_quota, decide_replay,
};

/// The table of addresses.
#[derive(Default)]
pub(crate) struct Addresses {
    rows: BTreeMap<AddressId, Address>,
    /// The last id assigned.
    last: i64,
}

impl AddressRepository for MemoryStore {
    fn list(&self, user: UserId, page: PageRequest) -> Result<Page<Address>, StoreError> {
        let state = self.lock();
        let newest_first = state.addresses.rows.values().rev();
        let own = newest_first.filter(|address| address.user == user);
        Ok(page_of(own.collect(), page))
    }

    fn find(&self, user: UserId, address: AddressId) -> Result<Option<Address>, StoreError> {
        let state = self.lock();
        let found = state.addresses.rows.get(&address);
        Ok(found.filter(|address| address.user == user).cloned())
    }

    fn change(&self, commands: &[ChangeAddress]) -> Result<Vec<AddressResult>, StoreError> {
        let mut state = self.lock();
        let results = commands
            .iter()
            .map(|command| match state.change_address(command) {
                Ok(outcome) => Ok(Ok(outcome)),
                Err(Error::Refused(refusal)) => Ok(Err(refusal)),
                Err(Error::Store(error)) => Err(error),
                Err(_) => Err(crate::Defect("no other error is possible").into()),
            });
        results.collect()
    }
}

impl State {
    fn change_address(
        &mut self,
        command: &ChangeAddress,
    ) -> Result<Execution<Option<Address>>, Error> {
        let key = command.key.as_ref();
        if let Some(key) = key {
            let held = self.keys.get(&(command.user, key.scope.clone()));
            if let Some(answer) = decide_replay(Some(key), held)? {
                return Ok(Execution::Replayed(answer));
            }
            check_replay_quota(self.kept(command.user), MAX_STORED_RESPONSE_BYTES)?;
        }
        let rows = &self.addresses.rows;
        let held = rows.values().filter(|address| address.user == command.user);
        let address = command.action.address().and_then(|id| rows.get(&id));
        let change = decide_address(command, held.count(), address)?;
        // Everything that can fail comes before the first write.
        let after = match change {
            AddressChange::Insert(new) => {
                let id = next(&mut self.addresses.last, AddressId::new)?;
                Some(new.into_address(id))
            }
            AddressChange::Update(after) | AddressChange::Keep(after) => Some(after),
            AddressChange::Delete(id) => {
                self.addresses.rows.remove(&id);
                None
            }
        };
        // The encoder of a response may panic.
        let kept = key.zip(after.as_ref()).map(|(key, address)| {
            let record = StoredResponse {
                fingerprint: key.fingerprint.clone(),
                answer: (key.render.0)(address),
                at: command.at,
            };
            ((command.user, key.scope.clone()), record)
        });
        if let Some(address) = &after {
            self.addresses.rows.insert(address.id, address.clone());
        }
        self.keys.extend(kept);
        Ok(Execution::Executed(after))
    }
}
