//! Request bodies, each declared once by [`request!`]: the fields, their types and bounds. The
//! declaration gives the struct, its reader from [`Fields`], and its schema in the OpenAPI document.

use crate::extract::fields::{Fields, boolean, text};
use serde_json::{Map, Value, json};
use tradepost_domain::kernel::{FieldError, FieldName};

/// Type of a request field: its parser, and the JSON schema with the same bounds.
pub(crate) trait FieldType: Sized {
    /// Input of the parser besides the JSON text, such as the shop's currency.
    type Context<'a>;

    /// Parses the JSON text of a field.
    ///
    /// # Errors
    /// The validation error of the field.
    fn parse(json: &str, context: Self::Context<'_>) -> Result<Self, FieldError>;

    /// The JSON schema of the field.
    fn schema() -> Value;

    /// The JSON schema of the field if it may also be null.
    fn nullable_schema() -> Value {
        json!({"anyOf": [Self::schema(), {"type": "null"}]})
    }
}

/// Several optional fields of a request that are read into one value.
pub(crate) trait FieldGroup {
    /// Reads the fields; their errors are noted.
    fn read(fields: &mut Fields) -> Self;

    /// The fields, with their schemas.
    fn fields() -> Vec<Field>;
}

/// Implements [`FieldType`]: the type, the name and type of the context if it has one, the parser,
/// and the schema.
macro_rules! field_type {
    ($type:ty = $parse:expr, $schema:expr) => {
        $crate::extract::request::field_type! { $type, _context: () = $parse, $schema }
    };
    ($type:ty, $context:ident: $context_type:ty = $parse:expr, $schema:expr) => {
        impl $crate::extract::request::FieldType for $type {
            type Context<'a> = $context_type;

            fn parse(
                json: &str,
                $context: $context_type,
            ) -> Result<Self, tradepost_domain::kernel::FieldError> {
                $parse(json)
            }

            fn schema() -> serde_json::Value {
                $schema
            }
        }
    };
}
pub(crate) use field_type;

field_type! { bool = boolean, json!({"type": "boolean"}) }

/// A text of at least one character, for values that are compared and never stored.
pub(crate) struct NonBlank(pub(crate) String);

field_type! { NonBlank = text(|text| non_blank(text).map(Self)), json!({"type": "string", "minLength": 1}) }

/// Reads a text of at least one character.
pub(crate) fn non_blank(text: &str) -> Result<String, FieldError> {
    if text.is_empty() {
        return Err(FieldError::Blank);
    }
    Ok(text.to_owned())
}

/// Schema of a text of 1 to `max` characters.
pub(crate) fn text_schema(max: usize) -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": max})
}

/// Schema of an integer, or a string with one.
pub(crate) fn integer_schema(min: i64, max: i64) -> Value {
    json!({"anyOf": [
        {"type": "integer", "format": "int64", "minimum": min, "maximum": max},
        {"type": "string", "pattern": r"^\s*[+-]?[0-9]+(\.0*)?\s*$"}
    ]})
}

/// Request body in the OpenAPI document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestBody {
    /// The name of its schema.
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) fields: fn() -> Vec<Field>,
    pub(crate) example: fn() -> Value,
}

/// A field of a request body.
pub(crate) struct Field {
    name: FieldName,
    is_required: bool,
    schema: Value,
}

impl Field {
    /// `about` is the description, if that of the type does not do.
    pub(crate) fn new(
        name: FieldName,
        is_required: bool,
        mut schema: Value,
        about: Option<&str>,
    ) -> Self {
        if let (Some(about), Some(members)) = (about, schema.as_object_mut()) {
            members.insert("description".to_owned(), json!(about));
        }
        Self {
            name,
            is_required,
            schema,
        }
    }

    /// The schema of the field in a form, whose values are texts: booleans are words, and an
    /// optional field that is no text may be blank.
    fn form_schema(&self) -> Value {
        let schema = &self.schema;
        let is = |kind: &str| schema.get("type").is_some_and(|known| known == kind);
        let blank = json!({"type": "string", "maxLength": 0});
        if is("boolean") {
            let words = ["true", "false", "on", "off", "yes", "no", "1", "0"];
            json!({"anyOf": [schema, {"type": "string", "enum": words}, blank]})
        } else if self.is_required || is("string") {
            schema.clone()
        } else {
            json!({"anyOf": [schema, blank]})
        }
    }
}

impl RequestBody {
    /// Whether the body is required: a missing body is an object without fields.
    pub(crate) fn is_required(&self) -> bool {
        (self.fields)().iter().any(|field| field.is_required)
    }

    /// The name of its form schema.
    pub(crate) fn form_name(&self) -> String {
        format!("{}Form", self.name)
    }

    /// The schema of the body as JSON.
    pub(crate) fn schema(&self) -> Value {
        self.object(|field| field.schema.clone())
    }

    /// The schema of the body as a form.
    pub(crate) fn form_schema(&self) -> Value {
        self.object(Field::form_schema)
    }

