//! Thread pool of low scheduling priority, for work that is to use idle processor time.

use crate::error::ApiError;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;
use tokio::sync::oneshot;

/// A thread pool whose threads end when it is dropped, each after its current job. Its queue is
/// unbounded: see [`crate::exec::worker_pool::WorkerPool`] for the bound.
pub(crate) struct LowPriorityThreads {
    jobs: Sender<Job>,
}

type Job = Box<dyn FnOnce() + Send>;

impl LowPriorityThreads {
    /// Starts `count` threads.
    ///
    /// # Errors
    /// If the operating system cannot start a thread.
    pub(crate) fn start(count: usize) -> io::Result<Self> {
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..count {
            let queue = Arc::clone(&queue);
            Builder::new()
                .name(format!("lists-{number}"))
                .spawn(move || work(&queue))?;
        }
        Ok(Self { jobs })
    }

    /// Runs a job on one of the threads. A job returns its result and a continuation, which runs on
    /// its thread after the result was sent. A job that was sent runs even if the future is dropped.
    ///
    /// # Errors
    /// [`ApiError::Panicked`].
    pub(crate) async fn run<T: Send + 'static, R: FnOnce()>(
        &self,
        job: impl FnOnce() -> (T, R) + Send + 'static,
    ) -> Result<T, ApiError> {
        let (answer, outcome) = oneshot::channel();
        let job = move || {
            if let Ok((value, rest)) = catch_unwind(AssertUnwindSafe(job)) {
                // The request may have ended meanwhile.
                let _ = answer.send(value);
                rest();
            }
        };
        // If all threads have ended, the sender is dropped with the job, as after a panic.
        let _ = self.jobs.send(Box::new(job));
        outcome.await.map_err(|_| ApiError::Panicked)
    }
}

fn work(queue: &Mutex<Receiver<Job>>) {
    lower_priority();
    loop {
        // Jobs run outside of the lock, so that no panic leaves it poisoned.
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}

/// Linux has a priority for each thread. On other systems it would be that of the whole process.
#[cfg(target_os = "linux")]
fn lower_priority() {
    /// The lowest priority. With 10, which weighs a tenth, a flood of searches took a quarter of
    /// the orders' rate. A plain page needs little time, and an expensive list on a busy server is
    /// interrupted at its deadline.
    const NICENESS: i32 = 19;
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        log::warn!("lists are read with the priority of everything else: {error}");
    }
}

#[cfg(not(target_os = "linux"))]
fn lower_priority() {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[actix_web::test]
    async fn a_thread_survives_a_job_that_panics() {
        let threads = LowPriorityThreads::start(1).unwrap();
        for _ in 0..3 {
            let panicked: Result<(), _> =
                threads.run(|| -> ((), fn()) { panic!("on purpose") }).await;
            assert!(matches!(panicked, Err(ApiError::Panicked)));
            assert_eq!(threads.run(|| (7, || ())).await.unwrap(), 7);
        }
    }

    #[actix_web::test]
    async fn a_job_runs_on_although_its_request_has_ended() {
        let threads = LowPriorityThreads::start(1).unwrap();
        let (open, opened) = channel();
        let (done, ended) = channel();
        let job = threads.run(move || {
            opened.recv().unwrap();
            ((), move || done.send(()).unwrap())
        });
        let given_up = tokio::time::timeout(Duration::from_millis(1), job).await;
        assert!(given_up.is_err());
        open.send(()).unwrap();
        ended.recv().unwrap();
    }

    #[cfg(target_os = "linux")]
    #[actix_web::test]
    async fn only_its_own_threads_have_a_low_priority() {
        let niceness = || rustix::process::getpriority_process(None).unwrap();
        let before = niceness();
        let threads = LowPriorityThreads::start(1).unwrap();
        assert_eq!(threads.run(move || (niceness(), || ())).await.unwrap(), 19);
        assert_eq!(niceness(), before);
    }
}
