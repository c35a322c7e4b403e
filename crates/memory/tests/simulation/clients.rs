//! Simulated clients: each has intentions of its own, acts on stale data, and sends some commands
//! twice.

use crate::command::{Command, Sent, keyed, render_item, render_order};
use crate::generate::{
    account_command, adjust, change, create, key, order_command, product, register, session_command,
};
use crate::model::Model;
use crate::random::Random;
use tradepost_contract::{money, units};
use tradepost_domain::cart::CartItem;
use tradepost_domain::catalog::Product;
use tradepost_domain::identity::TokenPair;
use tradepost_domain::kernel::{Actor, CartItemId, Money, OrderId, Quantity, UserId};
use tradepost_domain::orders::{Order, OrderStatus};

/// Few passwords, so that a guess may be right.
pub(crate) const PASSWORDS: [&str; 3] = ["correct horse", "battery staple", "tr0ubador & 3"];

/// Number of products that a client looks at.
const SEEN: usize = 4;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Role {
    Shopper,
    /// Staff who manage products and orders.
    Clerk,
    /// Staff who manage accounts.
    Admin,
    /// Stays signed in, with tokens of its own and with stolen ones.
    Member,
    /// Sends commands for which it is not authorised.
    Stranger,
}

#[derive(Debug, Clone)]
pub(crate) enum Intent {
    Look,
    Add,
    ChangeLine,
    RemoveLine,
    Empty,
    Checkout,
    CancelOwn,
    DeleteOwn,
    Create,
    Change,
    SetStock,
    Adjust,
    Archive,
    Restore,
    Advance,
    AnyStatus,
    DeleteAny,
    Register,
    Switch,
    ChangePassword,
    ResetPassword,
    StorePassword,
    SignIn,
    UseToken,
    OpenSession,
    Refresh,
    RefreshFound,
    SignOut,
    ForgetKeys,
    ForgetTokens,
    Again,
    Retry(Box<Sent>),
}

pub(crate) struct Client {
    role: Role,
    actor: Actor,
    /// The remaining intentions of this visit, last first.
    script: Vec<Intent>,
    /// The cart when the client last read it.
    lines: Vec<CartItem>,
    total: Money,
    /// The newest products when the client last read them.
    products: Vec<Product>,
    token: String,
    refresh: String,
    last: Option<Sent>,
    /// Number of its queued requests.
    pub(crate) waiting: usize,
}

impl Client {
    pub(crate) fn new(role: Role) -> Self {
        Self {
            role,
            actor: Actor::Anonymous,
            script: Vec::new(),
            lines: Vec::new(),
            total: money(0),
            products: Vec::new(),
            token: String::new(),
            refresh: String::new(),
            last: None,
            waiting: 0,
        }
    }

    /// A day has passed: drops all intentions.
    pub(crate) fn sleep(&mut self) {
        self.script.clear();
        self.last = None;
    }

    /// The client got a failure, and may retry.
    pub(crate) fn failed(&mut self, sent: Sent, chance: &mut Random) {
        if !chance.one_in(4) {
            self.script.push(Intent::Retry(Box::new(sent)));
        }
    }

    /// The client's order was refused, and it intends something else.
    pub(crate) fn refused(&mut self, chance: &mut Random) {
        let instead = [Intent::Empty, Intent::RemoveLine, Intent::ChangeLine];
        if chance.one_in(2) {
            self.script.push(instead[chance.below(3)].clone());
            self.script.push(Intent::Look);
        }
    }

    pub(crate) fn signed_in(&mut self, token: String) {
        self.token = token;
    }

    pub(crate) fn stays_signed_in(&mut self, pair: TokenPair) {
        self.token = pair.access;
        self.refresh = pair.refresh;
    }

    /// The next command of the client.
    pub(crate) fn next(&mut self, model: &Model, chance: &mut Random) -> Sent {
        loop {
            let Some(intent) = self.script.pop() else {
                self.begin_visit(model, chance);
                continue;
            };
            if let Some(command) = self.command(&intent, model, chance) {
                let by = match &intent {
                    Intent::Retry(sent) => sent.by,
                    _ => self.actor,
                };
                let sent = Sent { by, command };
                self.last = Some(sent.clone());
                return sent;
            }
        }
    }

