//! Accounts that existed before usernames were compared by their skeletons: they can still sign in,
//! and get skeletons when the schema is brought up to date.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set up its shop has failed"
)]

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use std::time::Duration;
use tempfile::TempDir;
use tradepost_contract::{PortResult, at, hash, usd};
use tradepost_diesel::{DatabaseUrl, Migrator, Missing, OpenOptions, ShopCurrency, open};
use tradepost_domain::Stores;
use tradepost_domain::identity::{Email, LoginName, Register, Username};
use tradepost_domain::kernel::{FieldError, Refusal, fold_case};
use tradepost_test_postgres::Cluster;

/// Confusable names of existing accounts, or names that no new account may have.
const NAMES: [&str; 5] = ["admin", "аdmin", "admin\u{3164}", "ａdmin", "𝐚dmin"];
/// More than one batch.
const MANY: usize = 1001;

fn stores(url: &DatabaseUrl) -> Stores {
    let options = OpenOptions {
        currency: ShopCurrency::Is(usd()),
        readers: 2,
        wait: Duration::from_secs(5),
    };
    open(url, &options).unwrap()
}

fn migrate(url: &DatabaseUrl) {
    let mut migrator = Migrator::connect(url, Missing::Create).unwrap();
    migrator.run(|_| ()).unwrap();
}

/// Rows as written by a server of the previous version.
fn old_accounts() -> String {
    let insert = |name: &str, email: Option<&str>| {
        let text = |text: &str| format!("'{text}'");
        let email_key = email.map_or("NULL".to_owned(), |email| text(&fold_case(email)));
        format!(
            "INSERT INTO users (username, username_key, email, email_key, password, is_staff,
                is_active, session_epoch, created_at)
             VALUES ('{name}', '{}', {}, {email_key}, 'of {name}', FALSE, TRUE, 0, 0);",
            fold_case(name),
            email.map_or("NULL".to_owned(), text),
        )
    };
    let odd = NAMES.map(|name| insert(name, None));
    let with_email = [
        insert("first", Some("ａda@example.org")),
        insert("second", Some("ada@example.org")),
        insert("third", Some("𝐁ob@example.org")),
        insert("fourth", Some("\u{feff}x@example.org")),
    ];
    let many = (0..MANY).map(|number| insert(&format!("customer{number}"), None));
    odd.into_iter().chain(with_email).chain(many).collect()
}

fn register(url: &DatabaseUrl, name: &str, email: Option<&str>) -> Result<(), Refusal> {
    let command = Register {
        username: Username::new(name).unwrap(),
        email: email.map(|email| Email::new(email).unwrap()),
        password: hash(name),
        is_staff: false,
        at: at(0),
    };
    stores(url)
        .accounts
        .register(command)
        .answer()
        .unwrap()
        .map(drop)
}

fn existing_users_go_on_signing_in(url: &DatabaseUrl) {
    let stores = stores(url);
    for name in NAMES {
        for typed in [name.to_owned(), format!(" {}\t", name.to_uppercase())] {
            let login = LoginName::new(&typed);
            let found = login
                .keys()
                .find_map(|key| stores.accounts.credentials(key).unwrap())
                .unwrap();
            assert_eq!(found.account.username.as_str(), name, "{typed:?}");
            assert_eq!(found.password.reveal(), format!("of {name}"));
        }
    }
    let fourth = stores.accounts.credentials("fourth").unwrap().unwrap();
    assert_eq!(
        fourth.account.email.unwrap().as_str(),
        "\u{feff}x@example.org"
    );
}

fn check(url: &DatabaseUrl, run: &dyn Fn(&str)) {
    migrate(url);
    run(&old_accounts());
    existing_users_go_on_signing_in(url);
    // Without a skeleton, a name is not compared with confusable ones.
    assert_eq!(register(url, "custοmer500", None), Ok(()));
    migrate(url);
    existing_users_go_on_signing_in(url);
    let similar = Err(Refusal::field("username", FieldError::TooSimilar));
    for name in ["admіn", "adm1n", "сustomer1000", "fοurth"] {
        assert_eq!(register(url, name, None), similar, "{name}");
    }
    let taken = Err(Refusal::field("email", FieldError::Taken));
    for email in ["bob@example.org", "ADA@example.org", "ａda@example.org"] {
        assert_eq!(register(url, "carol", Some(email)), taken, "{email}");
    }
    assert_eq!(register(url, "carol", Some("carol@example.org")), Ok(()));
}

#[test]
fn existing_look_alikes_stay_valid_in_sqlite() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("shop.db");
    let url = DatabaseUrl::sqlite(&path);
    check(&url, &|sql| {
        let mut tool = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        tool.batch_execute(&format!("BEGIN; {sql} COMMIT;"))
            .unwrap();
    });
    let mut migrator = Migrator::connect(&url, Missing::Refuse).unwrap();
    while !(migrator.revert().unwrap().unwrap().name).contains("username_skeletons") {}
    drop(migrator);
    migrate(&url);
    existing_users_go_on_signing_in(&url);
    let similar = Err(Refusal::field("username", FieldError::TooSimilar));
    assert_eq!(register(&url, "cаrol", None), similar);
}

#[test]
fn existing_look_alikes_stay_valid_in_postgres() {
    let cluster = Cluster::start().unwrap();
    let name = cluster.database().unwrap();
    let address = cluster.url(&name);
    let url = DatabaseUrl::parse(&address).unwrap();
    check(&url, &|sql| {
        let mut tool = PgConnection::establish(&address).unwrap();
        tool.batch_execute(sql).unwrap();
    });
    let down = include_str!(
        "../../../migrations/postgres/2026-11-27-000002_add_username_skeletons_and_known_networks/down.sql"
    );
    cluster.sql(&name, down).unwrap();
    let forget = "DELETE FROM __diesel_schema_migrations WHERE version = '20261127000002'";
    cluster.sql(&name, forget).unwrap();
    migrate(&url);
    existing_users_go_on_signing_in(&url);
    let similar = Err(Refusal::field("username", FieldError::TooSimilar));
    assert_eq!(register(&url, "cаrol", None), similar);
}
