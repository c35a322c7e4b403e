use crate::{TestShop, at, hash, retry_busy};
use chrono::{DateTime, Duration, Utc};
use tradepost_domain::Stores;
use tradepost_domain::events::{EventQuery, EventRange};
use tradepost_domain::identity::{
    Account, ChangePassword, EndSessions, MAX_FAMILIES, REUSE_GRACE, Refresh, RefreshDigest,
    RefreshToken, ResetUser, UpdateUser, UserChange,
};
use tradepost_domain::kernel::{Refusal, UserId};

/// Lifetime of each refresh token here: one day.
pub(crate) const LIFE: Duration = Duration::days(1);

/// The digest of a token with this name.
pub(crate) fn digest(name: &str) -> RefreshDigest {
    let mut bytes = [0; 32];
    for (at, byte) in name.bytes().enumerate() {
        bytes[31 - at] = byte;
    }
    RefreshDigest::new(bytes)
}

/// Digest of the family's first token: the name up to the first dot.
pub(crate) fn family(name: &str) -> RefreshDigest {
    digest(name.split('.').next().unwrap())
}

/// Signs a user in: the token with this name is the first of its family.
pub(crate) fn begin(stores: &Stores, user: UserId, name: &str) {
    let account = TestShop::new(stores).account(user);
    let token = RefreshToken::first(digest(name), &account, LIFE, at(0));
    retry_busy(|| stores.accounts.begin_family(token.clone()));
}

/// Exchanges a refresh token for the next one, at this time.
pub(crate) fn refresh(
    stores: &Stores,
    token: &str,
    next: &str,
    at: DateTime<Utc>,
) -> Result<Account, Refusal> {
    let command = Refresh {
        token: digest(token),
        family: family(token),
        next: digest(next),
        life: LIFE,
        at,
    };
    retry_busy(|| stores.accounts.refresh(command))
}

fn refused() -> Result<Account, Refusal> {
    Err(Refusal::InvalidToken)
}

/// Purges every token, as of a time after they have expired; their number.
pub(crate) fn forget_all(stores: &Stores) -> u64 {
    retry_busy(|| stores.retention.purge_refresh_tokens(at(0) + LIFE * 9))
}

/// A refresh token is exchanged for the next one once, and yields its account.
pub fn a_refresh_token_works_once(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, bob) = (shop.customer("ada"), shop.customer("bob"));
    begin(stores, ada, "a1");
    begin(stores, bob, "b1");
    assert_eq!(refresh(stores, "none", "a2", at(1)), refused());
    for (token, next, seconds) in [("a1", "a2", 10), ("a2", "a3", 20), ("a3", "a4", 20)] {
        let account = refresh(stores, token, next, at(seconds));
        assert_eq!(account, Ok(shop.account(ada)));
        let again = refresh(stores, token, "again", at(seconds));
        assert_eq!(again, refused());
    }
    assert_eq!(refresh(stores, "again", "a5", at(21)), refused());
    assert_eq!(
        refresh(stores, "b1", "b2", at(30)),
        Ok(shop.account(bob)),
        "families are apart"
    );
    assert_eq!(forget_all(stores), 6);
}

/// Reuse within the grace period is a lost response; reuse long after it is theft and ends the
/// family.
pub fn a_stolen_token_ends_its_family(stores: &Stores) {
    let shop = TestShop::new(stores);
    let ada = shop.customer("ada");
    begin(stores, ada, "a1");
    begin(stores, ada, "other");
    assert!(refresh(stores, "a1", "a2", at(10)).is_ok());
    let lost = at(10) + REUSE_GRACE;
    assert_eq!(refresh(stores, "a1", "x", lost), refused());
    assert!(refresh(stores, "a2", "a3", lost).is_ok(), "it lives on");
    let late = lost + Duration::microseconds(1);
    assert_eq!(refresh(stores, "a1", "x", late), refused());
    for token in ["a1", "a2", "a3", "x"] {
        assert_eq!(refresh(stores, token, "y", late), refused(), "{token}");
    }
    assert!(refresh(stores, "other", "more", late).is_ok());
    assert_eq!(forget_all(stores), 2);
}

/// Signs a user in at this time.
pub(crate) fn begin_at(stores: &Stores, user: UserId, name: &str, seconds: i64) {
    let account = TestShop::new(stores).account(user);
    let token = RefreshToken::first(digest(name), &account, LIFE, at(seconds));
    retry_busy(|| stores.accounts.begin_family(token.clone()));
}

