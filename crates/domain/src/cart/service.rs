use crate::cart::{
    Cart, CartAction, CartChange, CartItem, CartItemDetail, CartRepository, ChangeCart,
};
use crate::kernel::{
    Actor, CartItemId, Clock, Error, Execution, Idempotent, Precondition, ProductId, Quantity,
    Refusal, System, UserId, settle, settle_one,
};
use crate::{Service, ServicesConfig, Stores};
use std::collections::HashMap;
use std::sync::Arc;

/// Cart service: a customer's own cart.
///
/// ```
/// # use tradepost_domain::{prelude::*, testing::*};
/// # use tradepost_memory::MemoryStore;
/// # let shop = Services::new(MemoryStore::new(usd()), system(), ServicesConfig::default());
/// # let grace = shop.accounts.create_staff(NewUser::new("grace", "staple of horses")?)?.actor();
/// # let ada = shop.accounts.register(NewUser::new("ada", "tea at ten")?)?.actor();
/// # let mug = ProductBuilder::new(1).price(1_250).stock(7).draft();
/// # let mug = shop.catalogue.create(grace, mug, None)?.executed()?;
/// shop.carts.add(ada, mug.id, Quantity::ONE, None)?;
/// let line = shop.carts.add(ada, mug.id, Quantity::new(2)?, None)?.executed()?;
/// assert_eq!(line.line.quantity.units(), 3);
/// assert_eq!(shop.carts.cart(ada)?.items.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Carts {
    carts: Arc<dyn CartRepository>,
    clock: Arc<dyn Clock>,
}

impl Service for Carts {
    fn of(stores: &Stores, system: &System, _: &ServicesConfig) -> Self {
        Self::new(stores.carts.clone(), system.clock.clone())
    }
}

impl Carts {
    /// The service over these ports.
    #[must_use]
    pub fn new(carts: Arc<dyn CartRepository>, clock: Arc<dyn Clock>) -> Self {
        Self { carts, clock }
    }

    /// The actor's cart.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`]; if the store fails.
    pub fn cart(&self, actor: Actor) -> Result<Cart, Error> {
        let user = actor.customer()?;
        let mut carts = self.all(&[user])?;
        Ok(carts.remove(&user).unwrap_or_default())
    }

    /// The carts of these customers; empty carts are left out. For a caller that batches the
    /// lookups of several customers.
    ///
    /// # Errors
    /// If the store fails.
    pub fn all(&self, users: &[UserId]) -> Result<HashMap<UserId, Cart>, Error> {
        Ok(self.carts.carts(users)?)
    }

    /// A line of the actor's cart.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`] and [`Refusal::NotFound`]; if the store fails.
    pub fn item(&self, actor: Actor, line: CartItemId) -> Result<CartItemDetail, Error> {
        let cart = self.cart(actor)?;
        let item = cart.items.into_iter().find(|item| item.line.id == line);
        Ok(item.ok_or(Refusal::NotFound)?)
    }

    /// Builds the command that changes the actor's cart, for a slice of
    /// [`CartRepository::change_all`]. Only an addition may have a key.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`].
    pub fn changing(
        &self,
        actor: Actor,
        action: CartAction,
        seen: Option<Precondition<CartItem>>,
        key: Option<Idempotent<CartItemDetail>>,
    ) -> Result<ChangeCart, Refusal> {
        Ok(ChangeCart {
            user: actor.customer()?,
            action,
            seen,
            key,
            at: self.clock.now(),
        })
    }

    /// Applies changes to the actor's cart in one slice: one result for each, in order.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`]; if the store fails for the whole slice.
    pub fn change_all(
        &self,
        actor: Actor,
        actions: Vec<CartAction>,
    ) -> Result<Vec<Result<Option<CartItemDetail>, Error>>, Error> {
        let command = |action| self.changing(actor, action, None, None);
        let commands = actions.into_iter().map(command);
        let commands = commands.collect::<Result<Vec<_>, _>>()?;
        let changed = settle(commands, |slice| self.carts.change_all(slice))?;
        // Without a key there is no stored response.
        let line = |change: CartChange| change.executed().ok().flatten();
        Ok(changed.into_iter().map(|one| one.map(line)).collect())
    }

    /// Applies a change to the actor's cart, under the precondition `seen` if given; returns the
    /// line afterwards, or `None` if it is gone.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`]; see [`decide_cart`](crate::cart::decide_cart); if the store fails.
    pub fn change(
        &self,
        actor: Actor,
        action: CartAction,
        seen: Option<Precondition<CartItem>>,
        key: Option<Idempotent<CartItemDetail>>,
    ) -> Result<CartChange, Error> {
        let command = self.changing(actor, action, seen, key)?;
        settle_one(command, |slice| self.carts.change_all(slice))
    }

    /// Adds units of a product to the actor's cart; returns the line that holds them.
    ///
    /// # Errors
    /// As [`Carts::change`].
    pub fn add(
        &self,
        actor: Actor,
        product: ProductId,
        quantity: Quantity,
        key: Option<Idempotent<CartItemDetail>>,
    ) -> Result<Execution<CartItemDetail>, Error> {
        let action = CartAction::Add { product, quantity };
        Ok(added(self.change(actor, action, None, key)?)?)
    }

    /// Sets the quantity of a line; `None` removes it. `product` is the product that the client
    /// expects in the line, if the request names one. Returns the line afterwards.
    ///
    /// # Errors
    /// As [`Carts::change`].
    pub fn set(
        &self,
        actor: Actor,
        line: CartItemId,
        quantity: Option<Quantity>,
        product: Option<ProductId>,
        seen: Option<Precondition<CartItem>>,
    ) -> Result<Option<CartItemDetail>, Error> {
        let action = CartAction::Set {
            line,
            quantity,
            product,
        };
        // Without a key there is no stored response.
        let changed = self.change(actor, action, seen, None)?;
        Ok(changed.executed().ok().flatten())
    }

    /// Removes a line.
    ///
    /// # Errors
    /// As [`Carts::change`].
    pub fn remove(
        &self,
        actor: Actor,
        line: CartItemId,
        seen: Option<Precondition<CartItem>>,
    ) -> Result<(), Error> {
        let action = CartAction::Remove { line };
        self.change(actor, action, seen, None).map(drop)
    }

    /// Empties the cart.
    ///
    /// # Errors
    /// As [`Carts::change`].
    pub fn empty(&self, actor: Actor) -> Result<(), Error> {
        self.change(actor, CartAction::Empty, None, None).map(drop)
    }
}

/// The line that an addition leaves.
///
/// # Errors
/// [`Refusal::NotFound`], which no addition gives.
pub fn added(change: CartChange) -> Result<Execution<CartItemDetail>, Refusal> {
    Ok(match change {
        Execution::Replayed(response) => Execution::Replayed(response),
        Execution::Executed(item) => Execution::Executed(item.ok_or(Refusal::NotFound)?),
    })
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
