//! The address book of the caller.

use crate::extract::fields::text;
use crate::extract::query::PageParams;
use crate::extract::request::{FieldType, text_schema};
use crate::resources::prelude::*;
use crate::respond::etag::{ETag, digest, if_match, version};
use crate::respond::json::{Id, Time, encode};
use crate::respond::pages::{PageResponse, read_page};
use crate::respond::replay::{ReplayableResponse, keyed};
use chrono::DateTime;
use tradepost_domain::addresses::{
    Address, AddressFields, AddressId, AddressLine, AddressUpdate, Country,
};
use tradepost_domain::kernel::{FieldError, UserId};

const ADDRESSES: &str = "/api/users/me/addresses/";
const ADDRESS: &str = "/api/users/me/addresses/{id}/";

#[rustfmt::skip]
pub(crate) static ENDPOINTS: &[Endpoint] = &[
    Endpoint::get(ADDRESSES, Customer, || web::to(list)).cost(Cost::List)
        .describe(Tag::ACCOUNTS, "listAddresses", "List the own addresses, newest first")
        .page::<AddressResponse>(),
    Endpoint::post(ADDRESSES, Customer, || web::to(create))
        .describe(Tag::ACCOUNTS, "createAddress", "Add an address")
        .request::<NewAddress>().created::<AddressResponse>().etag().location().idempotent()
        .errors(&[Code::AddressBookFull]),
    Endpoint::get(ADDRESS, Customer, || web::to(show))
        .describe(Tag::ACCOUNTS, "getAddress", "Show an address")
        .ok::<AddressResponse>().etag(),
    Endpoint::patch(ADDRESS, Customer, || web::to(update))
        .describe(Tag::ACCOUNTS, "updateAddress", "Change an address")
        .request::<UpdateAddress>().ok::<AddressResponse>().etag(),
    Endpoint::delete(ADDRESS, Customer, || web::to(delete))
        .describe(Tag::ACCOUNTS, "deleteAddress", "Delete an address")
        .etag(),
];

async fn list(call: RequestContext) -> HttpResult {
    let mut listing = PageParams::read(call.query_string(), call.page_size())?;
    let read = async |request| {
        call.read_list(move |shop, actor| shop.addresses.list(actor, request))
            .await
    };
    let page = read_page(&mut listing, read).await?;
    let addresses = page.items.iter().map(AddressResponse::from_address);
    let addresses = addresses.collect();
    let url = call.own_url();
    responses::ok(&PageResponse::new(&url, &listing, &page, addresses))
}

request! {
    struct NewAddress as "NewAddress",
        "An address. Its country decides whether it needs a city, a postal code and a region.",
        {"label": "Home", "name": "Grace Hopper", "line1": "Hafenweg 1", "postal_code": "20457",
         "city": "Hamburg", "country": "DE"};

    label: nullable(Option<AddressLine>) "The own name of the address.";
    name: required(AddressLine) "Who receives it.";
    company: nullable(Option<AddressLine>);
    line1: required(AddressLine) "Street and number.";
    line2: nullable(Option<AddressLine>);
    postal_code: nullable(Option<AddressLine>) "Required in 74 countries.";
    city: nullable(Option<AddressLine>) "Required except in 13 countries.";
    region: nullable(Option<AddressLine>) "State or province; required in 36 countries.";
    country: required(Country);
    phone: nullable(Option<AddressLine>);
    tax_id: nullable(Option<AddressLine>);
}

async fn create(call: RequestContext, mut fields: Fields) -> HttpResult {
    let key = call.idempotency_key(&mut fields);
    let new = fields.parse(NewAddress::read)?;
    let fields = AddressFields {
        label: new.label.flatten().flatten(),
        name: new.name,
        company: new.company.flatten().flatten(),
        line1: new.line1,
        line2: new.line2.flatten().flatten(),
        postal_code: new.postal_code.flatten().flatten(),
        city: new.city.flatten().flatten(),
        region: new.region.flatten().flatten(),
        country: new.country,
        phone: new.phone.flatten().flatten(),
        tax_id: new.tax_id.flatten().flatten(),
    };
    let command = ("address", Columns::of(&fields));
    let key = key.map(|key| keyed(key, ADDRESSES, &command, encoded));
    let written = call
        .command(move |shop, actor| shop.addresses.create(actor, fields, key))
        .await?;
    let response = ReplayableResponse::tagged(written, encoded, |address| Some(etag(address)));
    responses::created_at(&call.url(ADDRESSES), response)
}

async fn show(call: RequestContext) -> HttpResult {
    let id = call.id(AddressId::parse)?;
    let address = call
        .query(move |shop, actor| shop.addresses.address(actor, id))
        .await?;
    show_one(&call, &address)
}

fn show_one(call: &RequestContext, address: &Address) -> HttpResult {
    responses::ok_with_etag(
        call,
        &AddressResponse::from_address(address),
        &etag(address),
    )
}

request! {
    struct UpdateAddress as "AddressChange", "What to change of an address.",
        {"line2": "2nd floor", "phone": null};

    label: nullable(Option<AddressLine>) "The own name of the address.";
    name: optional(AddressLine) "Who receives it.";
    company: nullable(Option<AddressLine>);
    line1: optional(AddressLine) "Street and number.";
    line2: nullable(Option<AddressLine>);
    postal_code: nullable(Option<AddressLine>) "Required in 74 countries.";
    city: nullable(Option<AddressLine>) "Required except in 13 countries.";
    region: nullable(Option<AddressLine>) "State or province; required in 36 countries.";
    country: optional(Country);
    phone: nullable(Option<AddressLine>);
    tax_id: nullable(Option<AddressLine>);
}

