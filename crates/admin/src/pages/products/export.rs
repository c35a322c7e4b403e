//! Download of the products as CSV, page by page while it is sent.

use crate::list::ListQuery;
use crate::page::{Page, PageResult, defect};
use crate::secrets::session_digest;
use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::Bytes;
use futures_util::{StreamExt, stream};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tradepost_domain::catalog::ProductRepository;
use tradepost_domain::identity::SessionDigest;
use tradepost_domain::kernel::Error;
use tradepost_http::kit::{ApiError, ListReader};
use tradepost_product_csv::{ExportError, ExportOptions, ExportPages, Exported, ProductWriter};

/// The pause after which a page is read again, and how often, while the server is busy.
const PAUSE: Duration = Duration::from_millis(500);
const ATTEMPTS: u32 = 20;

/// A download under way.
struct Download {
    reader: ListReader,
    session: SessionDigest,
    products: Arc<dyn ProductRepository>,
    options: ExportOptions,
    pages: ExportPages,
    is_first: bool,
}

/// `archived` and `without_sku` add these products, `excel` a byte order mark.
pub(super) async fn download(page: Page) -> PageResult {
    let query = ListQuery::read(page.call.query_string());
    let options = ExportOptions {
        archived: query.is_set("archived"),
        byte_order_mark: query.is_set("excel"),
        without_sku: query.is_set("without_sku"),
    };
    let mut download = Download {
        reader: page.call.list_reader(),
        session: session_digest(page.secret()),
        products: Arc::clone(&page.shared.config.files.products),
        options,
        pages: ExportPages::new(options),
        is_first: true,
    };
    // A failure of the first page is an error page. A later one ends the connection, so that the
    // browser does not take the file as complete.
    let first = download.next().await?.unwrap_or_default();
    let rest = stream::unfold(Some(download), async |download| {
        let mut download = download?;
        match download.next().await.transpose()? {
            Ok(bytes) => Some((Ok(bytes), Some(download))),
            Err(error) => Some((Err(io::Error::other(error.to_string())), None)),
        }
    });
    let today = page.shared.config.time_zone.local(page.now());
    let name = format!("products-{}.csv", today.format("%Y-%m-%d"));
    let body = stream::once(async move { Ok(first) }).chain(rest);
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((
            CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ))
        .streaming(body))
}

impl Download {
    /// The bytes of the next page; `None` at the end.
    async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        let mut attempt = 1;
        loop {
            match self.read().await {
                Err(ApiError::Busy | ApiError::ListOverdue) if attempt < ATTEMPTS => {
                    attempt += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                read => return read,
            }
        }
    }

    async fn read(&mut self) -> Result<Option<Bytes>, ApiError> {
        let (products, options) = (Arc::clone(&self.products), self.options);
        let session = self.session;
        let (mut pages, is_first) = (self.pages.clone(), self.is_first);
        let read = self.reader.read(move |shop, _| {
            // A user who may no longer see the products does not get the rest of them.
            shop.staff_sessions.authenticate(session)?;
            match write(&*products, options, &mut pages, is_first) {
                Ok(bytes) => Ok(Ok((bytes, pages))),
                Err(ExportError::Store(error)) => Err(Error::Store(error)),
                Err(ExportError::Unwritable(error)) => Ok(Err(error)),
            }
        });
        let (bytes, pages) = read.await?.map_err(defect)?;
        (self.pages, self.is_first) = (pages, false);
        Ok(bytes)
    }
}

fn write(
    products: &dyn ProductRepository,
    options: ExportOptions,
    pages: &mut ExportPages,
    is_first: bool,
) -> Result<Option<Bytes>, ExportError> {
    let mut bytes = Vec::new();
    let mut rows = match is_first {
        true => ProductWriter::new(&mut bytes, options.archived, options.byte_order_mark)?,
        false => ProductWriter::continued(&mut bytes, options.archived),
    };
    let more = pages.write_next(products, &mut rows, &mut Exported::default())?;
    rows.finish()?;
    Ok((more || is_first).then(|| bytes.into()))
}
