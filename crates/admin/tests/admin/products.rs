//! The pages of products.

mod bulk;

use crate::support::App;
use tradepost_domain::catalog::{Price, ProductChange};
use tradepost_domain::testing::usd;

/// Text that breaks a page which does not escape it.
const HOSTILE: &str = "</textarea><script>alert(1)</script>\"'&";

#[actix_web::test]
async fn a_product_is_created_edited_archived_and_restored() {
    let app = App::new().await;
    let staff = app.staff().await;
    let page = staff.get("/admin/products/").await.expect(200);
    let _ = page.has("Create the first one");
    let page = staff.get("/admin/products/new/").await;
    let fields = [
        ("name", "Tea mug"),
        ("sku", "MUG"),
        ("price", "1234.50"),
        ("stock", "7"),
    ];
    let reply = page.submit(&staff, &fields).await;
    assert_eq!(reply.location(), "/admin/products/1/");
    let page = staff.get("/admin/products/1/").await.expect(200);
    let page = page.has("“Tea mug” was created.").has("value=\"1234.50\"");
    let fields = [
        ("name", "Cup"),
        ("sku", ""),
        ("price", "2.00"),
        ("weight_grams", "300"),
    ];
    assert_eq!(
        page.submit(&staff, &fields).await.location(),
        "/admin/products/1/"
    );
    let list = staff
        .get("/admin/products/?q=cup&in_stock=1&sort=-price")
        .await
        .expect(200);
    let list = list.has("2.00 USD").has("aria-sort=\"descending\"");
    let _ = list.has("“Cup” was saved.");
    staff.get("/admin/products/").await.has_not("was saved");
    let page = staff.get("/admin/products/1/").await;
    page.submit_to(&staff, "/admin/products/1/archive/", &[])
        .await
        .expect(303);
    staff
        .get("/admin/products/")
        .await
        .has("No product matches");
    staff.get("/admin/products/?archived=1").await.has("Cup");
    page.submit_to(&staff, "/admin/products/1/restore/", &[])
        .await
        .expect(303);
    staff.get("/admin/products/").await.has("Cup");
}

#[actix_web::test]
async fn mistakes_are_shown_beside_their_fields_and_nothing_is_lost() {
    let app = App::new().await;
    let staff = app.staff().await;
    app.product("Mug", "9.90");
    let fields = [
        ("name", ""),
        ("price", "9.999"),
        ("stock", "x"),
        ("description", HOSTILE),
    ];
    for path in ["/admin/products/new/", "/admin/products/1/"] {
        let page = staff.get(path).await;
        let reply = page.submit(&staff, &fields).await.expect(400);
        let reply = reply
            .has("id=\"name-error\"")
            .has("aria-describedby=\"price-error price-hint\"");
        let reply = reply.has("value=\"9.999\"").has("&#60;script&#62;alert(1)");
        reply.has("Nothing was changed").has_not("<script>alert");
    }
}

#[actix_web::test]
async fn text_of_products_is_escaped_on_every_page() {
    let app = App::new().await;
    let staff = app.staff().await;
    let page = staff.get("/admin/products/new/").await;
    let fields = [
        ("name", HOSTILE),
        ("sku", HOSTILE),
        ("price", "1"),
        ("description", HOSTILE),
    ];
    page.submit(&staff, &fields).await.expect(303);
    let page = staff
        .get("/admin/products/1/stock/")
        .await
        .has_not("<script>alert");
    page.submit(&staff, &[("delta", "1"), ("note", HOSTILE)])
        .await
        .expect(303);
    for path in [
        "/admin/products/",
        "/admin/products/1/",
        "/admin/products/1/stock/",
    ] {
        let reply = staff.get(path).await.expect(200);
        reply
            .has("&#60;script&#62;alert(1)")
            .has_not("<script>alert");
    }
    let query = "/admin/products/?q=%3Cscript%3Ealert(1)&sort=%22%3E&cursor=%3C";
    staff.get(query).await.expect(200).has_not("<script>alert");
}

#[actix_web::test]
async fn the_second_editor_sees_the_changes_and_loses_nothing() {
    let app = App::new().await;
    let staff = app.staff().await;
    let mug = app.product("Mug", "9.90");
    let page = staff.get("/admin/products/1/").await;
    let change = ProductChange {
        price: Some(Price::parse("8.00", usd()).unwrap()),
        ..ProductChange::default()
    };
    app.shop
        .catalogue
        .change(app.grace.actor(), mug.id, change, None)
        .unwrap();
    let typed = [
        ("name", "My mug"),
        ("sku", "S"),
        ("price", "7.00"),
        ("description", "Mine"),
    ];
    let conflict = page.submit(&staff, &typed).await.expect(412);
    let conflict = conflict.has("8.00").has("7.00").has_not(">Name<");
    assert_eq!(app.stored(&mug).name.as_str(), "Mug");
    let merged = conflict
        .submit_to(&staff, "/admin/products/1/", &[("resume", "theirs")])
        .await;
    let merged = merged.expect(200);
    assert_eq!(
        (merged.field("name"), merged.field("price")),
        ("My mug".to_owned(), "8.00".to_owned())
    );
    let resumed = conflict
        .submit_to(&staff, "/admin/products/1/", &[("resume", "typed")])
        .await;
    assert_eq!(resumed.field("price"), "7.00");
    resumed.submit(&staff, &typed).await.expect(303);
    assert_eq!(app.stored(&mug).price.money().to_string(), "7.00");
}

