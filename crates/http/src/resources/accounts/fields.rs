//! Types of the fields of requests about accounts.

use crate::extract::fields::text;
use crate::extract::request::{FieldType, non_blank};
use crate::resources::prelude::*;
use tradepost_domain::identity::{Email, Password, Username};
use tradepost_domain::kernel::FieldError;

// The pattern allows the white space around a name, which is trimmed; letters and digits are those
// of any script.
field_type! { Username = text(Self::new), json!({
    "type": "string",
    "minLength": 1,
    "maxLength": Self::MAX,
    "pattern": r##"^\s*[^\s!"#$%&'()*,/:;<=>?\[\\\]^`{|}~]+\s*$"##,
    "description": "Letters, digits and @ . + - _ (RFC 8265); unique whatever its case, and unlike every other name to look at."
}) }

field_type! { Email = text(Self::new), json!({
    "type": "string",
    "format": "email",
    "minLength": 3,
    "maxLength": Self::MAX,
    "description": "Unique whatever its case."
}) }

/// A new password, which may not be the username.
impl FieldType for Password {
    type Context<'a> = Option<&'a Username>;

    fn parse(json: &str, username: Option<&Username>) -> Result<Self, FieldError> {
        text(|password: &str| Self::new(password, username))(json)
    }

    fn schema() -> Value {
        json!({
            "type": "string",
            "format": "password",
            "minLength": Self::MIN,
            "maxLength": Self::MAX,
            "description": "Not a common one, and not the username."
        })
    }
}

/// A password to verify.
pub(crate) struct CurrentPassword(pub(crate) String);

field_type! { CurrentPassword = text(|text| non_blank(text).map(Self)), json!({
    "type": "string",
    "format": "password",
    "minLength": 1
}) }
