//! The application under test, and requests to it.

pub(crate) mod described;
pub(crate) mod doors;
mod fakes;
mod reply;

pub(crate) use fakes::PlainHasher;
use fakes::PlainSeal;
pub(crate) use fakes::clock;
pub(crate) use reply::Reply;

use actix_web::body::BoxBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::Method;
use actix_web::test::{self, TestRequest};
use actix_web::web::Bytes;
use chrono::Duration;
use futures_util::future::LocalBoxFuture;
use serde_json::Value;
use std::rc::Rc;
use std::sync::Arc;
use tradepost_batch::{BatcherConfig, Batchers};
use tradepost_domain::identity::{AccountSettings, Email, NewUser, Password, Username};
use tradepost_domain::kernel::{Clock, PasswordHasher, System};
pub(crate) use tradepost_domain::testing::usd;
use tradepost_domain::testing::{self, FixedClock};
use tradepost_domain::{Services, ServicesConfig, Stores};
use tradepost_http::{Api, Backend, Settings};
use tradepost_memory::MemoryStore;

pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) fn memory() -> Stores {
    Stores::new(Arc::new(MemoryStore::new(usd())))
}

/// Settings for a host that is called `shop`.
pub(crate) fn settings() -> Settings {
    Settings {
        allowed_hosts: vec!["shop".to_owned()],
        ..Settings::default()
    }
}

/// The shop behind an API.
pub(crate) fn shop(stores: &Stores, clock: Arc<dyn Clock>) -> Backend {
    backend(stores, services(stores, clock, Arc::new(PlainHasher)))
}

fn services(stores: &Stores, clock: Arc<dyn Clock>, hasher: Arc<dyn PasswordHasher>) -> Services {
    let system = System {
        clock,
        hasher,
        ..testing::system()
    };
    let config = ServicesConfig {
        accounts: AccountSettings {
            token_life: Duration::hours(1),
            access_life: Duration::minutes(10),
            refresh_life: Duration::days(30),
        },
        order_quota: None,
        ..ServicesConfig::default()
    };
    Services::new(stores.clone(), system, config)
}

fn backend(stores: &Stores, services: Services) -> Backend {
    let batchers = Batchers::start(stores, BatcherConfig::default());
    Backend {
        services,
        batchers: batchers.unwrap(),
        signer: Arc::new(PlainSeal),
        health: stores.health.clone(),
        currency: usd(),
    }
}

type Send = dyn Fn(TestRequest) -> LocalBoxFuture<'static, ServiceResponse<BoxBody>>;

/// The application, with its services and fakes.
pub(crate) struct App {
    send: Box<Send>,
    pub(crate) stores: Stores,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) shop: Services,
}

impl App {
    pub(crate) async fn new() -> Self {
        Self::with(memory(), settings()).await
    }

    pub(crate) async fn with(stores: Stores, settings: Settings) -> Self {
        Self::hashing(stores, settings, Arc::new(PlainHasher)).await
    }

    pub(crate) async fn hashing(
        stores: Stores,
        settings: Settings,
        hasher: Arc<dyn PasswordHasher>,
    ) -> Self {
        Self::adjusted(stores, settings, hasher, |shop| shop).await
    }

