//! From rows to a shop: lines find their orders, and names their rows.

use crate::kind::Kind;
use crate::read::{self, Owner, Rows};
use crate::value::Reference;
use crate::wrong::Wrong;
use crate::{Dump, DumpError, Options};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use tradepost_domain::{
    CartLine, Credentials, Money, Order, OrderLine, Product, ProductId, UserId,
};

/// The shop that these rows describe.
pub(crate) fn dump(rows: Rows<'_>, options: &Options) -> Result<Dump, DumpError> {
    let Rows {
        mut dump,
        mut wrong,
        users,
        products,
        carts,
        cart_lines,
        orders,
        order_lines,
        line_model,
        spoilt,
        ..
    } = rows;
    dump.shop.users = numbered(users, options.last_user);
    dump.shop.products = products;
    let people = people(&dump.shop.users);
    let things = things(&dump.shop.products);
    let found = Found {
        people: &people,
        things: &things,
        spoilt: &spoilt,
    };
    dump.shop.carts = found.carts(&carts, cart_lines, &mut dump, &mut wrong);
    let lines = found.lines(order_lines, &dump.shop.products, &line_model, &mut wrong);
    dump.shop.orders = found.orders(
        orders,
        lines,
        options,
        &dump.names.order,
        &line_model,
        &mut wrong,
    );
    let shop = &dump.shop;
    if !wrong.is_empty() {
        Err(DumpError::Wrong(wrong))
    } else if shop.users.is_empty() && shop.products.is_empty() && shop.orders.is_empty() {
        Err(DumpError::NoShop)
    } else {
        Ok(dump)
    }
}

/// Users with their ids; those without get the next ones.
fn numbered(users: Vec<read::User>, last: i64) -> Vec<Credentials> {
    let largest = users.iter().filter_map(|user| user.id).map(UserId::get);
    let mut next = largest.max().unwrap_or(0).max(last);
    let number = |user: read::User| {
        let id = user.id.or_else(|| {
            next = next.saturating_add(1);
            UserId::new(next)
        })?;
        let mut account = user.account;
        account.id = id;
        Some(Credentials {
            account,
            password: user.password,
        })
    };
    users.into_iter().filter_map(number).collect()
}

/// Rows by their ids and by what is unique about them; `None` for a name that several have.
type Index<Id> = HashMap<Reference, Option<Id>>;

fn name<Id>(index: &mut Index<Id>, name: &str, id: Id) {
    match index.entry(Reference::Natural(name.to_owned())) {
        Entry::Vacant(free) => drop(free.insert(Some(id))),
        Entry::Occupied(mut taken) => drop(taken.insert(None)),
    }
}

fn people(users: &[Credentials]) -> Index<UserId> {
    let mut index = Index::new();
    for Credentials { account, .. } in users {
        index.insert(Reference::Id(account.id.get()), Some(account.id));
        name(&mut index, account.username.as_str(), account.id);
    }
    index
}

/// The natural key of a product is its sku, or its name.
fn things(products: &[Product]) -> Index<ProductId> {
    let mut index = Index::new();
    for product in products {
        index.insert(Reference::Id(product.id.get()), Some(product.id));
        name(&mut index, product.name.as_str(), product.id);
        if let Some(sku) = product
            .sku
            .as_ref()
            .filter(|sku| sku.as_str() != product.name.as_str())
        {
            name(&mut index, sku.as_str(), product.id);
        }
    }
    index
}

fn find<Id: Copy + Eq + Hash>(index: &Index<Id>, wanted: &Reference) -> Option<Id> {
    index.get(wanted).copied().flatten()
}

struct Found<'a> {
    people: &'a Index<UserId>,
    things: &'a Index<ProductId>,
    spoilt: &'a HashSet<(Kind, Reference)>,
}

/// The lines of an order, each with its key, by which they are sorted.
type Lines = HashMap<i64, Vec<(i64, OrderLine)>>;

