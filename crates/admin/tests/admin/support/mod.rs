//! The application under test, and a browser with cookies.

mod reply;

pub(crate) use reply::Reply;

use actix_web::body::BoxBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::test::{self, TestRequest};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use tradepost_admin::{Admin, AdminConfig, ProductFiles, SetupLink, ShopZone};
use tradepost_batch::{BatcherConfig, Batchers};
use tradepost_domain::catalog::{Price, Product, ProductDraft};
use tradepost_domain::identity::{Account, NewUser};
use tradepost_domain::import::products::ProductImports;
use tradepost_domain::inventory::{StockDelta, StockWrites};
use tradepost_domain::kernel::{Actor, MessageSigner, Quantity, System};
use tradepost_domain::orders::Order;
use tradepost_domain::testing::{self, FixedClock, usd};
use tradepost_domain::{Services, ServicesConfig, Stores};
use tradepost_http::{Api, Backend, Settings};
use tradepost_memory::MemoryStore;

pub(crate) const PASSWORD: &str = "correct horse battery";

type Answer = Pin<Box<dyn Future<Output = ServiceResponse<BoxBody>>>>;

/// The application, with its services.
pub(crate) struct App {
    send: Box<dyn Fn(TestRequest) -> Answer>,
    pub(crate) shop: Services,
    pub(crate) stores: Stores,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) setup: SetupLink,
    pub(crate) grace: Account,
}

impl App {
    /// A shop with the staff user `grace`.
    pub(crate) async fn new() -> Self {
        Self::with(Settings::default(), true).await
    }

    /// A shop with other settings, and with or without staff.
    pub(crate) async fn with(settings: Settings, has_staff: bool) -> Self {
        Self::of(settings, has_staff, StockWrites::default()).await
    }

    /// A shop with staff and strict writes of stock.
    pub(crate) async fn strict() -> Self {
        Self::of(Settings::default(), true, StockWrites::Strict).await
    }

    async fn of(settings: Settings, has_staff: bool, stock_writes: StockWrites) -> Self {
        let clock = Arc::new(testing::clock(1_700_000_000));
        let system = System {
            clock: clock.clone(),
            ..testing::system()
        };
        let stores = Stores::new(Arc::new(MemoryStore::new(usd())));
        let shop = Services::new(stores.clone(), system, ServicesConfig::default());
        let batchers = Batchers::start(&stores, BatcherConfig::default()).unwrap();
        let backend = Backend {
            services: shop.clone(),
            batchers,
            signer: Arc::new(PlainSigner),
            health: stores.health.clone(),
            currency: usd(),
        };
        let config = AdminConfig {
            time_zone: ShopZone::utc(),
            clock: clock.clone(),
            setup_allow: vec!["10.0.0.0/8".parse().unwrap()],
            files: ProductFiles {
                imports: ProductImports::new(stores.product_imports.clone(), clock.clone(), usd()),
                products: stores.products.clone(),
                stock_writes,
            },
        };
        let path = settings.public_url.as_ref().map_or("", |url| url.path());
        let admin = Admin::new(config, path);
        let setup = admin.setup_link().unwrap();
        let api = Api::with_mount(backend, settings, Arc::new(admin)).unwrap();
        let service = Rc::new(test::init_service(api.app()).await);
        let send = move |request: TestRequest| -> Answer {
            let service = Rc::clone(&service);
            Box::pin(async move { service.call(request.to_request()).await.unwrap() })
        };
        let grace = if has_staff {
            shop.accounts.create_staff(new_user("grace")).unwrap()
        } else {
            testing::AccountBuilder::new(1).build()
        };
        Self {
            send: Box::new(send),
            shop,
            stores,
            clock,
            setup,
            grace,
        }
    }

