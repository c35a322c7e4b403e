//! Generator of the clients' commands.

use crate::clients::{Intent, PASSWORDS};
use crate::command::{Command, as_seen, keyed, render_adjusted, render_product};
use crate::model::Model;
use crate::outside;
use crate::random::Random;
use tradepost_contract::{draft, level, money};
use tradepost_domain::catalog::{Price, Product, ProductChange, ProductDraft};
use tradepost_domain::identity::{ChangePassword, Email, NewUser, Password, UserChange, Username};
use tradepost_domain::inventory::{StockDelta, StockLevel};
use tradepost_domain::kernel::{Currency, Money, OrderId, ProductId, ProductName, Sku, UserId};
use tradepost_domain::orders::OrderStatus;

/// A key: new, or sent before by any client.
pub(crate) fn key(chance: &mut Random) -> Option<String> {
    match chance.below(8) {
        0..3 => None,
        3 => Some(format!("old{}", chance.below(4))),
        _ => Some(format!("new{}", chance.within(0, i64::MAX - 1))),
    }
}

pub(crate) fn product(model: &Model, chance: &mut Random) -> ProductId {
    let products: Vec<ProductId> = model.products.keys().copied().collect();
    if chance.one_in(40) {
        return ProductId::new(999_999).unwrap();
    }
    chance.recent(&products, 6).unwrap()
}

fn sku(chance: &mut Random) -> Option<Sku> {
    let number = chance.below(6);
    chance
        .one_in(3)
        .then(|| Sku::new(&format!("S-{number}")).unwrap())
}

fn price(chance: &mut Random) -> Price {
    let cents = chance.within(1, 500);
    let foreign = Money::from_minor(cents, Currency::from_code("EUR").unwrap());
    let amount = if chance.one_in(12) {
        foreign
    } else {
        money(cents)
    };
    Price::new(amount).unwrap()
}

pub(crate) fn create(chance: &mut Random) -> Command {
    let draft = ProductDraft {
        sku: sku(chance),
        price: price(chance),
        ..draft("A new thing", 1, chance.within(0, 6))
    };
    let key = key(chance).map(|key| keyed("/products", &key, format!("{draft:?}"), render_product));
    Command::Create { draft, key }
}

pub(crate) fn adjust(model: &Model, chance: &mut Random) -> Command {
    let product = product(model, chance);
    let delta = match chance.below(20) {
        0 => StockLevel::MAX,
        1 => 20_000,
        2..6 => -chance.within(1, 9),
        _ => chance.within(1, 9),
    };
    let path = format!("/products/{product}/stock");
    let key = key(chance).map(|key| keyed(&path, &key, delta.to_string(), render_adjusted));
    let delta = StockDelta::requested(delta).unwrap();
    Command::Adjust {
        product,
        delta,
        key,
    }
}

/// `saw` are the products as the client last read them.
pub(crate) fn change(
    intent: &Intent,
    model: &Model,
    saw: &[Product],
    chance: &mut Random,
) -> Command {
    let mut change = ProductChange::default();
    let mut of = product(model, chance);
    match intent {
        Intent::SetStock => change.stock = Some(level(chance.within(0, 12))),
        Intent::Archive => change.archived = Some(true),
        Intent::Restore => {
            let archived = model.products.values().filter(|product| product.archived);
            let archived: Vec<ProductId> = archived.map(|product| product.id).collect();
            of = chance.recent(&archived, 9).unwrap_or(of);
            change.archived = Some(false);
            change.stock = chance.one_in(2).then(|| level(chance.within(0, 6)));
        }
        _ => {
            change.sku = chance.one_in(2).then(|| sku(chance));
            change.price = chance.one_in(2).then(|| price(chance));
            let name = format!("A thing of {}", chance.below(100));
            change.name = chance.one_in(3).then(|| ProductName::new(&name).unwrap());
        }
    }
    let at = chance.below(saw.len().max(1));
    let seen = saw.get(at).filter(|_| chance.one_in(2));
    Command::Change {
        product: seen.map_or(of, |product| product.id),
        seen: seen.map(|product| as_seen(product, change.stock.is_some())),
        change,
    }
}

