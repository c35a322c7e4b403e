use crate::{TestShop, at, retry_busy};
use chrono::{DateTime, Duration, Utc};
use tradepost_domain::Stores;
use tradepost_domain::identity::{
    MAX_SESSIONS, SessionDigest, StaffSession, decide_sign_in, decide_use,
};
use tradepost_domain::kernel::UserId;

/// The digest of a session with this number.
fn digest(number: u8) -> SessionDigest {
    SessionDigest::new([number; 32])
}

fn find(stores: &Stores, number: u8) -> Option<StaffSession> {
    retry_busy(|| stores.staff_sessions.find_session(digest(number)))
}

/// Signs a staff user in at a time.
fn begin(stores: &Stores, user: UserId, number: u8, now: DateTime<Utc>) -> StaffSession {
    let account = TestShop::new(stores).account(user);
    let session = decide_sign_in(&account, digest(number), now).unwrap();
    retry_busy(|| stores.staff_sessions.begin_session(session.clone()));
    session
}

/// A session is stored with every field, and found by its digest alone.
pub fn a_staff_session_is_found_by_its_digest(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (grace, mary) = (shop.staff("grace"), shop.staff("mary"));
    let sessions = [
        begin(stores, grace, 1, at(10)),
        begin(stores, mary, 2, at(20)),
    ];
    assert_eq!(find(stores, 1).as_ref(), Some(&sessions[0]));
    assert_eq!(find(stores, 2).as_ref(), Some(&sessions[1]));
    assert_eq!(find(stores, 3), None);
    let later = at(10) + Duration::hours(1);
    let used = decide_use(&sessions[0], Some(&shop.account(grace)), later);
    let used = used.unwrap().unwrap();
    retry_busy(|| stores.staff_sessions.use_session(used.clone()));
    assert_eq!(find(stores, 1), Some(used));
    assert_eq!(find(stores, 2).as_ref(), Some(&sessions[1]));
}

/// A session that has ended is not found, and a late record of its use does not restore it.
pub fn an_ended_staff_session_stays_ended(stores: &Stores) {
    let grace = TestShop::new(stores).staff("grace");
    let session = begin(stores, grace, 1, at(0));
    begin(stores, grace, 2, at(0));
    for _ in 0..2 {
        retry_busy(|| stores.staff_sessions.end_session(digest(1)));
        assert_eq!(find(stores, 1), None);
        retry_busy(|| stores.staff_sessions.use_session(session.clone()));
        assert_eq!(find(stores, 1), None);
    }
    assert!(find(stores, 2).is_some());
}

/// A user who signs in once too often ends the session that was unused for the longest time.
pub fn staff_sessions_are_bounded(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (grace, mary) = (shop.staff("grace"), shop.staff("mary"));
    begin(stores, mary, 100, at(0));
    let most = u8::try_from(MAX_SESSIONS).unwrap();
    for number in 0..most {
        begin(stores, grace, number, at(i64::from(number) + 1));
    }
    // The oldest session is used, so the second one is the least recently used.
    let used = find(stores, 0).unwrap();
    let later = decide_use(&used, Some(&shop.account(grace)), at(3_600));
    let later = later.unwrap().unwrap();
    retry_busy(|| stores.staff_sessions.use_session(later.clone()));
    begin(stores, grace, most, at(3_601));
    let open = (0..=most).filter(|number| find(stores, *number).is_some());
    assert_eq!(open.count(), MAX_SESSIONS);
    assert_eq!(find(stores, 1), None);
    assert!(find(stores, 100).is_some());
}

/// A purge deletes sessions that expired before a time, and no other ones.
pub fn expired_staff_sessions_are_purged(stores: &Stores) {
    let grace = TestShop::new(stores).staff("grace");
    let first = begin(stores, grace, 1, at(0));
    let second = begin(stores, grace, 2, at(60));
    let purge = |before| retry_busy(|| stores.retention.purge_staff_sessions(before));
    assert_eq!(purge(first.expires_at), 0);
    assert!(find(stores, 1).is_some());
    assert_eq!(purge(second.expires_at), 1);
    assert_eq!((find(stores, 1), find(stores, 2)), (None, Some(second)));
}
