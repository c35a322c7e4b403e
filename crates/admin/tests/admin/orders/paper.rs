//! Packing slips, exports, and totals with an adjustment.

use super::{set, shop};
use crate::support::{App, new_user};
use std::sync::Arc;
use tradepost_domain::catalog::{Price, ProductDraft};
use tradepost_domain::identity::{Credentials, PasswordHash};
use tradepost_domain::import::ImportShop;
use tradepost_domain::kernel::{OrderId, Sku};
use tradepost_domain::orders::{Order, OrderAction, OrderItem, OrderStatus};
use tradepost_domain::testing::{
    AccountBuilder, ProductBuilder, at, money, product_id, units, usd, user,
};

#[actix_web::test]
async fn a_packing_slip_has_prices_only_on_demand() {
    let (app, ada, _) = shop().await;
    let staff = app.staff().await;
    let price = Price::parse("12.50", usd()).unwrap();
    let draft = ProductDraft {
        sku: Some(Sku::new("TEA-1").unwrap()),
        ..ProductDraft::new("Tea".parse().unwrap(), price)
    };
    let tea = app.shop.catalogue.create(app.grace.actor(), draft, None);
    app.order(&ada, &[(&tea.unwrap().executed().unwrap(), 4)]);
    let slip = staff.get("/admin/orders/1/packing-slip/").await.expect(200);
    let slip = slip
        .has("Packing slip")
        .has("<dd>ada</dd>")
        .has("<td>TEA-1</td>");
    let slip = slip.has("<td class=\"number\">4</td>").has(">Tea</th>");
    let _ = slip.has_not("USD");
    let slip = staff.get("/admin/orders/1/packing-slip/?prices=1").await;
    let _ = slip.has("12.50 USD").has("50.00 USD");
}

#[actix_web::test]
async fn an_imported_order_is_shown_with_its_adjustment() {
    let app = App::new().await;
    let account = AccountBuilder::new(2).username("@ada").build();
    let order = Order {
        id: OrderId::new(7).unwrap(),
        user: user(2),
        status: OrderStatus::Shipped,
        total: money(1_700),
        adjustment: money(-300),
        lines: vec![OrderItem {
            product: product_id(5),
            name: "=1+1, \"tea\"".parse().unwrap(),
            unit_price: money(1_000),
            quantity: units(2),
        }],
        archived: false,
        created_at: at(0),
        updated_at: at(60),
    };
    let import = ImportShop {
        users: vec![Credentials {
            account,
            password: PasswordHash::new("!".to_owned()),
        }],
        products: vec![ProductBuilder::new(5).build()],
        carts: Vec::new(),
        orders: vec![order],
    };
    let imported = app.stores.imports.import(Arc::new(import));
    imported.unwrap().unwrap();
    let staff = app.staff().await;
    let page = staff.get("/admin/orders/7/").await.expect(200);
    let page = page.has("Imported").has("the shop").has("-3.00 USD");
    let _ = page.has("Subtotal").has("20.00 USD").has("17.00 USD");
    let file = staff.get("/admin/orders/export/?sort=id").await.expect(200);
    let rows: Vec<&str> = file.text.split("\r\n").collect();
    assert_eq!(
        rows[1],
        "7,2023-11-14T22:13:20Z,2023-11-14T22:14:20Z,shipped,false,2,'@ada,2,\
         \"2 × =1+1, \"\"tea\"\"\",20.00,-3.00,17.00,USD"
    );
}

#[actix_web::test]
async fn the_list_is_exported_as_csv() {
    let (app, ada, mug) = shop().await;
    let staff = app.staff().await;
    // No customer may place so many within an hour.
    let bob = app.shop.accounts.register(new_user("bob")).unwrap();
    let eve = app.shop.accounts.register(new_user("eve")).unwrap();
    let customers = [&ada, &bob, &eve].into_iter().flat_map(|one| [one; 150]);
    let orders: Vec<Order> = customers.map(|one| app.order(one, &[(&mug, 2)])).collect();
    set(&app, &orders[9], OrderStatus::Processing);
    let change = vec![(orders[8].id, OrderAction::Delete, None)];
    let deleted = app.shop.orders.change_all(app.grace.actor(), change);
    assert!(deleted.unwrap()[0].is_ok());
    let file = staff
        .get("/admin/orders/export/?sort=id&cursor=x")
        .await
        .expect(200);
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(
        file.header("content-disposition"),
        "attachment; filename=\"orders-2077-09-27.csv\""
    );
    assert_eq!(file.header("cache-control"), "no-store");
    let text = file.text.strip_prefix('\u{feff}').unwrap();
    let rows: Vec<&str> = text.strip_suffix("\r\n").unwrap().split("\r\n").collect();
    assert_eq!(
        rows[0],
        "order,placed_at,changed_at,status,deleted,customer_id,customer,units,items,subtotal,\
         adjustment,total,currency"
    );
    let ids = rows[1..].iter().map(|row| row.split(',').next().unwrap());
    let ids: Vec<i64> = ids.map(|id| id.parse().unwrap()).collect();
    let expected: Vec<i64> = (1..=450).filter(|id| *id != 9).collect();
    assert_eq!(ids, expected);
    assert!(
        rows[1].ends_with(",pending,false,2,ada,2,2 × Mug,19.80,0.00,19.80,USD"),
        "{}",
        rows[1]
    );
    let file = staff.get("/admin/orders/export/?status=processing").await;
    assert_eq!(file.text.matches("\r\n").count(), 2);
    let reply = staff.get("/admin/orders/export/?from=x").await;
    assert_eq!(reply.location(), "/admin/orders/?from=x");
}
