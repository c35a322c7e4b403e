//! Orders with their lines and totals.

use crate::assemble::{Context, Notes};
use crate::carts::missing;
use crate::index::{Found, Products};
use crate::kind::Kind;
use crate::options::Meaning;
use crate::plan::Lines;
use crate::rows::{self, CartItem, Owner};
use crate::value::Reference;
use std::collections::HashMap;
use tradepost_domain::catalog::Product;
use tradepost_domain::kernel::{Money, Quantity, UserId};
use tradepost_domain::orders::{Order, OrderItem, OrderStatus};

/// Assembles orders.
pub(crate) struct Orders<'a, 'c> {
    pub(crate) context: &'a mut Context<'c>,
    pub(crate) products: &'a mut Products,
    pub(crate) notes: &'a mut Notes,
    pub(crate) done: Vec<Order>,
}

/// The lines of one order, and facts about lines that were left out.
#[derive(Default)]
pub(crate) struct Parts {
    pub(crate) lines: Vec<OrderItem>,
    /// The total of lines that were left out.
    pub(crate) left_out: Option<Money>,
    /// Lines are missing, which was reported.
    pub(crate) incomplete: bool,
}

/// Line rows, grouped by order.
struct Grouped {
    own: HashMap<Reference, Vec<rows::OrderItem>>,
    listed: HashMap<Reference, rows::OrderItem>,
}

pub(crate) fn text(key: Option<&Reference>) -> String {
    match key {
        Some(Reference::Id(id)) => id.to_string(),
        Some(Reference::Natural(name)) => crate::row::printable(name),
        None => "without a pk".to_owned(),
    }
}

impl<'a, 'c> Orders<'a, 'c> {
    pub(crate) fn new(
        context: &'a mut Context<'c>,
        products: &'a mut Products,
        notes: &'a mut Notes,
    ) -> Self {
        Self {
            context,
            products,
            notes,
            done: Vec::new(),
        }
    }

    /// Assembles all orders; returns the lines of open orders, which are cart lines.
    pub(crate) fn assemble(
        &mut self,
        orders: Vec<rows::Order>,
        lines: Vec<rows::OrderItem>,
    ) -> Vec<CartItem> {
        let mut grouped = self.grouped(lines);
        let mut opened = Vec::new();
        for row in orders {
            let lines = self.lines_of(&row, &mut grouped);
            let key = text(Some(&row.key));
            match (row.meaning, self.user(&row, &key)) {
                (Meaning::Cart, owner) => {
                    self.notes.open.push(&key);
                    let owner = match owner {
                        Some(Found::User(user)) => Some(Owner::User(user)),
                        Some(Found::Guest) => Some(Owner::None),
                        _ => None,
                    };
                    if let Some(owner) = owner {
                        opened.extend(self.open(&row, &owner, lines));
                    }
                }
                (Meaning::Order(status), Some(Found::User(user))) => {
                    self.order(&row, &key, user, status, lines);
                }
                (Meaning::Order(status), Some(Found::Guest)) => match self.context.guest {
                    Some(user) => {
                        self.notes.guests.push(&key);
                        self.order(&row, &key, user, status, lines);
                    }
                    None => {
                        let sentence = &self.context.plan.no_user;
                        self.context
                            .say(Kind::Order, &key, "user", None, (sentence, ""));
                        self.look_at(&row, &lines);
                    }
                },
                (Meaning::Order(_), _) => self.look_at(&row, &lines),
            }
        }
        self.say_left(grouped);
        opened
    }

    fn grouped(&mut self, lines: Vec<rows::OrderItem>) -> Grouped {
        let mut grouped = Grouped {
            own: HashMap::new(),
            listed: HashMap::new(),
        };
        for line in lines {
            let place = match self.context.plan.lines {
                Lines::Listed => {
                    if let Some(key) = line.key.clone() {
                        grouped.listed.insert(key, line);
                    }
                    continue;
                }
                _ => line.order.clone(),
            };
            match place {
                Some(order) => grouped.own.entry(order).or_default().push(line),
                None => self.notes.orphans.push(&text(line.key.as_ref())),
            }
        }
        grouped
    }

    /// The rows of an order's lines, ordered by key.
    fn lines_of(&mut self, row: &rows::Order, grouped: &mut Grouped) -> Vec<rows::OrderItem> {
        let mut lines = match self.context.plan.lines {
            Lines::Single => row.single.clone().into_iter().collect(),
            Lines::OwnRows => grouped.own.remove(&row.key).unwrap_or_default(),
            Lines::Products => {
                let unit = |product: &Reference| rows::OrderItem {
                    key: None,
                    order: None,
                    product: Some(product.clone()),
                    quantity: Quantity::ONE,
                    price: None,
                    name: None,
                };
                row.listed.iter().map(unit).collect()
            }
            Lines::Listed => {
                let mut lines = Vec::new();
                for key in &row.listed {
                    match grouped.listed.remove(key) {
                        Some(line) => lines.push(line),
                        None if self.context.is_spoilt(Kind::OrderItem, key) => {}
                        None => {
                            let line = self.context.plan.name(Kind::OrderItem);
                            let sentence = missing(&line, key);
                            let own = text(Some(&row.key));
                            self.context
                                .say(Kind::Order, &own, "lines", None, (&sentence, ""));
                        }
                    }
                }
                lines
            }
        };
        lines.sort_by_key(|line| match line.key {
            Some(Reference::Id(key)) => key,
            _ => i64::MAX,
        });
        lines
    }

