//! TLS of a throw-away cluster, and servers and proxies that get it wrong.

use crate::certificates::Identity;
use crate::{Cluster, USER, is_root};
use openssl::ssl::{SslAcceptor, SslMethod};
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// The first message of a client that wants TLS: its length, and a code in place of a version.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

impl Cluster {
    /// Restarts the server with TLS and this certificate. Connections without TLS go on working.
    ///
    /// # Errors
    /// If it does not start.
    pub fn restart_with_tls(&mut self, identity: &Identity) -> io::Result<()> {
        let (certificate, key) = ("server.crt", "server.key");
        for (name, pem) in [
            (certificate, identity.certificate_pem()?),
            (key, identity.key_pem()?),
        ] {
            let path = self.folder.path().join(name);
            fs::write(&path, pem)?;
            fs::set_permissions(&path, Permissions::from_mode(0o600))?;
            if is_root()?
                && !Command::new("chown")
                    .arg(USER)
                    .arg(&path)
                    .status()?
                    .success()
            {
                return Err(io::Error::other("the key cannot be given to the server"));
            }
        }
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        let settings = [
            "ssl=on".to_owned(),
            format!("ssl_cert_file={}", path(certificate)),
            format!("ssl_key_file={}", path(key)),
        ];
        self.settings.extend(settings);
        self.kill()?;
        self.resume_or_start()
    }
}

/// A server that offers TLS with this certificate, and knows nothing after the handshake; its port
/// on the loopback interface. It lives as long as the process.
///
/// # Errors
/// If it cannot listen.
pub fn handshake_only(identity: &Identity) -> io::Result<u16> {
    let acceptor = acceptor(identity)?;
    serve(move |mut client| {
        if asks_for_tls(&mut client)? {
            client.write_all(b"S")?;
            // The client ends it, as a test expects.
            let _ = acceptor.accept(client);
        }
        Ok(())
    })
}

/// A server that answers N, that is, that it has no TLS; its port. It lives as long as the process.
///
/// # Errors
/// If it cannot listen.
pub fn without_tls() -> io::Result<u16> {
    serve(|mut client| {
        if asks_for_tls(&mut client)? {
            client.write_all(b"N")?;
        }
        Ok(())
    })
}

/// A proxy that answers N in the name of the server behind it, and passes on everything else in the
/// clear; its port. It lives as long as the process.
///
/// # Errors
/// If it cannot listen.
pub fn stripping_proxy(to: u16) -> io::Result<u16> {
    serve(move |mut client| {
        let mut server = TcpStream::connect(("127.0.0.1", to))?;
        let mut first = [0; SSL_REQUEST.len()];
        client.read_exact(&mut first)?;
        if first == SSL_REQUEST {
            client.write_all(b"N")?;
        } else {
            server.write_all(&first)?;
        }
        let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
        thread::spawn(move || {
            let _ = io::copy(&mut from_client, &mut to_server);
            let _ = to_server.shutdown(Shutdown::Write);
        });
        io::copy(&mut server, &mut client)?;
        client.shutdown(Shutdown::Write)
    })
}

/// A proxy that ends TLS with a certificate of its own, and goes on to the server in the clear; its
/// port. It lives as long as the process.
///
/// # Errors
/// If it cannot listen.
pub fn terminating_proxy(identity: &Identity, to: u16) -> io::Result<u16> {
    let acceptor = acceptor(identity)?;
    serve(move |mut client| {
        if !asks_for_tls(&mut client)? {
            return Ok(());
        }
        client.write_all(b"S")?;
        let mut client = acceptor.accept(client).map_err(io::Error::other)?;
        let mut server = TcpStream::connect(("127.0.0.1", to))?;
        // A TLS stream cannot be split: both directions take turns.
        client.get_ref().set_read_timeout(Some(TURN))?;
        server.set_read_timeout(Some(TURN))?;
        while relay(&mut client, &mut server)? && relay(&mut server, &mut client)? {}
        Ok(())
    })
}

/// How long a relay waits for one side before it turns to the other.
const TURN: Duration = Duration::from_millis(5);

/// Passes on what one side has sent; false at its end.
fn relay(from: &mut impl Read, to: &mut impl Write) -> io::Result<bool> {
    let mut buffer = vec![0; 16_384];
    match from.read(&mut buffer) {
        Ok(length) => {
            let read = buffer.get(..length).unwrap_or_default();
            to.write_all(read).map(|()| length > 0)
        }
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Ok(true)
        }
        Err(error) => Err(error),
    }
}

fn acceptor(identity: &Identity) -> io::Result<SslAcceptor> {
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server())?;
    acceptor.set_private_key(&identity.key)?;
    acceptor.set_certificate(&identity.certificate)?;
    Ok(acceptor.build())
}

fn asks_for_tls(client: &mut TcpStream) -> io::Result<bool> {
    let mut first = [0; SSL_REQUEST.len()];
    client.read_exact(&mut first)?;
    Ok(first == SSL_REQUEST)
}

/// Answers each client in a thread of its own.
fn serve(answer: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static) -> io::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let port = listener.local_addr()?.port();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            // A client that hangs up is what tests are about.
            thread::spawn(move || drop(answer(client)));
        }
    });
    Ok(port)
}
