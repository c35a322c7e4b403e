//! The statement of a query on the event log: the union of branches, each of which reads one index
//! in the order of the log, up to the limit.

use super::prelude::*;
use crate::rows::micros;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{BigInt, Text};
use tradepost_domain::decision::EventName;
use tradepost_domain::events::{EventFilter, EventQuery, EventRange};

const COLUMNS: &str = "events.seq, events.kind, events.order_id, events.product_id, \
    events.user_id, events.actor_id, events.detail, events.amount, events.at";

/// Most indexes leave `order.placed` out, as each order would pay for them.
const NOT_PLACED: &str = "events.kind <> 'order.placed'";

enum Bind {
    Number(i64),
    Name(EventName),
}

/// A statement and its parameters.
pub(super) struct Selection {
    sql: String,
    binds: Vec<Bind>,
}

/// The index that a branch reads.
#[derive(Clone, Copy)]
enum Branch {
    /// That of the condition on an order or a product, or the whole log.
    Any,
    /// Without `order.placed`: that of the condition on a user or an actor.
    NotPlaced,
    /// `order.placed` of a user, by their orders. A customer is the actor of their own orders.
    Placed(i64),
    /// That of one name.
    Name(EventName),
}

impl Selection {
    pub(super) fn of(query: &EventQuery) -> Self {
        let mut selection = Self {
            sql: String::new(),
            binds: Vec::new(),
        };
        let branches = branches(&query.filter);
        if let [branch] = branches.as_slice() {
            selection.branch(*branch, query);
            return selection;
        }
        selection.sql.push_str("SELECT * FROM (");
        for (position, branch) in branches.iter().enumerate() {
            if position > 0 {
                selection.sql.push_str(" UNION ALL ");
            }
            selection.sql.push_str("SELECT * FROM (");
            selection.branch(*branch, query);
            selection.sql.push_str(&format!(") AS branch_{position}"));
        }
        selection.sql.push_str(") AS events");
        selection.end(query);
        selection
    }

    fn branch(&mut self, branch: Branch, query: &EventQuery) {
        self.sql.push_str(&format!("SELECT {COLUMNS} FROM "));
        match branch {
            Branch::Any => self.sql.push_str("events WHERE TRUE"),
            Branch::NotPlaced => self.sql.push_str(&format!("events WHERE {NOT_PLACED}")),
            Branch::Placed(user) => {
                self.sql.push_str(
                    "orders JOIN events ON events.order_id = orders.id
                     WHERE events.kind = 'order.placed' AND orders.user_id = ",
                );
                self.bind(Bind::Number(user));
            }
            // In the order of the log, most events of which are these.
            Branch::Name(EventName::OrderPlaced) => {
                self.sql
                    .push_str("events WHERE events.kind = 'order.placed'");
            }
            Branch::Name(name) => {
                let condition = format!("events WHERE {NOT_PLACED} AND events.kind = ");
                self.sql.push_str(&condition);
                self.bind(Bind::Name(name));
            }
        }
        self.conditions(branch, query);
        self.end(query);
    }

    fn conditions(&mut self, branch: Branch, query: &EventQuery) {
        let EventFilter {
            names,
            actor,
            order,
            product,
            user,
            since,
            until,
        } = &query.filter;
        let (after, before) = match query.range {
            EventRange::After(seq) => (Some(seq.get()), None),
            EventRange::Before(seq) => (None, Some(seq.get())),
            EventRange::Oldest | EventRange::Newest => (None, None),
        };
        for (condition, value) in [
            ("order_id =", order.map(|order| order.get())),
            ("product_id =", product.map(|product| product.get())),
            ("user_id =", user.map(|user| user.get())),
            ("actor_id =", actor.map(|actor| actor.get())),
            ("at >=", since.map(micros)),
            ("at <", until.map(micros)),
            ("seq >", after),
            ("seq <", before),
        ] {
            if let Some(value) = value {
                self.sql.push_str(&format!(" AND events.{condition} "));
                self.bind(Bind::Number(value));
            }
        }
        if names.is_empty() || matches!(branch, Branch::Name(_)) {
            return;
        }
        self.sql.push_str(" AND events.kind IN (");
        for (position, name) in names.iter().enumerate() {
            if position > 0 {
                self.sql.push_str(", ");
            }
            self.bind(Bind::Name(*name));
        }
        self.sql.push(')');
    }

    fn end(&mut self, query: &EventQuery) {
        let direction = if query.range.is_ascending() {
            "ASC"
        } else {
            "DESC"
        };
        let order = format!(" ORDER BY events.seq {direction} LIMIT ");
        self.sql.push_str(&order);
        self.bind(Bind::Number(i64::from(query.limit)));
    }

    fn bind(&mut self, value: Bind) {
        self.binds.push(value);
        self.sql.push_str(&format!("${}", self.binds.len()));
    }

    pub(super) fn query(self) -> BoxedSqlQuery<'static, Db, SqlQuery> {
        let query = diesel::sql_query(self.sql).into_boxed::<Db>();
        self.binds
            .into_iter()
            .fold(query, |query, bind| match bind {
                Bind::Number(number) => query.bind::<BigInt, _>(number),
                Bind::Name(name) => query.bind::<Text, _>(name.as_str()),
            })
    }
}

/// The branches of a filter, by its most selective condition.
fn branches(filter: &EventFilter) -> Vec<Branch> {
    let user = filter.user.or(filter.actor);
    if filter.order.is_some() || filter.product.is_some() {
        vec![Branch::Any]
    } else if let Some(user) = user {
        vec![Branch::NotPlaced, Branch::Placed(user.get())]
    } else if filter.names.is_empty() {
        vec![Branch::Any]
    } else {
        let mut names = filter.names.clone();
        names.sort_unstable();
        names.dedup();
        names.into_iter().map(Branch::Name).collect()
    }
}
