use super::{Source, insert_row, micros, running_bytes};
use crate::schema::idempotency_keys;
use diesel::prelude::*;
use tradepost_domain::decision::KeyedResponse;
use tradepost_domain::kernel::{
    IdempotencyKey, IdempotencyScope, StoreError, StoredResponse, StoredResponseUsage, UserId,
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = idempotency_keys)]
pub(crate) struct StoredResponseRow {
    user_id: i64,
    path: String,
    key: String,
    fingerprint: String,
    answer: String,
    created_at: i64,
}

impl StoredResponseRow {
    pub(crate) fn record(self) -> Result<((UserId, IdempotencyScope), StoredResponse), StoreError> {
        let from = Source::new("idempotency_keys", self.user_id);
        let user = from.good("user_id", UserId::new(self.user_id))?;
        let key = from.good("key", IdempotencyKey::new(&self.key).ok())?;
        let record = StoredResponse {
            fingerprint: self.fingerprint,
            answer: self.answer,
            at: from.at("created_at", self.created_at)?,
        };
        let path = self.path;
        Ok(((user, IdempotencyScope { path, key }), record))
    }
}

insert_row! {
    /// A response to store under an idempotency key.
    NewStoredResponse<'a>: idempotency_keys {
        user_id: i64,
        path: &'a str,
        key: &'a str,
        fingerprint: &'a str,
        answer: &'a str,
        created_at: i64,
        /// Running total: [`StoredResponseUsage::total_with`] this response.
        running_bytes: i64,
    }
}

impl<'a> NewStoredResponse<'a> {
    /// A response that is stored after the existing ones of its user.
    pub(crate) fn after(existing: StoredResponseUsage, response: &'a KeyedResponse) -> Self {
        let KeyedResponse {
            user,
            scope,
            record,
        } = response;
        Self {
            user_id: user.get(),
            path: &scope.path,
            key: scope.key.as_str(),
            fingerprint: &record.fingerprint,
            answer: &record.answer,
            created_at: micros(record.at),
            running_bytes: running_bytes(existing.total_with(record.size(scope))),
        }
    }
}
