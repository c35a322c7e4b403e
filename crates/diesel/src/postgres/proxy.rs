//! A test proxy that drops the answer to a COMMIT.

use super::tests::SERVER;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};
use std::thread;

/// Forwards everything between a client and PostgreSQL except the answer to a COMMIT, where it
/// disconnects: before the server gets the COMMIT, or after it has answered.
pub(super) struct Proxy {
    port: u16,
    pub(super) armed: Arc<AtomicBool>,
    /// The port for new connections; another one after the cut, if given.
    pub(super) to: Arc<AtomicU16>,
    /// Number of connections made.
    pub(super) connections: Arc<AtomicUsize>,
}

#[derive(Clone, Copy)]
pub(super) enum Cut {
    BeforeCommit,
    AfterCommit,
}

impl Proxy {
    pub(super) fn start(cut: Cut) -> Self {
        Self::swinging(cut, SERVER.0.port(), SERVER.0.port())
    }

    /// After the cut, new connections lead to another port.
    pub(super) fn swinging(cut: Cut, before: u16, after: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            armed: Arc::default(),
            to: Arc::new(AtomicU16::new(before)),
            connections: Arc::default(),
        };
        let (trigger, to) = (Arc::clone(&proxy.armed), Arc::clone(&proxy.to));
        let connections = Arc::clone(&proxy.connections);
        thread::spawn(move || {
            for client in listener.incoming() {
                let port = to.load(Ordering::SeqCst);
                let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
                let client = client.unwrap();
                let swing = (Arc::clone(&to), after);
                relay(&client, &server, &trigger, cut, swing);
                connections.fetch_add(1, Ordering::SeqCst);
            }
        });
        proxy
    }

    /// The URL through this proxy.
    pub(super) fn url(&self, url: &str) -> String {
        let port = self.to.load(Ordering::SeqCst).to_string();
        url.replace(&port, &self.port.to_string())
    }
}

fn relay(
    client: &TcpStream,
    server: &TcpStream,
    armed: &Arc<AtomicBool>,
    cut: Cut,
    (to, after): (Arc<AtomicU16>, u16),
) {
    let swallow = Arc::new(AtomicBool::new(false));
    let (mut from, mut forward) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let (armed, cutting) = (Arc::clone(armed), Arc::clone(&swallow));
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            // BEGIN ... READ COMMITTED has those letters too.
            let commits = buffer[..length].ends_with(b"COMMIT\0");
            if commits && armed.swap(false, Ordering::SeqCst) {
                to.store(after, Ordering::SeqCst);
                cutting.store(true, Ordering::SeqCst);
                if matches!(cut, Cut::BeforeCommit) {
                    break;
                }
            }
            if forward.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        if !matches!(cut, Cut::AfterCommit) || !cutting.load(Ordering::SeqCst) {
            let _ = forward.shutdown(Shutdown::Both);
            let _ = from.shutdown(Shutdown::Both);
        }
    });
    let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            // The server has answered, so the commit has happened; the client never gets the
            // answer.
            if swallow.load(Ordering::SeqCst) || to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    });
}
