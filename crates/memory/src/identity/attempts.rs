use crate::{MemoryStore, count};
use chrono::{DateTime, Utc};
use tradepost_domain::identity::{
    Attempt, AttemptKey, AttemptRepository, KnownNetwork, KnownNetworkKey, MAX_KNOWN_NETWORKS,
    decide_attempt,
};
use tradepost_domain::kernel::{Error, StoreError};

impl AttemptRepository for MemoryStore {
    fn check_attempt(&self, attempt: &Attempt, now: DateTime<Utc>) -> Result<(), Error> {
        let held = self.lock().attempts.get(&attempt.key).copied();
        decide_attempt(attempt.rule, held, now)?;
        Ok(())
    }

    fn count_attempt(&self, attempt: &Attempt, now: DateTime<Utc>) -> Result<(), Error> {
        let attempts = &mut self.lock().attempts;
        let held = attempts.get(&attempt.key).copied();
        let count = decide_attempt(attempt.rule, held, now)?;
        attempts.insert(attempt.key.clone(), count);
        Ok(())
    }

    fn release(&self, key: &AttemptKey) -> Result<(), StoreError> {
        let attempts = &mut self.lock().attempts;
        if let Some(count) = attempts.get_mut(key) {
            count.tries = count.tries.saturating_sub(1);
            if count.tries == 0 {
                attempts.remove(key);
            }
        }
        Ok(())
    }

    fn reset(&self, key: &AttemptKey) -> Result<(), StoreError> {
        self.lock().attempts.remove(key);
        Ok(())
    }

    fn known_network(&self, key: &KnownNetworkKey) -> Result<Option<KnownNetwork>, StoreError> {
        Ok(self.lock().known_networks.get(key).copied())
    }

    fn remember_network(
        &self,
        key: &KnownNetworkKey,
        known: KnownNetwork,
    ) -> Result<(), StoreError> {
        let networks = &mut self.lock().known_networks;
        networks.insert(key.clone(), known);
        let of_account =
            |(other, _): &(&KnownNetworkKey, &KnownNetwork)| other.account == key.account;
        let mut held: Vec<_> = networks
            .iter()
            .filter(of_account)
            .map(|(key, known)| (known.at, key.clone()))
            .collect();
        held.sort();
        let beyond = count(held.len()).saturating_sub(MAX_KNOWN_NETWORKS.into());
        let beyond = usize::try_from(beyond).unwrap_or(usize::MAX);
        for (_, oldest) in held.into_iter().take(beyond) {
            networks.remove(&oldest);
        }
        Ok(())
    }
}
