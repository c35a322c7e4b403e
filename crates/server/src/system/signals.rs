//! Signal handling: shutdown signals, SIGHUP, which reopens the log files, and ignored signals.

use crate::exit::INTERRUPTED;
use crate::logging;
use actix_web::rt;
use actix_web::rt::signal::unix::{Signal, SignalKind, signal};
use std::sync::mpsc;
use std::task::Poll;
use std::{future, io, process, thread};
use tradepost_http::StopHandle;

/// Installs handlers for the signals whose default action ends a process and that mean no shutdown
/// to a server, so that they no longer end it, also before [`Signals::listen`].
///
/// # Errors
/// If the operating system refuses.
pub(crate) fn survive() -> io::Result<()> {
    // The handlers outlive the runtime that installs them.
    rt::Runtime::new()?.block_on(async { Others::listen().map(drop) })
}

/// SIGHUP, SIGUSR1 and SIGUSR2.
struct Others {
    hangup: Signal,
    user1: Signal,
    user2: Signal,
}

impl Others {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            user1: signal(SignalKind::user_defined1())?,
            user2: signal(SignalKind::user_defined2())?,
        })
    }

    /// Handles the signals until the server ends.
    async fn handle(&mut self) {
        future::poll_fn(|context| {
            while let Poll::Ready(Some(())) = self.hangup.poll_recv(context) {
                logging::reopen();
                log::info!(signal = "SIGHUP"; "the log file was opened again, as SIGHUP asked for");
            }
            for (user, name) in [(&mut self.user1, "SIGUSR1"), (&mut self.user2, "SIGUSR2")] {
                while let Poll::Ready(Some(())) = user.poll_recv(context) {
                    log::info!(signal = name; "{name} means nothing here, and was ignored");
                }
            }
            Poll::<()>::Pending
        })
        .await;
    }
}

/// SIGINT (Ctrl-C) and SIGTERM.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Replaces the default action of the signals, which ends the process.
    ///
    /// # Errors
    /// If the operating system refuses.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        future::poll_fn(|context| {
            let interrupted = self.interrupt.poll_recv(context).is_ready();
            let terminated = self.terminate.poll_recv(context).is_ready();
            if interrupted || terminated {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    /// Graceful shutdown: the first signal stops the server once requests in flight have ended; the
    /// second one ends the process at once.
    ///
    /// # Errors
    /// If the operating system refuses.
    pub(crate) fn stop(mut self, server: StopHandle) -> io::Result<()> {
        let mut others = Others::listen()?;
        rt::spawn(async move { others.handle().await });
        rt::spawn(async move {
            self.next().await;
            log::info!("stopping: requests in flight are finished first");
            rt::spawn(async move {
                self.next().await;
                log::warn!("stopped at once, as a second signal asked for");
                logging::flush();
                process::exit(1);
            });
            server.stop().await;
        });
        Ok(())
    }
}

/// Runs `last` before a signal ends the process.
///
/// # Errors
/// If the operating system refuses.
pub(crate) fn end_after(last: fn()) -> io::Result<()> {
    let (listening, listens) = mpsc::channel();
    let wait = move || {
        let runtime = rt::Runtime::new();
        let listen = |runtime: &rt::Runtime| runtime.block_on(async { Signals::listen() });
        match runtime.and_then(|runtime| Ok((listen(&runtime)?, runtime))) {
            Ok((mut signals, runtime)) => {
                let _ = listening.send(Ok(()));
                runtime.block_on(signals.next());
                last();
                process::exit(i32::from(INTERRUPTED));
            }
            Err(error) => {
                let _ = listening.send(Err(error));
            }
        }
    };
    thread::Builder::new()
        .name("signals".to_owned())
        .spawn(wait)?;
    let ended = |_| Err(io::ErrorKind::Other.into());
    listens.recv().unwrap_or_else(ended)
}