    fn object(&self, schema: fn(&Field) -> Value) -> Value {
        let fields = (self.fields)();
        let properties = fields
            .iter()
            .map(|field| (field.name.to_owned(), schema(field)));
        let mut object = json!({
            "type": "object",
            "description": self.about,
            "properties": properties.collect::<Map<_, _>>()
        });
        let required = fields.iter().filter(|field| field.is_required);
        let required: Vec<_> = required.map(|field| field.name).collect();
        if let (false, Some(members)) = (required.is_empty(), object.as_object_mut()) {
            members.insert("required".to_owned(), json!(required));
        }
        object
    }
}

/// A type that [`request!`] declares.
pub(crate) trait Request {
    const BODY: RequestBody;
}

/// Declares a request body: a struct with its reader and its schema.
///
/// ```text
/// request! {
///     /// A new product.
///     struct NewProduct(currency: Currency) as "NewProduct", "A product.",
///     {"name": "Mug", "price": "14.00"};
///
///     name: required(ProductName);
///     price: required(Price, currency);
///     stock: optional(StockLevel) "Units on hand.";
/// }
/// ```
///
/// In parentheses after the name are the arguments of `read`, which the contexts of fields may use,
/// as well as the fields before. Then follow the name and the description of the schema, and an
/// example. Fields are read in the order in which they are declared, each in one of these modes:
/// - `required(T)`: a `T`.
/// - `required_if(T, condition)`: an `Option<T>`, required or not read at all; optional in the schema.
/// - `optional(T)`: an `Option<T>`; null is an error.
/// - `nullable(T)`: an `Option<Option<T>>`; the inner one is `None` for null.
/// - `flag(bool)`: an `Option<bool>`; in forms, one of several words.
/// - `group(T)`: a [`FieldGroup`], whose fields have names of their own.
///
/// A text after the mode is the description of the field. `then check` calls a function with the
/// [`Fields`] once the field was read.
macro_rules! request {
    (@type required $type:ty) => { $type };
    (@type group $type:ty) => { $type };
    (@type nullable $type:ty) => { Option<Option<$type>> };
    (@type $mode:ident $type:ty) => { Option<$type> };

    (@read $fields:ident group $name:expr, $type:ty) => {
        <$type as $crate::extract::request::FieldGroup>::read($fields)
    };
    (@read $fields:ident flag $name:expr, $type:ty) => { $fields.boolean($name) };
    (@read $fields:ident required_if $name:expr, $type:ty, $condition:expr) => {
        if $condition {
            $crate::extract::request::request!(@read $fields required $name, $type)
        } else {
            None
        }
    };
    (@read $fields:ident $mode:ident $name:expr, $type:ty) => {
        $crate::extract::request::request!(@read $fields $mode $name, $type, ())
    };
    (@read $fields:ident $mode:ident $name:expr, $type:ty, $context:expr) => {
        $fields.$mode($name, |json| {
            <$type as $crate::extract::request::FieldType>::parse(json, $context)
        })
    };

    (@value required $field:ident) => { $field? };
    (@value $mode:ident $field:ident) => { $field };

    (@is_required required) => { true };
    (@is_required $mode:ident) => { false };

    (@fields group $name:expr, $type:ty, $about:expr) => {
        <$type as $crate::extract::request::FieldGroup>::fields()
    };
    (@fields $mode:ident $name:expr, $type:ty, $about:expr) => {
        vec![$crate::extract::request::Field::new(
            $name,
            $crate::extract::request::request!(@is_required $mode),
            $crate::extract::request::request!(@schema $mode $type),
            $about,
        )]
    };

    (@schema nullable $type:ty) => {
        <$type as $crate::extract::request::FieldType>::nullable_schema()
    };
    (@schema $mode:ident $type:ty) => {
        <$type as $crate::extract::request::FieldType>::schema()
    };

    (@about) => { None };
    (@about $about:literal) => { Some($about) };

    (
        $(#[$meta:meta])*
        $visibility:vis struct $request:ident $(($($argument:ident: $argument_type:ty),+))?
            as $name:literal, $description:literal, $example:tt;
        $($field:ident: $mode:ident($type:ty $(, $context:expr)?) $($about:literal)? $(then $check:path)?;)+
    ) => {
        $(#[$meta])*
        $visibility struct $request {
            $($field: $crate::extract::request::request!(@type $mode $type),)+
        }

        impl $request {
            /// Reads the fields; `None` if a required one is missing or invalid. The errors are
            /// noted in `fields`.
            fn read(
                fields: &mut $crate::extract::fields::Fields
                $($(, $argument: $argument_type)+)?
            ) -> Option<Self> {
                $(
                    let $field = $crate::extract::request::request!(
                        @read fields $mode stringify!($field), $type $(, $context)?
                    );
                    $($check(fields);)?
                )+
                Some(Self {
                    $($field: $crate::extract::request::request!(@value $mode $field),)+
                })
            }
        }

        impl $crate::extract::request::Request for $request {
            const BODY: $crate::extract::request::RequestBody =
                $crate::extract::request::RequestBody {
                    name: $name,
                    about: $description,
                    fields: || [$(
                        $crate::extract::request::request!(
                            @fields $mode stringify!($field), $type,
                            $crate::extract::request::request!(@about $($about)?)
                        ),
                    )+].into_iter().flatten().collect(),
                    example: || serde_json::json!($example),
                };
        }
    };
}
pub(crate) use request;
