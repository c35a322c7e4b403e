//! Slices of commands: a write port executes several commands in one transaction.
//!
//! A slice has one result for each command, in order. A refused command does not affect its
//! neighbours. If the store fails, it fails for the whole slice.

use crate::kernel::{Error, Execution, Refusal, StoreError, StoreErrorKind};
use std::thread::sleep;
use std::time::Duration;

/// Results of a slice: one for each command, in order. [`Refusal::LockConflict`] means that the
/// command was not executed, and may be retried after a short pause: another transaction held a
/// row of it, the commit of the slice was lost and nothing was stored, or the command refers to a
/// row that an earlier command of the slice creates.
pub type Outcomes<T> = Result<Vec<Result<T, Refusal>>, StoreError>;

/// The refusals of a slice that is executed as a whole or not at all: one for each command, in
/// order; `None` for a command that is not refused.
pub type Refusals = Vec<Option<Refusal>>;

/// Result of a slice that is executed as a whole or not at all. With refusals, no command was
/// executed; [`Refusal::LockConflict`] as in [`Outcomes`].
pub type AllOrNone<T> = Result<Result<Vec<T>, Refusals>, StoreError>;

/// The result of a slice of one command.
///
/// # Errors
/// The refusal or the failure; a lock conflict is [`StoreErrorKind::Busy`].
pub fn single<T>(outcomes: Outcomes<T>) -> Result<T, Error> {
    let outcome = outcomes?.pop();
    let outcome = outcome.ok_or_else(|| StoreError::new(StoreErrorKind::Other))?;
    outcome.map_err(final_error)
}

/// The error of a refusal that is not retried any more.
fn final_error(refusal: Refusal) -> Error {
    match refusal {
        Refusal::LockConflict => StoreError::caused(StoreErrorKind::Busy, refusal).into(),
        refusal => refusal.into(),
    }
}

/// Pause after a lock conflict: after 10 ms most transactions have ended.
const PAUSE: Duration = Duration::from_millis(10);

/// Attempts after a lock conflict: about two seconds of pauses, less than half of the default
/// request timeout.
const ATTEMPTS: usize = 200;

/// Executes a slice for a caller that holds its thread meanwhile, and retries the commands with
/// lock conflicts. If the store fails with an error that one command may have caused, each command
/// is executed alone.
///
/// # Errors
/// If the store fails for the whole slice: then no command was executed, unless the kind is
/// [`StoreErrorKind::OutcomeUnknown`].
pub(crate) fn settle<C: Clone, T>(
    commands: Vec<C>,
    execute: impl Fn(&[C]) -> Outcomes<T>,
) -> Result<Vec<Result<T, Error>>, Error> {
    if commands.is_empty() {
        return Ok(Vec::new());
    }
    match execute(&commands) {
        Ok(outcomes) => retry_conflicts(&commands, outcomes, &execute),
        Err(error) if commands.len() > 1 && error.kind().may_be_of_one() => {
            let alone = |command: &C| {
                let command = std::slice::from_ref(command);
                let mut settled = retry_conflicts(command, execute(command)?, &execute)?;
                settled
                    .pop()
                    .unwrap_or_else(|| Err(StoreError::new(StoreErrorKind::Other).into()))
            };
            Ok(commands.iter().map(alone).collect())
        }
        Err(error) => Err(error.into()),
    }
}

/// As [`settle`], for one command.
///
/// # Errors
/// The refusal or the failure.
pub(crate) fn settle_one<C: Clone, T>(
    command: C,
    execute: impl Fn(&[C]) -> Outcomes<T>,
) -> Result<T, Error> {
    let settled = settle(vec![command], execute)?.pop();
    settled.unwrap_or_else(|| Err(StoreError::new(StoreErrorKind::Other).into()))
}

/// As [`settle`], for a slice that is executed as a whole or not at all: retries it while a lock
/// conflict is the only reason that it was not executed.
///
/// # Errors
/// If the store fails; [`StoreErrorKind::Busy`] if the lock conflict lasts. Then no command was
/// executed, unless the kind is [`StoreErrorKind::OutcomeUnknown`].
pub(crate) fn settle_together<C, T>(
    commands: &[C],
    execute: impl Fn(&[C]) -> AllOrNone<T>,
) -> Result<Result<Vec<T>, Refusals>, Error> {
    let is_conflict = |refusal: &Refusal| matches!(refusal, Refusal::LockConflict);
    for attempt in 0..=ATTEMPTS {
        if attempt > 0 {
            sleep(PAUSE);
        }
        match execute(commands)? {
            Err(refusals) if refusals.iter().flatten().all(is_conflict) => {}
            Err(mut refusals) => {
                // The others would be refused again; these might not.
                let conflicts = refusals.iter_mut();
                conflicts
                    .filter(|refusal| refusal.as_ref().is_some_and(is_conflict))
                    .for_each(|refusal| *refusal = None);
                return Ok(Err(refusals));
            }
            Ok(outcomes) => return Ok(Ok(outcomes)),
        }
    }
    Err(StoreError::caused(StoreErrorKind::Busy, Refusal::LockConflict).into())
}

/// The outcome of a command without a key, which is never a replay.
pub(crate) fn executed<T>(outcome: Result<Execution<T>, Error>) -> Result<T, Error> {
    let replayed = |_| StoreError::new(StoreErrorKind::Other);
    Ok(outcome?.executed().map_err(replayed)?)
}

