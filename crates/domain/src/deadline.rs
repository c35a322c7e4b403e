//! The deadline of the queries that a thread runs.
//!
//! A caller that waits for an answer only for so long sets it around its use case; a store reads it
//! and interrupts its queries when it has passed. It belongs to the thread, so that it reaches every
//! port without being an argument of each. It applies to reads alone: a write that has begun goes on
//! to its end, because only that end tells whether it happened. Without a deadline, as in commands of
//! the command line, nothing is interrupted.

use std::cell::Cell;
use std::time::Instant;

thread_local! {
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Restores the deadline of before, also when the job panics.
struct Restore(Option<Instant>);

impl Drop for Restore {
    fn drop(&mut self) {
        DEADLINE.set(self.0);
    }
}

/// Runs a job whose queries on this thread have a deadline. Inside another deadline, the earlier of
/// the two holds.
pub fn run_until<T>(deadline: Instant, job: impl FnOnce() -> T) -> T {
    let outer = current();
    let _restore = Restore(outer);
    DEADLINE.set(Some(outer.map_or(deadline, |outer| outer.min(deadline))));
    job()
}

/// The deadline of the queries of this thread, if they have one.
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
