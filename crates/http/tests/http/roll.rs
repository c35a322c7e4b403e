//! Looking up whose tokens those are: together, and each for itself.

use crate::support::{App, memory, settings};
use futures_util::future::{join, join_all};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tradepost_domain::{
    Account, AccountRepository, ChangeEmail, ChangePassword, Credentials, Outcome, Page,
    PageRequest, PasswordHash, Refresh, RefreshDigest, RefreshToken, Register, StoreError,
    StoreErrorKind, Stores, SwitchUser, UserFilter, UserId,
};

/// Every question that the store was asked.
type Asked = Arc<Mutex<Vec<Vec<UserId>>>>;

/// The accounts of another store, of which something is asked first.
struct Watched<F> {
    inner: Arc<dyn AccountRepository>,
    ask: F,
}

fn watched<F>(ask: F) -> Stores
where
    F: Fn(&[UserId]) -> Result<(), StoreError> + Send + Sync + 'static,
{
    let stores = memory();
    let inner = stores.accounts.clone();
    Stores {
        accounts: Arc::new(Watched { inner, ask }),
        ..stores
    }
}

impl<F> AccountRepository for Watched<F>
where
    F: Fn(&[UserId]) -> Result<(), StoreError> + Send + Sync,
{
    fn find(&self, user: UserId) -> Result<Option<Account>, StoreError> {
        self.inner.find(user)
    }

    fn find_all(&self, users: &[UserId]) -> Result<Vec<Account>, StoreError> {
        (self.ask)(users)?;
        self.inner.find_all(users)
    }

    fn credentials(&self, username_key: &str) -> Result<Option<Credentials>, StoreError> {
        self.inner.credentials(username_key)
    }

    fn list(&self, filter: UserFilter, page: PageRequest) -> Result<Page<Account>, StoreError> {
        self.inner.list(filter, page)
    }

    fn register(&self, command: Register) -> Outcome<Account> {
        self.inner.register(command)
    }

    fn change_email(&self, command: ChangeEmail) -> Outcome<Account> {
        self.inner.change_email(command)
    }

    fn change_password(&self, command: ChangePassword) -> Outcome<Account> {
        self.inner.change_password(command)
    }

    fn renew_hash(
        &self,
        user: UserId,
        old: PasswordHash,
        new: PasswordHash,
    ) -> Result<(), StoreError> {
        self.inner.renew_hash(user, old, new)
    }

    fn switch(&self, command: SwitchUser) -> Outcome<Account> {
        self.inner.switch(command)
    }

    fn has_staff(&self) -> Result<bool, StoreError> {
        self.inner.has_staff()
    }

    fn begin_family(&self, token: RefreshToken) -> Result<(), StoreError> {
        self.inner.begin_family(token)
    }

    fn refresh(&self, command: Refresh) -> Outcome<Account> {
        self.inner.refresh(command)
    }

    fn end_family(&self, token: RefreshDigest) -> Result<(), StoreError> {
        self.inner.end_family(token)
    }
}

fn noted(asked: &Asked, users: &[UserId]) -> usize {
    let mut asked = asked.lock().unwrap();
    asked.push(users.to_vec());
    asked.len()
}

async fn read_carts(app: &App, tokens: &[String]) -> Vec<(u16, serde_json::Value)> {
    let read = async |token: &String| {
        let reply = app.get("/api/cart/").token(token).send().await;
        (reply.status, reply.json())
    };
    join_all(tokens.iter().map(read)).await
}

#[actix_web::test]
async fn who_comes_meanwhile_is_looked_up_together() {
    let (open, opened): (Sender<()>, Receiver<()>) = channel();
    let opened = Mutex::new(opened);
    let asked = Asked::default();
    let seen = Arc::clone(&asked);
    let stores = watched(move |users| {
        if noted(&seen, users) == 1 {
            opened.lock().unwrap().recv().unwrap();
        }
        Ok(())
    });
    let app = App::with(stores, settings()).await;
    let tokens: Vec<String> = (0..30).map(|n| app.customer(&format!("user{n}"))).collect();
    let first = read_carts(&app, &tokens[..1]);
    let others = async {
        while asked.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // They are in line before anybody else gets a turn.
        let others = read_carts(&app, &tokens[1..]);
        let open = async { open.send(()).unwrap() };
        join(others, open).await.0
    };
    let (first, others) = join(first, others).await;
    for (status, body) in first.into_iter().chain(others) {
        assert_eq!(status, 200, "{body}");
    }
    let asked: Vec<usize> = asked.lock().unwrap().iter().map(Vec::len).collect();
    assert_eq!(asked, [1, 29]);
}

#[actix_web::test]
async fn each_is_answered_for_itself() {
    let asked = Asked::default();
    let seen = Arc::clone(&asked);
    let broken = |user: &UserId| user.get() == 3;
    let stores = watched(move |users| {
        noted(&seen, users);
        if users.iter().any(broken) {
            let column = StoreErrorKind::Corrupt {
                table: "users",
                column: "username",
                row: 3,
            };
            return Err(StoreError::new(column));
        }
        Ok(())
    });
    let app = App::with(stores, settings()).await;
    let mut tokens: Vec<String> = (1..=5).map(|n| app.customer(&format!("user{n}"))).collect();
    // A genuine token of somebody who is not there any more.
    tokens.push(tokens[0].replacen("plain.1.", "plain.999.", 1));
    let answers = read_carts(&app, &tokens).await;
    let expected = [200, 200, 500, 200, 200, 401];
    for (at, ((status, body), expected)) in answers.iter().zip(expected).enumerate() {
        assert_eq!(*status, expected, "{at}: {body}");
    }
    let asked = asked.lock().unwrap();
    assert!(asked.iter().any(|users| users.len() > 1), "{asked:?}");
}

#[actix_web::test]
async fn a_look_up_that_hangs_holds_up_only_its_own() {
    let (open, opened): (Sender<()>, Receiver<()>) = channel();
    let opened = Mutex::new(opened);
    let asked = Asked::default();
    let seen = Arc::clone(&asked);
    let stores = watched(move |users| {
        if noted(&seen, users) == 1 {
            opened.lock().unwrap().recv().unwrap();
        }
        Ok(())
    });
    let mut hasty = settings();
    hasty.request_timeout = Duration::from_secs(2);
    let app = App::with(stores, hasty).await;
    let tokens: Vec<String> = (0..8).map(|n| app.customer(&format!("user{n}"))).collect();
    let late = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        read_carts(&app, &tokens[1..]).await
    };
    let (first, others) = join(read_carts(&app, &tokens[..1]), late).await;
    assert_eq!(first[0].0, 503);
    assert!(
        others.iter().all(|(status, _)| *status == 200),
        "{others:?}"
    );
    open.send(()).unwrap();
}

#[actix_web::test]
async fn a_store_that_fails_is_everybodys_answer() {
    let stores = watched(|_| Err(StoreError::new(StoreErrorKind::Unavailable)));
    let app = App::with(stores, settings()).await;
    let tokens: Vec<String> = (0..5).map(|n| app.customer(&format!("user{n}"))).collect();
    for (status, body) in read_carts(&app, &tokens).await {
        assert_eq!((status, &body["code"]), (503, &"unavailable".into()));
    }
}
