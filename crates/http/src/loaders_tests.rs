use super::*;
use crate::config::Settings;
use crate::extract::query::PageParams;
use crate::resources::{cart, products};
use crate::respond::coding::AcceptedCodings;
use futures_util::future::join_all;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tradepost_batch::{BatcherConfig, Batchers};
use tradepost_domain::catalog::{Catalogue, ProductFilter};
use tradepost_domain::identity::{NewUser, Password, Username};
use tradepost_domain::kernel::{MockMessageSigner, Quantity, Refusal, Sorting};
use tradepost_domain::testing::{self, ProductBuilder, page, product_id, usd, user};
use tradepost_domain::{Services, ServicesConfig, Stores};
use tradepost_memory::MemoryStore;

/// How often each kind was rendered.
static PRODUCTS: AtomicUsize = AtomicUsize::new(0);
static PAGES: AtomicUsize = AtomicUsize::new(0);
static CARTS: AtomicUsize = AtomicUsize::new(0);

const COUNTED: Renderers = Renderers {
    product: |product| {
        PRODUCTS.fetch_add(1, Ordering::Relaxed);
        products::render(product)
    },
    page: |page| {
        PAGES.fetch_add(1, Ordering::Relaxed);
        products::render_page(page)
    },
    cart: |found, currency| {
        CARTS.fetch_add(1, Ordering::Relaxed);
        cart::render(found, currency)
    },
};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

/// Loaders of a shop with two products, both of which are in the cart of each user.
fn loaders(users: i64) -> Loaders {
    let stores = Stores::new(Arc::new(MemoryStore::new(usd())));
    let config = ServicesConfig::default();
    let services = Services::new(stores.clone(), testing::system(), config);
    let new = |name: &str| NewUser {
        username: Username::new(name).unwrap(),
        email: None,
        password: Password::new("correct horse battery", None).unwrap(),
    };
    let staff = services.accounts.create_staff(new("grace")).unwrap();
    for number in [1, 2] {
        let draft = ProductBuilder::new(number).stock(9).draft();
        let made = services
            .catalogue
            .create(Actor::Staff(staff.id), draft, None);
        made.unwrap();
    }
    for user in 0..users {
        let user = services
            .accounts
            .register(new(&format!("user{user}")))
            .unwrap();
        for product in [1, 2] {
            let (product, actor) = (product_id(product), Actor::Customer(user.id));
            let added = services.carts.add(actor, product, Quantity::ONE, None);
            added.unwrap();
        }
    }
    let batchers = Batchers::start(&stores, BatcherConfig::default());
    let backend = Backend {
        services,
        batchers: batchers.unwrap(),
        signer: Arc::new(MockMessageSigner::new()),
        health: stores.health.clone(),
        currency: usd(),
    };
    let limits = Settings::default().limits;
    Loaders::new(&backend, &Pools::new(limits).unwrap(), limits, COUNTED)
}

/// Requests that arrive at once are read together.
#[actix_web::test]
async fn products_that_are_read_together_are_rendered_once() {
    let loaders = loaders(0);
    let asked = (0..20).map(|number| loaders.products.load(product_id(1 + number % 2), soon()));
    let found = join_all(asked).await.into_iter();
    let found: Vec<_> = found
        .map(|found| found.unwrap().unwrap().unwrap())
        .collect();
    assert_eq!(PRODUCTS.load(Ordering::Relaxed), 2);
    for (number, product) in found.iter().enumerate() {
        assert!(Arc::ptr_eq(product, &found[number % 2]));
        let body = |product: &RenderedProduct| product.response.body(AcceptedCodings::NONE).0;
        assert_eq!(body(product).as_ptr(), body(&found[number % 2]).as_ptr());
    }
    // One body does for all callers; each is asked for their rights.
    let archived = Product {
        archived: true,
        ..found[0].product.clone()
    };
    let archived = products::render(archived).unwrap();
    for (actor, wanted, visible) in [
        (Actor::Anonymous, true, false),
        (Actor::Customer(user(2)), true, false),
        (Actor::Staff(user(1)), false, false),
        (Actor::Staff(user(1)), true, true),
    ] {
        let shown = Catalogue::show(actor, Some(&archived), wanted);
        let expected = if visible {
            Ok(())
        } else {
            Err(Refusal::NotFound)
        };
        assert_eq!(shown.map(|_| ()), expected, "{actor:?} {wanted}");
    }
}

#[actix_web::test]
async fn a_page_is_rendered_once_and_its_body_once_for_each_host() {
    let loaders = loaders(0);
    let list = ProductList {
        filter: ProductFilter::default(),
        sorting: Sorting::default(),
    };
    let key = CatalogPageKey::of(Actor::Anonymous, list, page(1, 1));
    let asked = (0..20).map(|_| loaders.page(JobKind::List, key.clone(), soon()));
    let pages = join_all(asked).await.into_iter();
    let pages: Vec<_> = pages.map(Result::unwrap).collect();
    assert_eq!(PAGES.load(Ordering::Relaxed), 1);
    let body = |page: &Arc<RenderedPage>, host: &str| {
        let params = PageParams::read("page_size=1", 10).unwrap();
        let url = format!("http://{host}/api/products/");
        products::list::body(page, &params, &url).unwrap()
    };
    let first = body(&pages[0], "shop");
    assert!(
        pages
            .iter()
            .all(|page| Arc::ptr_eq(&body(page, "shop"), &first))
    );
    let other = body(&pages[0], "market").body(AcceptedCodings::NONE).0;
    let other = String::from_utf8(other.to_vec()).unwrap();
    let expected = first.body(AcceptedCodings::NONE).0;
    let expected = String::from_utf8(expected.to_vec()).unwrap();
    assert!(expected.contains(r#""next":"http://shop/api/products/?page=2&page_size=1""#));
    assert_eq!(other, expected.replace("http://shop/", "http://market/"));
}

#[actix_web::test]
async fn carts_that_are_read_together_are_rendered_once_for_their_owners() {
    let loaders = loaders(3);
    // The first user is staff.
    let asked = (0..20).map(|number| loaders.carts.load(user(2 + number % 3), soon()));
    let carts = join_all(asked).await.into_iter();
    let carts: Vec<_> = carts.map(|cart| cart.unwrap().unwrap().unwrap()).collect();
    assert_eq!(CARTS.load(Ordering::Relaxed), 3);
    for (number, cart) in (0..).zip(&carts) {
        let owner = format!(r#""user":{},"#, 2 + number % 3);
        assert_eq!(cart.rows().len(), 2);
        assert!(cart.rows().iter().all(|row| row.get().contains(&owner)));
    }
}
