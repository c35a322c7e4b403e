//! Addresses and the rules of an address book.
//!
//! They are personal data: no event and no log line has them.

use crate::addresses::{AddressRefusal, Country};
use crate::kernel::{
    FieldError, Idempotent, Precondition, Refusal, UserId, ValidationErrors, text,
};
use chrono::{DateTime, Utc};

ids! {
    /// An address of a customer's address book.
    AddressId,
}

/// Maximum number of addresses of a customer.
pub const MAX_ADDRESSES: usize = 20;

/// A part of an address: one line of text, without white space around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressLine(String);

impl AddressLine {
    /// Maximum length in characters.
    pub const MAX: usize = 200;

    /// # Errors
    /// The [`FieldError`] with the text.
    pub fn new(text: &str) -> Result<Self, FieldError> {
        text::line(text, Self::MAX).map(Self)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The fields of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressFields {
    /// The customer's name for the address, such as "Home".
    pub label: Option<AddressLine>,
    /// Recipient.
    pub name: AddressLine,
    /// Company.
    pub company: Option<AddressLine>,
    /// Street and number, or their equivalent.
    pub line1: AddressLine,
    /// Further part of the street address.
    pub line2: Option<AddressLine>,
    /// Postal code, in no particular format.
    pub postal_code: Option<AddressLine>,
    /// City.
    pub city: Option<AddressLine>,
    /// State, province or prefecture.
    pub region: Option<AddressLine>,
    /// Country.
    pub country: Country,
    /// Phone number for the carrier.
    pub phone: Option<AddressLine>,
    /// Tax id of the recipient.
    pub tax_id: Option<AddressLine>,
}

impl AddressFields {
    /// Checks that the address has the parts that its country requires.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] with each missing field.
    pub fn check(&self) -> Result<(), Refusal> {
        let country = self.country;
        let mut errors = ValidationErrors::default();
        for (name, is_required, part) in [
            (
                "postal_code",
                country.requires_postal_code(),
                &self.postal_code,
            ),
            ("city", country.requires_city(), &self.city),
            ("region", country.requires_region(), &self.region),
        ] {
            if is_required && part.is_none() {
                errors.push(name, FieldError::Required);
            }
        }
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Refusal::Invalid(errors))
        }
    }
}

/// Changes of the fields of an address; a field that is `None` keeps its value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of an address")]
pub struct AddressUpdate {
    pub label: Option<Option<AddressLine>>,
    pub name: Option<AddressLine>,
    pub company: Option<Option<AddressLine>>,
    pub line1: Option<AddressLine>,
    pub line2: Option<Option<AddressLine>>,
    pub postal_code: Option<Option<AddressLine>>,
    pub city: Option<Option<AddressLine>>,
    pub region: Option<Option<AddressLine>>,
    pub country: Option<Country>,
    pub phone: Option<Option<AddressLine>>,
    pub tax_id: Option<Option<AddressLine>>,
}

impl AddressUpdate {
    fn of(self, before: AddressFields) -> AddressFields {
        AddressFields {
            label: self.label.unwrap_or(before.label),
            name: self.name.unwrap_or(before.name),
            company: self.company.unwrap_or(before.company),
            line1: self.line1.unwrap_or(before.line1),
            line2: self.line2.unwrap_or(before.line2),
            postal_code: self.postal_code.unwrap_or(before.postal_code),
            city: self.city.unwrap_or(before.city),
            region: self.region.unwrap_or(before.region),
            country: self.country.unwrap_or(before.country),
            phone: self.phone.unwrap_or(before.phone),
            tax_id: self.tax_id.unwrap_or(before.tax_id),
        }
    }
}

/// An address of an address book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Its id.
    pub id: AddressId,
    /// The customer.
    pub user: UserId,
    /// Its fields.
    pub fields: AddressFields,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    /// Time of the last change.
    pub updated_at: DateTime<Utc>,
}

