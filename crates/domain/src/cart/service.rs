use crate::cart::{Cart, CartAction, CartItem, CartItemDetail, CartRepository, ChangeCart};
use crate::kernel::Error;
use crate::kernel::System;
use crate::kernel::{
    Actor, CartItemId, Clock, Execution, Idempotent, Precondition, ProductId, Quantity, Refusal,
    UserId,
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

    /// Adds units of a product to the actor's cart; returns the line that holds them.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`]; see [`decide_cart`](crate::cart::decide_cart); if the store fails.
    pub fn add(
        &self,
        actor: Actor,
        product: ProductId,
        quantity: Quantity,
        key: Option<Idempotent<CartItemDetail>>,
    ) -> Result<Execution<CartItemDetail>, Error> {
        let action = CartAction::Add { product, quantity };
        match self.write(actor, action, None, key)? {
            Execution::Replayed(answer) => Ok(Execution::Replayed(answer)),
            // Adding always leaves a line.
            Execution::Executed(item) => Ok(Execution::Executed(item.ok_or(Refusal::NotFound)?)),
        }
    }

    /// Sets the quantity of a line, under the precondition `seen` if given; returns the line
    /// afterwards, or `None` if it was removed.
    ///
    /// # Errors
    /// As [`Carts::add`].
    pub fn set(
        &self,
        actor: Actor,
        line: CartItemId,
        quantity: Option<Quantity>,
        product: Option<ProductId>,
        seen: Option<Precondition<CartItem>>,
    ) -> Result<Option<CartItemDetail>, Error> {
        self.change(
            actor,
            CartAction::Set {
                line,
                quantity,
                product,
            },
            seen,
        )
    }

    /// Removes a line.
    ///
    /// # Errors
    /// As [`Carts::add`].
    pub fn remove(
        &self,
        actor: Actor,
        line: CartItemId,
        seen: Option<Precondition<CartItem>>,
    ) -> Result<(), Error> {
        self.change(actor, CartAction::Remove { line }, seen)
            .map(drop)
    }

    /// Empties the cart.
    ///
    /// # Errors
    /// As [`Carts::add`].
    pub fn empty(&self, actor: Actor) -> Result<(), Error> {
        self.change(actor, CartAction::Empty, None).map(drop)
    }

    fn change(
        &self,
        actor: Actor,
        action: CartAction,
        seen: Option<Precondition<CartItem>>,
    ) -> Result<Option<CartItemDetail>, Error> {
        // Without a key there is no stored response.
        Ok(self
            .write(actor, action, seen, None)?
            .executed()
            .ok()
            .flatten())
    }

    fn write(
        &self,
        actor: Actor,
        action: CartAction,
        seen: Option<Precondition<CartItem>>,
        key: Option<Idempotent<CartItemDetail>>,
    ) -> Result<Execution<Option<CartItemDetail>>, Error> {
        let user = actor.customer()?;
        let at = self.clock.now();
        self.carts.change(ChangeCart {
            user,
            action,
            seen,
            key,
            at,
        })
    }
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
