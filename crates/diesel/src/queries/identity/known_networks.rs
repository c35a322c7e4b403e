//! Known networks of accounts. Accounts and networks are stored as digests, as in `attempts`.

use super::attempts::hex_digest;
use super::prelude::*;
use crate::schema::known_networks;
use chrono::DateTime;
use diesel::upsert::excluded;
use tradepost_domain::identity::{KnownNetwork, KnownNetworkKey};

/// The account and the network of a row. The account is part of both, so that rows of two accounts
/// do not show that they share a network.
pub(super) fn digests(key: &KnownNetworkKey) -> (String, String) {
    let (account, address) = (&key.account, key.network.address());
    let network = hex_digest(&format!("network {address} {account}"));
    (hex_digest(&format!("known-account {account}")), network)
}

pub(super) fn find(
    conn: &mut Conn,
    (account, network): &(String, String),
) -> Result<Option<KnownNetwork>, Failure> {
    let row = known_networks::table
        .find((account, network))
        .select((known_networks::is_staff, known_networks::at))
        .first::<(bool, i64)>(conn)
        .optional()?;
    let Some((is_staff, at)) = row else {
        return Ok(None);
    };
    // These rows have no id; the time is reported instead.
    let bad = || StoreError::corrupt("known_networks", "at", at);
    let at = DateTime::from_timestamp_micros(at).ok_or_else(bad)?;
    Ok(Some(KnownNetwork { is_staff, at }))
}

pub(super) fn write(
    conn: &mut Conn,
    (account, network): &(String, String),
    known: KnownNetwork,
) -> Result<(), Failure> {
    diesel::insert_into(known_networks::table)
        .values((
            known_networks::account.eq(account),
            known_networks::network.eq(network),
            known_networks::is_staff.eq(known.is_staff),
            known_networks::at.eq(micros(known.at)),
        ))
        .on_conflict((known_networks::account, known_networks::network))
        .do_update()
        .set((
            known_networks::is_staff.eq(excluded(known_networks::is_staff)),
            known_networks::at.eq(excluded(known_networks::at)),
        ))
        .execute(conn)?;
    bulk::drop_old_networks(conn, account)?;
    Ok(())
}
