//! Login throttling: counts of attempts. Each transaction touches a single row, so that none waits
//! for a row while it holds another.

use super::known_networks;
use super::prelude::*;
use crate::schema::attempts;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use tradepost_domain::identity::{
    Attempt, AttemptCount, AttemptKey, AttemptRepository, ClientNetwork, KnownNetwork,
    KnownNetworkKey, decide_attempt,
};
use tradepost_domain::kernel::Error;

/// The stored form of a key.
fn digest(key: &AttemptKey) -> String {
    let AttemptKey {
        what,
        account,
        from,
    } = key;
    let kind = match (account, from) {
        (Some(_), Some(_)) => "account",
        (Some(_), None) => "everywhere",
        (None, Some(from)) if from.is_site() => "site",
        (None, _) => "place",
    };
    let address = from.map(ClientNetwork::address);
    let address = address.map(|address| address.to_string());
    let address = address.unwrap_or_default();
    // The name comes last, as it may contain any character.
    let name = account.as_deref().unwrap_or_default();
    hex_digest(&format!("{} {kind} {address} {name}", what.as_str()))
}

pub(super) fn hex_digest(text: &str) -> String {
    format!("{:x}", Sha256::digest(text))
}

fn held(conn: &mut Conn, key: &str) -> Result<Option<AttemptCount>, Failure> {
    let row = attempts::table
        .find(key)
        .select((attempts::tries, attempts::at))
        .first::<(i64, i64)>(conn)
        .optional()?;
    let Some((tries, at)) = row else {
        return Ok(None);
    };
    // These rows have no id; the time is reported instead.
    let bad = |column| StoreError::corrupt("attempts", column, at);
    Ok(Some(AttemptCount {
        tries: u32::try_from(tries).map_err(|_| bad("tries"))?,
        at: DateTime::from_timestamp_micros(at).ok_or_else(|| bad("at"))?,
    }))
}

impl AttemptRepository for Database {
    fn check_attempt(&self, attempt: &Attempt, now: DateTime<Utc>) -> Result<(), Error> {
        let key = digest(&attempt.key);
        let held = self.read(|conn| held(conn, &key))?;
        decide_attempt(attempt.rule, held, now)?;
        Ok(())
    }

    fn count_attempt(&self, attempt: &Attempt, now: DateTime<Utc>) -> Result<(), Error> {
        let (key, rule) = (digest(&attempt.key), attempt.rule);
        self.command(move |conn| {
            locks::attempt(conn, &key, micros(now))?;
            let count = decide_attempt(rule, held(conn, &key)?, now)?;
            let written = (
                attempts::tries.eq(i64::from(count.tries)),
                attempts::at.eq(micros(count.at)),
            );
            diesel::insert_into(attempts::table)
                .values((attempts::key.eq(&key), written))
                .on_conflict(attempts::key)
                .do_update()
                .set(written)
                .execute(conn)?;
            Ok(())
        })
    }

    fn release(&self, key: &AttemptKey) -> Result<(), StoreError> {
        let key = digest(key);
        self.write(move |conn| {
            let counted = attempts::table.find(&key).filter(attempts::tries.gt(0));
            diesel::update(counted)
                .set(attempts::tries.eq(attempts::tries - 1))
                .execute(conn)?;
            let empty = attempts::table.find(&key).filter(attempts::tries.eq(0));
            diesel::delete(empty).execute(conn)?;
            Ok(())
        })
    }

    fn reset(&self, key: &AttemptKey) -> Result<(), StoreError> {
        let key = digest(key);
        self.write(move |conn| {
            diesel::delete(attempts::table.find(&key)).execute(conn)?;
            Ok(())
        })
    }

    fn known_network(&self, key: &KnownNetworkKey) -> Result<Option<KnownNetwork>, StoreError> {
        let digests = known_networks::digests(key);
        self.read(|conn| known_networks::find(conn, &digests))
    }

    fn remember_network(
        &self,
        key: &KnownNetworkKey,
        known: KnownNetwork,
    ) -> Result<(), StoreError> {
        let digests = known_networks::digests(key);
        self.write(move |conn| known_networks::write(conn, &digests, known))
    }
}
