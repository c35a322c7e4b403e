//! Indexes of users and products by key and by unique columns.

use crate::kind::Kind;
use crate::owners::Target;
use crate::plan::Plan;
use crate::rows::{self, KeyedProduct};
use crate::value::Reference;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use tradepost_domain::catalog::Product;
use tradepost_domain::identity::Credentials;
use tradepost_domain::kernel::{ProductId, UserId};

/// Rows by their keys and names; `None` for an ambiguous name.
type Index<Id> = HashMap<Reference, Option<Id>>;

fn add_name<Id>(index: &mut Index<Id>, name: &str, id: Id) {
    match index.entry(Reference::Natural(name.to_owned())) {
        Entry::Vacant(free) => drop(free.insert(Some(id))),
        Entry::Occupied(mut taken) => drop(taken.insert(None)),
    }
}

/// Users with their ids; those without an id get the next free ones.
pub(crate) fn users(rows: Vec<rows::User>, last: i64) -> (Vec<Credentials>, People) {
    let largest = rows.iter().filter_map(|user| user.id).map(UserId::get);
    let mut next = largest.max().unwrap_or(0).max(last);
    let mut index = Index::new();
    let mut keys = Vec::new();
    let number = |user: rows::User| {
        let id = user.id.or_else(|| {
            next = next.saturating_add(1);
            UserId::new(next)
        })?;
        let mut account = user.account;
        account.id = id;
        add_name(&mut index, account.username.as_str(), id);
        keys.extend(user.key.map(|key| (key, Some(id))));
        Some(Credentials {
            account,
            password: user.password,
        })
    };
    let users: Vec<Credentials> = rows.into_iter().filter_map(number).collect();
    // Where users sign in with e-mail addresses, their natural keys are addresses.
    let mut addresses = Index::new();
    for Credentials { account, .. } in &users {
        if let Some(email) = &account.email {
            add_name(&mut addresses, email.as_str(), account.id);
        }
    }
    for (address, user) in addresses {
        index.entry(address).or_insert(user);
    }
    // A key takes precedence over a name that looks like one.
    index.extend(keys);
    (users, People { index, next })
}

/// The index of users.
pub(crate) struct People {
    index: Index<UserId>,
    next: i64,
}

/// The owner of a row.
pub(crate) enum Found {
    User(UserId),
    /// The row has no user.
    Guest,
    /// A cart that was ordered.
    Closed,
    /// No row of this model has this key.
    Missing(String, Reference),
    /// Already reported as a problem.
    Spoilt,
}

impl People {
    /// The next free user id.
    pub(crate) fn next_id(&mut self) -> Option<UserId> {
        self.next = self.next.saturating_add(1);
        UserId::new(self.next)
    }

    /// Follows the owner column of a row, as the plan says.
    pub(crate) fn find(
        &self,
        plan: &Plan,
        links: &HashMap<String, HashMap<Reference, Option<Reference>>>,
        spoilt: &HashSet<(Kind, Reference)>,
        model: &str,
        owner: &Reference,
    ) -> Found {
        let mut target = plan.owners.target(model);
        let mut key = owner;
        loop {
            match target {
                None => return Found::Spoilt,
                Some(Target::User) => {
                    return match self.index.get(key).copied().flatten() {
                        Some(user) => Found::User(user),
                        None if spoilt.contains(&(Kind::User, key.clone())) => Found::Spoilt,
                        None => Found::Missing("user".to_owned(), key.clone()),
                    };
                }
                Some(Target::Through(through)) => {
                    match links.get(through).and_then(|rows| rows.get(key)) {
                        Some(Some(next)) => key = next,
                        Some(None) => return Found::Guest,
                        None => return Found::Missing(through.clone(), key.clone()),
                    }
                    target = plan.owners.links.get(through).map(|link| &link.target);
                }
            }
        }
    }
}

/// The index of products, with archived replacements of missing ones.
pub(crate) struct Products {
    pub(crate) all: Vec<Product>,
    index: Index<ProductId>,
    places: HashMap<ProductId, usize>,
    next: i64,
}

impl Products {
    /// The natural key of a product is its SKU, or its name.
    pub(crate) fn new(rows: Vec<KeyedProduct>) -> Self {
        let mut products = Self {
            all: Vec::with_capacity(rows.len()),
            index: Index::new(),
            places: HashMap::new(),
            next: 0,
        };
        let mut keys = Vec::new();
        for KeyedProduct { key, product } in rows {
            let (id, name) = (product.id, product.name.clone());
            add_name(&mut products.index, name.as_str(), id);
            let sku = product.sku.as_ref().map(|sku| sku.as_str().to_owned());
            if let Some(sku) = sku.filter(|sku| sku != name.as_str()) {
                add_name(&mut products.index, &sku, id);
            }
            keys.push((key, Some(id)));
            products.push(product);
        }
        products.index.extend(keys);
        products
    }

    fn push(&mut self, product: Product) {
        self.next = self.next.max(product.id.get());
        self.places.insert(product.id, self.all.len());
        self.all.push(product);
    }

    pub(crate) fn find(&self, wanted: &Reference) -> Option<&Product> {
        let id = self.index.get(wanted).copied().flatten()?;
        self.places.get(&id).and_then(|place| self.all.get(*place))
    }

    /// An id for the replacement of a missing product: the product's own, if it is free.
    pub(crate) fn free_id(&self, key: Option<&Reference>) -> Option<ProductId> {
        let own = match key {
            Some(Reference::Id(id)) => ProductId::new(*id),
            _ => None,
        };
        let own = own.filter(|id| !self.places.contains_key(id));
        own.or_else(|| ProductId::new(self.next.saturating_add(1)))
    }

    /// Adds a product under a key.
    pub(crate) fn insert(&mut self, key: Reference, product: Product) {
        self.index.insert(key, Some(product.id));
        self.push(product);
    }
}