async fn update(call: RequestContext, fields: Fields) -> HttpResult {
    let id = call.id(AddressId::parse)?;
    let new = fields.parse(UpdateAddress::read)?;
    let update = AddressUpdate {
        label: new.label.map(Option::flatten),
        name: new.name,
        company: new.company.map(Option::flatten),
        line1: new.line1,
        line2: new.line2.map(Option::flatten),
        postal_code: new.postal_code.map(Option::flatten),
        city: new.city.map(Option::flatten),
        region: new.region.map(Option::flatten),
        country: new.country,
        phone: new.phone.map(Option::flatten),
        tax_id: new.tax_id.map(Option::flatten),
    };
    let seen = if_match(call.request(), version, edits);
    let address = call
        .command(move |shop, actor| shop.addresses.update(actor, id, update, seen))
        .await?;
    show_one(&call, &address)
}

async fn delete(call: RequestContext) -> HttpResult {
    let id = call.id(AddressId::parse)?;
    let seen = if_match(call.request(), version, edits);
    call.command(move |shop, actor| shop.addresses.delete(actor, id, seen))
        .await?;
    responses::no_content()
}

field_type! { AddressLine = text(Self::new), text_schema(Self::MAX) }

field_type! { Country = text(Self::new), json!({
    "type": "string",
    "pattern": r"^\s*[A-Za-z]{2}\s*$",
    "description": "ISO 3166-1 alpha-2, such as DE; XK is Kosovo."
}) }

/// An empty line is none.
impl FieldType for Option<AddressLine> {
    type Context<'a> = ();

    fn parse(json: &str, (): ()) -> Result<Self, FieldError> {
        let line = |text: &str| {
            let is_given = !text.trim().is_empty();
            is_given.then(|| AddressLine::new(text)).transpose()
        };
        text(line)(json)
    }

    fn schema() -> Value {
        json!({"type": "string", "maxLength": AddressLine::MAX})
    }

    fn nullable_schema() -> Value {
        json!({"type": ["string", "null"], "maxLength": AddressLine::MAX})
    }
}

/// The fields of an address, as in requests.
#[derive(Serialize, JsonSchema)]
struct Columns<'a> {
    /// The own name of the address.
    label: Option<&'a str>,
    #[schemars(description = "Who receives it.")]
    name: &'a str,
    company: Option<&'a str>,
    line1: &'a str,
    line2: Option<&'a str>,
    postal_code: Option<&'a str>,
    city: Option<&'a str>,
    /// State or province.
    region: Option<&'a str>,
    /// ISO 3166-1 alpha-2.
    country: &'static str,
    phone: Option<&'a str>,
    tax_id: Option<&'a str>,
}

impl<'a> Columns<'a> {
    fn of(fields: &'a AddressFields) -> Self {
        let text = |line: &'a Option<AddressLine>| line.as_ref().map(AddressLine::as_str);
        Self {
            label: text(&fields.label),
            name: fields.name.as_str(),
            company: text(&fields.company),
            line1: fields.line1.as_str(),
            line2: text(&fields.line2),
            postal_code: text(&fields.postal_code),
            city: text(&fields.city),
            region: text(&fields.region),
            country: fields.country.code(),
            phone: text(&fields.phone),
            tax_id: text(&fields.tax_id),
        }
    }
}

/// An address of the own address book.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Address")]
struct AddressResponse<'a> {
    #[schemars(with = "Id")]
    id: i64,
    #[serde(flatten)]
    columns: Columns<'a>,
    created_at: Time,
    updated_at: Time,
}

impl<'a> AddressResponse<'a> {
    fn from_address(address: &'a Address) -> Self {
        Self {
            id: address.id.get(),
            columns: Columns::of(&address.fields),
            created_at: Time(address.created_at),
            updated_at: Time(address.updated_at),
        }
    }
}

/// The response to store under an idempotency key.
fn encoded(address: &Address) -> String {
    encode(&AddressResponse::from_address(address))
}

/// All fields of an address change by edits alone.
fn etag(address: &Address) -> ETag {
    ETag::new(edits(address), String::new())
}

fn edits(address: &Address) -> String {
    digest(&AddressResponse::from_address(address))
}

impl Example for AddressResponse<'_> {
    fn example(_: &str) -> Option<Value> {
        let line = |text| AddressLine::new(text).ok();
        let at = DateTime::from_timestamp_micros(1_795_368_777_626_240)?;
        let address = Address {
            id: AddressId::new(3)?,
            user: UserId::new(2)?,
            fields: AddressFields {
                label: line("Home"),
                name: line("Grace Hopper")?,
                company: None,
                line1: line("Hafenweg 1")?,
                line2: None,
                postal_code: line("20457"),
                city: line("Hamburg"),
                region: None,
                country: Country::new("DE").ok()?,
                phone: None,
                tax_id: None,
            },
            created_at: at,
            updated_at: at,
        };
        to_json(&AddressResponse::from_address(&address))
    }
}