/// A sign-in beyond [`MAX_FAMILIES`] ends the family of that user that was idle for the longest
/// time.
pub fn a_user_has_a_bounded_number_of_families(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, bob) = (shop.customer("ada"), shop.customer("bob"));
    let most = i64::try_from(MAX_FAMILIES).unwrap();
    begin_at(stores, bob, "bob", 0);
    for number in 0..most {
        begin_at(stores, ada, &format!("a{number}"), number);
    }
    // The oldest family is in use.
    assert!(refresh(stores, "a0", "a0.1", at(500)).is_ok());
    begin_at(stores, ada, "b", 501);
    begin_at(stores, ada, "c", 502);
    for ended in ["a1", "a2"] {
        assert_eq!(refresh(stores, ended, "x", at(503)), refused(), "{ended}");
    }
    for (token, next) in [
        ("a0.1", "a0.2"),
        ("a3", "a3.1"),
        ("a99", "a99.1"),
        ("b", "b.1"),
        ("c", "c.1"),
        ("bob", "bob.1"),
    ] {
        assert!(refresh(stores, token, next, at(504)).is_ok(), "{token}");
    }
    // Rows: one token of each family, and those used within the last minute.
    assert_eq!(
        forget_all(stores),
        u64::try_from(MAX_FAMILIES).unwrap() + 1 + 7
    );
}

/// A refresh token expires, exact to the microsecond; a refresh extends the lifetime.
pub fn a_refresh_token_ends(stores: &Stores) {
    let ada = TestShop::new(stores).customer("ada");
    let end = at(0) + LIFE;
    begin(stores, ada, "a1");
    begin(stores, ada, "b1");
    assert_eq!(refresh(stores, "a1", "a2", end), refused());
    let last = end - Duration::microseconds(1);
    assert!(refresh(stores, "b1", "b2", last).is_ok());
    assert!(refresh(stores, "b2", "b3", end).is_ok());
    assert_eq!(refresh(stores, "b3", "b4", end + LIFE), refused());
}

/// A user who signs out everywhere keeps the account and no token; other users keep theirs.
pub fn all_sessions_of_a_user_end_at_once(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, bob) = (shop.customer("ada"), shop.customer("bob"));
    for (user, token) in [(ada, "a1"), (ada, "b1"), (bob, "c1")] {
        begin(stores, user, token);
    }
    let before = shop.account(ada);
    let end = |user| {
        let command = EndSessions { user, at: at(210) };
        retry_busy(|| stores.accounts.end_sessions(command))
    };
    let after = end(ada).unwrap();
    let session_epoch = before.session_epoch + 1;
    assert_eq!(
        after,
        Account {
            session_epoch,
            ..before
        }
    );
    assert_eq!(shop.account(ada), after);
    for token in ["a1", "b1"] {
        assert_eq!(refresh(stores, token, "x", at(2)), refused(), "{token}");
    }
    assert_eq!(forget_all(stores), 1, "that of bob");
    let command = UpdateUser {
        by: None,
        user: bob,
        change: UserChange {
            is_active: Some(false),
            is_staff: None,
        },
        at: at(220),
    };
    retry_busy(|| stores.accounts.switch(command)).unwrap();
    for user in [bob, UserId::new(99).unwrap()] {
        assert_eq!(end(user), Err(Refusal::InvalidToken));
    }
}

/// A reset by staff ends every session of that user only, with and without another password. The
/// event names the staff user.
pub fn a_reset_ends_every_session(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, bob, grace) = (
        shop.customer("ada"),
        shop.customer("bob"),
        shop.staff("grace"),
    );
    begin(stores, bob, "b1");
    let credentials = || retry_busy(|| stores.accounts.credentials("ada")).unwrap();
    let old = credentials().password;
    for (number, password) in [None, Some(hash("new"))].into_iter().enumerate() {
        for token in ["a1", "a2"] {
            begin(stores, ada, &format!("{token}{number}"));
        }
        let before = shop.account(ada);
        let command = ResetUser {
            by: grace,
            user: ada,
            password: password.clone(),
            at: at(210),
        };
        let after = retry_busy(|| stores.accounts.reset_user(command.clone())).unwrap();
        assert_eq!(after.session_epoch, before.session_epoch + 1);
        assert_eq!(shop.account(ada), after);
        assert_eq!(credentials().password, password.unwrap_or(old.clone()));
        for token in ["a1", "a2"] {
            let token = format!("{token}{number}");
            assert_eq!(refresh(stores, &token, "x", at(2)), refused(), "{token}");
        }
        let query = EventQuery {
            range: EventRange::Newest,
            limit: 1,
            ..EventQuery::default()
        };
        let newest = retry_busy(|| stores.events.read(&query)).pop().unwrap();
        assert_eq!(newest.event.actor, Some(grace));
        assert_eq!(newest.event.kind.user(), Some(ada));
    }
    let unknown = ResetUser {
        by: grace,
        user: UserId::new(99).unwrap(),
        password: None,
        at: at(210),
    };
    let refused = retry_busy(|| stores.accounts.reset_user(unknown.clone()));
    assert_eq!(refused, Err(Refusal::NotFound));
    assert_eq!(forget_all(stores), 1, "that of bob");
}

