//! Address books.
//!
//! No other module uses the table, so that its columns and rows are here. A slice of commands is
//! executed one by one, in one transaction: address books change rarely.

use super::idempotency;
use super::prelude::*;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use tradepost_domain::addresses::{
    Address, AddressChange, AddressFields, AddressId, AddressLine, AddressRepository,
    AddressResult, ChangeAddress, Country, NewAddress, decide_address,
};
use tradepost_domain::decision::KeyedResponse;
use tradepost_domain::kernel::{
    Execution, MAX_STORED_RESPONSE_BYTES, Page, PageRequest, Refusal, StoredResponse, UserId,
    check_replay_quota, decide_replay,
};

diesel::table! {
    addresses (id) {
        id -> BigInt,
        user_id -> BigInt,
        label -> Nullable<Text>,
        name -> Text,
        company -> Nullable<Text>,
        line1 -> Text,
        line2 -> Nullable<Text>,
        postal_code -> Nullable<Text>,
        city -> Nullable<Text>,
        region -> Nullable<Text>,
        country -> Text,
        phone -> Nullable<Text>,
        tax_id -> Nullable<Text>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

/// The columns of the fields of an address.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = addresses, treat_none_as_null = true, treat_none_as_default_value = false)]
struct FieldsRow {
    label: Option<String>,
    name: String,
    company: Option<String>,
    line1: String,
    line2: Option<String>,
    postal_code: Option<String>,
    city: Option<String>,
    region: Option<String>,
    country: String,
    phone: Option<String>,
    tax_id: Option<String>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = addresses)]
struct AddressRow {
    id: i64,
    user_id: i64,
    #[diesel(embed)]
    fields: FieldsRow,
    created_at: i64,
    updated_at: i64,
}

#[derive(Insertable)]
#[diesel(table_name = addresses)]
struct NewAddressRow {
    user_id: i64,
    #[diesel(embed)]
    fields: FieldsRow,
    created_at: i64,
    updated_at: i64,
}

#[derive(AsChangeset)]
#[diesel(table_name = addresses)]
struct AddressChanges {
    #[diesel(embed)]
    fields: FieldsRow,
    updated_at: i64,
}

impl From<&AddressFields> for FieldsRow {
    fn from(fields: &AddressFields) -> Self {
        let text = |line: &AddressLine| line.as_str().to_owned();
        let optional = |line: &Option<AddressLine>| line.as_ref().map(text);
        Self {
            label: optional(&fields.label),
            name: text(&fields.name),
            company: optional(&fields.company),
            line1: text(&fields.line1),
            line2: optional(&fields.line2),
            postal_code: optional(&fields.postal_code),
            city: optional(&fields.city),
            region: optional(&fields.region),
            country: fields.country.code().to_owned(),
            phone: optional(&fields.phone),
            tax_id: optional(&fields.tax_id),
        }
    }
}

impl AddressRow {
    fn address(self) -> Result<Address, StoreError> {
        let wrong = |column| StoreError::corrupt("addresses", column, self.id);
        let line = |column, text: &str| AddressLine::new(text).map_err(|_| wrong(column));
        let optional = |column, text: &Option<String>| {
            let text = text.as_deref();
            text.map(|text| line(column, text)).transpose()
        };
        let time = |column, micros| {
            let time: Option<DateTime<Utc>> = DateTime::from_timestamp_micros(micros);
            time.ok_or_else(|| wrong(column))
        };
        let fields = &self.fields;
        Ok(Address {
            id: AddressId::new(self.id).ok_or_else(|| wrong("id"))?,
            user: UserId::new(self.user_id).ok_or_else(|| wrong("user_id"))?,
            fields: AddressFields {
                label: optional("label", &fields.label)?,
                name: line("name", &fields.name)?,
                company: optional("company", &fields.company)?,
                line1: line("line1", &fields.line1)?,
                line2: optional("line2", &fields.line2)?,
                postal_code: optional("postal_code", &fields.postal_code)?,
                city: optional("city", &fields.city)?,
                region: optional("region", &fields.region)?,
                country: Country::new(&fields.country).map_err(|_| wrong("country"))?,
                phone: optional("phone", &fields.phone)?,
                tax_id: optional("tax_id", &fields.tax_id)?,
            },
            created_at: time("created_at", self.created_at)?,
            updated_at: time("updated_at", self.updated_at)?,
        })
    }
}

fn find(conn: &mut Conn, user: UserId, id: AddressId) -> Result<Option<Address>, Failure> {
    let row = addresses::table
        .find(id.get())
        .filter(addresses::user_id.eq(user.get()))
        .select(AddressRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(AddressRow::address).transpose()?)
}

fn count(conn: &mut Conn, user: UserId) -> QueryResult<i64> {
    let own = addresses::table.filter(addresses::user_id.eq(user.get()));
    own.count().get_result(conn)
}

fn insert(conn: &mut Conn, new: NewAddress) -> Result<Address, Failure> {
    let row = NewAddressRow {
        user_id: new.user.get(),
        fields: FieldsRow::from(&new.fields),
        created_at: micros(new.at),
        updated_at: micros(new.at),
    };
    let insert = diesel::insert_into(addresses::table).values(row);
    let id: i64 = insert.returning(addresses::id).get_result(conn)?;
    let id = AddressId::new(id).ok_or_else(|| StoreError::corrupt("addresses", "id", id))?;
    Ok(new.into_address(id))
}

/// Writes a decision; returns the address afterwards.
fn write(conn: &mut Conn, change: AddressChange) -> Result<Option<Address>, Failure> {
    Ok(match change {
        AddressChange::Insert(new) => Some(insert(conn, new)?),
        AddressChange::Update(after) => {
            let row = AddressChanges {
                fields: FieldsRow::from(&after.fields),
                updated_at: micros(after.updated_at),
            };
            diesel::update(addresses::table.find(after.id.get()))
                .set(row)
                .execute(conn)?;
            Some(after)
        }
        AddressChange::Keep(address) => Some(address),
        AddressChange::Delete(id) => {
            diesel::delete(addresses::table.find(id.get())).execute(conn)?;
            None
        }
    })
}

/// Executes a command under the lock of its customer.
fn change(conn: &mut Conn, command: &ChangeAddress) -> Result<Execution<Option<Address>>, Failure> {
    let run = |conn: &mut Conn| {
        let held = usize::try_from(count(conn, command.user)?).unwrap_or(usize::MAX);
        let address = match command.action.address() {
            Some(id) => find(conn, command.user, id)?,
            None => None,
        };
        write(conn, decide_address(command, held, address.as_ref())?)
    };
    let Some(key) = &command.key else {
        return Ok(Execution::Executed(run(conn)?));
    };
    let user = command.user;
    let held = idempotency::held(conn, std::iter::once((user, &key.scope)))?;
    let held = held.get(&(user, key.scope.clone()));
    if let Some(answer) = decide_replay(Some(key), held)? {
        return Ok(Execution::Replayed(answer));
    }
    let kept = idempotency::kept(conn, &BTreeSet::from([user]))?;
    let of_user = kept.get(&user).copied().unwrap_or_default();
    check_replay_quota(of_user, MAX_STORED_RESPONSE_BYTES)?;
    let after = run(conn)?;
    let response = after.as_ref().map(|address| KeyedResponse {
        user,
        scope: key.scope.clone(),
        record: StoredResponse {
            fingerprint: key.fingerprint.clone(),
            answer: (key.render.0)(address),
            at: command.at,
        },
    });
    idempotency::store(conn, response.as_slice(), kept)?;
    Ok(Execution::Executed(after))
}

/// Locks the customers of these commands. One is waited for; of several, those that are locked are
/// skipped, so that no transaction waits for one while it holds another.
fn lock(conn: &mut Conn, commands: &[ChangeAddress]) -> Result<BTreeSet<UserId>, Failure> {
    let wanted: BTreeSet<UserId> = commands.iter().map(|command| command.user).collect();
    if let (Some(user), 1) = (wanted.first(), wanted.len()) {
        locks::users(conn, &[*user])?;
        return Ok(wanted);
    }
    Ok(locks::skip_locked_users(conn, &wanted)?
        .into_keys()
        .collect())
}

impl AddressRepository for Database {
    fn list(&self, user: UserId, page: PageRequest) -> Result<Page<Address>, StoreError> {
        self.snapshot(|conn| {
            let rows = addresses::table
                .filter(addresses::user_id.eq(user.get()))
                .order(addresses::id.desc())
                .offset(offset(page))
                .limit(i64::from(page.size()))
                .select(AddressRow::as_select())
                .load(conn)?;
            Ok(Page {
                count: row_count(count(conn, user)?),
                items: all(rows, AddressRow::address)?,
            })
        })
    }

    fn find(&self, user: UserId, address: AddressId) -> Result<Option<Address>, StoreError> {
        self.read(|conn| find(conn, user, address))
    }

    fn change(&self, commands: &[ChangeAddress]) -> Result<Vec<AddressResult>, StoreError> {
        let commands = commands.to_vec();
        self.write(move |conn| {
            let locked = lock(conn, &commands)?;
            let results = commands.iter().map(|command| {
                if !locked.contains(&command.user) {
                    return Ok(Err(Refusal::LockConflict));
                }
                // A command is refused before it writes.
                match change(conn, command) {
                    Ok(outcome) => Ok(Ok(outcome)),
                    Err(Failure::Refused(refusal)) => Ok(Err(refusal)),
                    Err(failure) => Err(failure),
                }
            });
            results.collect()
        })
    }
}
