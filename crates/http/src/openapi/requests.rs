//! Request body schemas. Bodies are parsed field by field and not into types, so their schemas are
//! written here, with the bounds of the domain's types.

use crate::resources::words::statuses;
use crate::respond::json::DECIMAL;
use serde_json::{Map, Value, json};
use tradepost_domain::catalog::Price;
use tradepost_domain::identity::{Email, Password, Username};
use tradepost_domain::inventory::StockLevel;
use tradepost_domain::kernel::{Description, Money, Note, ProductName, Quantity, Sku};

/// A request body: the name of its schema, its description, its fields, and an example.
pub(super) struct Body {
    pub(super) name: &'static str,
    about: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    field: fn(&str) -> Value,
    example: fn() -> Value,
}

impl Body {
    /// Whether the body is required: a missing body is an object without fields.
    pub(super) fn is_required(&self) -> bool {
        !self.required.is_empty()
    }

    pub(super) fn example(&self) -> Value {
        (self.example)()
    }

    pub(super) fn schema(&self) -> Value {
        self.object(|name| (self.field)(name))
    }

    /// The name of its form schema.
    pub(super) fn form_name(&self) -> String {
        format!("{}Form", self.name)
    }

    /// The schema of the same body as a form. Its values are texts: booleans are words, and an
    /// optional field that is no text may be blank.
    pub(super) fn form_schema(&self) -> Value {
        self.object(|name| {
            let schema = (self.field)(name);
            let is = |kind: &str| schema.get("type").is_some_and(|known| known == kind);
            let blank = json!({"type": "string", "maxLength": 0});
            if is("boolean") {
                let words = ["true", "false", "on", "off", "yes", "no", "1", "0"];
                json!({"anyOf": [schema, {"type": "string", "enum": words}, blank]})
            } else if self.required.contains(&name) || is("string") {
                schema
            } else {
                json!({"anyOf": [schema, blank]})
            }
        })
    }

