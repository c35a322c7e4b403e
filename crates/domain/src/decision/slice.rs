//! Decisions about slices of commands: one decision for all, in which each command sees the effects
//! of the earlier ones.

use crate::decision::{Changes, Decision, Outcome, StoredRows};
use crate::kernel::{
    Execution, IdempotencyRefusal, IdempotencyScope, Idempotent, Refusal, Refusals, StoredResponse,
    StoredResponseUsage, UserId, check_replay_quota, decide_replay,
};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

impl<T: Outcome> Outcome for Vec<Result<T, Refusal>> {
    type Stored = Vec<Result<T::Stored, Refusal>>;

    fn stored(self, new: &mut StoredRows<'_>) -> Option<Self::Stored> {
        let mut stored = Vec::with_capacity(self.len());
        for outcome in self {
            stored.push(match outcome {
                Ok(outcome) => Ok(outcome.stored(new)?),
                Err(refusal) => Err(refusal),
            });
        }
        Some(stored)
    }
}

/// Decides a slice: one decision for all commands, with one outcome for each, in order. `decide`
/// decides a command against the state after the earlier ones, and gets their changes.
pub fn decide_slice<C, T>(
    commands: &[C],
    mut decide: impl FnMut(&C, &mut Changes) -> Result<Decision<T>, Refusal>,
) -> Decision<Vec<Result<T, Refusal>>> {
    let mut whole = Decision::of(Vec::with_capacity(commands.len()));
    for command in commands {
        let outcome = match decide(command, &mut whole.changes) {
            Ok(decision) => Ok(whole.append(decision)),
            Err(refusal) => Err(refusal),
        };
        whole.outcome.push(outcome);
    }
    whole
}

impl<T> Decision<Vec<Result<T, Refusal>>> {
    /// The decision about a slice, if it is to be executed as a whole or not at all.
    ///
    /// # Errors
    /// The refusals, if at least one command is refused.
    pub fn all_or_none(self) -> Result<Decision<Vec<T>>, Refusals> {
        let Self {
            outcome,
            changes,
            movements,
            events,
        } = self;
        if outcome.iter().any(Result::is_err) {
            return Err(outcome.into_iter().map(Result::err).collect());
        }
        Ok(Decision {
            outcome: outcome.into_iter().filter_map(Result::ok).collect(),
            changes,
            movements,
            events,
        })
    }
}

/// A command that may carry an idempotency key.
pub trait KeyedCommand {
    /// The outcome of the executed command.
    type Outcome;
    /// The part of the outcome that its response shows.
    type Response;

    /// Quota of stored responses of its user, in bytes.
    const QUOTA: u64;

    /// Its key, with the user whose keys it is among.
    fn key(&self) -> Option<(UserId, &Idempotent<Self::Response>)>;

    /// Time of the command.
    fn at(&self) -> DateTime<Utc>;

    /// The part of the outcome that the response shows; `None` if there is no response to store.
    fn response(outcome: &Self::Outcome) -> Option<&Self::Response>;
}

/// The stored responses that a slice needs, loaded under the locks of their users.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredKeys {
    /// Stored responses under the keys of the commands.
    pub held: BTreeMap<(UserId, IdempotencyScope), StoredResponse>,
    /// Stored responses of the users of commands with a key, by their running totals.
    pub kept: BTreeMap<UserId, StoredResponseUsage>,
}

/// Outcome of a command of a slice that may carry an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled<T> {
    /// Executed.
    Executed(T),
    /// A replay: the command was executed before, under the same key. The stored response.
    Replayed(String),
    /// The same command under the same key as an earlier one of this slice.
    SameAs {
        /// Position of the earlier command.
        position: usize,
    },
    /// Refused.
    Refused(Refusal),
}

impl<T: Outcome> Outcome for Vec<Settled<T>> {
    type Stored = Vec<Settled<T::Stored>>;

    fn stored(self, new: &mut StoredRows<'_>) -> Option<Self::Stored> {
        let mut stored = Vec::with_capacity(self.len());
        for outcome in self {
            stored.push(match outcome {
                Settled::Executed(outcome) => Settled::Executed(outcome.stored(new)?),
                Settled::Replayed(response) => Settled::Replayed(response),
                Settled::SameAs { position } => Settled::SameAs { position },
                Settled::Refused(refusal) => Settled::Refused(refusal),
            });
        }
        Some(stored)
    }
}

