//! Bulkhead: lists and searches have a pool and a deadline of their own.

use crate::support::{App, PASSWORD, memory, settings};
use futures_util::future::{join, join_all};
use serde_json::json;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};
use tradepost_domain::Stores;
use tradepost_domain::cart::{CartRefusal, MockCartRepository};
use tradepost_domain::catalog::MockProductRepository;
use tradepost_domain::identity::MockAccountRepository;
use tradepost_domain::inventory::MockInventoryRepository;
use tradepost_domain::kernel::{
    CursorPage, Page, ProductId, Refusal, StoreError, StoreErrorKind, deadline,
};
use tradepost_domain::orders::MockOrderRepository;
use tradepost_http::PoolLimit;

/// Blocks callers until it is opened.
#[derive(Default)]
struct Gate {
    /// The number of callers so far, and whether it is open.
    state: Mutex<(usize, bool)>,
    changed: Condvar,
}

impl Gate {
    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.0 += 1;
        drop(self.changed.wait_while(state, |state| !state.1).unwrap());
    }

    fn open(&self) {
        self.state.lock().unwrap().1 = true;
        self.changed.notify_all();
    }

    fn came(&self) -> usize {
        self.state.lock().unwrap().0
    }
}

fn nothing<T>() -> Page<T> {
    Page {
        count: 0,
        items: Vec::new(),
    }
}

fn no_slice<T>() -> CursorPage<T> {
    CursorPage {
        items: Vec::new(),
        previous: None,
        next: None,
    }
}

/// Stores whose lists all block at the gate, while all other methods pass.
fn hanging(stores: &Stores, gate: &Arc<Gate>) -> Stores {
    let pass = || {
        let gate = Arc::clone(gate);
        move || gate.pass()
    };
    let mut products = MockProductRepository::new();
    let (list, slice) = (pass(), pass());
    products.expect_list().returning(move |_, _| {
        list();
        Ok(nothing())
    });
    products.expect_cursor_page().returning(move |_, _, _| {
        slice();
        Ok(no_slice())
    });
    let inner = Arc::clone(&stores.products);
    products
        .expect_find_all()
        .returning(move |ids| inner.find_all(ids));
    let mut inventory = MockInventoryRepository::new();
    let movements = pass();
    inventory.expect_movements().returning(move |_, _| {
        movements();
        Ok(Some(nothing()))
    });
    let mut orders = MockOrderRepository::new();
    let (list, slice) = (pass(), pass());
    orders.expect_list().returning(move |_, _| {
        list();
        Ok(nothing())
    });
    orders.expect_cursor_page().returning(move |_, _, _| {
        slice();
        Ok(no_slice())
    });
    let inner = Arc::clone(&stores.orders);
    orders
        .expect_place()
        .returning(move |requests| inner.place(requests));
    let inner = Arc::clone(&stores.orders);
    orders.expect_find().returning(move |id| inner.find(id));
    let mut accounts = MockAccountRepository::new();
    let list = pass();
    accounts.expect_list().returning(move |_, _| {
        list();
        Ok(nothing())
    });
    let inner = Arc::clone(&stores.accounts);
    accounts
        .expect_find_all()
        .returning(move |ids| inner.find_all(ids));
    let inner = Arc::clone(&stores.accounts);
    accounts
        .expect_credentials()
        .returning(move |name| inner.credentials(name));
    Stores {
        products: Arc::new(products),
        inventory: Arc::new(inventory),
        orders: Arc::new(orders),
        accounts: Arc::new(accounts),
        ..stores.clone()
    }
}

