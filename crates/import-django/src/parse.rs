//! Parsers of the options' values on the command line.

use crate::kind::Kind;
use crate::options::{FieldChoice, Meaning};
use std::collections::BTreeSet;
use tradepost_domain::orders::OrderStatus;

/// An invalid option value; contains the allowed values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadOption(String);

/// Parses `NAME=STATUS`. The name may contain an equals sign: `ordered=false=cart`.
///
/// # Errors
/// [`BadOption`].
pub fn status(text: &str) -> Result<(String, Meaning), BadOption> {
    let pair = text.rsplit_once('=');
    let pair = pair.and_then(|(name, word)| Some((name, Meaning::parse(word.trim())?)));
    let (name, meaning) = pair.ok_or_else(|| {
        let allowed = OrderStatus::ALL.map(OrderStatus::as_str).join(", ");
        BadOption(format!("a name, = and one of {allowed}, cart"))
    })?;
    Ok((name.trim().to_lowercase(), meaning))
}

/// Parses `APP.MODEL=KIND`, where `skip` means no kind.
///
/// # Errors
/// [`BadOption`].
pub fn model(text: &str) -> Result<(String, Option<Kind>), BadOption> {
    let kind = |word: &str| match word {
        "skip" => Some(None),
        word => {
            let mut kinds = Kind::ALL.iter();
            let kind = kinds.find(|(_, other)| *other == word);
            kind.map(|(kind, _)| Some(*kind))
        }
    };
    let pair = text.split_once('=');
    let pair = pair.and_then(|(model, word)| Some((model.trim(), kind(word.trim())?)));
    let pair = pair.filter(|(model, _)| !model.is_empty());
    let (model, kind) = pair.ok_or_else(|| {
        let kinds = Kind::ALL.map(|(_, word)| word).join(", ");
        BadOption(format!("a model, = and one of {kinds}, skip"))
    })?;
    Ok((model.to_owned(), kind))
}

/// Parses `APP.MODEL.FIELD=COLUMN,...:TARGET`; columns and target are optional.
///
/// # Errors
/// [`BadOption`].
pub fn field(text: &str) -> Result<FieldChoice, BadOption> {
    let pair = text.split_once('=');
    let pair = pair.and_then(|(field, rest)| Some((field.rsplit_once('.')?, rest)));
    let pair = pair.filter(|((model, field), _)| !model.is_empty() && !field.is_empty());
    let ((model, field), rest) = pair.ok_or_else(|| {
        BadOption("a model, a dot, a field, = and a column of the dump".to_owned())
    })?;
    let (columns, target) = match rest.split_once(':') {
        Some((columns, target)) => (columns, Some(target.trim().to_owned())),
        None => (rest, None),
    };
    let columns = columns.split(',').map(str::trim);
    Ok(FieldChoice {
        model: model.trim().to_owned(),
        field: field.trim().to_owned(),
        columns: columns
            .filter(|column| !column.is_empty())
            .map(str::to_owned)
            .collect(),
        target,
    })
}

/// Parses the parts of a shop, as `users,products`. Carts and orders require both of these.
///
/// # Errors
/// [`BadOption`].
pub fn only<'a>(parts: impl IntoIterator<Item = &'a str>) -> Result<BTreeSet<Kind>, BadOption> {
    let mut kinds = BTreeSet::new();
    for part in parts {
        match part.trim() {
            "users" => kinds.extend([Kind::User]),
            "products" => kinds.extend([Kind::Product, Kind::StockRecord]),
            "carts" => kinds.extend([Kind::Cart, Kind::CartItem]),
            "orders" => kinds.extend([Kind::Order, Kind::OrderItem]),
            _ => {
                return Err(BadOption(
                    "some of users, products, carts, orders".to_owned(),
                ));
            }
        }
    }
    let needs_both = kinds.contains(&Kind::CartItem) || kinds.contains(&Kind::Order);
    let has_both = kinds.contains(&Kind::User) && kinds.contains(&Kind::Product);
    if needs_both && !has_both {
        let sentence = "with carts or orders, users and products too";
        return Err(BadOption(sentence.to_owned()));
    }
    Ok(kinds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_a_name_and_a_meaning() {
        let cart = Meaning::Cart;
        let pending = Meaning::Order(OrderStatus::Pending);
        for (text, expected) in [
            ("Paid up=pending", Some(("paid up", pending))),
            ("basket=cart", Some(("basket", cart))),
            ("ordered=false=cart", Some(("ordered=false", cart))),
            ("=pending", Some(("", pending))),
            ("1=pending", Some(("1", pending))),
            ("paid=done", None),
            ("pending", None),
        ] {
            let expected = expected.map(|(name, meaning)| (name.to_owned(), meaning));
            assert_eq!(status(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn fields_have_a_model_columns_and_perhaps_a_target() {
        let choice = field("shop.order.user=customer,owner:auth.user").unwrap();
        assert_eq!(
            (&*choice.model, &*choice.field, choice.target.as_deref()),
            ("shop.order", "user", Some("auth.user"))
        );
        assert_eq!(choice.columns, ["customer", "owner"]);
        let none = field("auth.user.email=").unwrap();
        assert!(none.columns.is_empty() && none.target.is_none());
        for text in ["", "order=x", "shop.order.total", "=x"] {
            assert!(field(text).is_err(), "{text}");
        }
        assert_eq!(model("a.b=product").unwrap().1, Some(Kind::Product));
        assert_eq!(model("a.b=skip").unwrap(), ("a.b".to_owned(), None));
        assert!(model("a.b=thing").is_err() && model("product").is_err());
        assert!(only(["users", "products"]).unwrap().len() == 3);
        assert!(only(["orders"]).is_err() && only(["orders", "users", "products"]).is_ok());
    }
}