/// A password change or a deactivation ends every token family of that user only.
pub fn tokens_end_with_their_sessions(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, bob) = (shop.customer("ada"), shop.customer("bob"));
    begin(stores, bob, "b1");
    begin(stores, ada, "a1");
    begin(stores, ada, "a2");
    assert!(refresh(stores, "a1", "a3", at(1)).is_ok());
    let stale = RefreshToken::first(digest("late"), &shop.account(ada), LIFE, at(0));
    let command = ChangePassword {
        user: ada,
        verified: None,
        new: hash("new"),
        at: at(210),
    };
    retry_busy(|| stores.accounts.change_password(command.clone())).unwrap();
    for token in ["a1", "a2", "a3"] {
        assert_eq!(refresh(stores, token, "x", at(2)), refused(), "{token}");
    }
    assert_eq!(forget_all(stores), 1, "that of bob");
    // A sign-in that was in progress.
    retry_busy(|| stores.accounts.begin_family(stale.clone()));
    assert_eq!(refresh(stores, "late", "x", at(2)), refused());
    begin(stores, bob, "b2");
    begin(stores, ada, "a4");
    let switch = |is_active| {
        let command = UpdateUser {
            by: None,
            user: ada,
            change: UserChange {
                is_active,
                is_staff: Some(is_active.is_none()),
            },
            at: at(210),
        };
        retry_busy(|| stores.accounts.switch(command)).unwrap();
    };
    switch(None);
    assert!(refresh(stores, "a4", "a5", at(3)).is_ok(), "still there");
    shop.staff("grace");
    switch(Some(false));
    assert_eq!(refresh(stores, "a5", "x", at(4)), refused());
    switch(Some(true));
    assert_eq!(refresh(stores, "a5", "x", at(4)), refused());
    assert_eq!(forget_all(stores), 1, "that of bob");
}

/// Signing out with any token of a family ends that family only.
pub fn signing_out_ends_the_family(stores: &Stores) {
    let ada = TestShop::new(stores).customer("ada");
    let end = |name| retry_busy(|| stores.accounts.end_family(family(name)));
    for (last, by) in [("a1.2", "a1.2"), ("a1.2", "a1")] {
        begin(stores, ada, "a1");
        begin(stores, ada, "b1");
        assert!(refresh(stores, "a1", last, at(1)).is_ok());
        end("none");
        end(by);
        end(by);
        for token in ["a1", last] {
            assert_eq!(refresh(stores, token, "x", at(2)), refused());
        }
        assert!(refresh(stores, "b1", "b2", at(2)).is_ok());
        assert_eq!(forget_all(stores), 2);
    }
}

/// Expired tokens are purged; the others are kept unchanged.
pub fn expired_tokens_are_purged(stores: &Stores) {
    let ada = TestShop::new(stores).customer("ada");
    let forget = |before| retry_busy(|| stores.retention.purge_refresh_tokens(before));
    begin(stores, ada, "a1");
    begin(stores, ada, "b1");
    assert!(refresh(stores, "a1", "a2", at(10)).is_ok());
    assert_eq!(forget(at(10)), 0);
    assert_eq!(refresh(stores, "a1", "x", at(11)), refused(), "it was used");
    assert!(refresh(stores, "a2", "a3", at(11)).is_ok());
    assert_eq!(forget(at(11)), 1, "the one that was used before");
    assert!(refresh(stores, "a3", "a4", at(12)).is_ok());
    let end = at(0) + LIFE;
    assert_eq!(forget(end), 2, "those that were used");
    assert_eq!(forget(end + Duration::microseconds(1)), 1, "b1");
    assert_eq!(refresh(stores, "b1", "x", at(12)), refused());
    // A family with more tokens than one purge batch.
    for number in 4..1_300 {
        let (token, next) = (format!("a{number}"), format!("a{}", number + 1));
        assert!(refresh(stores, &token, &next, at(13)).is_ok());
    }
    for token in ["a700", "a1300", "a5", "a1299"] {
        assert_eq!(refresh(stores, token, "x", at(100)), refused());
    }
}

/// A family keeps its recently used tokens, and recognises older ones by the prefix of the family.
pub fn reuse_of_a_purged_token_ends_its_family(stores: &Stores) {
    let ada = TestShop::new(stores).customer("ada");
    // Forty tokens, ten seconds apart.
    let go_on = |first: &str| {
        begin(stores, ada, first);
        let mut token = first.to_owned();
        for number in 1..=40 {
            let next = format!("{first}.{number}");
            assert!(refresh(stores, &token, &next, at(10 * number)).is_ok());
            token = next;
        }
    };
    go_on("a");
    assert_eq!(forget_all(stores), 8, "the last one, and a minute's");
    for by in ["a", "a.1", "a.30", "a.made-up"] {
        go_on("a");
        begin(stores, ada, "b");
        assert_eq!(refresh(stores, by, "x", at(411)), refused());
        assert_eq!(refresh(stores, "a.40", "x", at(411)), refused(), "{by}");
        assert!(refresh(stores, "b", "b.1", at(411)).is_ok(), "{by}");
        forget_all(stores);
    }
}