    fn object(&self, field: impl Fn(&'static str) -> Value) -> Value {
        let fields = self.required.iter().chain(self.optional);
        let properties = fields.map(|name| ((*name).to_owned(), field(name)));
        let properties: Map<String, Value> = properties.collect();
        let mut schema = Map::new();
        schema.insert("type".to_owned(), json!("object"));
        schema.insert("description".to_owned(), json!(self.about));
        schema.insert("properties".to_owned(), properties.into());
        if self.is_required() {
            schema.insert("required".to_owned(), json!(self.required));
        }
        schema.into()
    }
}

macro_rules! bodies {
    ($($name:ident = $api:literal $about:literal $field:ident
        [$($required:literal)*] [$($optional:literal)*] $example:tt;)+) => {
        $(pub(super) const $name: Body = Body {
            name: $api,
            about: $about,
            required: &[$($required),*],
            optional: &[$($optional),*],
            field: $field,
            example: || json!($example),
        };)+

        /// All bodies.
        pub(super) const ALL: &[Body] = &[$($name),+];
    };
}

bodies! {
    CREDENTIALS = "Credentials" "Who signs in." account
        ["username" "password"] []
        {"username": "grace", "password": "a quiet harbour"};
    REGISTRATION = "Registration" "A new customer." new_account
        ["username" "email" "password"] []
        {"username": "grace", "email": "grace@example.org", "password": "a quiet harbour"};
    EMAIL_CHANGE = "OwnUserChange" "What to change of the own account." new_account
        [] ["email" "current_password"]
        {"email": "grace@navy.example", "current_password": "a quiet harbour"};
    PASSWORD_CHANGE = "PasswordChange" "Another password." new_account
        ["current_password" "new_password"] []
        {"current_password": "a quiet harbour", "new_password": "two quiet harbours"};
    REFRESH = "RefreshRequest" "A refresh token." account
        ["refresh"] []
        {"refresh": "tpr_2c1f87a0b9"};
    VERIFICATION = "VerificationRequest" "An access token." account
        ["token"] []
        {"token": "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9"};
    USER_CHANGE = "UserChange" "What to switch." switches
        [] ["is_active" "is_staff"]
        {"is_active": false};
    PRODUCT = "NewProduct" "A product. Optional fields that a PUT leaves out stay as they are." product
        ["name" "price"] ["sku" "description" "stock"]
        {"sku": "MUG-STONE-GREEN", "name": "Stoneware mug, green", "price": "14.00", "stock": 40};
    PRODUCT_CHANGE = "ProductChange" "What to change of a product." product
        [] ["name" "price" "sku" "description" "stock" "archived"]
        {"price": "14.50", "stock": 38};
    ADJUSTMENT = "StockAdjustment" "A delivery or a loss." stock
        ["delta"] ["reason"]
        {"delta": -3, "reason": "Broken in transit"};
    ADDITION = "CartAddition" "What to put into the cart." cart
        ["product_id"] ["quantity"]
        {"product_id": 1, "quantity": 2};
    LINE = "CartLineReplacement" "What a line is to hold; 0 removes it." cart_line
        ["quantity"] ["product_id"]
        {"quantity": 3};
    LINE_CHANGE = "CartLineChange" "What a line is to hold; 0 removes it." cart_line
        [] ["quantity" "product_id"]
        {"quantity": 3};
    PLACEMENT = "OrderPlacement" "What the customer agreed to." order
        [] ["expected_total"]
        {"expected_total": "29.70"};
    STATUS = "OrderReplacement" "Where the order is to go." order
        ["status"] []
        {"status": "processing"};
    STATUS_CHANGE = "OrderChange" "Where the order is to go." order
        [] ["status"]
        {"status": "processing"};
}

fn account(name: &str) -> Value {
    match name {
        "password" => json!({"type": "string", "format": "password", "minLength": 1}),
        _ => json!({"type": "string", "minLength": 1}),
    }
}

fn new_account(name: &str) -> Value {
    match name {
        "username" => json!({
            "type": "string",
            "minLength": 1,
            "maxLength": Username::MAX,
            // White space around it is trimmed; letters and digits are those of any script.
            "pattern": r##"^\s*[^\s!"#$%&'()*,/:;<=>?\[\\\]^`{|}~]+\s*$"##,
            "description": "Letters, digits and @ . + - _ (RFC 8265); unique whatever its case, and unlike every other name to look at."
        }),
        "email" => json!({
            "type": "string",
            "format": "email",
            "minLength": 3,
            "maxLength": Email::MAX,
            "description": "Unique whatever its case."
        }),
        "current_password" => json!({"type": "string", "format": "password", "minLength": 1}),
        _ => json!({
            "type": "string",
            "format": "password",
            "minLength": Password::MIN,
            "maxLength": Password::MAX,
            "description": "Not a common one, and not the username."
        }),
    }
}

fn switches(name: &str) -> Value {
    let about = match name {
        "is_active" => "Whether they may sign in. Whoever is switched off loses every session.",
        _ => "Whether they are staff.",
    };
    json!({"type": "boolean", "description": about})
}

fn product(name: &str) -> Value {
    match name {
        "name" => line(ProductName::MAX),
        "price" => json!({
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 10_i64.pow(Price::DIGITS)},
                {"type": "string", "maxLength": Money::MAX_TEXT, "pattern": DECIMAL}
            ],
            "description": format!(
                "Greater than 0, at most {} digits, no more decimals than the currency has.",
                Price::DIGITS
            )
        }),
        "sku" => json!({
            "type": ["string", "null"],
            "maxLength": Sku::MAX,
            "description": "The shop's own code; unique. An empty one is null."
        }),
        // The maximum is in the description: a longer text often makes the body exceed its own
        // limit, which is another error.
        "description" => json!({
            "type": "string",
            "description": format!("What it is, in at most {} characters.", Description::MAX)
        }),
        "stock" => integer(0, StockLevel::MAX, "Units on hand."),
        _ => json!({"type": "boolean", "description": "`false` brings it back."}),
    }
}

fn stock(name: &str) -> Value {
    match name {
        "delta" => integer(
            -StockLevel::MAX,
            StockLevel::MAX,
            "Units, other than 0; negative for a loss.",
        ),
        _ => or_null(&line(Note::MAX), "Why; it comes back as `note`."),
    }
}

fn cart(name: &str) -> Value {
    match name {
        "product_id" => integer(1, i64::MAX, "The product."),
        _ => integer(1, i64::from(Quantity::MAX), "Units; 1 without it."),
    }
}

fn cart_line(name: &str) -> Value {
    match name {
        "product_id" => integer(
            1,
            i64::MAX,
            "The product of the line; it cannot be another.",
        ),
        _ => integer(0, i64::from(Quantity::MAX), "Units; 0 removes the line."),
    }
}

fn order(name: &str) -> Value {
    match name {
        "expected_total" => json!({
            "anyOf": [
                {"type": "number"},
                {"type": "string", "maxLength": Money::MAX_TEXT, "pattern": DECIMAL}
            ],
            "description": "If the total is another one, nothing happens."
        }),
        _ => json!({"type": "string", "enum": statuses()}),
    }
}

fn line(max: usize) -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": max})
}

/// An integer, or a string with one.
fn integer(min: i64, max: i64, about: &str) -> Value {
    json!({
        "anyOf": [
            {"type": "integer", "format": "int64", "minimum": min, "maximum": max},
            {"type": "string", "pattern": r"^\s*[+-]?[0-9]+(\.0*)?\s*$"}
        ],
        "description": about
    })
}

fn or_null(schema: &Value, about: &str) -> Value {
    json!({"anyOf": [schema, {"type": "null"}], "description": about})
}