    /// With services that differ from the defaults of the tests.
    pub(crate) async fn adjusted(
        stores: Stores,
        settings: Settings,
        hasher: Arc<dyn PasswordHasher>,
        adjust: impl FnOnce(Services) -> Services,
    ) -> Self {
        let clock = clock();
        let shop = adjust(services(&stores, clock.clone(), hasher));
        let api = Api::new(backend(&stores, shop.clone()), settings).unwrap();
        let service = Rc::new(test::init_service(api.app()).await);
        let send =
            move |request: TestRequest| -> LocalBoxFuture<'static, ServiceResponse<BoxBody>> {
                let service = Rc::clone(&service);
                Box::pin(async move { service.call(request.to_request()).await.unwrap() })
            };
        Self {
            send: Box::new(send),
            stores,
            clock,
            shop,
        }
    }

    /// A new customer's token.
    pub(crate) fn customer(&self, name: &str) -> String {
        self.shop.accounts.register(new_user(name)).unwrap();
        self.token(name)
    }

    /// A new staff user's token.
    pub(crate) fn staff(&self, name: &str) -> String {
        self.shop.accounts.create_staff(new_user(name)).unwrap();
        self.token(name)
    }

    fn token(&self, name: &str) -> String {
        self.shop.accounts.sign_in(name, PASSWORD).unwrap().token
    }

    pub(crate) fn get(&self, path: &str) -> Call<'_> {
        self.call(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> Call<'_> {
        self.call(Method::POST, path)
    }

    pub(crate) fn put(&self, path: &str) -> Call<'_> {
        self.call(Method::PUT, path)
    }

    pub(crate) fn patch(&self, path: &str) -> Call<'_> {
        self.call(Method::PATCH, path)
    }

    pub(crate) fn delete(&self, path: &str) -> Call<'_> {
        self.call(Method::DELETE, path)
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Call<'_> {
        let request = TestRequest::with_uri(path).method(method.clone());
        Call {
            app: self,
            path: path.split('?').next().unwrap().to_owned(),
            accept_problem: false,
            method,
            request: request.peer_addr("127.0.0.1:4000".parse().unwrap()),
            host: Some("shop".to_owned()),
        }
    }

    /// Creates a product as staff; returns its id.
    pub(crate) async fn product(&self, staff: &str, price: &str, stock: i64) -> i64 {
        let product = serde_json::json!({"name": "Tea mug", "price": price, "stock": stock});
        let reply = self
            .post("/api/products/")
            .token(staff)
            .json(&product)
            .await;
        assert_eq!(reply.status, 201, "{:?}", reply.body);
        reply.json()["id"].as_i64().unwrap()
    }

    /// Creates a row of a collection from the example in the document; returns its id.
    pub(crate) async fn example(&self, token: &str, collection: &str) -> i64 {
        let reply = self.try_example(token, collection).await;
        assert_eq!(reply.status, 201, "{collection}: {}", reply.text());
        reply.json()["id"].as_i64().unwrap()
    }

    /// The response to the creation of a row from the example in the document.
    pub(crate) async fn try_example(&self, token: &str, collection: &str) -> Reply {
        let operation = &described::DOCUMENT["paths"][collection]["post"];
        let body = &operation["requestBody"]["content"]["application/json"]["example"];
        self.post(collection).token(token).json(body).await
    }

    /// Adds units of a product to a cart; returns the line's id.
    pub(crate) async fn fill(&self, customer: &str, product: i64, quantity: i64) -> i64 {
        let line = serde_json::json!({"product_id": product, "quantity": quantity});
        let reply = self.post("/api/cart/").token(customer).json(&line).await;
        assert_eq!(reply.status, 201, "{:?}", reply.body);
        reply.json()["id"].as_i64().unwrap()
    }

    /// Orders units of a product; returns the order's id.
    pub(crate) async fn order(&self, customer: &str, product: i64, quantity: i64) -> i64 {
        self.fill(customer, product, quantity).await;
        let reply = self.post("/api/orders/").token(customer).send().await;
        assert_eq!(reply.status, 201, "{:?}", reply.body);
        reply.json()["id"].as_i64().unwrap()
    }

    /// The whole observable state, for comparison with a later one.
    pub(crate) async fn snapshot(&self, staff: &str, customer: &str) -> Vec<Value> {
        let mut seen = Vec::new();
        for (path, token) in [
            ("/api/products/?page_size=100", staff),
            ("/api/products/?page_size=100&archived=true", staff),
            ("/api/orders/?page_size=100", staff),
            ("/api/orders/?page_size=100&archived=true", staff),
            ("/api/cart/?page_size=100", customer),
        ] {
            seen.push(self.get(path).token(token).send().await.json());
        }
        let audit = self.stores.ledger.audit().unwrap();
        assert_eq!(audit.discrepancies, []);
        seen.push(serde_json::json!(audit.movements));
        seen
    }
}

/// A new user with this name and [`PASSWORD`].
pub(crate) fn new_user(name: &str) -> NewUser {
    NewUser {
        username: Username::new(name).unwrap(),
        email: Email::new(&format!("{name}@example.org")).ok(),
        password: Password::new(PASSWORD, None).unwrap(),
    }
}

/// A request under construction.
pub(crate) struct Call<'a> {
    app: &'a App,
    path: String,
    accept_problem: bool,
    method: Method,
    request: TestRequest,
    host: Option<String>,
}

impl Call<'_> {
    pub(crate) fn token(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.accept_problem |= name == "Accept" && value.contains("problem");
        self.request = self.request.append_header((name, value));
        self
    }

    pub(crate) fn host(mut self, host: Option<&str>) -> Self {
        self.host = host.map(str::to_owned);
        self
    }

    pub(crate) fn peer(mut self, address: &str) -> Self {
        self.request = self.request.peer_addr(address.parse().unwrap());
        self
    }

    pub(crate) async fn json(self, body: &Value) -> Reply {
        self.body("application/json", body.to_string()).await
    }

    pub(crate) async fn body(mut self, media: &str, body: impl Into<Bytes>) -> Reply {
        self.request = self.request.insert_header(("Content-Type", media));
        self.raw(body).await
    }

    /// A body without a content type.
    pub(crate) async fn raw(mut self, body: impl Into<Bytes>) -> Reply {
        self.request = self.request.set_payload(body);
        self.send().await
    }

    pub(crate) async fn send(mut self) -> Reply {
        if let Some(host) = self.host.take() {
            self.request = self.request.insert_header(("Host", host));
        }
        let answer = (self.app.send)(self.request).await;
        Reply::of(answer, &self.path, self.accept_problem, &self.method).await
    }
}
