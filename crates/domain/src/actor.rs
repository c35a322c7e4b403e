//! Who is asking, and what that allows.

use crate::{Refusal, UserId};

/// Who is asking. Establishing it is the business of whoever receives the request; what it allows
/// is decided here and in the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// Nobody who signed in.
    Anonymous,
    /// A signed-in customer.
    Customer(UserId),
    /// A signed-in member of the staff, who is a customer as well.
    Staff(UserId),
}

/// Who may use an entrance to the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// Any signed-in user; what belongs to somebody else is still hidden.
    Customer,
    /// Staff alone.
    Staff,
}

impl Actor {
    /// Whether this actor may use an entrance.
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

    /// The user who acts as a customer.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`] for nobody.
    pub fn customer(self) -> Result<UserId, Refusal> {
        match self {
            Self::Anonymous => Err(Refusal::Unauthenticated),
            Self::Customer(user) | Self::Staff(user) => Ok(user),
        }
    }

    /// The user who acts as staff.
    ///
    /// # Errors
    /// [`Refusal::Unauthenticated`] for nobody, [`Refusal::Forbidden`] for a customer.
    pub fn staff(self) -> Result<UserId, Refusal> {
        match self {
            Self::Anonymous => Err(Refusal::Unauthenticated),
            Self::Customer(_) => Err(Refusal::Forbidden),
            Self::Staff(user) => Ok(user),
        }
    }

    /// Whether this is staff.
    #[must_use]
    pub fn is_staff(self) -> bool {
        matches!(self, Self::Staff(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_as_a_table() {
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