#[actix_web::test]
async fn lists_that_hang_hold_up_nothing_else() {
    let stores = memory();
    let plain = App::with(stores.clone(), settings()).await;
    let (ada, boss) = (plain.customer("ada"), plain.staff("boss"));
    let mug = plain.product(&boss, "2.50", 7).await;

    let gate = Arc::new(Gate::default());
    let mut narrow = settings();
    // Long enough for a blocked list not to time out meanwhile.
    narrow.request_timeout = Duration::from_secs(60);
    // One slot for all other work: it is enough as long as no list takes it.
    (narrow.limits.work, narrow.limits.lists) = (
        PoolLimit {
            running: 1,
            waiting: 64,
        },
        PoolLimit {
            running: 1,
            waiting: 64,
        },
    );
    let app = App::with(hanging(&stores, &gate), narrow).await;
    let product = format!("/api/products/{mug}/");
    let movements = format!("/api/products/{mug}/stock/");
    let lists = [
        "/api/products/",
        "/api/products/?search=e&ordering=stock,name&min_price=0.01",
        "/api/products/?cursor=",
        "/api/products/?cursor=&search=e",
        "/api/orders/",
        "/api/orders/?cursor=&status=pending",
        "/api/users/?search=e",
        &movements,
    ];
    let lists = join_all(lists.map(|path| app.get(path).token(&boss).send()));
    let others = async {
        while gate.came() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let line = json!({"product_id": mug});
        let password = json!({"username": "ada", "password": PASSWORD});
        for (reply, status) in [
            (app.get(&product).send().await, 200),
            (app.get("/api/cart/").token(&ada).send().await, 200),
            (app.post("/api/cart/").token(&ada).json(&line).await, 201),
            (app.post("/api/orders/").token(&ada).send().await, 201),
            (app.get("/api/orders/1/").token(&ada).send().await, 200),
            (app.post("/api-token-auth/").json(&password).await, 200),
        ] {
            reply.expect_status(status);
        }
        // The only slot of each kind is still taken: no other one has begun.
        let held = gate.came();
        gate.open();
        held
    };
    let (lists, held) = join(lists, others).await;
    // A list and a search, unless both wait for the same method of a mock.
    assert!((1..=2).contains(&held), "{held}");
    for reply in lists {
        reply.expect_status(200);
    }
    assert_eq!(gate.came(), 8);
}

/// The deadlines that a store has observed on its threads.
type Precondition = Arc<Mutex<Vec<Option<Instant>>>>;

#[actix_web::test]
async fn queries_have_a_deadline_and_commands_have_none() {
    let seen = Precondition::default();
    let note = || {
        let seen = Arc::clone(&seen);
        move || seen.lock().unwrap().push(deadline::current())
    };
    let mut products = MockProductRepository::new();
    let (list, find) = (note(), note());
    products.expect_list().returning(move |_, _| {
        list();
        Ok(nothing())
    });
    products.expect_find_all().returning(move |_| {
        find();
        Ok(Vec::new())
    });
    let mut carts = MockCartRepository::new();
    let change = note();
    carts.expect_change_all().returning(move |_| {
        change();
        Ok(vec![Err(Refusal::Cart(CartRefusal::Full { limit: 100 }))])
    });
    let stores = Stores {
        products: Arc::new(products),
        carts: Arc::new(carts),
        ..memory()
    };
    let mut slow = settings();
    slow.request_timeout = Duration::from_secs(600);
    let app = App::with(stores, slow).await;
    let ada = app.customer("ada");
    app.get("/api/products/").send().await.expect_status(200);
    app.get("/api/products/1/").send().await.expect_status(404);
    let line = json!({"product_id": 1});
    let added = app.post("/api/cart/").token(&ada).json(&line).await;
    added.expect_status(409);
    let now = Instant::now();
    let seen = seen.lock().unwrap().clone();
    let [Some(list), Some(single), None] = seen[..] else {
        panic!("{seen:?}");
    };
    // A list has seconds, a single row as long as the request.
    assert!(list < now + Duration::from_secs(10));
    assert!(single > now + Duration::from_secs(300));
}

#[actix_web::test]
async fn an_interrupted_list_suggests_a_cheaper_request() {
    let interrupted = || StoreError::new(StoreErrorKind::DeadlineExceeded);
    let mut products = MockProductRepository::new();
    products
        .expect_list()
        .returning(move |_, _| Err(interrupted()));
    products
        .expect_cursor_page()
        .returning(move |_, _, _| Err(interrupted()));
    products
        .expect_find_all()
        .returning(move |_: &[ProductId]| Err(interrupted()));
    let stores = Stores {
        products: Arc::new(products),
        ..memory()
    };
    let app = App::with(stores, settings()).await;
    for path in ["/api/products/?search=e", "/api/products/?cursor="] {
        let reply = app.get(path).send().await.expect(503, "list_timeout");
        let detail = reply.json()["detail"].to_string();
        assert!(detail.contains("Ask for less"), "{detail}");
    }
    let reply = app.get("/api/products/1/").send().await;
    reply.expect(503, "unavailable");
}
