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
    /// A customer who changes passwords, and whom staff deactivate, activate and promote: the
    /// rights of this user are not predictable.
    Volatile,
    /// The token of a user, deactivated afterwards.
    SwitchedOff,
    /// A genuine token of the customer that has expired.
    Expired,
    /// A token of the customer, signed with another key.
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

    /// Whether the role is certainly signed in.
    pub(crate) fn is_signed_in(self) -> bool {
        matches!(self, Self::Customer | Self::Other | Self::Staff)
    }

    /// Whether the role may read rows of every user.
    pub(crate) fn may_be_staff(self) -> bool {
        matches!(self, Self::Staff | Self::Volatile)
    }

    /// Whether the role sends a token that must be rejected.
    pub(crate) fn is_refused(self) -> bool {
        matches!(
            self,
            Self::SwitchedOff | Self::Expired | Self::Foreign | Self::Garbage
        )
    }

    /// The username of the role. Each is a unique word in the shop, so that an answer that contains
    /// it is about this user. For staff users, who are created on the command line, the e-mail
    /// address is searched for.
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