    /// The owner of an order; `None` if a problem was reported.
    fn user(&mut self, row: &rows::Order, key: &str) -> Option<Found> {
        let Some(owner) = &row.user else {
            return Some(Found::Guest);
        };
        match self.context.find(Kind::Order, owner) {
            Found::Missing(model, missed) => {
                let sentence = missing(&model, &missed);
                let order = self.context.plan.name(Kind::Order);
                let hint = format!("--skip-rows {order} leaves such rows out.");
                self.context
                    .say(Kind::Order, key, "user", None, (&sentence, &hint));
                None
            }
            Found::Spoilt => None,
            found => Some(found),
        }
    }

    /// The lines of an open order, for its user's cart; lines of missing products are left out, as
    /// a cart cannot hold them.
    fn open(
        &mut self,
        row: &rows::Order,
        owner: &Owner,
        lines: Vec<rows::OrderItem>,
    ) -> Vec<CartItem> {
        let mut opened = Vec::new();
        for line in lines {
            let known = line.product.filter(|key| self.products.find(key).is_some());
            let key = text(line.key.as_ref());
            let Some(product) = known else {
                self.notes.gone.push(&key);
                continue;
            };
            opened.push(CartItem {
                id: None,
                key,
                owner: match owner {
                    Owner::User(user) => Owner::User(*user),
                    _ => Owner::None,
                },
                product,
                quantity: line.quantity,
                created_at: row.created_at,
                updated_at: row.updated_at,
            });
        }
        opened
    }

    fn order(
        &mut self,
        row: &rows::Order,
        key: &str,
        user: UserId,
        status: OrderStatus,
        lines: Vec<rows::OrderItem>,
    ) {
        let mut parts = Parts {
            incomplete: self.has_spoilt_lines(row),
            ..Parts::default()
        };
        for line in lines {
            self.line(row, line, &mut parts);
        }
        if parts.lines.is_empty() {
            if self.context.options.skip_empty_orders {
                self.notes.empty.push(key);
            } else if !parts.incomplete {
                let sentence = "An order needs at least one line. --skip-empty-orders leaves such \
                                orders out.";
                self.context
                    .say(Kind::Order, key, "lines", None, (sentence, ""));
            }
            return;
        }
        let Some((total, adjustment)) = self.total(row, key, &parts) else {
            return;
        };
        self.done.push(Order {
            id: row.id,
            user,
            status,
            total,
            adjustment,
            lines: parts.lines,
            archived: false,
            created_at: row.created_at,
            updated_at: row.updated_at,
        });
    }

    /// Whether a line of the order is an invalid row.
    fn has_spoilt_lines(&self, row: &rows::Order) -> bool {
        let mut listed = row.listed.iter();
        self.context.incomplete.contains(&row.key)
            || listed.any(|key| self.context.is_spoilt(Kind::OrderItem, key))
    }

    fn line(&mut self, order: &rows::Order, line: rows::OrderItem, parts: &mut Parts) {
        let kept = |product: &Product| {
            let (id, price) = (product.id, product.price.money());
            (id, product.name.clone(), price)
        };
        let found = line
            .product
            .as_ref()
            .and_then(|key| self.products.find(key));
        let found = match found.map(kept) {
            None => self.gone(order.created_at, &line, parts).as_ref().map(kept),
            found => found,
        };
        let Some((product, name, price)) = found else {
            return;
        };
        parts.lines.push(OrderItem {
            product,
            name: line.name.unwrap_or(name),
            unit_price: line.price.unwrap_or(price),
            quantity: line.quantity,
        });
    }

    /// Reports lines without an order.
    fn say_left(&mut self, grouped: Grouped) {
        let mut left: Vec<_> = grouped.own.into_iter().collect();
        left.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        for (order, lines) in left {
            if self.context.is_spoilt(Kind::Order, &order) {
                for line in &lines {
                    self.look_at_line(self.context.options.now, line);
                }
                continue;
            }
            for line in lines {
                if self
                    .context
                    .left_out
                    .contains(&(Kind::Order, order.clone()))
                {
                    self.notes.orphans.push(&text(line.key.as_ref()));
                    continue;
                }
                let (key, sentence) = (text(line.key.as_ref()), missing("order", &order));
                self.context
                    .say(Kind::OrderItem, &key, "order", None, (&sentence, ""));
            }
        }
        let mut unlisted: Vec<_> = grouped.listed.into_keys().collect();
        unlisted.sort_unstable();
        for key in unlisted {
            self.notes.orphans.push(&text(Some(&key)));
        }
    }
}