/// Command: change a customer's address book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeAddress {
    /// The customer.
    pub user: UserId,
    /// The change.
    pub action: AddressAction,
    /// Precondition on the address.
    pub seen: Option<Precondition<Address>>,
    /// Idempotency key of the request.
    pub key: Option<Idempotent<Address>>,
    /// Time of the command.
    pub at: DateTime<Utc>,
}

/// A change of an address book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressAction {
    /// Add an address.
    Create(AddressFields),
    /// Change fields of an address.
    Update(AddressId, AddressUpdate),
    /// Delete an address.
    Delete(AddressId),
}

impl AddressAction {
    /// The address that it is about.
    #[must_use]
    pub fn address(&self) -> Option<AddressId> {
        match self {
            Self::Create(_) => None,
            Self::Update(address, _) | Self::Delete(address) => Some(*address),
        }
    }
}

/// An address to insert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAddress {
    /// The customer.
    pub user: UserId,
    /// The fields.
    pub fields: AddressFields,
    /// Time of creation.
    pub at: DateTime<Utc>,
}

impl NewAddress {
    /// The address, given its id.
    #[must_use]
    pub fn into_address(self, id: AddressId) -> Address {
        Address {
            id,
            user: self.user,
            fields: self.fields,
            created_at: self.at,
            updated_at: self.at,
        }
    }
}

/// The row that a decision writes. No other decision writes addresses, and they have no events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressChange {
    /// Insert a row.
    Insert(NewAddress),
    /// Update a row, to its new state.
    Update(Address),
    /// Write nothing: the address is already as requested.
    Keep(Address),
    /// Delete a row.
    Delete(AddressId),
}

