//! Background threads.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;
use std::{io, thread};

/// A thread that runs a task at once and then periodically, until this value is dropped. Drop does not
/// join the thread: the task may be waiting for a database or a file system that does not answer.
pub(crate) struct Background {
    /// Nothing is sent: the closed channel ends the thread.
    _running: Sender<()>,
}

impl Background {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the operating system cannot create a thread.
    pub(crate) fn every(
        interval: Duration,
        name: &str,
        mut task: impl FnMut() + Send + 'static,
    ) -> io::Result<Self> {
        let (running, ends) = mpsc::channel::<()>();
        let run = move || {
            loop {
                task();
                if ends.recv_timeout(interval) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        thread::Builder::new().name(name.to_owned()).spawn(run)?;
        Ok(Self { _running: running })
    }
}
