//! The filtered list as a CSV file. It is read and sent in parts, so that its length does not matter.

use super::Names;
use super::selection::Selection;
use crate::csv::{BYTE_ORDER_MARK, Cell, write_rows};
use crate::page::{Page, PageResult, defect, see_other};
use crate::secrets::session_digest;
use crate::zone::ShopZone;
use actix_web::HttpResponse;
use actix_web::web::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use futures_util::stream::try_unfold;
use std::io;
use tradepost_domain::identity::SessionDigest;
use tradepost_domain::kernel::{CursorRequest, Keyset, Money, MoneyError};
use tradepost_domain::orders::{Order, OrderField, OrderFilter};
use tradepost_http::kit::{ApiError, ListReader};

/// Orders of a part.
const PART: u32 = 200;

const COLUMNS: [&str; 13] = [
    "order",
    "placed_at",
    "changed_at",
    "status",
    "deleted",
    "customer_id",
    "customer",
    "units",
    "items",
    "subtotal",
    "adjustment",
    "total",
    "currency",
];

/// A download under way.
struct Export {
    reader: ListReader,
    session: SessionDigest,
    filter: OrderFilter,
    keyset: Keyset<OrderField>,
    zone: ShopZone,
}

/// The next part of a download.
enum Next {
    /// A part that was read, and where the part after it begins.
    Send(Part),
    Read(CursorRequest),
    End,
}

struct Part {
    bytes: Vec<u8>,
    next: Option<CursorRequest>,
}

pub(super) async fn download(page: Page) -> PageResult {
    let selection = Selection::read(&page).await?;
    let Ok(filter) = selection.filter else {
        // The list shows the errors.
        let query = selection.query.with(&[]);
        return see_other(&format!("{}/orders/{query}", page.base()));
    };
    let zone = page.shared.config.time_zone.clone();
    let day = zone.local(page.now()).format("%Y-%m-%d");
    let name = format!("attachment; filename=\"orders-{day}.csv\"");
    let export = Export {
        session: session_digest(page.secret()),
        filter,
        keyset: selection.query.keyset::<OrderField>(),
        zone,
        reader: page.call.list_reader(),
    };
    // A failure that is known before the file begins has its own page.
    let mut first = export.part(CursorRequest::first(PART)).await?;
    let header = COLUMNS.map(|name| Cell::Plain(name.to_owned()));
    let mut bytes = String::from(BYTE_ORDER_MARK).into_bytes();
    bytes.extend(write_rows([header]).map_err(defect)?);
    bytes.append(&mut first.bytes);
    first.bytes = bytes;
    let parts = try_unfold((export, Next::Send(first)), |(export, next)| {
        export.step(next)
    });
    Ok(HttpResponse::Ok()
        .content_type("text/csv; charset=utf-8")
        .insert_header(("Content-Disposition", name))
        .streaming(parts))
}

impl Export {
    /// The next bytes; the connection is cut off after an error, so that no file looks complete.
    async fn step(self, next: Next) -> io::Result<Option<(Bytes, (Self, Next))>> {
        let part = match next {
            Next::End => return Ok(None),
            Next::Send(part) => part,
            Next::Read(span) => self.part(span).await.map_err(|error| {
                log::warn!("an export of orders has ended early: {error}");
                io::Error::other(error.to_string())
            })?,
        };
        let next = part.next.map_or(Next::End, Next::Read);
        Ok(Some((Bytes::from(part.bytes), (self, next))))
    }

    /// Reads a part, for a user who still has the session and the role.
    async fn part(&self, span: CursorRequest) -> Result<Part, ApiError> {
        let (session, filter, keyset) = (self.session, self.filter.clone(), self.keyset);
        let (found, names) = self
            .reader
            .read(move |shop, _| {
                let actor = shop.staff_sessions.authenticate(session)?.account.actor();
                let found = shop.orders.cursor_page(actor, filter, keyset, &span)?;
                let names = Names::read(shop, found.items.iter().map(|order| order.user))?;
                Ok((found, names))
            })
            .await?;
        let orders = found.items.iter();
        let rows = orders.map(|order| cells(order, names.name(order.user), &self.zone));
        let rows = rows.collect::<Result<Vec<_>, _>>().map_err(defect)?;
        Ok(Part {
            bytes: write_rows(rows).map_err(defect)?,
            next: found.next,
        })
    }
}

fn cells(
    order: &Order,
    customer: String,
    zone: &ShopZone,
) -> Result<[Cell; COLUMNS.len()], MoneyError> {
    let plain = |text: &dyn ToString| Cell::Plain(text.to_string());
    let amount = |money: Money| Cell::Plain(money.to_string());
    let time =
        |at: DateTime<Utc>| Cell::Plain(zone.local(at).to_rfc3339_opts(SecondsFormat::Secs, true));
    let units: i64 = order.lines.iter().map(|line| line.quantity.units()).sum();
    let items = order.lines.iter();
    let items = items.map(|line| format!("{} × {}", line.quantity.units(), line.name));
    let items = items.collect::<Vec<_>>().join("; ");
    Ok([
        plain(&order.id),
        time(order.created_at),
        time(order.updated_at),
        plain(&order.status),
        plain(&order.archived),
        plain(&order.user),
        Cell::Text(customer),
        plain(&units),
        Cell::Text(items),
        amount(order.subtotal()?),
        amount(order.adjustment),
        amount(order.total),
        plain(&order.total.currency().code()),
    ])
}