/// Decides a change of an address book. `held` is the number of the customer's addresses, and
/// `address` the one that the command is about, if it exists.
///
/// # Errors
/// [`Refusal::NotFound`] for a missing address and for one of another customer,
/// [`Refusal::PreconditionFailed`], [`Refusal::Invalid`] if the country requires a part that the
/// address lacks, and [`AddressRefusal::Full`].
pub fn decide_address(
    command: &ChangeAddress,
    held: usize,
    address: Option<&Address>,
) -> Result<AddressChange, Refusal> {
    if let AddressAction::Create(fields) = &command.action {
        fields.check()?;
        if held >= MAX_ADDRESSES {
            let limit = MAX_ADDRESSES;
            return Err(AddressRefusal::Full { limit }.into());
        }
        return Ok(AddressChange::Insert(NewAddress {
            user: command.user,
            fields: fields.clone(),
            at: command.at,
        }));
    }
    let own = address.filter(|address| address.user == command.user);
    let before = own.ok_or(Refusal::NotFound)?;
    Precondition::check(command.seen.as_ref(), before)?;
    let AddressAction::Update(_, update) = &command.action else {
        return Ok(AddressChange::Delete(before.id));
    };
    let fields = update.clone().of(before.fields.clone());
    fields.check()?;
    if fields == before.fields {
        return Ok(AddressChange::Keep(before.clone()));
    }
    Ok(AddressChange::Update(Address {
        fields,
        updated_at: command.at,
        ..before.clone()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ResponseEncoder;
    use crate::testing::{at, user};

    fn line(text: &str) -> AddressLine {
        AddressLine::new(text).unwrap()
    }

    fn fields(country: &str) -> AddressFields {
        AddressFields {
            label: None,
            name: line("Grace Hopper"),
            company: None,
            line1: line("Hafenweg 1"),
            line2: None,
            postal_code: None,
            city: None,
            region: None,
            country: Country::new(country).unwrap(),
            phone: None,
            tax_id: None,
        }
    }

    fn german() -> AddressFields {
        AddressFields {
            postal_code: Some(line("20457")),
            city: Some(line("Hamburg")),
            ..fields("DE")
        }
    }

    fn address() -> Address {
        let new = NewAddress {
            user: user(1),
            fields: german(),
            at: at(0),
        };
        new.into_address(AddressId::new(7).unwrap())
    }

    fn command(action: AddressAction) -> ChangeAddress {
        ChangeAddress {
            user: user(1),
            action,
            seen: None,
            key: None,
            at: at(60),
        }
    }

    fn update(update: AddressUpdate) -> ChangeAddress {
        command(AddressAction::Update(address().id, update))
    }

    #[test]
    fn a_country_requires_its_parts() {
        for (country, missing) in [
            ("DE", &["postal_code", "city"][..]),
            ("US", &["postal_code", "city", "region"]),
            ("IE", &["city"]),
            ("HK", &["region"]),
            ("SG", &["postal_code"]),
            ("GI", &[]),
            ("AG", &[]),
        ] {
            let decided = decide_address(&command(AddressAction::Create(fields(country))), 0, None);
            let seen = match decided {
                Err(Refusal::Invalid(errors)) => {
                    assert!(
                        errors
                            .iter()
                            .all(|(_, error)| *error == FieldError::Required)
                    );
                    errors.iter().map(|(field, _)| field).collect()
                }
                Ok(AddressChange::Insert(_)) => Vec::new(),
                other => panic!("{other:?}"),
            };
            assert_eq!(seen, missing, "{country}");
        }
    }

    #[test]
    fn an_address_book_holds_20_addresses() {
        let create = command(AddressAction::Create(german()));
        let new = NewAddress {
            user: user(1),
            fields: german(),
            at: at(60),
        };
        assert_eq!(
            decide_address(&create, 19, None),
            Ok(AddressChange::Insert(new))
        );
        let full = Err(AddressRefusal::Full { limit: 20 }.into());
        assert_eq!(decide_address(&create, 20, None), full);
        let delete = command(AddressAction::Delete(address().id));
        let deleted = Ok(AddressChange::Delete(address().id));
        assert_eq!(decide_address(&delete, 20, Some(&address())), deleted);
    }

    #[test]
    fn an_update_changes_the_named_fields() {
        let phone = Some(Some(line("+49 40 1")));
        let change = update(AddressUpdate {
            phone,
            ..AddressUpdate::default()
        });
        let Ok(AddressChange::Update(after)) = decide_address(&change, 1, Some(&address())) else {
            panic!()
        };
        let phone = Some(line("+49 40 1"));
        let expected = AddressFields { phone, ..german() };
        assert_eq!((after.fields, after.updated_at), (expected, at(60)));
        assert_eq!((after.id, after.created_at), (address().id, at(0)));

        let nothing = update(AddressUpdate {
            name: Some(line("Grace Hopper")),
            ..AddressUpdate::default()
        });
        let kept = Ok(AddressChange::Keep(address()));
        assert_eq!(decide_address(&nothing, 1, Some(&address())), kept);

        let cityless = update(AddressUpdate {
            city: Some(None),
            ..AddressUpdate::default()
        });
        let missing = Err(Refusal::field("city", FieldError::Required));
        assert_eq!(decide_address(&cityless, 1, Some(&address())), missing);
        let moved = AddressUpdate {
            country: Country::new("US").ok(),
            ..AddressUpdate::default()
        };
        let missing = Err(Refusal::field("region", FieldError::Required));
        assert_eq!(decide_address(&update(moved), 1, Some(&address())), missing);
    }

    #[test]
    fn addresses_of_other_customers_look_missing() {
        let theirs = Address {
            user: user(2),
            ..address()
        };
        for action in [
            AddressAction::Update(address().id, AddressUpdate::default()),
            AddressAction::Delete(address().id),
        ] {
            let stale = Precondition {
                tags: Vec::new(),
                tag: ResponseEncoder(|_| String::new()),
            };
            let command = ChangeAddress {
                seen: Some(stale),
                ..command(action)
            };
            for address in [None, Some(&theirs)] {
                assert_eq!(decide_address(&command, 1, address), Err(Refusal::NotFound));
            }
            let failed = Err(Refusal::PreconditionFailed);
            assert_eq!(decide_address(&command, 1, Some(&address())), failed);
        }
    }
}
