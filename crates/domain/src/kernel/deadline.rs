//! Query deadline of a thread.
//!
//! A caller that waits for an answer for a limited time sets the deadline around its use case; the
//! store reads it and interrupts queries that run beyond it. It is a thread-local value, so that it
//! reaches every port without being an argument of each. It applies to reads alone: a write that
//! has begun runs to completion, because only its result tells whether it was committed. Without a
//! deadline, as in commands of the command line, no query is interrupted.

use std::cell::Cell;
use std::time::Instant;

thread_local! {
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Restores the outer deadline, also if the job panics.
struct Restore(Option<Instant>);

impl Drop for Restore {
    fn drop(&mut self) {
        DEADLINE.set(self.0);
    }
}

/// Runs a job whose queries on this thread have a deadline. Nested deadlines: the earlier one
/// holds.
pub fn run_until<T>(deadline: Instant, job: impl FnOnce() -> T) -> T {
    let outer = current();
    let _restore = Restore(outer);
    DEADLINE.set(Some(outer.map_or(deadline, |outer| outer.min(deadline))));
    job()
}

/// Runs a job whose queries have no deadline: those of a write of several transactions, which runs
/// to completion once it has begun.
pub fn without<T>(job: impl FnOnce() -> T) -> T {
    let _restore = Restore(DEADLINE.take());
    job()
}

/// The query deadline of this thread, if it has one.
#[must_use]
pub fn current() -> Option<Instant> {
    DEADLINE.get()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::time::Duration;

    #[test]
    fn a_deadline_ends_with_its_job() {
        let near = Instant::now();
        let far = near + Duration::from_secs(1);
        assert_eq!(current(), None);
        run_until(far, || {
            assert_eq!(current(), Some(far));
            run_until(near, || assert_eq!(current(), Some(near)));
            assert_eq!(current(), Some(far));
        });
        assert_eq!(current(), None);
    }

    #[test]
    fn an_inner_deadline_cannot_extend_the_outer_one() {
        let near = Instant::now();
        let far = near + Duration::from_secs(1);
        run_until(near, || {
            run_until(far, || assert_eq!(current(), Some(near)))
        });
    }

    #[test]
    fn a_write_of_several_transactions_has_no_deadline() {
        let near = Instant::now();
        run_until(near, || {
            assert_eq!(without(current), None);
            assert_eq!(current(), Some(near));
        });
    }

    #[test]
    fn a_deadline_ends_with_a_job_that_panics() {
        let panicking = || run_until(Instant::now(), || panic!("on purpose"));
        assert!(catch_unwind(AssertUnwindSafe(panicking)).is_err());
        assert_eq!(current(), None);
    }

    #[test]
    fn a_deadline_is_that_of_its_thread_alone() {
        run_until(Instant::now(), || {
            let other = std::thread::spawn(current).join().unwrap();
            assert_eq!(other, None);
        });
    }
}
