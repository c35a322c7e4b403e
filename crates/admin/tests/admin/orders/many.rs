//! Changes of many orders at once.

use super::{HOSTILE, set, shop, stored};
use crate::support::{Browser, Reply};
use tradepost_domain::orders::{Order, OrderStatus};

/// The list, and the fields of a form with these ticked rows.
async fn tick<'a>(staff: &Browser<'_>, orders: &'a [&'a str]) -> (Reply, Vec<(&'a str, &'a str)>) {
    let list = staff.get("/admin/orders/").await;
    for value in orders {
        assert!(
            list.text
                .contains(&format!("name=\"order\" value=\"{value}\""))
        );
    }
    (list, orders.iter().map(|value| ("order", *value)).collect())
}

#[actix_web::test]
async fn many_orders_are_changed_at_once() {
    let (app, ada, mug) = shop().await;
    let staff = app.staff().await;
    let orders: Vec<Order> = (0..4).map(|_| app.order(&ada, &[(&mug, 1)])).collect();
    let (list, mut fields) = tick(&staff, &["1.pending", "2.pending"]).await;
    fields.extend([
        ("transition", "processing"),
        ("back", "?status=pending&q=%22%3E"),
    ]);
    let reply = list
        .submit_to(&staff, "/admin/orders/change/", &fields)
        .await;
    let back = "/admin/orders/?status=pending&q=%22%3E";
    assert_eq!(reply.location(), back);
    let page = staff.get(back).await;
    let _ = page.has("2 orders changed to processing.");
    // One was changed meanwhile, one does not exist, one is deleted, and one can be changed.
    let (list, mut fields) = tick(&staff, &["1.processing", "2.processing", "3.pending"]).await;
    set(&app, &orders[1], OrderStatus::Shipped);
    let deleted = app
        .shop
        .orders
        .delete(app.grace.actor(), orders[2].id, None);
    deleted.unwrap();
    fields.extend([
        ("order", "99.pending"),
        ("order", "4.pending"),
        ("transition", "shipped"),
    ]);
    let reply = list
        .submit_to(&staff, "/admin/orders/change/", &fields)
        .await;
    let reply = reply.expect(200).has("1 changed to shipped, 4 not");
    let reply = reply
        .has("It was changed after you opened the list: it is shipped now.")
        .has("It was deleted.")
        .has("No order has this number.")
        .has("An order that is pending cannot become shipped.");
    let _ = reply.has("<td>ada</td>");
    assert_eq!(stored(&app, &orders[0]).status, OrderStatus::Shipped);
    assert_eq!(stored(&app, &orders[3]).status, OrderStatus::Pending);
    let fields = [("order", "1.pending"), ("transition", "processing")];
    let reply = list
        .submit_to(&staff, "/admin/orders/change/", &fields)
        .await;
    let _ = reply.expect(412).has("0 changed to processing, 1 not");
}

#[actix_web::test]
async fn many_orders_are_cancelled_after_a_question() {
    let (app, ada, mug) = shop().await;
    let staff = app.staff().await;
    let orders: Vec<Order> = (0..2).map(|_| app.order(&ada, &[(&mug, 1)])).collect();
    let (list, mut fields) = tick(&staff, &["1.pending", "2.pending"]).await;
    fields.push(("transition", "cancelled"));
    let question = list
        .submit_to(&staff, "/admin/orders/change/", &fields)
        .await;
    let question = question.expect(200).has("Cancel 2 orders?");
    assert_eq!(stored(&app, &orders[0]).status, OrderStatus::Pending);
    fields.push(("confirmed", "1"));
    let reply = question
        .submit_to(&staff, "/admin/orders/change/", &fields)
        .await;
    let _ = staff
        .get(reply.location())
        .await
        .has("2 orders changed to cancelled.");
    assert_eq!(stored(&app, &orders[1]).status, OrderStatus::Cancelled);
    assert_eq!(app.stored(&mug).stock.units(), 2);
}

#[actix_web::test]
async fn a_change_of_many_without_orders_or_status_changes_nothing() {
    let (app, ada, mug) = shop().await;
    let staff = app.staff().await;
    let order = app.order(&ada, &[(&mug, 1)]);
    let list = staff.get("/admin/orders/").await;
    let many: Vec<String> = (1..=501).map(|id| format!("{id}.pending")).collect();
    let many = many.iter().map(|value| ("order", value.as_str()));
    let many: Vec<_> = many.chain([("transition", "processing")]).collect();
    for (fields, error) in [
        (
            vec![("transition", "processing")],
            "Tick at least one order.",
        ),
        (vec![("order", "1.pending")], "Choose a status"),
        (
            vec![("order", "1.pending"), ("transition", HOSTILE)],
            "Choose a status",
        ),
        (
            vec![("order", HOSTILE), ("transition", "processing")],
            "cannot be read",
        ),
        (many, "At most 500 orders"),
    ] {
        let mut fields = fields;
        fields.push(("back", HOSTILE));
        let reply = list
            .submit_to(&staff, "/admin/orders/change/", &fields)
            .await;
        let reply = reply.expect(400).has(error).has("Nothing was changed");
        let _ = reply.has_not("<script>alert");
    }
    let forged = [
        ("csrf", "x"),
        ("order", "1.pending"),
        ("transition", "processing"),
    ];
    staff
        .post("/admin/orders/change/", &forged)
        .await
        .expect(403);
    let hostile = format!("1.{HOSTILE}");
    let fields = [("order", hostile.as_str()), ("transition", "cancelled")];
    let reply = list
        .submit_to(&staff, "/admin/orders/change/", &fields)
        .await;
    let _ = reply.expect(200).has_not("<script>alert");
    assert_eq!(stored(&app, &order).status, OrderStatus::Pending);
}
