//! Sessions of staff in the admin interface.

use super::prelude::*;
use crate::rows::StaffSessionRow;
use crate::schema::staff_sessions as sessions;
use tradepost_domain::identity::{
    MAX_SESSIONS, SessionDigest, StaffSession, StaffSessionRepository, decide_ended_sessions,
};

impl StaffSessionRepository for Database {
    fn begin_session(&self, session: StaffSession) -> Result<(), StoreError> {
        self.write(move |conn| {
            locks::users(conn, &[session.user])?;
            let most = i64::try_from(MAX_SESSIONS).unwrap_or(i64::MAX);
            let newest_first = sessions::table
                .filter(sessions::user_id.eq(session.user.get()))
                .order((sessions::used_at.desc(), sessions::digest))
                .limit(most.saturating_add(PURGE_BATCH))
                .select(sessions::digest)
                .load::<String>(conn)?;
            let known = |digest: &String| SessionDigest::parse(digest);
            for ended in decide_ended_sessions(newest_first.iter().filter_map(known)) {
                end(conn, ended)?;
            }
            diesel::insert_into(sessions::table)
                .values(StaffSessionRow::from(&session))
                .execute(conn)?;
            Ok(())
        })
    }

    fn find_session(&self, digest: SessionDigest) -> Result<Option<StaffSession>, StoreError> {
        self.read(|conn| {
            let row = sessions::table
                .find(digest.to_string())
                .select(StaffSessionRow::as_select())
                .first(conn)
                .optional()?;
            Ok(row.map(StaffSessionRow::session).transpose()?)
        })
    }

    fn use_session(&self, session: StaffSession) -> Result<(), StoreError> {
        self.write(move |conn| {
            diesel::update(sessions::table.find(session.digest.to_string()))
                .set((
                    sessions::used_at.eq(micros(session.used_at)),
                    sessions::expires_at.eq(micros(session.expires_at)),
                ))
                .execute(conn)?;
            Ok(())
        })
    }

    fn end_session(&self, digest: SessionDigest) -> Result<(), StoreError> {
        self.write(move |conn| end(conn, digest))
    }
}

fn end(conn: &mut Conn, digest: SessionDigest) -> Result<(), Failure> {
    diesel::delete(sessions::table.find(digest.to_string())).execute(conn)?;
    Ok(())
}