impl Found<'_> {
    fn carts(
        &self,
        carts: &HashMap<Reference, Option<Reference>>,
        rows: Vec<read::CartLine>,
        dump: &mut Dump,
        wrong: &mut Wrong,
    ) -> Vec<CartLine> {
        let model = dump.names.cart_line.clone();
        let mut lines: Vec<CartLine> = Vec::with_capacity(rows.len());
        let mut places = HashMap::<(UserId, ProductId), usize>::new();
        let (mut anonymous, mut merged) = (0, 0);
        for row in rows {
            let user = match &row.owner {
                Owner::User(user) => Some(user),
                Owner::Cart(cart) => match carts.get(cart) {
                    Some(user) => user.as_ref(),
                    None => {
                        let missing = missing("cart", cart);
                        wrong.say(format!("{model} {}, cart: {missing}", row.id));
                        continue;
                    }
                },
                Owner::Nobody => None,
            };
            let Some(user) = user else {
                anonymous += 1;
                continue;
            };
            let user = self.user(user, &model, row.id.get(), wrong);
            let product = self.product(&row.product, &model, row.id.get(), wrong);
            let (Some(user), Some(product)) = (user, product) else {
                continue;
            };
            let line = CartLine {
                id: row.id,
                user,
                product,
                quantity: row.quantity,
                created_at: row.created_at,
                updated_at: row.updated_at,
            };
            match places
                .get(&(user, product))
                .and_then(|at| lines.get_mut(*at))
            {
                Some(first) => match first.quantity.plus(line.quantity) {
                    Ok(both) => {
                        first.quantity = both;
                        merged += 1;
                    }
                    Err(problem) => {
                        wrong.say(format!("{model} {}, quantity: {problem}", row.id));
                    }
                },
                None => {
                    places.insert((user, product), lines.len());
                    lines.push(line);
                }
            }
        }
        (dump.anonymous, dump.merged) = (anonymous, merged);
        lines
    }

    fn lines(
        &self,
        rows: Vec<read::OrderLine>,
        products: &[Product],
        model: &str,
        wrong: &mut Wrong,
    ) -> Lines {
        let known: HashMap<_, _> = products
            .iter()
            .map(|product| (product.id, product))
            .collect();
        let mut lines = Lines::new();
        for row in rows {
            let product = self.product(&row.product, model, row.key, wrong);
            let Some(product) = product.and_then(|id| known.get(&id)) else {
                continue;
            };
            let line = OrderLine {
                product: product.id,
                name: row.name.unwrap_or_else(|| product.name.clone()),
                unit_price: row.price.unwrap_or(product.price.money()),
                quantity: row.quantity,
            };
            lines.entry(row.order).or_default().push((row.key, line));
        }
        lines
    }

    fn orders(
        &self,
        rows: Vec<read::Order>,
        mut lines: Lines,
        options: &Options,
        model: &str,
        line_model: &str,
        wrong: &mut Wrong,
    ) -> Vec<Order> {
        let mut orders = Vec::with_capacity(rows.len());
        for row in rows {
            let mut own = lines.remove(&row.id.get()).unwrap_or_default();
            own.sort_unstable_by_key(|(key, _)| *key);
            let own: Vec<OrderLine> = own.into_iter().map(|(_, line)| line).collect();
            let Some(user) = self.user(&row.user, model, row.id.get(), wrong) else {
                continue;
            };
            let zero = Money::zero(options.currency);
            let sum = own
                .iter()
                .try_fold(zero, |sum, line| sum.plus(line.total()?));
            orders.push(order(row, user, own, sum.unwrap_or(zero)));
        }
        let mut left: Vec<_> = lines.into_iter().collect();
        left.sort_unstable_by_key(|(order, _)| *order);
        let unknown = |(order, _): &(i64, _)| !self.is_spoilt(Kind::Order, &Reference::Id(*order));
        for (order, lines) in left.into_iter().filter(unknown) {
            for (key, _) in lines {
                wrong.say(format!(
                    "{line_model} {key}, order: There is no order {order} in it."
                ));
            }
        }
        orders
    }

    fn is_spoilt(&self, kind: Kind, key: &Reference) -> bool {
        self.spoilt.contains(&(kind, key.clone()))
    }

    fn user(&self, user: &Reference, model: &str, key: i64, wrong: &mut Wrong) -> Option<UserId> {
        let found = find(self.people, user);
        if found.is_none() && !self.is_spoilt(Kind::User, user) {
            wrong.say(format!("{model} {key}, user: {}", missing("user", user)));
        }
        found
    }

    fn product(
        &self,
        product: &Reference,
        model: &str,
        key: i64,
        wrong: &mut Wrong,
    ) -> Option<ProductId> {
        let found = find(self.things, product);
        if found.is_none() && !self.is_spoilt(Kind::Product, product) {
            wrong.say(format!(
                "{model} {key}, product: {}",
                missing("product", product)
            ));
        }
        found
    }
}

fn order(row: read::Order, user: UserId, lines: Vec<OrderLine>, sum: Money) -> Order {
    Order {
        id: row.id,
        user,
        status: row.status,
        total: row.total.unwrap_or(sum),
        adjustment: Money::zero(sum.currency()),
        lines,
        archived: false,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

fn missing(what: &str, reference: &Reference) -> String {
    match reference {
        Reference::Id(id) => format!("There is no {what} {id} in it."),
        Reference::Natural(name) => {
            let name: String = name.chars().take(40).collect();
            format!("There is no {what} {name:?} in it, or more than one.")
        }
    }
}
