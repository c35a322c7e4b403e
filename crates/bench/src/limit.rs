//! The limit of HTTP on this machine: actix-web alone, which answers every request with the same
//! bytes. It runs in a process of its own, so that its processor time is counted like that of the
//! measured server.

use crate::{Outcome, console};
use actix_web::http::header::ContentType;
use actix_web::web::{self, Bytes};
use actix_web::{App, HttpResponse, HttpServer, rt};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

/// The option that runs the static server, with the size of its responses.
pub(crate) const OPTION: &str = "--static";

/// The path that it serves.
pub(crate) const PATH: &str = "/static";

/// Serves static responses of this size until the process is killed.
pub(crate) fn serve(size: usize) -> Outcome<()> {
    let body = Bytes::from(vec![b'x'; size]);
    let app = move || {
        let body = body.clone();
        let answer = move || {
            let response = HttpResponse::Ok()
                .content_type(ContentType::json())
                .body(body.clone());
            async move { response }
        };
        App::new().route(PATH, web::get().to(answer))
    };
    Ok(rt::System::new().block_on(async {
        let server = HttpServer::new(app).bind(("127.0.0.1", 0))?;
        if let Some(address) = server.addrs().first() {
            console::say(format_args!("{address}"));
        }
        server.run().await
    })?)
}

/// A running static server.
pub(crate) struct StaticServer {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl StaticServer {
    /// Starts a server whose responses have this size.
    pub(crate) fn start(size: usize) -> Outcome<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args([OPTION, &size.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            BufReader::new(out).read_line(&mut line)?;
        }
        let address = line.trim().parse();
        let mut server = Self {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
        };
        server.address = address.map_err(|_| "the static server does not serve")?;
        Ok(server)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for StaticServer {
    fn drop(&mut self) {
        // Fails if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
