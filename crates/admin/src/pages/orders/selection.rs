//! The filter of the list and of the export.

use crate::form::Form;
use crate::list::ListQuery;
use crate::page::Page;
use crate::zone::ShopZone;
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use tradepost_domain::kernel::{Error, OrderId, Refusal, UserId};
use tradepost_domain::orders::{OrderFilter, OrderStatus};
use tradepost_http::kit::{ApiError, Code, Scope, pairs};

/// The filter that a query string selects.
pub(super) struct Selection {
    pub(super) query: ListQuery,
    /// The fields of the filter, and their errors.
    pub(super) form: Form,
    /// The filter, or the code of its first error.
    pub(super) filter: Result<OrderFilter, Code>,
}

impl Selection {
    pub(super) async fn read(page: &Page) -> Result<Self, ApiError> {
        let text = page.call.query_string();
        let mut form = Form::sent(pairs(text));
        let zone = &page.shared.config.time_zone;
        let status = form.optional("status", str::parse::<OrderStatus>);
        let from = form.date("from");
        let to = form.date("to");
        let user = customer(page, &mut form).await?;
        let filter = OrderFilter {
            user,
            archived: form.is_checked("archived"),
            status: status.flatten(),
            created_after: from.map(|day| zone.start_of(day)),
            created_before: to.and_then(|day| end(day, zone)),
        };
        let malformed = ["status", "from", "to"].map(|name| form.error(name).is_some());
        let filter = if malformed.contains(&true) {
            Err(Code::Invalid)
        } else if form.has_errors() {
            Err(Code::NotFound)
        } else {
            Ok(filter)
        };
        Ok(Self {
            query: ListQuery::read(text),
            form,
            filter,
        })
    }

    /// The order with the id in the query, if it has one.
    pub(super) async fn order(&mut self, page: &Page) -> Result<Option<OrderId>, ApiError> {
        let text = self.form.value("id").trim().trim_start_matches('#');
        if text.is_empty() {
            return Ok(None);
        }
        let Some(id) = OrderId::parse(text) else {
            self.form
                .fail("id", "The number of an order has only digits.");
            self.filter = Err(Code::Invalid);
            return Ok(None);
        };
        let found = page.query(move |shop, actor| shop.orders.order(actor, id, true));
        match found.await {
            Ok(order) => Ok(Some(order.id)),
            Err(ApiError::Refused(Refusal::NotFound)) => {
                self.form.fail("id", "No order has this number.");
                self.filter = Err(Code::NotFound);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The scope of the cursors of this list.
    pub(super) fn scope(&self) -> Scope {
        let names = ["sort", "status", "from", "to", "customer", "archived"];
        Scope::new(&("admin orders", names.map(|name| self.query.value(name))))
    }
}

/// The customer with the id or the username of the field, if it is filled.
async fn customer(page: &Page, form: &mut Form) -> Result<Option<UserId>, ApiError> {
    let text = form.value("customer").trim().to_owned();
    if text.is_empty() {
        return Ok(None);
    }
    let find = move |shop: &tradepost_domain::Services, actor| {
        if let Some(id) = UserId::parse(&text) {
            match shop.accounts.user(actor, id) {
                Err(Error::Refused(Refusal::NotFound)) => {}
                found => return found.map(|account| Some(account.id)),
            }
        }
        let found = shop.accounts.by_username(&text)?;
        Ok(found.map(|account| account.id))
    };
    let found = page.query(find).await?;
    if found.is_none() {
        form.fail("customer", "No customer has this name or number.");
    }
    Ok(found)
}

/// The last microsecond of a day.
fn end(day: NaiveDate, zone: &ShopZone) -> Option<DateTime<Utc>> {
    let next = day.checked_add_days(Days::new(1))?;
    Some(zone.start_of(next) - TimeDelta::microseconds(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_before_the_next_one_in_the_zone_of_the_shop() {
        let zone = "Europe/Berlin".parse().unwrap();
        let last = end("2026-07-14".parse().unwrap(), &zone).unwrap();
        assert_eq!(last.to_rfc3339(), "2026-07-14T21:59:59.999999+00:00");
    }
}
