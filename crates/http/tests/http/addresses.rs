//! The address book.

use crate::support::{App, Reply};
use serde_json::{Value, json};

const ADDRESSES: &str = "/api/users/me/addresses/";

fn body() -> Value {
    json!({
        "label": "Home", "name": " Grace Hopper ", "company": "", "line1": "Hafenweg 1",
        "line2": null, "postal_code": "20457", "city": "Hamburg", "country": "de"
    })
}

async fn create(app: &App, token: &str, body: &Value) -> Reply {
    app.post(ADDRESSES).token(token).json(body).await
}

fn path(created: &Reply) -> String {
    format!("{ADDRESSES}{}/", created.json()["id"])
}

#[actix_web::test]
async fn an_address_is_created_and_shown() {
    let app = App::new().await;
    let ada = app.customer("ada");
    let created = create(&app, &ada, &body()).await.expect_status(201);
    let address = created.json();
    let expected = json!({
        "id": 1, "label": "Home", "name": "Grace Hopper", "company": null, "line1": "Hafenweg 1",
        "line2": null, "postal_code": "20457", "city": "Hamburg", "region": null, "country": "DE",
        "phone": null, "tax_id": null,
        "created_at": address["created_at"], "updated_at": address["created_at"]
    });
    assert_eq!(address, expected);
    let location = format!("http://shop{}", path(&created));
    assert_eq!(created.header("location"), location);
    let shown = app.get(&path(&created)).token(&ada).send().await;
    assert_eq!((shown.status, shown.json()), (200, expected.clone()));
    assert_eq!(shown.header("etag"), created.header("etag"));
    let listed = app.get(ADDRESSES).token(&ada).send().await.json();
    let page = json!({"count": 1, "next": null, "previous": null, "results": [expected]});
    assert_eq!(listed, page);
}

#[actix_web::test]
async fn a_country_requires_its_fields() {
    let app = App::new().await;
    let ada = app.customer("ada");
    let least = |country: &str| json!({"name": "Ada", "line1": "1 High St", "country": country});
    for (country, missing) in [
        ("US", &["city", "postal_code", "region"][..]),
        ("DE", &["city", "postal_code"]),
        ("IE", &["city"]),
    ] {
        let refused = create(&app, &ada, &least(country)).await;
        refused.expect_fields(missing);
    }
    create(&app, &ada, &least("AG")).await.expect_status(201);
    create(&app, &ada, &json!({}))
        .await
        .expect_fields(&["country", "line1", "name"]);
    for (field, value) in [
        ("country", json!("UK")),
        ("country", json!("Germany")),
        ("country", json!(null)),
        ("name", json!(" ")),
        ("name", json!(null)),
        ("line1", json!("a\nb")),
        ("phone", json!("5".repeat(201))),
        ("tax_id", json!(7)),
    ] {
        let mut wrong = body();
        wrong[field] = value;
        create(&app, &ada, &wrong).await.expect_fields(&[field]);
    }
    let mut longest = body();
    longest["phone"] = json!("é".repeat(200));
    create(&app, &ada, &longest).await.expect_status(201);
}

#[actix_web::test]
async fn an_address_is_changed_under_a_precondition() {
    let app = App::new().await;
    let ada = app.customer("ada");
    let created = create(&app, &ada, &body()).await;
    let (path, tag) = (path(&created), created.header("etag"));
    let unchanged = app.get(&path).token(&ada).header("If-None-Match", &tag);
    assert_eq!(unchanged.send().await.status, 304);

    app.clock.advance(60);
    let change = json!({"line2": "2nd floor", "label": "", "id": 7, "user": 7});
    let patch = app.patch(&path).token(&ada).header("If-Match", &tag);
    let changed = patch.json(&change).await.expect_status(200);
    let mut expected = created.json();
    expected["line2"] = json!("2nd floor");
    expected["label"] = json!(null);
    expected["updated_at"] = changed.json()["updated_at"].clone();
    assert_eq!(changed.json(), expected);
    assert_ne!(expected["updated_at"], expected["created_at"]);

    for method in ["PATCH", "DELETE"] {
        let stale = app.call(method.parse().unwrap(), &path).token(&ada);
        let refused = stale
            .header("If-Match", &tag)
            .json(&json!({"name": "Ada"}))
            .await;
        refused.expect(412, "precondition_failed");
    }
    let cityless = app
        .patch(&path)
        .token(&ada)
        .json(&json!({"city": null}))
        .await;
    cityless.expect_fields(&["city"]);
    let put = app.put(&path).token(&ada).json(&body()).await;
    put.expect(405, "method_not_allowed");

    let tag = changed.header("etag");
    let delete = app.delete(&path).token(&ada).header("If-Match", &tag);
    assert_eq!(delete.send().await.status, 204);
    app.get(&path)
        .token(&ada)
        .send()
        .await
        .expect(404, "not_found");
    let listed = app.get(ADDRESSES).token(&ada).send().await.json();
    assert_eq!(listed["count"], 0);
}

