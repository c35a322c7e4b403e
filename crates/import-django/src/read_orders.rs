//! Readers of the fields of carts, orders and their lines.

use crate::options::Meaning;
use crate::plan::{Lines, Plan};
use crate::read::Fields;
use crate::rows::{Cart, CartItem, Charges, Order, OrderItem, Owner};
use crate::survey::plain;
use crate::value::{Reference, reference, references, string, whole};
use tradepost_domain::catalog::Price;
use tradepost_domain::kernel::{CartItemId, Money, OrderId, ProductName, Quantity};

/// Status words of carts that were ordered or abandoned.
const CLOSED: &[&str] = &[
    "submitted",
    "merged",
    "frozen",
    "closed",
    "ordered",
    "paid",
    "completed",
];

impl Fields<'_> {
    pub(crate) fn cart(&mut self) -> Option<(Reference, Cart)> {
        // The key is not kept, and may be of any type.
        let key = self.key()?;
        let closed = self.is_closed();
        let user = self.may("user", reference)?;
        Some((
            key,
            match user {
                _ if closed => Cart::Closed,
                Some(user) => Cart::Of(user),
                None => Cart::Anonymous,
            },
        ))
    }

    /// Whether a cart or one of its lines was ordered, and is history.
    fn is_closed(&self) -> bool {
        let is = |field, values: &[&str]| {
            let found = self.get(field).map(|(_, text)| plain(text));
            found.is_some_and(|value| values.contains(&value.as_str()))
        };
        is("closed", &["true"]) || is("state", CLOSED)
    }

    pub(crate) fn cart_line(&mut self) -> Option<CartItem> {
        let id = self.id(CartItemId::new);
        let owner = match (self.get("user"), self.get("cart")) {
            _ if self.is_closed() => Some(Owner::Closed),
            (Some((column, text)), _) => {
                let owner = self.good(column, text, reference(text));
                owner.map(Owner::Key)
            }
            (None, Some((column, text))) => {
                let cart = self.good(column, text, reference(text));
                cart.map(Owner::Cart)
            }
            (None, None) => Some(Owner::None),
        };
        let product = self.need("product", reference);
        let quantity = self.may("quantity", |text| Quantity::new(whole(text)?));
        let (created_at, updated_at) = self.times()?;
        Some(CartItem {
            id: Some(id?),
            key: self.row.key(),
            owner: owner?,
            product: product?,
            quantity: quantity?.unwrap_or(Quantity::ONE),
            created_at,
            updated_at,
        })
    }

    pub(crate) fn order(&mut self, plan: &Plan) -> Option<Order> {
        let id = self.id(OrderId::new);
        let user = self.may("user", reference);
        let meaning = plan.statuses.of(self.row);
        let meaning = meaning
            .map_err(|(column, sentence)| self.say(&column, None, &sentence))
            .ok();
        let is_guest = matches!(user, Some(None)) && self.options.guest.is_none();
        if is_guest && meaning != Some(Meaning::Cart) {
            let column = self.plan.columns("user").first();
            let column = column.map_or("user", String::as_str).to_owned();
            self.say(&column, None, &plan.no_user);
        }
        let total = self.money("total");
        self.undecided("total", "adds up the lines");
        let tax = self.money("tax");
        let shipping = self.money("shipping");
        let discount = self.money("discount");
        let listed = self.may("lines", references);
        let single = if plan.lines == Lines::Single {
            self.order_line(Some(Quantity::ONE)).map(Some)
        } else {
            Some(None)
        };
        let (created_at, updated_at) = self.times()?;
        Some(Order {
            key: self.key()?,
            id: id?,
            user: user?,
            meaning: meaning?,
            total: total?,
            charges: Charges {
                tax: tax?,
                shipping: shipping?,
                discount: discount?,
            },
            listed: listed?.unwrap_or_default(),
            single: single?,
            created_at,
            updated_at,
        })
    }

    /// Reads an order line; `unsaid` is the quantity of a line without one.
    pub(crate) fn order_line(&mut self, unsaid: Option<Quantity>) -> Option<OrderItem> {
        let one_each = self.plan.left_out.contains(&"quantity");
        let unsaid = unsaid.or(one_each.then_some(Quantity::ONE));
        let order = self.may("order", reference);
        let product = self.may("product", reference);
        let quantity = match unsaid.filter(|_| self.get("quantity").is_none()) {
            Some(quantity) => Some(quantity),
            None => self.need("quantity", |text| Quantity::new(whole(text)?)),
        };
        let price = match quantity {
            Some(quantity) => self.line_price(quantity),
            None => None,
        };
        let name = self.may("name", |text| ProductName::new(&string(text)?));
        Some(OrderItem {
            key: self.key(),
            order: order?,
            product: product?,
            quantity: quantity?,
            price: price?,
            name: name?,
        })
    }

    /// Reports a field without a column where several may be it.
    fn undecided(&mut self, field: &str, otherwise: &str) {
        let likely = self.plan.likely.get(field);
        if likely.is_some_and(|likely| likely.len() > 1) {
            let model = &self.row.model;
            let sentence = format!(
                "{} {}; --field {model}.{field}= {otherwise}.",
                "Several columns may be it.",
                self.plan.which(model, field)
            );
            self.say(field, None, &sentence);
        }
    }

    /// The unit price: from the price column, or from the line's total.
    fn line_price(&mut self, quantity: Quantity) -> Option<Option<Money>> {
        let amounts = self.amounts();
        let unit = |text: &str| Ok(Price::new(amounts.read(text)?)?.money());
        if let Some((column, text)) = self.get("price") {
            return self.good(column, text, unit(text)).map(Some);
        }
        let Some((column, text)) = self.get("total") else {
            self.undecided("price", "takes the product's price");
            return Some(None);
        };
        if self.plan.columns("order").is_empty() && self.plan.columns("lines").is_empty() {
            // For an order that is its own single line: its total may include other charges.
            return Some(None);
        }
        let total = self.good(column, text, unit(text))?;
        let units = quantity.units();
        match (
            total.minor().checked_rem(units),
            total.minor().checked_div(units),
        ) {
            (Some(0), Some(minor)) => Some(Some(Money::from_minor(minor, total.currency()))),
            _ => {
                let model = &self.row.model;
                let sentence = format!("The line's total is not {units} times a price.");
                let hint = format!("--field {model}.total= takes the product's price instead.");
                self.say_with(column, Some(text), &sentence, &hint);
                None
            }
        }
    }
}
