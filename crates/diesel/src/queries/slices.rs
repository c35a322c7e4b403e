//! Slices of commands: lock the rows of all commands, load them, decide, apply, in a number of
//! statements that does not depend on the number of commands, on PostgreSQL.
//!
//! No statement waits for a row. A command whose rows another transaction holds is left out, and
//! answered [`Refusal::LockConflict`].

use super::{idempotency, prelude::*};
use std::collections::{BTreeMap, BTreeSet};
use tradepost_domain::decision::{
    Decision, KeyedCommand, Outcome as Decided, Settled, StoredKeys, answer_slice,
};
use tradepost_domain::kernel::{
    Execution, Outcomes, Refusal, Refusals, StoredResponseUsage, UserId,
};

/// Results of a slice inside its transaction.
pub(super) type Results<T> = Result<Vec<Result<T, Refusal>>, Failure>;

/// Runs a slice in a transaction.
pub(super) fn run<C: Clone + Send + 'static, T: Send + 'static>(
    database: &Database,
    commands: &[C],
    job: impl Fn(&mut Conn, &[C]) -> Results<T> + Send + 'static,
) -> Outcomes<T> {
    if commands.is_empty() {
        return Ok(Vec::new());
    }
    let (count, commands) = (commands.len(), commands.to_vec());
    let results = database.slice(move |conn| job(conn, &commands))?;
    // Nothing was stored: each command may be retried within its deadline.
    let contended = || (0..count).map(|_| Err(Refusal::LockConflict)).collect();
    Ok(results.unwrap_or_else(contended))
}

/// The commands whose rows could all be locked.
pub(super) struct Free<C> {
    pub(super) commands: Vec<C>,
    is_free: Vec<bool>,
}

impl<C: Clone> Free<C> {
    pub(super) fn of(commands: &[C], is_free: impl Fn(&C) -> bool) -> Self {
        let is_free: Vec<bool> = commands.iter().map(is_free).collect();
        let both = commands.iter().zip(&is_free);
        let free = both.filter(|(_, free)| **free);
        Self {
            commands: free.map(|(command, _)| command.clone()).collect(),
            is_free,
        }
    }

    /// The lock conflicts of a slice that is executed as a whole or not at all; `None` if all
    /// commands are free.
    pub(super) fn contended(&self) -> Option<Refusals> {
        let conflict = |free: &bool| (!free).then_some(Refusal::LockConflict);
        let contended = self.is_free.iter().any(|free| !free);
        contended.then(|| self.is_free.iter().map(conflict).collect())
    }

    /// One result for each command of the slice, given those of the free ones.
    pub(super) fn spread<T>(self, results: Vec<Result<T, Refusal>>) -> Vec<Result<T, Refusal>> {
        let mut results = results.into_iter();
        let contended = || Err(Refusal::LockConflict);
        let result = |free| match free {
            true => results.next().unwrap_or_else(contended),
            false => contended(),
        };
        self.is_free.into_iter().map(result).collect()
    }
}

/// Applies the decision about a slice, and stores the responses of commands under keys.
pub(super) fn apply_keyed<C, T>(
    conn: &mut Conn,
    commands: &[C],
    decision: Decision<Vec<Settled<T>>>,
    kept: BTreeMap<UserId, StoredResponseUsage>,
) -> Results<Execution<C::Outcome>>
where
    C: KeyedCommand,
    T: Decided<Stored = C::Outcome>,
{
    let settled = apply(conn, decision)?;
    let answers = answer_slice(commands, settled);
    idempotency::store(conn, &answers.responses, kept)?;
    Ok(answers.results)
}

/// The locks of the acting users of a slice: of their roles and, where a command has a key, of
/// their keys.
pub(super) struct ActingLocks {
    roles: BTreeSet<UserId>,
    keys: BTreeSet<UserId>,
}

impl ActingLocks {
    /// Takes the locks that are free.
    pub(super) fn take(
        conn: &mut Conn,
        acting: impl Iterator<Item = Option<UserId>>,
        keyed: impl Iterator<Item = UserId>,
    ) -> Result<Self, Failure> {
        let acting: BTreeSet<UserId> = acting.flatten().collect();
        let roles = match acting.is_empty() {
            true => acting,
            false => locks::try_acting_users(conn, &acting)?,
        };
        let keyed: BTreeSet<UserId> = keyed.filter(|user| roles.contains(user)).collect();
        let keys = match keyed.is_empty() {
            true => keyed,
            false => locks::skip_locked_users(conn, &keyed)?
                .into_keys()
                .collect(),
        };
        Ok(Self { roles, keys })
    }

    /// Whether the locks of a command of this user are held.
    pub(super) fn cover(&self, by: Option<UserId>, has_key: bool) -> bool {
        by.is_none_or(|by| self.roles.contains(&by) && (!has_key || self.keys.contains(&by)))
    }

    /// The users whose roles are locked.
    pub(super) fn acting(&self) -> Vec<i64> {
        self.roles.iter().map(|user| user.get()).collect()
    }
}

/// The stored responses that a slice needs. The users of its keys are locked.
pub(super) fn stored_keys<C: KeyedCommand>(
    conn: &mut Conn,
    commands: &[C],
) -> Result<StoredKeys, Failure> {
    let keyed = || commands.iter().filter_map(KeyedCommand::key);
    let users: BTreeSet<UserId> = keyed().map(|(user, _)| user).collect();
    if users.is_empty() {
        return Ok(StoredKeys::default());
    }
    Ok(StoredKeys {
        held: idempotency::held(conn, keyed().map(|(user, key)| (user, &key.scope)))?,
        kept: idempotency::kept(conn, &users)?,
    })
}
