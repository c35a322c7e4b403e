//! Actors: the authenticated caller, and access levels.

use crate::kernel::{Refusal, UserId};

/// The caller of a use case. Authentication is the adapter's job; authorisation is decided here and
/// in the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// An unauthenticated caller.
    Anonymous,
    /// A signed-in customer.
    Customer(UserId),
    /// A signed-in staff user, who also has a customer's rights.
    Staff(UserId),
}

/// Access level of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Every caller.
    Public,
    /// Any signed-in user; resources of other users stay hidden.
    Customer,
    /// Staff only.
    Staff,
}

impl Actor {
    /// Checks whether this actor has an access level.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`] and [`Refusal::Forbidden`].
    pub fn check(self, access: Access) -> Result<(), Refusal> {
        match access {
            Access::Public => Ok(()),
            Access::Customer => self.customer().map(drop),
            Access::Staff => self.staff().map(drop),
        }
    }

    /// The acting user, as a customer.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`] for an anonymous caller.
    pub fn customer(self) -> Result<UserId, Refusal> {
        match self {
            Self::Anonymous => Err(Refusal::Unauthenticated),
            Self::Customer(user) | Self::Staff(user) => Ok(user),
        }
    }

    /// The acting user, as staff.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`] for an anonymous caller, [`Refusal::Forbidden`] for a customer.
    pub fn staff(self) -> Result<UserId, Refusal> {
        match self {
            Self::Anonymous => Err(Refusal::Unauthenticated),
            Self::Customer(_) => Err(Refusal::Forbidden),
            Self::Staff(user) => Ok(user),
        }
    }

    /// Whether the actor is staff.
    #[must_use]
    pub fn is_staff(self) -> bool {
        matches!(self, Self::Staff(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_access_level_admits_its_actors() {
        let user = UserId::new(1).unwrap();
        let (nobody, customer, staff) =
            (Actor::Anonymous, Actor::Customer(user), Actor::Staff(user));
        let unauthenticated = Err(Refusal::Unauthenticated);
        for (actor, access, expected) in [
            (nobody, Access::Public, Ok(())),
            (nobody, Access::Customer, unauthenticated.clone()),
            (nobody, Access::Staff, unauthenticated),
            (customer, Access::Public, Ok(())),
            (customer, Access::Customer, Ok(())),
            (customer, Access::Staff, Err(Refusal::Forbidden)),
            (staff, Access::Public, Ok(())),
            (staff, Access::Customer, Ok(())),
            (staff, Access::Staff, Ok(())),
        ] {
            assert_eq!(actor.check(access), expected, "{actor:?} {access:?}");
        }
    }
}
