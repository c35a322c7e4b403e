//! Forms with a file: multipart bodies, whose CSRF token is checked before the rest is read, and whose
//! file goes to the disk in pieces.

use crate::admit::CSRF;
use crate::form::Form;
use actix_multipart::{Field, Multipart};
use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::BytesMut;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use futures_util::StreamExt;
use std::fs::File;
use std::future::{Future, Ready, ready};
use std::io::{self, Seek, Write};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use tradepost_http::kit::ApiError;

/// The longest that a file may take to arrive: 32 MiB with 2.5 Mbit/s. It holds a connection, and no
/// thread.
const TIME: Duration = Duration::from_secs(120);

/// The largest value of a field beside the file, in bytes.
const MAX_VALUE: usize = 1024;

/// Bytes that are written to the disk at once.
const PIECE: usize = 256 * 1024;

/// A file that is too large is read up to this many times its maximum: most browsers show no
/// response that comes while they send.
const READ_ON: u64 = 4;

/// A multipart form of which the CSRF token was read.
pub(crate) struct Upload {
    parts: Multipart,
    until: Instant,
}

/// The file of a form.
pub(crate) enum Received {
    /// None was chosen.
    Nothing,
    /// Larger than the maximum.
    TooLarge,
    /// It cannot be kept on this machine.
    Unwritable(io::Error),
    /// A temporary file without a name, at its beginning.
    File(File),
}

/// Whether a request has a multipart form.
pub(crate) fn is_multipart(request: &HttpRequest) -> bool {
    let declared = request.headers().get(CONTENT_TYPE);
    let declared = declared.and_then(|declared| declared.to_str().ok());
    declared.is_some_and(|declared| {
        let essence = declared.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("multipart/form-data")
    })
}

impl Upload {
    /// Begins to read a form: the CSRF token, which is its first field, or else an empty text.
    ///
    /// # Errors
    /// If the body is no form, or does not arrive in time.
    pub(crate) async fn begin(
        request: &HttpRequest,
        payload: Payload,
    ) -> Result<(Self, String), ApiError> {
        let mut upload = Self {
            parts: Multipart::new(request.headers(), payload),
            until: Instant::now() + TIME,
        };
        let token = upload.in_time(Self::token).await?;
        Ok((upload, token))
    }

    async fn in_time<T>(
        &mut self,
        job: impl AsyncFnOnce(&mut Self) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let until = self.until;
        let in_time = timeout_at(until, job(self)).await;
        in_time.unwrap_or(Err(ApiError::BodyTimeout))
    }

    async fn token(&mut self) -> Result<String, ApiError> {
        match self.next().await? {
            Some(field) if field.name() == Some(CSRF) => value(field).await,
            _ => Ok(String::new()),
        }
    }

    async fn next(&mut self) -> Result<Option<Field>, ApiError> {
        let next = self.parts.next().await.transpose();
        next.map_err(|_| NOT_A_FORM)
    }

    /// Reads the fields before the file, and the file of this name. Further fields are not read.
    ///
    /// # Errors
    /// If the body is no form, or does not arrive in time.
    pub(crate) async fn receive(
        &mut self,
        name: &str,
        max: u64,
    ) -> Result<(Form, Received), ApiError> {
        self.in_time(async |upload| {
            let mut form = Form::default();
            while let Some(field) = upload.next().await? {
                let Some(other) = field.name().filter(|other| *other != name) else {
                    return Ok((form, keep(field, max).await?));
                };
                let other = other.to_owned();
                form.set(&other, &value(field).await?);
            }
            Ok((form, Received::Nothing))
        })
        .await
    }
}

const NOT_A_FORM: ApiError = ApiError::MalformedBody("The body is not a complete form.");

async fn value(mut field: Field) -> Result<String, ApiError> {
    let value = field.bytes(MAX_VALUE).await;
    let value = value.map_err(|_| ApiError::BodyTooLarge)?;
    let value = value.map_err(|_| NOT_A_FORM)?;
    String::from_utf8(value.to_vec()).map_err(|_| NOT_A_FORM)
}

/// Writes a file to the disk while it arrives.
async fn keep(mut field: Field, max: u64) -> Result<Received, ApiError> {
    let mut file = match blocking(tempfile::tempfile).await? {
        Ok(file) => file,
        Err(error) => return Ok(Received::Unwritable(error)),
    };
    let (mut piece, mut length) = (BytesMut::with_capacity(PIECE), 0_u64);
    while let Some(chunk) = field.next().await {
        let chunk = chunk.map_err(|_| NOT_A_FORM)?;
        length = length.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        if length > max.saturating_mul(READ_ON) {
            break;
        }
        if length > max {
            continue;
        }
        piece.extend_from_slice(&chunk);
        if piece.len() >= PIECE {
            let full = piece.split();
            file = match blocking(move || file.write_all(&full).map(|()| file)).await? {
                Ok(file) => file,
                Err(error) => return Ok(Received::Unwritable(error)),
            };
        }
    }
    match length {
        0 => return Ok(Received::Nothing),
        length if length > max => return Ok(Received::TooLarge),
        _ => {}
    }
    let end = blocking(move || {
        file.write_all(&piece)?;
        file.rewind().map(|()| file)
    });
    Ok(match end.await? {
        Ok(file) => Received::File(file),
        Err(error) => Received::Unwritable(error),
    })
}

fn blocking<T: Send + 'static>(
    job: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = Result<T, ApiError>> {
    let ended = web::block(job);
    async move { ended.await.map_err(|_| ApiError::Panicked) }
}

impl FromRequest for Upload {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let upload = request.extensions_mut().remove::<Self>();
        ready(upload.ok_or_else(|| ApiError::Defect("an upload was not admitted".to_owned())))
    }
}
