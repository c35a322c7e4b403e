use crate::MemoryStore;
use std::cmp::Reverse;
use tradepost_domain::identity::{
    SessionDigest, StaffSession, StaffSessionRepository, decide_ended_sessions,
};
use tradepost_domain::kernel::StoreError;

impl StaffSessionRepository for MemoryStore {
    fn begin_session(&self, session: StaffSession) -> Result<(), StoreError> {
        let sessions = &mut self.lock().staff_sessions;
        let of_user = sessions.values().filter(|held| held.user == session.user);
        let mut of_user: Vec<_> = of_user
            .map(|held| (Reverse(held.used_at), held.digest))
            .collect();
        of_user.sort_unstable();
        for ended in decide_ended_sessions(of_user.into_iter().map(|(_, digest)| digest)) {
            sessions.remove(&ended);
        }
        sessions.insert(session.digest, session);
        Ok(())
    }

    fn find_session(&self, digest: SessionDigest) -> Result<Option<StaffSession>, StoreError> {
        Ok(self.lock().staff_sessions.get(&digest).cloned())
    }

    fn use_session(&self, session: StaffSession) -> Result<(), StoreError> {
        if let Some(held) = self.lock().staff_sessions.get_mut(&session.digest) {
            *held = session;
        }
        Ok(())
    }

    fn end_session(&self, digest: SessionDigest) -> Result<(), StoreError> {
        self.lock().staff_sessions.remove(&digest);
        Ok(())
    }
}