#[actix_web::test]
async fn addresses_of_other_customers_look_missing() {
    let app = App::new().await;
    let (ada, bob, boss) = (app.customer("ada"), app.customer("bob"), app.staff("boss"));
    let created = create(&app, &ada, &body()).await;
    let (theirs, tag) = (path(&created), created.header("etag"));
    let nothing = format!("{ADDRESSES}4711/");
    for token in [&bob, &boss] {
        for method in ["GET", "PATCH", "DELETE"] {
            for header in [
                None,
                Some(("If-Match", &*tag)),
                Some(("If-None-Match", &*tag)),
            ] {
                for body in [json!({}), json!({"name": "Bob"}), json!({"country": "US"})] {
                    let ask = async |path: &str| {
                        let call = app.call(method.parse().unwrap(), path).token(token);
                        let call = match header {
                            Some((name, value)) => call.header(name, value),
                            None => call,
                        };
                        call.json(&body).await
                    };
                    let (one, other) = (ask(&theirs).await, ask(&nothing).await);
                    assert_eq!(
                        (one.status, other.status),
                        (404, 404),
                        "{method} {header:?}"
                    );
                    assert_eq!(one.anonymous(), other.anonymous());
                }
            }
        }
        let listed = app.get(ADDRESSES).token(token).send().await.json();
        assert_eq!(
            (&listed["count"], &listed["results"]),
            (&json!(0), &json!([]))
        );
    }
    let shown = app.get(&theirs).token(&ada).send().await;
    assert_eq!(shown.json(), created.json());
    for id in ["0", "-1", "abc", "9223372036854775808"] {
        let path = format!("{ADDRESSES}{id}/");
        app.get(&path)
            .token(&ada)
            .send()
            .await
            .expect(404, "not_found");
    }
}

#[actix_web::test]
async fn an_address_book_holds_20_addresses() {
    let app = App::new().await;
    let ada = app.customer("ada");
    let mut last = String::new();
    for _ in 0..20 {
        last = path(&create(&app, &ada, &body()).await.expect_status(201));
    }
    create(&app, &ada, &body())
        .await
        .expect(409, "address_book_full");
    let page = app.get(&format!("{ADDRESSES}?page=last&page_size=15"));
    let page = page.token(&ada).send().await.json();
    let results = page["results"].as_array().unwrap();
    assert_eq!((&page["count"], results.len()), (&json!(20), 5));
    assert_eq!(
        page["previous"],
        format!("http://shop{ADDRESSES}?page_size=15")
    );
    app.delete(&last)
        .token(&ada)
        .send()
        .await
        .expect_status(204);
    create(&app, &ada, &body()).await.expect_status(201);
}

#[actix_web::test]
async fn one_key_is_one_address() {
    let app = App::new().await;
    let ada = app.customer("ada");
    let send = async |body: &Value| {
        let call = app
            .post(ADDRESSES)
            .token(&ada)
            .header("Idempotency-Key", "k");
        call.json(body).await
    };
    let first = send(&body()).await.expect_status(201);
    app.delete(&path(&first))
        .token(&ada)
        .send()
        .await
        .expect_status(204);
    let mut same = body();
    same["country"] = json!(" DE ");
    let again = send(&same).await.expect_status(201);
    assert_eq!(again.body, first.body);
    assert_eq!(again.header("idempotent-replayed"), "true");
    let mut other = body();
    other["name"] = json!("Ada");
    send(&other).await.expect(422, "idempotency_key_reused");
    let listed = app.get(ADDRESSES).token(&ada).send().await.json();
    assert_eq!(listed["count"], 0);
}