pub(crate) fn order_command(
    intent: &Intent,
    model: &Model,
    chance: &mut Random,
) -> Option<Command> {
    let deleted_too = chance.one_in(8);
    let orders = model.orders.values();
    let orders = orders.filter(|order| deleted_too || !order.archived);
    let orders: Vec<OrderId> = orders.map(|order| order.id).collect();
    let order = chance.recent(&orders, 5)?;
    let status = chance.pick(&OrderStatus::ALL);
    Some(match intent {
        Intent::DeleteAny => Command::Delete { order },
        Intent::AnyStatus => Command::SetStatus { order, status },
        _ => Command::SetStatus {
            order,
            status: match model.orders[&order].status {
                OrderStatus::Pending => OrderStatus::Processing,
                OrderStatus::Processing => OrderStatus::Shipped,
                _ => OrderStatus::Delivered,
            },
        },
    })
}

pub(crate) fn register(chance: &mut Random) -> Command {
    let (name, email) = (chance.below(12), chance.below(12));
    let name = chance.pick(&["Visitor", "visitor"]).to_owned() + &name.to_string();
    let email = format!("{}{email}@example.com", chance.pick(&["v", "V"]));
    let user = NewUser {
        username: Username::new(&name).unwrap(),
        email: chance.one_in(2).then(|| Email::new(&email).unwrap()),
        password: password(chance),
    };
    let staff = chance.one_in(4);
    Command::Register { user, staff }
}

fn password(chance: &mut Random) -> Password {
    Password::new(chance.pick(&PASSWORDS), None).unwrap()
}

pub(crate) fn account_command(intent: &Intent, model: &Model, chance: &mut Random) -> Command {
    let users: Vec<UserId> = model.accounts.keys().copied().collect();
    let user = chance.recent(&users, users.len()).unwrap();
    let username = match chance.below(8) {
        0 => "nobody".to_owned(),
        1 => model.accounts[&user]
            .account
            .username
            .as_str()
            .to_uppercase(),
        _ => model.accounts[&user].account.username.to_string(),
    };
    let guess = chance.pick(&PASSWORDS).to_owned();
    let new = password(chance);
    let epoch = model.accounts[&user].account.session_epoch;
    match intent {
        Intent::Switch => {
            let mut wish = || chance.pick(&[None, Some(true), Some(false)]);
            let (is_active, is_staff) = (wish(), wish());
            let unknown = UserId::new(999_999).unwrap();
            let user = if chance.one_in(20) { unknown } else { user };
            let change = UserChange {
                is_active,
                is_staff,
            };
            Command::Switch(user, change)
        }
        Intent::ChangePassword => Command::ChangePassword {
            current: guess,
            new,
        },
        Intent::ResetPassword => Command::ResetPassword { username, new },
        Intent::StorePassword => Command::StorePassword(ChangePassword {
            user,
            verified: chance.pick(&[None, Some(epoch), Some(epoch), Some(epoch - 1)]),
            new: outside::hash(new.reveal()),
            at: chrono::DateTime::UNIX_EPOCH,
        }),
        Intent::OpenSession => Command::OpenSession {
            username,
            password: guess,
        },
        _ => Command::SignIn {
            username,
            password: guess,
        },
    }
}

/// The client's `own` refresh token, or a stolen one.
pub(crate) fn session_command(
    intent: &Intent,
    model: &Model,
    own: &str,
    chance: &mut Random,
) -> Command {
    let found: Vec<&str> = model.tokens.iter().map(|given| &*given.token).collect();
    let found = chance.recent(&found, 6).unwrap_or("found nowhere");
    let token = match intent {
        Intent::RefreshFound => found,
        _ if chance.one_in(4) => found,
        _ => own,
    };
    let token = token.to_owned();
    match intent {
        Intent::SignOut => Command::SignOut { token },
        _ => Command::Refresh { token },
    }
}
