use super::*;
use crate::testing::{level, money, product_id, usd, user};

fn order() -> OrderId {
    OrderId::new(4).unwrap()
}

/// One event of each name, and more where the columns vary.
fn kinds() -> Vec<EventKind> {
    let (order, user, product) = (order(), user(5), product_id(6));
    vec![
        EventKind::OrderPlaced {
            order,
            user,
            total: money(1_250),
        },
        EventKind::OrderImported {
            order,
            user,
            status: OrderStatus::Shipped,
            total: money(0),
        },
        EventKind::OrderStatus {
            order,
            user,
            from: OrderStatus::Pending,
            to: OrderStatus::Cancelled,
            total: money(7),
        },
        EventKind::ProductCreated { product },
        EventKind::ProductChanged {
            product,
            attributes: vec![
                ProductAttribute::Sku,
                ProductAttribute::Name,
                ProductAttribute::Description,
                ProductAttribute::Price {
                    from: money(100),
                    to: money(99),
                },
                ProductAttribute::Measure {
                    measure: Measure::WeightGrams,
                    from: 0,
                    to: 250,
                },
                ProductAttribute::LowStock {
                    from: None,
                    to: Some(level(3)),
                },
                ProductAttribute::LowStock {
                    from: Some(level(0)),
                    to: None,
                },
            ],
        },
        EventKind::ProductArchived { product },
        EventKind::ProductRestored { product },
        EventKind::StockAdjusted {
            product,
            delta: StockDelta::new(-3).unwrap(),
            reason: Reason::Adjustment,
        },
        EventKind::StockOut { product },
        EventKind::StockLow {
            product,
            level: level(2),
        },
        EventKind::StockBack {
            product,
            level: level(20),
        },
        EventKind::AccountRegistered { user },
        EventKind::AccountChanged {
            user,
            attribute: AccountAttribute::Email,
        },
        EventKind::AccountSwitched {
            user,
            is_active: false,
            is_staff: true,
        },
        EventKind::KeyRotated,
    ]
}

#[test]
fn every_event_survives_its_columns() {
    let kinds = kinds();
    let names: Vec<_> = kinds.iter().map(EventKind::name).collect();
    assert_eq!(names, EventName::ALL);
    for kind in kinds {
        let columns = EventColumns::from(&kind);
        assert_eq!(columns.kind(usd()), Some(kind));
    }
    for (is_active, is_staff) in [(true, true), (true, false), (false, false)] {
        let kind = EventKind::AccountSwitched {
            user: user(5),
            is_active,
            is_staff,
        };
        assert_eq!(EventColumns::from(&kind).kind(usd()), Some(kind));
    }
}

#[test]
fn details_are_a_few_words() {
    let details = kinds()
        .into_iter()
        .map(|kind| EventColumns::from(&kind).detail);
    let details: Vec<_> = details.filter(|detail| !detail.is_empty()).collect();
    let expected = [
        "shipped",
        "pending>cancelled",
        "sku,name,description,price 100>99,weight 0>250,low_stock shop>3,low_stock 0>shop",
        "adjustment",
        "email",
        "inactive staff",
    ];
    assert_eq!(details, expected);
}

#[test]
fn contradicting_columns_are_no_event() {
    for kind in kinds() {
        let columns = EventColumns {
            order: None,
            product: None,
            user: None,
            ..EventColumns::from(&kind)
        };
        let expected = (kind == EventKind::KeyRotated).then_some(kind);
        assert_eq!(columns.kind(usd()), expected);
    }
    for (detail, amount) in [
        ("pending>lost", Some(7)),
        ("pending", Some(7)),
        ("pending>shipped", None),
    ] {
        let columns = EventColumns {
            name: EventName::OrderStatus,
            order: Some(order()),
            product: None,
            user: Some(user(5)),
            detail: detail.to_owned(),
            amount,
        };
        assert_eq!(columns.kind(usd()), None, "{detail}");
    }
}

#[test]
fn a_pattern_selects_one_name_or_those_of_a_subject() {
    let selected = |pattern| {
        let names = EventName::matching(pattern).into_iter();
        names.map(EventName::as_str).collect::<Vec<_>>()
    };
    assert_eq!(selected("order.placed"), ["order.placed"]);
    let orders = ["order.placed", "order.imported", "order.status"];
    assert_eq!(selected("order.*"), orders);
    for unknown in [
        "", "*", ".*", "order", "order*", "order.", "cart.*", "Order.*",
    ] {
        assert!(selected(unknown).is_empty(), "{unknown:?}");
    }
    for name in EventName::ALL {
        assert_eq!(EventName::parse(name.as_str()), Some(name));
    }
}
