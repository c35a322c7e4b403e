use crate::addresses::{
    Address, AddressAction, AddressFields, AddressId, AddressRepository, AddressUpdate,
    ChangeAddress,
};
use crate::kernel::{
    Actor, Clock, Error, Execution, Idempotent, Page, PageRequest, Precondition, Refusal, System,
    settle_one,
};
use crate::{Service, ServicesConfig, Stores};
use std::sync::Arc;

/// Address book service: a customer's own addresses.
///
/// ```
/// # use tradepost_domain::{addresses::*, prelude::*, testing::*};
/// # use tradepost_memory::MemoryStore;
/// # let shop = Services::new(MemoryStore::new(usd()), system(), ServicesConfig::default());
/// let ada = shop.accounts.register(NewUser::new("ada", "tea at ten")?)?.actor();
/// let fields = AddressFields {
///     label: None,
///     name: AddressLine::new("Ada Lovelace")?,
///     company: None,
///     line1: AddressLine::new("12 St James's Square")?,
///     line2: None,
///     postal_code: AddressLine::new("SW1Y 4JH").ok(),
///     city: AddressLine::new("London").ok(),
///     region: None,
///     country: Country::new("GB")?,
///     phone: None,
///     tax_id: None,
/// };
/// let address = shop.addresses.create(ada, fields, None)?.executed()?;
/// assert_eq!(shop.addresses.address(ada, address.id)?, address);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Addresses {
    addresses: Arc<dyn AddressRepository>,
    clock: Arc<dyn Clock>,
}

impl Service for Addresses {
    fn of(stores: &Stores, system: &System, _: &ServicesConfig) -> Self {
        Self::new(stores.addresses.clone(), system.clock.clone())
    }
}

impl Addresses {
    /// The service over these ports.
    #[must_use]
    pub fn new(addresses: Arc<dyn AddressRepository>, clock: Arc<dyn Clock>) -> Self {
        Self { addresses, clock }
    }

    /// A page of the actor's addresses, newest first.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`]; [`Refusal::NotFound`] for a page that does not exist; if the
    /// store fails.
    pub fn list(&self, actor: Actor, page: PageRequest) -> Result<Page<Address>, Error> {
        let user = actor.customer()?;
        Ok(self.addresses.list(user, page)?.existing(page)?)
    }

    /// An address of the actor.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`] and [`Refusal::NotFound`]; if the store fails.
    pub fn address(&self, actor: Actor, address: AddressId) -> Result<Address, Error> {
        let found = self.addresses.find(actor.customer()?, address)?;
        Ok(found.ok_or(Refusal::NotFound)?)
    }

    /// Adds an address to the actor's address book.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`]; see [`decide_address`](crate::addresses::decide_address); if
    /// the store fails.
    pub fn create(
        &self,
        actor: Actor,
        fields: AddressFields,
        key: Option<Idempotent<Address>>,
    ) -> Result<Execution<Address>, Error> {
        match self.change(actor, AddressAction::Create(fields), None, key)? {
            Execution::Replayed(answer) => Ok(Execution::Replayed(answer)),
            // Creating always leaves an address.
            Execution::Executed(new) => Ok(Execution::Executed(new.ok_or(Refusal::NotFound)?)),
        }
    }

    /// Changes an address, under the precondition `seen` if given.
    ///
    /// # Errors
    /// As [`Addresses::create`].
    pub fn update(
        &self,
        actor: Actor,
        address: AddressId,
        update: AddressUpdate,
        seen: Option<Precondition<Address>>,
    ) -> Result<Address, Error> {
        let action = AddressAction::Update(address, update);
        let changed = self.change(actor, action, seen, None)?;
        // Without a key there is no stored response.
        let after = changed.executed().ok().flatten();
        Ok(after.ok_or(Refusal::NotFound)?)
    }

    /// Deletes an address, under the precondition `seen` if given.
    ///
    /// # Errors
    /// As [`Addresses::create`].
    pub fn delete(
        &self,
        actor: Actor,
        address: AddressId,
        seen: Option<Precondition<Address>>,
    ) -> Result<(), Error> {
        let action = AddressAction::Delete(address);
        self.change(actor, action, seen, None).map(drop)
    }

    fn change(
        &self,
        actor: Actor,
        action: AddressAction,
        seen: Option<Precondition<Address>>,
        key: Option<Idempotent<Address>>,
    ) -> Result<Execution<Option<Address>>, Error> {
        let command = ChangeAddress {
            user: actor.customer()?,
            action,
            seen,
            key,
            at: self.clock.now(),
        };
        settle_one(command, |commands| self.addresses.change(commands))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addresses::MockAddressRepository;
    use crate::testing::{FixedClock, at, page, user};

    fn service(addresses: MockAddressRepository) -> Addresses {
        Addresses::new(Arc::new(addresses), Arc::new(FixedClock::new(at(0))))
    }

    #[test]
    fn an_anonymous_caller_has_no_address_book() {
        let service = service(MockAddressRepository::new());
        let id = AddressId::new(1).unwrap();
        let nobody = Actor::Anonymous;
        let refused = [
            service.list(nobody, page(1, 10)).err(),
            service.address(nobody, id).err(),
            service
                .update(nobody, id, AddressUpdate::default(), None)
                .err(),
            service.delete(nobody, id, None).err(),
        ];
        for error in refused {
            let is_refused = matches!(error, Some(Error::Refused(Refusal::Unauthenticated)));
            assert!(is_refused, "{error:?}");
        }
    }

    #[test]
    fn commands_are_of_the_actor_and_of_now() {
        let mut addresses = MockAddressRepository::new();
        addresses
            .expect_change()
            .withf(|commands| {
                let [command] = commands else { return false };
                (command.user, command.at) == (user(3), at(0))
            })
            .returning(|_| Ok(vec![Err(Refusal::NotFound)]));
        let id = AddressId::new(1).unwrap();
        let refused = service(addresses).delete(Actor::Staff(user(3)), id, None);
        assert!(matches!(refused, Err(Error::Refused(Refusal::NotFound))));
    }

    #[test]
    fn a_page_after_the_last_does_not_exist() {
        let mut addresses = MockAddressRepository::new();
        let none = || Page {
            count: 0,
            items: Vec::new(),
        };
        addresses.expect_list().returning(move |_, _| Ok(none()));
        let service = service(addresses);
        let ada = Actor::Customer(user(1));
        assert!(service.list(ada, page(1, 10)).is_ok());
        assert!(matches!(
            service.list(ada, page(2, 10)),
            Err(Error::Refused(Refusal::NotFound))
        ));
    }
}
