//! The single row of shop settings.

use super::prelude::*;
use crate::schema::shop;
use crate::{OpenError, ShopCurrency};
use tradepost_domain::kernel::Currency;

/// The shop's currency. The configured one is stored, unless the database has one.
pub(crate) fn agreed_currency(
    conn: &mut Conn,
    wanted: ShopCurrency,
    database: &str,
) -> Result<Currency, OpenError> {
    let unusable = |error: diesel::result::Error| OpenError::unusable(database, &error);
    if let ShopCurrency::Is(currency) = wanted {
        diesel::update(shop::table.find(1).filter(shop::currency.is_null()))
            .set(shop::currency.eq(currency.code()))
            .execute(conn)
            .map_err(unusable)?;
    }
    let stored = shop::table.find(1).select(shop::currency);
    let stored: Option<String> = stored.first(conn).map_err(unusable)?;
    wanted.agree(stored.as_deref())
}

/// Changes the stored size of the catalogue.
pub(in super::super) fn grow_catalogue(conn: &mut Conn, by: i64) -> Result<(), Failure> {
    locks::lock_shop_or_abort(conn)?;
    diesel::update(shop::table.find(1))
        .set(shop::catalogue_size.eq(shop::catalogue_size + by))
        .execute(conn)?;
    Ok(())
}
