//! Stopping when the operating system says so.

use actix_web::rt;
use actix_web::rt::signal::unix::{Signal, SignalKind, signal};
use std::task::Poll;
use std::{future, io, process};
use tradepost_http::StopHandle;

/// SIGINT, which is Ctrl-C, and SIGTERM.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// From here on the signals end nothing by themselves.
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

    /// Stops the server at the first signal, when what is in flight has ended; at the second one
    /// the program ends at once.
    pub(crate) fn stop(mut self, server: StopHandle) {
        rt::spawn(async move {
            self.next().await;
            log::info!("stopping: requests in flight are finished first");
            rt::spawn(async move {
                self.next().await;
                log::warn!("stopped at once, as a second signal asked for");
                process::exit(1);
            });
            server.stop().await;
        });
    }
}