    /// A browser without cookies.
    pub(crate) fn browser(&self) -> Browser<'_> {
        Browser {
            app: self,
            cookies: RefCell::default(),
            peer: "127.0.0.1:4000",
            headers: Vec::new(),
        }
    }

    /// A browser in which `grace` is signed in.
    pub(crate) async fn staff(&self) -> Browser<'_> {
        let browser = self.browser();
        browser.sign_in("grace").await;
        browser
    }

    /// A product made by `grace`.
    pub(crate) fn product(&self, name: &str, price: &str) -> Product {
        let price = Price::parse(price, usd()).unwrap();
        let draft = ProductDraft::new(name.parse().unwrap(), price);
        let created = self.shop.catalogue.create(self.grace.actor(), draft, None);
        created.unwrap().executed().unwrap()
    }

    /// An order of this many units of each product, which come into stock before.
    pub(crate) fn order(&self, customer: &Account, lines: &[(&Product, i64)]) -> Order {
        let (shop, grace) = (&self.shop, self.grace.actor());
        for (product, units) in lines {
            let delta = StockDelta::requested(*units).unwrap();
            let adjusted = shop
                .inventory
                .adjust_stock(grace, product.id, delta, None, None);
            adjusted.unwrap();
            let quantity = Quantity::new(*units).unwrap();
            let added = shop.carts.add(customer.actor(), product.id, quantity, None);
            added.unwrap();
        }
        let placed = shop.orders.place(customer.actor(), None, None);
        placed.unwrap().executed().unwrap()
    }

    /// The stored state of a product.
    pub(crate) fn stored(&self, product: &Product) -> Product {
        let actor = Actor::Staff(self.grace.id);
        self.shop
            .catalogue
            .product(actor, product.id, true)
            .unwrap()
    }
}

pub(crate) fn new_user(name: &str) -> NewUser {
    NewUser::new(name, PASSWORD).unwrap()
}

/// A browser: it keeps cookies, and sends the CSRF token of the page that it shows.
pub(crate) struct Browser<'a> {
    app: &'a App,
    cookies: RefCell<BTreeMap<String, String>>,
    pub(crate) peer: &'static str,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
}

impl Browser<'_> {
    pub(crate) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) async fn sign_in(&self, name: &str) -> Reply {
        let page = self.get("/admin/sign-in/").await;
        page.submit(self, &[("username", name), ("password", PASSWORD)])
            .await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(path, TestRequest::get()).await
    }

    /// Sends these fields, without adding a CSRF token.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.send(path, TestRequest::post().set_form(fields)).await
    }

    /// Sends the form of the import with this body, whose parts are separated by `--x`.
    pub(crate) async fn upload(&self, body: impl Into<Vec<u8>>) -> Reply {
        let request = TestRequest::post()
            .insert_header(("Content-Type", "multipart/form-data; boundary=x"))
            .set_payload(body.into());
        self.send("/admin/products/import/", request).await
    }

    /// The value of the cookie whose name ends so.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let cookies = self.cookies.borrow();
        let found = cookies.iter().find(|(known, _)| known.ends_with(name));
        found.map(|(_, value)| value.clone())
    }

    pub(crate) fn set_cookie(&self, name: &str, value: &str) {
        (self.cookies.borrow_mut()).insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn cookie_names(&self) -> Vec<String> {
        self.cookies.borrow().keys().cloned().collect()
    }

    async fn send(&self, path: &str, request: TestRequest) -> Reply {
        let mut request = request
            .uri(path)
            .peer_addr(self.peer.parse().unwrap())
            .insert_header(("Host", "localhost"))
            .insert_header(("Accept", "text/html,application/xhtml+xml"));
        for header in &self.headers {
            request = request.insert_header(*header);
        }
        let pair = |(name, value): (&String, &String)| format!("{name}={value}");
        let cookies: Vec<_> = self.cookies.borrow().iter().map(pair).collect();
        if !cookies.is_empty() {
            request = request.insert_header(("Cookie", cookies.join("; ")));
        }
        let answer = (self.app.send)(request).await;
        let reply = Reply::of(answer, path).await;
        for cookie in &reply.set_cookies {
            let (pair, attributes) = cookie.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let mut jar = self.cookies.borrow_mut();
            if attributes.contains("Max-Age=0") {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
        reply
    }
}

/// Signer whose signatures differ with every byte.
struct PlainSigner;

impl MessageSigner for PlainSigner {
    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let step = |sum: u128, byte: &u8| (sum ^ u128::from(*byte)).wrapping_mul(0x0100_0000_01B3);
        let sum = message.iter().fold(0x6c62_272e, step);
        sum.to_be_bytes().to_vec()
    }

    fn verify(&self, message: &[u8], seal: &[u8]) -> bool {
        self.sign(message) == seal
    }
}
