//! The callers of the API.

/// A caller, by its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// No token.
    Anonymous,
    Customer,
    /// A second customer.
    Other,
    Staff,
    /// A customer who changes passwords, and whom staff switch off, on and to staff: nothing is
    /// known about the rights of this user.
    Volatile,
    /// The token of a user who was switched off afterwards.
    SwitchedOff,
    /// A genuine token of the customer that has expired.
    Expired,
    /// A token of the customer that another key has signed.
    Foreign,
    /// Not a token.
    Garbage,
}

impl Role {
    pub(crate) const ALL: [Self; 9] = [
        Self::Anonymous,
        Self::Customer,
        Self::Other,
        Self::Staff,
        Self::Volatile,
        Self::SwitchedOff,
        Self::Expired,
        Self::Foreign,
        Self::Garbage,
    ];

    /// Whether the role is signed in for certain.
    pub(crate) fn is_signed_in(self) -> bool {
        matches!(self, Self::Customer | Self::Other | Self::Staff)
    }

    /// Whether the role may read about every user.
    pub(crate) fn may_be_staff(self) -> bool {
        matches!(self, Self::Staff | Self::Volatile)
    }

    /// Whether the role sends a token that nothing may accept.
    pub(crate) fn is_refused(self) -> bool {
        matches!(
            self,
            Self::SwitchedOff | Self::Expired | Self::Foreign | Self::Garbage
        )
    }

    /// The username of the role. Each is a word that nothing else in the shop contains, so that an
    /// answer that shows it is about this user. Of staff, who are made by the command line, it is
    /// the e-mail address that is looked for.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Customer => Some("tamsin.quill"),
            Self::Other => Some("odo.wexford"),
            Self::Staff => Some("ada"),
            Self::Volatile => Some("lux.harrow"),
            Self::SwitchedOff => Some("perrin.vale"),
            Self::Anonymous | Self::Expired | Self::Foreign | Self::Garbage => None,
        }
    }

    /// A text that only this user and staff may read, if the role is a user.
    pub(crate) fn secret(self) -> Option<&'static str> {
        match self {
            Self::Staff => Some("ada@example.org"),
            other => other.name(),
        }
    }
}

/// A customer who owns a cart line and an order, and sends no requests.
pub(crate) const KEEPER: &str = "keeper.sorrel";
