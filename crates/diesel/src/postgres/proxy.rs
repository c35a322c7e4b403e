//! A proxy for the tests, which swallows the answer to a COMMIT.

use super::tests::SERVER;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Passes everything on between a client and PostgreSQL, but for the answer to a COMMIT, at which
/// it hangs up: before the server hears of it, or after it has answered.
pub(super) struct Proxy {
    port: u16,
    pub(super) armed: Arc<AtomicBool>,
}

#[derive(Clone, Copy)]
pub(super) enum Cut {
    BeforeCommit,
    AfterCommit,
}

impl Proxy {
    pub(super) fn start(cut: Cut) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let armed = Arc::new(AtomicBool::new(false));
        let trigger = Arc::clone(&armed);
        thread::spawn(move || {
            for client in listener.incoming() {
                let server = TcpStream::connect(("127.0.0.1", SERVER.0.port())).unwrap();
                let client = client.unwrap();
                relay(&client, &server, &trigger, cut);
            }
        });
        Self { port, armed }
    }

    pub(super) fn url(&self, name: &str) -> String {
        SERVER
            .0
            .url(name)
            .replace(&SERVER.0.port().to_string(), &self.port.to_string())
    }
}

fn relay(client: &TcpStream, server: &TcpStream, armed: &Arc<AtomicBool>, cut: Cut) {
    let swallow = Arc::new(AtomicBool::new(false));
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let (armed, cutting) = (Arc::clone(armed), Arc::clone(&swallow));
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            // BEGIN ... READ COMMITTED has those letters too.
            let commits = buffer[..length].ends_with(b"COMMIT\0");
            if commits && armed.swap(false, Ordering::SeqCst) {
                cutting.store(true, Ordering::SeqCst);
                if matches!(cut, Cut::BeforeCommit) {
                    break;
                }
            }
            if to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        if !matches!(cut, Cut::AfterCommit) || !cutting.load(Ordering::SeqCst) {
            let _ = to.shutdown(Shutdown::Both);
            let _ = from.shutdown(Shutdown::Both);
        }
    });
    let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            // The answer to the COMMIT is here, so it has happened; the client never hears of it.
            if swallow.load(Ordering::SeqCst) || to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    });
}
