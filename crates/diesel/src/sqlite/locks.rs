//! Nothing to lock: a write has the database to itself from its first statement.

use super::Conn;
use crate::failure::Failure;
use std::collections::BTreeSet;
use tradepost_domain::{OrderId, ProductId, UserId};

type Done = Result<(), Failure>;

pub(crate) fn users(_: &mut Conn, _: &[UserId]) -> Done {
    Ok(())
}

pub(crate) fn staff(_: &mut Conn, _: UserId) -> Done {
    Ok(())
}

pub(crate) fn order(_: &mut Conn, _: OrderId) -> Done {
    Ok(())
}

pub(crate) fn product(_: &mut Conn, _: ProductId) -> Done {
    Ok(())
}

pub(crate) fn stock_now(_: &mut Conn, _: &[ProductId]) -> Done {
    Ok(())
}

pub(crate) fn shop_now(_: &mut Conn) -> Done {
    Ok(())
}

pub(crate) fn whole_shop_now(_: &mut Conn) -> Done {
    Ok(())
}

pub(crate) fn names<'a>(_: &mut Conn, _: impl IntoIterator<Item = &'a String>) -> Done {
    Ok(())
}

pub(crate) fn attempt(_: &mut Conn, _: &str, _: i64) -> Done {
    Ok(())
}

pub(crate) fn free_users(
    _: &mut Conn,
    users: &BTreeSet<UserId>,
) -> Result<BTreeSet<UserId>, Failure> {
    Ok(users.clone())
}

pub(crate) fn free_stock(
    _: &mut Conn,
    products: &BTreeSet<ProductId>,
) -> Result<BTreeSet<ProductId>, Failure> {
    Ok(products.clone())
}

pub(crate) fn free_tokens(_: &mut Conn, digests: &[String]) -> Result<Vec<String>, Failure> {
    Ok(digests.to_vec())
}