#[actix_web::test]
async fn stock_is_adjusted_with_a_reason_and_shown_in_the_ledger() {
    let app = App::new().await;
    let staff = app.staff().await;
    app.product("Mug", "9.90");
    let page = staff.get("/admin/products/1/stock/").await.expect(200);
    let reply = page
        .submit(&staff, &[("delta", "1500"), ("note", "Delivery")])
        .await;
    let page = staff
        .get(reply.location())
        .await
        .has("The stock is 1,500 now.");
    let page = page.has("Delivery").has("<time datetime=\"");
    let page = page.has("<a href=\"/admin/customers/1/\">grace</a>");
    let reply = page
        .submit(&staff, &[("delta", "-2000"), ("note", "Lost")])
        .await
        .expect(400);
    assert_eq!(reply.field("note"), "Lost");
    let reply = page.submit(&staff, &[("delta", "many")]).await.expect(400);
    let _ = reply.has("A whole number is required.");
}

#[actix_web::test]
async fn lists_are_paged_by_signed_cursors() {
    let app = App::new().await;
    let staff = app.staff().await;
    for number in 0..60 {
        app.product(&format!("Mug {number:02}"), "9.90");
    }
    let first = staff.get("/admin/products/").await;
    let href = first.text.split("rel=\"next\"").next().unwrap();
    let href = href
        .rsplit("href=\"")
        .next()
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let next = staff
        .get(&format!("/admin/products/{}", href.replace("&#38;", "&")))
        .await;
    let _ = next.has("Mug 00").has_not("Mug 59").has("rel=\"prev\"");
    staff
        .get("/admin/products/?cursor=forged")
        .await
        .expect(200)
        .has("Mug 59");
}

#[actix_web::test]
async fn the_history_of_a_product_says_who_changed_what() {
    let app = App::new().await;
    let staff = app.staff().await;
    app.product("Mug", "9.90");
    let page = staff.get("/admin/products/1/").await;
    page.submit(
        &staff,
        &[("name", "Mug"), ("price", "8.00"), ("weight_grams", "0")],
    )
    .await
    .expect(303);
    let page = staff.get("/admin/products/1/stock/").await;
    page.submit(&staff, &[("delta", "3")]).await.expect(303);
    let history = staff.get("/admin/products/1/history/").await.expect(200);
    let history = history
        .has("price from 9.90 USD to 8.00 USD")
        .has("changed by +3");
    let _ = history.has(">grace</a>").has("Product 1 was created.");
    staff
        .get("/admin/products/1/history/?before=1")
        .await
        .expect(200)
        .has("There are no events");
    staff.get("/admin/products/9/history/").await.expect(404);
}

#[actix_web::test]
async fn a_form_that_is_sent_twice_is_executed_once() {
    let app = App::new().await;
    let staff = app.staff().await;
    let page = staff.get("/admin/products/new/").await;
    let fields = [("name", "Mug"), ("price", "9.90"), ("stock", "2")];
    for _ in 0..2 {
        assert_eq!(
            page.submit(&staff, &fields).await.location(),
            "/admin/products/1/"
        );
    }
    // Another product in the same form, after going back.
    let fields = [("name", "Cup"), ("price", "9.90"), ("stock", "2")];
    let reply = page
        .submit(&staff, &fields)
        .await
        .expect(400)
        .has("with other values");
    assert_eq!(
        reply.submit(&staff, &fields).await.location(),
        "/admin/products/2/"
    );
    let page = staff.get("/admin/products/1/stock/").await;
    for _ in 0..2 {
        page.submit(&staff, &[("delta", "5")]).await.expect(303);
    }
    staff
        .get("/admin/products/1/stock/")
        .await
        .has(">7</span> units on hand");
}

#[actix_web::test]
async fn the_longest_description_fits_in_a_form() {
    let app = App::new().await;
    let staff = app.staff().await;
    let page = staff.get("/admin/products/new/").await;
    let longest = "\u{1d54f}".repeat(10_000);
    let fields = [
        ("name", "Mug"),
        ("price", "9.90"),
        ("description", &*longest),
    ];
    page.submit(&staff, &fields).await.expect(303);
    staff
        .get("/admin/products/1/")
        .await
        .expect(200)
        .has(&longest);
}

#[actix_web::test]
async fn a_product_has_its_own_threshold_of_low_stock() {
    let app = App::new().await;
    let staff = app.staff().await;
    let page = staff.get("/admin/products/new/").await;
    let fields = [
        ("name", "Mug"),
        ("price", "1"),
        ("stock", "20"),
        ("low_stock", "20"),
    ];
    page.submit(&staff, &fields).await.expect(303);
    staff.get("/admin/").await.has("/admin/products/1/");
    let page = staff.get("/admin/products/1/").await;
    assert_eq!(page.field("low_stock"), "20");
    let edited = |low_stock| [("name", "Mug"), ("price", "1"), ("low_stock", low_stock)];
    let wrong = page.submit(&staff, &edited("-1")).await.expect(400);
    let _ = wrong.has("id=\"low_stock-error\"");
    page.submit(&staff, &edited("")).await.expect(303);
    let page = staff.get("/admin/products/1/").await;
    assert_eq!(page.field("low_stock"), "");
    let history = staff.get("/admin/products/1/history/").await;
    let _ = history.has("threshold of low stock from 20 to the shop");
    let _ = staff
        .get("/admin/")
        .await
        .has("No product is low in stock.");
}
