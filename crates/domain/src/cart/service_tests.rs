//! Authorisation of carts, and the calls that reach the port.

use super::*;
use crate::cart::{CartItem, CartRefusal, MockCartRepository};
use crate::kernel::{StoreError, StoreErrorKind, UserId};
use crate::testing::{at, clock, product, refusal, user};

fn line_id(id: i64) -> CartItemId {
    CartItemId::new(id).unwrap()
}

fn product_id() -> ProductId {
    ProductId::new(3).unwrap()
}

fn item(id: i64) -> CartItemDetail {
    CartItemDetail {
        line: CartItem {
            id: line_id(id),
            user: user(1),
            product: product_id(),
            quantity: Quantity::ONE,
            created_at: at(0),
            updated_at: at(0),
        },
        product: product(3, 100, 5),
    }
}

fn carts(port: MockCartRepository) -> Carts {
    Carts::new(Arc::new(port), Arc::new(clock(60)))
}

/// Carts over a port that expects a read of this user's cart and returns these lines.
fn carts_with(owner: UserId, items: Vec<CartItemDetail>) -> Carts {
    let mut port = MockCartRepository::new();
    port.expect_carts()
        .withf(move |asked| asked == [owner])
        .returning(move |_| {
            let items = items.clone();
            Ok(HashMap::from([(owner, Cart { items })]))
        });
    carts(port)
}

#[test]
fn an_anonymous_caller_has_no_cart() {
    let carts = carts(MockCartRepository::new());
    let nobody = Actor::Anonymous;
    let expected = Refusal::Unauthenticated;
    assert_eq!(refusal(carts.cart(nobody)), expected);
    assert_eq!(refusal(carts.item(nobody, line_id(1))), expected);
    let added = carts.add(nobody, product_id(), Quantity::ONE, None);
    assert_eq!(refusal(added), expected);
    let set = carts.set(nobody, line_id(1), None, None, None);
    assert_eq!(refusal(set), expected);
    assert_eq!(refusal(carts.remove(nobody, line_id(1), None)), expected);
    assert_eq!(refusal(carts.empty(nobody)), expected);
}

#[test]
fn customers_and_staff_read_their_own_cart() {
    for actor in [Actor::Customer(user(1)), Actor::Staff(user(7))] {
        let owner = actor.customer().unwrap();
        let carts = carts_with(owner, vec![item(4), item(5)]);
        assert_eq!(carts.cart(actor).unwrap().items, [item(4), item(5)]);
        assert_eq!(carts.item(actor, line_id(5)).unwrap(), item(5));
        let missing = carts.item(actor, line_id(6));
        assert_eq!(refusal(missing), Refusal::NotFound);
    }
}

#[test]
fn each_change_reaches_the_port_with_owner_and_time() {
    type Act = fn(&Carts, Actor) -> Result<Option<CartItemDetail>, Error>;
    let quantity = Quantity::new(2).unwrap();
    let cases: [(CartAction, Act); 5] = [
        (
            CartAction::Add {
                product: product_id(),
                quantity,
            },
            |carts, actor| {
                let quantity = Quantity::new(2).unwrap();
                carts
                    .add(actor, product_id(), quantity, None)
                    .map(|execution| execution.executed().ok())
            },
        ),
        (
            CartAction::Set {
                line: line_id(4),
                quantity: Some(quantity),
                product: Some(product_id()),
            },
            |carts, actor| {
                let quantity = Quantity::new(2).ok();
                carts.set(actor, line_id(4), quantity, Some(product_id()), None)
            },
        ),
        (
            CartAction::Set {
                line: line_id(4),
                quantity: None,
                product: None,
            },
            |carts, actor| carts.set(actor, line_id(4), None, None, None),
        ),
        (CartAction::Remove { line: line_id(4) }, |carts, actor| {
            carts.remove(actor, line_id(4), None).map(|()| None)
        }),
        (CartAction::Empty, |carts, actor| {
            carts.empty(actor).map(|()| None)
        }),
    ];
    for (action, act) in cases {
        let left = match action {
            CartAction::Add { .. } => Some(item(4)),
            CartAction::Set { quantity, .. } => quantity.map(|_| item(4)),
            CartAction::Remove { .. } | CartAction::Empty => None,
        };
        for actor in [Actor::Customer(user(1)), Actor::Staff(user(7))] {
            let expected = ChangeCart {
                seen: None,
                user: actor.customer().unwrap(),
                action,
                key: None,
                at: at(60),
            };
            let mut port = MockCartRepository::new();
            let answer = left.clone();
            port.expect_change_all()
                .withf(move |given| *given == [expected.clone()])
                .once()
                .returning(move |_| Ok(vec![Ok(Execution::Executed(answer.clone()))]));
            assert_eq!(act(&carts(port), actor).unwrap(), left, "{action:?}");
        }
    }
}

#[test]
fn refusals_and_failures_are_passed_on() {
    let actor = Actor::Customer(user(1));
    let mut port = MockCartRepository::new();
    port.expect_change_all()
        .once()
        .returning(|_| Ok(vec![Err(Refusal::Cart(CartRefusal::Full { limit: 100 }))]));
    port.expect_change_all()
        .once()
        .returning(|_| Err(StoreError::new(StoreErrorKind::Unavailable)));
    port.expect_carts()
        .returning(|_| Err(StoreError::new(StoreErrorKind::Unavailable)));
    let carts = carts(port);
    let refused = carts.add(actor, product_id(), Quantity::ONE, None);
    assert_eq!(
        refusal(refused),
        Refusal::Cart(CartRefusal::Full { limit: 100 })
    );
    let failed = carts.add(actor, product_id(), Quantity::ONE, None);
    assert!(matches!(failed, Err(Error::Store(_))), "{failed:?}");
    let failed = carts.item(actor, line_id(1));
    assert!(matches!(failed, Err(Error::Store(_))), "{failed:?}");
}
