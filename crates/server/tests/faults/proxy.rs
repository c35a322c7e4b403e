//! A TCP proxy between a server and PostgreSQL that can drop the answer to the COMMIT of a command.
//! The server's own transactions, such as those of the sequencer of the event log, pass.

use crate::statements::Statements;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// The point at which a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// PostgreSQL does not receive the COMMIT.
    BeforeCommit,
    /// PostgreSQL has committed, and the client does not learn of it.
    AfterCommit,
    /// The connection stays open, but PostgreSQL does not receive the COMMIT, and later connections
    /// are refused.
    Unheard,
}

#[derive(Default)]
struct State {
    before: AtomicBool,
    after: AtomicBool,
    unheard: AtomicBool,
    closed: AtomicBool,
    /// Refuses new connections once it has cut.
    for_good: AtomicBool,
    clients: Mutex<Vec<TcpStream>>,
}

pub(crate) struct Proxy {
    port: u16,
    state: Arc<State>,
}

impl Proxy {
    /// Starts a proxy to a port of this machine.
    pub(crate) fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming() {
                let server = TcpStream::connect(("127.0.0.1", to));
                let (Ok(client), Ok(server)) = (client, server) else {
                    continue;
                };
                // Under the lock, so that a connection that arrives during the cut is cut as well.
                let mut clients = shared.clients.lock().unwrap();
                if !shared.closed.load(Ordering::SeqCst) {
                    clients.push(client.try_clone().unwrap());
                    relay(&client, &server, &shared);
                }
            }
        });
        Self { port, state }
    }

    /// The database URL through this proxy.
    pub(crate) fn url(&self, url: &str, port: u16) -> String {
        url.replace(&format!(":{port}/"), &format!(":{}/", self.port))
    }

    /// Cuts the connection at the next COMMIT of a command.
    pub(crate) fn arm(&self, cut: Cut) {
        self.flag(cut).store(true, Ordering::SeqCst);
    }

    /// Like `arm`; also cuts all other connections at that moment, and refuses new ones.
    pub(crate) fn arm_for_good(&self, cut: Cut) {
        self.state.for_good.store(true, Ordering::SeqCst);
        self.arm(cut);
    }

    /// Accepts connections again.
    pub(crate) fn open(&self) {
        self.state.for_good.store(false, Ordering::SeqCst);
        self.state.closed.store(false, Ordering::SeqCst);
    }

    /// Whether it has cut since it was armed.
    pub(crate) fn has_cut(&self, cut: Cut) -> bool {
        !self.flag(cut).load(Ordering::SeqCst)
    }

    fn flag(&self, cut: Cut) -> &AtomicBool {
        match cut {
            Cut::BeforeCommit => &self.state.before,
            Cut::AfterCommit => &self.state.after,
            Cut::Unheard => &self.state.unheard,
        }
    }
}

impl State {
    /// Whether to cut at a COMMIT: once each time that it is armed.
    fn take(armed: &AtomicBool) -> bool {
        armed.swap(false, Ordering::SeqCst)
    }

    /// Cuts all connections if armed to.
    fn close(&self) {
        if self.for_good.load(Ordering::SeqCst) {
            self.closed.store(true, Ordering::SeqCst);
            for client in self.clients.lock().unwrap().drain(..) {
                let _ = client.shutdown(Shutdown::Both);
            }
        }
    }
}

fn relay(client: &TcpStream, server: &TcpStream, state: &Arc<State>) {
    let swallow = Arc::new(AtomicBool::new(false));
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let (state, closing) = (Arc::clone(state), Arc::clone(state));
    let cutting = Arc::clone(&swallow);
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        let mut statements = Statements::default();
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            let heard = &buffer[..length];
            statements.hear(heard);
            // A message of its own, short enough to arrive in one piece. With the zero byte at its
            // end, as READ COMMITTED begins a transaction.
            if statements.is_command() && heard.ends_with(b"COMMIT\0") {
                if State::take(&state.unheard) {
                    state.closed.store(true, Ordering::SeqCst);
                    continue;
                }
                if State::take(&state.before) {
                    state.close();
                    break;
                }
                if State::take(&state.after) {
                    cutting.store(true, Ordering::SeqCst);
                    let _ = to.write_all(heard);
                    continue;
                }
            }
            if to.write_all(heard).is_err() {
                break;
            }
        }
        hang_up(&to, &from);
    });
    let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            // The answer to the COMMIT has arrived, so PostgreSQL has committed; the client never
            // receives it. When the client notices, no database can be reached.
            if swallow.load(Ordering::SeqCst) {
                closing.close();
                break;
            }
            if to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        hang_up(&from, &to);
    });
}

/// Either may be closed already.
fn hang_up(one: &TcpStream, other: &TcpStream) {
    let _ = one.shutdown(Shutdown::Both);
    let _ = other.shutdown(Shutdown::Both);
}