    fn begin_visit(&mut self, model: &Model, chance: &mut Random) {
        use Intent::{
            Add, Adjust, Advance, Again, AnyStatus, Archive, CancelOwn, Change, ChangeLine,
            ChangePassword, Checkout, Create, DeleteAny, DeleteOwn, Empty, ForgetKeys,
            ForgetTokens, Look, OpenSession, Refresh, RefreshFound, Register, RemoveLine,
            ResetPassword, Restore, SetStock, SignIn, SignOut, StorePassword, Switch, UseToken,
        };
        let users: Vec<UserId> = model.accounts.keys().copied().collect();
        let user = users[chance.below(users.len())];
        let (goods, people, shopping) = (
            [
                Create, Change, SetStock, Adjust, Adjust, Adjust, Archive, Restore, Restore,
            ],
            [
                Register,
                Register,
                Switch,
                Switch,
                Switch,
                ChangePassword,
                ResetPassword,
                StorePassword,
                SignIn,
                SignIn,
                UseToken,
                UseToken,
                ForgetKeys,
            ],
            [
                Add, Add, Add, ChangeLine, RemoveLine, Empty, Checkout, CancelOwn, DeleteOwn, Look,
            ],
        );
        let orders = [Advance, Advance, Advance, AnyStatus, DeleteAny];
        let some = |chance: &mut Random, all: &[Intent], most: usize| -> Vec<Intent> {
            let number = 1 + chance.below(most);
            (0..number)
                .map(|_| all[chance.below(all.len())].clone())
                .collect()
        };
        self.script = match self.role {
            Role::Shopper => {
                self.actor = Actor::Customer(users[chance.below(users.len().min(5))]);
                let mut visit = some(chance, &[Add, Add, Add, ChangeLine], 3);
                visit.push(Look);
                visit.extend(some(chance, &[Add, ChangeLine, Look, Look], 2));
                visit.push(Checkout);
                visit.extend(some(chance, &[Again, Look, CancelOwn, DeleteOwn], 2));
                if chance.one_in(4) {
                    visit.extend(some(chance, &shopping, 2));
                }
                visit
            }
            Role::Clerk => {
                self.actor = Actor::Staff(users[0]);
                let newest = model.products.values().rev().take(SEEN);
                self.products = newest.cloned().collect();
                let mut visit = some(chance, &goods, 2);
                visit.extend(some(chance, &orders, 3));
                visit
            }
            Role::Admin => {
                self.actor = Actor::Staff(user);
                some(chance, &people, 3)
            }
            Role::Member => {
                let own = [
                    Refresh,
                    Refresh,
                    Refresh,
                    RefreshFound,
                    UseToken,
                    SignOut,
                    ForgetTokens,
                ];
                let mut visit = vec![OpenSession, OpenSession];
                visit.extend(some(chance, &own, 6));
                visit
            }
            Role::Stranger => {
                self.actor = chance.pick(&[Actor::Anonymous, Actor::Customer(user)]);
                let mut visit = some(chance, &goods, 1);
                visit.extend(some(chance, &shopping, 1));
                visit.extend(some(chance, &orders, 1));
                visit.extend(some(chance, &[Switch, ChangePassword, SignIn, UseToken], 1));
                visit
            }
        };
        if chance.one_in(4) {
            self.script.push(Again);
        }
        self.script.reverse();
    }

    fn command(&mut self, intent: &Intent, model: &Model, chance: &mut Random) -> Option<Command> {
        Some(match intent {
            Intent::Look => {
                self.look(model);
                return None;
            }
            Intent::Again => self.last.as_ref()?.command.clone(),
            Intent::Retry(sent) => sent.command.clone(),
            Intent::Add | Intent::ChangeLine | Intent::RemoveLine | Intent::Empty => {
                self.cart(intent, model, chance)
            }
            Intent::Checkout => {
                let wrong = money(self.total.minor() + 1);
                let expected = chance.pick(&[
                    None,
                    None,
                    None,
                    Some(self.total),
                    Some(self.total),
                    Some(wrong),
                ]);
                let render = render_order;
                let key =
                    key(chance).map(|key| keyed("/orders", &key, format!("{expected:?}"), render));
                Command::Checkout { expected, key }
            }
            Intent::CancelOwn | Intent::DeleteOwn => {
                let user = self.actor.customer().ok();
                let own = |order: &&Order| Some(order.user) == user;
                let own: Vec<OrderId> = model.orders.values().filter(own).map(|o| o.id).collect();
                let order = chance.recent(&own, 2)?;
                match intent {
                    Intent::DeleteOwn => Command::Delete { order },
                    _ => Command::SetStatus {
                        order,
                        status: OrderStatus::Cancelled,
                    },
                }
            }
            Intent::Advance | Intent::AnyStatus | Intent::DeleteAny => {
                order_command(intent, model, chance)?
            }
            Intent::Create => create(chance),
            Intent::Adjust => adjust(model, chance),
            Intent::Change | Intent::SetStock | Intent::Archive | Intent::Restore => {
                change(intent, model, &self.products, chance)
            }
            Intent::Register => register(chance),
            Intent::ForgetKeys => Command::ForgetKeys,
            Intent::ForgetTokens => Command::ForgetTokens,
            Intent::Refresh | Intent::RefreshFound | Intent::SignOut => {
                session_command(intent, model, &self.refresh, chance)
            }
            Intent::UseToken => {
                let forged = "1.0.0.99999999999x".to_owned();
                let token = if chance.one_in(5) {
                    forged
                } else {
                    self.token.clone()
                };
                Command::Authenticate { token }
            }
            Intent::Switch
            | Intent::ChangePassword
            | Intent::ResetPassword
            | Intent::StorePassword
            | Intent::OpenSession
            | Intent::SignIn => account_command(intent, model, chance),
        })
    }

    fn look(&mut self, model: &Model) {
        let user = self.actor.customer().ok();
        let lines = user.and_then(|user| model.carts.get(&user));
        self.lines = lines.cloned().unwrap_or_default();
        let cost = |line: &CartItem| {
            model.products[&line.product].price.money().minor() * line.quantity.units()
        };
        self.total = money(self.lines.iter().map(cost).sum());
    }

    fn cart(&self, intent: &Intent, model: &Model, chance: &mut Random) -> Command {
        let line = chance.recent(&self.lines, 4);
        let unknown = CartItemId::new(999_999).unwrap();
        let id = line.map_or(unknown, |line| line.id);
        match intent {
            Intent::Empty => Command::Empty,
            Intent::RemoveLine => Command::Remove { line: id },
            Intent::ChangeLine if line.is_some() => Command::Set {
                line: id,
                quantity: Quantity::or_removal(chance.within(0, 5)).unwrap(),
                product: match chance.below(6) {
                    0 => Some(product(model, chance)),
                    1 => line.map(|line| line.product),
                    _ => None,
                },
            },
            _ => {
                let product = product(model, chance);
                let many = chance.one_in(25);
                let quantity = units(if many { 9_999 } else { chance.within(1, 3) });
                let key = key(chance)
                    .map(|key| keyed("/cart", &key, format!("{product} {quantity}"), render_item));
                Command::Add {
                    product,
                    quantity,
                    key,
                }
            }
        }
    }
}
