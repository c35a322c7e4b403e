//! Names that the queries of every context use: those of the backend that mounts this tree, and the
//! usual ones of diesel and of this crate.

pub(super) use super::super::dialect::{OPAQUE_BIND, SEEKS_BY_ROW};
pub(super) use super::super::id_in::id_in;
pub(super) use super::super::{Conn, Database, Db, bulk, event_log, locks, migrations, search};
pub(super) use super::apply::apply;
pub(super) use super::{PURGE_BATCH, all, offset, row_count};
pub(super) use crate::failure::Failure;
pub(super) use crate::rows::micros;
pub(super) use diesel::dsl::exists;
pub(super) use diesel::prelude::*;
pub(super) use tradepost_domain::kernel::StoreError;