fn retry_conflicts<C: Clone, T>(
    commands: &[C],
    outcomes: Vec<Result<T, Refusal>>,
    execute: &impl Fn(&[C]) -> Outcomes<T>,
) -> Result<Vec<Result<T, Error>>, Error> {
    if outcomes.len() != commands.len() {
        return Err(StoreError::new(StoreErrorKind::OutcomeUnknown).into());
    }
    let mut settled: Vec<Result<T, Error>> = Vec::with_capacity(outcomes.len());
    let mut contended = Vec::new();
    for (position, outcome) in outcomes.into_iter().enumerate() {
        if matches!(outcome, Err(Refusal::LockConflict)) {
            contended.push(position);
        }
        settled.push(outcome.map_err(final_error));
    }
    for _ in 0..ATTEMPTS {
        if contended.is_empty() {
            break;
        }
        sleep(PAUSE);
        let again: Vec<C> = contended
            .iter()
            .filter_map(|position| commands.get(*position).cloned())
            .collect();
        let mut still = Vec::new();
        match execute(&again) {
            Ok(outcomes) => {
                for (position, outcome) in contended.into_iter().zip(outcomes) {
                    if matches!(outcome, Err(Refusal::LockConflict)) {
                        still.push(position);
                    }
                    replace(&mut settled, position, outcome.map_err(final_error));
                }
            }
            // The other commands have been executed: theirs are outcomes.
            Err(error) => {
                for position in contended {
                    replace(&mut settled, position, Err(error.clone().into()));
                }
            }
        }
        contended = still;
    }
    Ok(settled)
}

fn replace<T>(settled: &mut [T], position: usize, with: T) {
    if let Some(slot) = settled.get_mut(position) {
        *slot = with;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    /// Results as values that can be compared.
    type Settled = Result<Vec<Result<u32, String>>, String>;

    /// Executes the commands of a slice by these results, in order; returns the calls as well.
    fn settled(commands: Vec<u32>, results: Vec<Outcomes<u32>>) -> (Settled, Vec<Vec<u32>>) {
        let calls = RefCell::new(Vec::new());
        let results = RefCell::new(results.into_iter());
        let settled = settle(commands, |slice| {
            calls.borrow_mut().push(slice.to_vec());
            results.borrow_mut().next().unwrap()
        });
        let text = |one: Result<u32, Error>| one.map_err(|error| error.to_string());
        let settled = settled.map(|all| all.into_iter().map(text).collect());
        (
            settled.map_err(|error| error.to_string()),
            calls.into_inner(),
        )
    }

    #[test]
    fn commands_with_lock_conflicts_are_retried_alone() {
        let later = || Err(Refusal::LockConflict);
        let (settled, calls) = settled(
            vec![1, 2, 3],
            vec![
                Ok(vec![later(), Err(Refusal::NotFound), later()]),
                Ok(vec![Ok(10), later()]),
                Ok(vec![Ok(30)]),
            ],
        );
        let refused = Err(Refusal::NotFound.to_string());
        assert_eq!(settled, Ok(vec![Ok(10), refused, Ok(30)]));
        assert_eq!(calls, [vec![1, 2, 3], vec![1, 3], vec![3]]);
    }

    #[test]
    fn a_command_that_fails_its_slice_fails_alone() {
        let corrupt = || Err(StoreError::corrupt("carts", "id", 2));
        let (settled, calls) = settled(vec![1, 2], vec![corrupt(), Ok(vec![Ok(10)]), corrupt()]);
        let settled = settled.unwrap();
        assert_eq!(settled[0], Ok(10));
        assert!(settled[1].is_err());
        assert_eq!(calls, [vec![1, 2], vec![1], vec![2]]);
    }

    #[test]
    fn a_slice_together_is_retried_while_it_has_lock_conflicts_alone() {
        let settled = |results: Vec<AllOrNone<u32>>| {
            let results = RefCell::new(results.into_iter());
            let calls = RefCell::new(0);
            let settled = settle_together(&[1, 2], |_| {
                *calls.borrow_mut() += 1;
                results.borrow_mut().next().unwrap()
            });
            (settled, calls.into_inner())
        };
        let later = || Some(Refusal::LockConflict);
        let conflict = || Ok(Err(vec![None, later()]));
        let (done, calls) = settled(vec![conflict(), conflict(), Ok(Ok(vec![10, 20]))]);
        assert_eq!((done.unwrap(), calls), (Ok(vec![10, 20]), 3));
        let refused = Ok(Err(vec![Some(Refusal::NotFound), later()]));
        let (refused, calls) = settled(vec![conflict(), refused]);
        let expected = Err(vec![Some(Refusal::NotFound), None]);
        assert_eq!((refused.unwrap(), calls), (expected, 2));
        let (failed, calls) = settled(vec![Err(StoreError::new(StoreErrorKind::Busy))]);
        assert!(failed.is_err());
        assert_eq!(calls, 1);
    }

    #[test]
    fn a_failure_of_the_store_fails_the_slice() {
        for kind in [StoreErrorKind::Busy, StoreErrorKind::OutcomeUnknown] {
            let (settled, calls) = settled(vec![1, 2], vec![Err(StoreError::new(kind))]);
            assert!(settled.is_err());
            assert_eq!(calls.len(), 1);
        }
        let (settled, _) = settled(vec![1, 2], vec![Ok(vec![Ok(1)])]);
        assert!(settled.is_err(), "a result is missing");
        let (settled, calls) = super::tests::settled(Vec::new(), Vec::new());
        assert_eq!((settled, calls), (Ok(Vec::new()), Vec::new()));
    }
}