/// As [`decide_slice`], for commands that may carry idempotency keys: a command that is repeated
/// under its key, within the slice or after an earlier one, is executed once.
pub fn decide_keyed_slice<C: KeyedCommand, T>(
    commands: &[C],
    keys: &StoredKeys,
    mut decide: impl FnMut(&C, &mut Changes) -> Result<Decision<T>, Refusal>,
) -> Decision<Vec<Settled<T>>> {
    let mut executed = ExecutedKeys::new();
    let mut whole = Decision::of(Vec::with_capacity(commands.len()));
    for (position, command) in commands.iter().enumerate() {
        let outcome = match decide_again(command, keys, &executed) {
            Ok(Some(settled)) => settled,
            Ok(None) => match decide(command, &mut whole.changes) {
                Ok(decision) => {
                    if let Some((user, key)) = command.key() {
                        let first = (position, key.fingerprint.as_str());
                        executed.insert((user, &key.scope), first);
                    }
                    Settled::Executed(whole.append(decision))
                }
                Err(refusal) => Settled::Refused(refusal),
            },
            Err(refusal) => Settled::Refused(refusal),
        };
        whole.outcome.push(outcome);
    }
    whole
}

/// Position and fingerprint of the commands of a slice that were executed under a key.
type ExecutedKeys<'a> = BTreeMap<(UserId, &'a IdempotencyScope), (usize, &'a str)>;

/// Decides whether a command is a replay: of an earlier slice, or of an earlier command of this
/// one.
fn decide_again<C: KeyedCommand, T>(
    command: &C,
    keys: &StoredKeys,
    executed: &ExecutedKeys<'_>,
) -> Result<Option<Settled<T>>, Refusal> {
    let Some((user, key)) = command.key() else {
        return Ok(None);
    };
    if let Some((position, fingerprint)) = executed.get(&(user, &key.scope)) {
        return if *fingerprint == key.fingerprint {
            Ok(Some(Settled::SameAs {
                position: *position,
            }))
        } else {
            Err(Refusal::Idempotency(IdempotencyRefusal::KeyReused))
        };
    }
    let held = keys.held.get(&(user, key.scope.clone()));
    if let Some(response) = decide_replay(Some(key), held)? {
        return Ok(Some(Settled::Replayed(response)));
    }
    let kept = keys.kept.get(&user).copied().unwrap_or_default();
    check_replay_quota(kept, C::QUOTA)?;
    Ok(None)
}

/// A response to store under its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyedResponse {
    /// The user of the key.
    pub user: UserId,
    /// The scope of the key.
    pub scope: IdempotencyScope,
    /// The record.
    pub record: StoredResponse,
}

/// The results of a slice, and the responses to store in its transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers<T> {
    /// One result for each command, in order.
    pub results: Vec<Result<Execution<T>, Refusal>>,
    /// The responses of the commands that were executed under a key.
    pub responses: Vec<KeyedResponse>,
}

/// The results of a slice, given its outcomes. Encodes the responses, once for each key.
pub fn answer_slice<C: KeyedCommand>(
    commands: &[C],
    settled: Vec<Settled<C::Outcome>>,
) -> Answers<C::Outcome> {
    let mut encoded = BTreeMap::<usize, String>::new();
    let mut answers = Answers {
        results: Vec::with_capacity(settled.len()),
        responses: Vec::new(),
    };
    for (position, (command, settled)) in commands.iter().zip(settled).enumerate() {
        answers.results.push(match settled {
            Settled::Executed(outcome) => {
                if let Some((user, key)) = command.key()
                    && let Some(response) = C::response(&outcome)
                {
                    let answer = (key.render.0)(response);
                    encoded.insert(position, answer.clone());
                    answers.responses.push(KeyedResponse {
                        user,
                        scope: key.scope.clone(),
                        record: StoredResponse {
                            fingerprint: key.fingerprint.clone(),
                            answer,
                            at: command.at(),
                        },
                    });
                }
                Ok(Execution::Executed(outcome))
            }
            Settled::Replayed(response) => Ok(Execution::Replayed(response)),
            Settled::SameAs { position } => encoded
                .get(&position)
                .map(|response| Execution::Replayed(response.clone()))
                .ok_or(Refusal::LockConflict),
            Settled::Refused(refusal) => Err(refusal),
        });
    }
    answers
}
