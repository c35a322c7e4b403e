//! Mailbox of a worker: results for its requests that another thread has read, delivered with one
//! wake-up of the worker for all of them.
//!
//! Waking a task of another thread takes a lock of its runtime and, if that sleeps, a system call.
//! Here only one task of a worker is woken in that way, and it wakes the others on their own thread.

use actix_web::rt;
use std::cell::RefCell;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// A job for the thread of a worker.
type Delivery = Box<dyn FnOnce() + Send>;

thread_local! {
    static OWN: RefCell<Option<Mailbox>> = const { RefCell::new(None) };
}

/// A handle of the mailbox of a worker.
#[derive(Clone)]
pub(super) struct Mailbox(UnboundedSender<Delivery>);

impl Mailbox {
    /// The mailbox of this thread, which runs an actix runtime.
    pub(super) fn of_this_worker() -> Self {
        OWN.with_borrow_mut(|own| {
            // A test may run several runtimes on one thread, one after the other.
            match own {
                Some(mailbox) if !mailbox.0.is_closed() => mailbox.clone(),
                _ => own.insert(Self::open()).clone(),
            }
        })
    }

    fn open() -> Self {
        let (sender, receiver) = unbounded_channel();
        rt::spawn(deliver(receiver));
        Self(sender)
    }

    /// Whether both are of one worker.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.0.same_channel(&other.0)
    }

    /// Runs a delivery on the thread of the worker, or here if the worker has ended.
    pub(super) fn deliver(&self, delivery: impl FnOnce() + Send + 'static) {
        if let Err(unsent) = self.0.send(Box::new(delivery)) {
            (unsent.0)();
        }
    }
}

async fn deliver(mut deliveries: UnboundedReceiver<Delivery>) {
    while let Some(delivery) = deliveries.recv().await {
        delivery();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread;
    use tokio::sync::oneshot;

    #[actix_web::test]
    async fn a_delivery_runs_on_the_thread_of_its_worker() {
        let mailbox = Mailbox::of_this_worker();
        assert!(mailbox.is(&Mailbox::of_this_worker()));
        let (tell, told) = oneshot::channel();
        thread::spawn(move || {
            mailbox.deliver(move || tell.send(thread::current().id()).unwrap());
        });
        assert_eq!(told.await.unwrap(), thread::current().id());
    }

    #[test]
    fn a_delivery_to_a_worker_that_has_ended_runs_at_once() {
        let open = || rt::System::new().block_on(async { Mailbox::of_this_worker() });
        let ended = open();
        let (tell, told) = mpsc::channel();
        ended.deliver(move || tell.send(()).unwrap());
        assert!(told.try_recv().is_ok());
        // The next runtime on this thread has a mailbox of its own.
        assert!(!open().is(&ended));
    }
}
