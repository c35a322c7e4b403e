//! A client of an application over an in-memory connection.

use crate::connection::deadline::WithDeadline;
use crate::connection::lifecycle::{Expiry, Timeouts};
use crate::connection::stream::{Stream, Transport};
use crate::connection::{Shared, Underway};
use crate::middleware::hold_request_body;
use actix_http::{HttpService, KeepAlive};
use actix_service::{IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, map_config};
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, Error, web};
use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex,
};
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::sleep;

pub(super) const TIMEOUTS: Timeouts = Timeouts {
    head: Duration::from_secs(5),
    keep_alive: Duration::from_secs(10),
    send_window: Duration::from_secs(60),
    least_taken: 30_720,
};

/// The size of the response at `/big`, in bytes.
pub(super) const BIG_SIZE: usize = 200_000;

/// The server's end of a connection.
struct ServerEnd {
    inner: DuplexStream,
    discarded: Rc<Cell<bool>>,
}

impl Transport for ServerEnd {
    fn discard_unsent(&self) {
        self.discarded.set(true);
    }
}

impl AsyncRead for ServerEnd {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, out)
    }
}

impl AsyncWrite for ServerEnd {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// The client's end.
pub(super) struct Client {
    pub(super) stream: DuplexStream,
    pub(super) serving: JoinHandle<()>,
    pub(super) ended: Rc<RefCell<Vec<Expiry>>>,
    pub(super) discarded: Rc<Cell<bool>>,
}

impl Client {
    /// Connects over a stream that buffers this many bytes in each direction.
    pub(super) async fn connect(buffer: usize) -> Self {
        let app = App::new()
            .route("/", web::get().to(async || "small"))
            .route("/big", web::get().to(async || "x".repeat(BIG_SIZE)))
            .route("/slow", web::get().to(slow))
            .route("/echo", web::post().to(async |body: web::Bytes| body))
            .wrap(from_fn(note_request))
            .into_factory()
            .map_err(|error: Error| error.error_response());
        let http = HttpService::build()
            .keep_alive(KeepAlive::Os)
            .client_request_timeout(Duration::ZERO)
            .client_disconnect_timeout(Duration::from_secs(1))
            .on_connect_ext(|stream: &Stream<ServerEnd>, data| {
                data.insert::<Shared>(Rc::clone(stream.lifecycle()));
            })
            .h1(map_config(app, |()| AppConfig::default()))
            .new_service(())
            .await
            .unwrap();
        let (stream, inner) = duplex(buffer);
        let ended = Rc::<RefCell<Vec<Expiry>>>::default();
        let discarded = Rc::<Cell<bool>>::default();
        let end = ServerEnd {
            inner,
            discarded: Rc::clone(&discarded),
        };
        let end = Stream::new(end, TIMEOUTS);
        let lifecycle = Rc::clone(end.lifecycle());
        let noted = Rc::clone(&ended);
        let note = move |why| noted.borrow_mut().push(why);
        let serving = http.call((end, None));
        Self {
            stream,
            serving: spawn_local(WithDeadline::new(serving, lifecycle, note)),
            ended,
            discarded,
        }
    }

    pub(super) async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads one response; returns its head and its body.
    pub(super) async fn answer(&mut self) -> (String, String) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.lines();
        let length = lines.find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.unwrap().parse().unwrap()];
        self.stream.read_exact(&mut body).await.unwrap();
        (head, String::from_utf8(body).unwrap())
    }

    pub(super) async fn expect(&mut self, body: &str) {
        let (head, found) = self.answer().await;
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert_eq!(found, body);
    }

    /// Sends one byte each 100 milliseconds until the connection ends.
    pub(super) async fn drip(&mut self, text: &str) {
        for byte in text.bytes() {
            if self.serving.is_finished() || self.stream.write_all(&[byte]).await.is_err() {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
        panic!("it is still there");
    }

    /// Waits until the server has ended the connection; returns the bytes it sent last, and the
    /// reason.
    pub(super) async fn end(mut self) -> (String, Option<Expiry>) {
        self.serving.await.unwrap();
        let mut rest = String::new();
        self.stream.read_to_string(&mut rest).await.unwrap();
        let ended = self.ended.borrow();
        assert!(ended.len() <= 1, "{ended:?}");
        (rest, ended.first().copied())
    }
}

async fn slow() -> &'static str {
    sleep(Duration::from_secs(600)).await;
    "late"
}

async fn note_request(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let underway = Underway::begin(&request);
    assert!(underway.is_some());
    let body = hold_request_body::share(&mut request, underway.as_ref());
    let response = next.call(request).await?.map_into_boxed_body();
    Ok(response.map_body(|_, answer| hold_request_body::hold(answer, body, underway)))
}
