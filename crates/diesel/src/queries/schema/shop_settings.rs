//! The single row of shop settings.

use super::prelude::*;
use crate::schema::shop;

/// The currency stored at the first start.
pub(crate) fn stored_currency(conn: &mut Conn) -> QueryResult<Option<String>> {
    shop::table.find(1).select(shop::currency).first(conn)
}

/// Stores the currency, unless one is stored.
pub(crate) fn fix_currency(conn: &mut Conn, code: &str) -> QueryResult<()> {
    diesel::update(shop::table.find(1).filter(shop::currency.is_null()))
        .set(shop::currency.eq(code))
        .execute(conn)
        .map(drop)
}

/// Changes the stored size of the catalogue.
pub(in super::super) fn grow_catalogue(conn: &mut Conn, by: i64) -> Result<(), Failure> {
    locks::lock_shop_or_abort(conn)?;
    diesel::update(shop::table.find(1))
        .set(shop::catalogue_size.eq(shop::catalogue_size + by))
        .execute(conn)?;
    Ok(())
}
