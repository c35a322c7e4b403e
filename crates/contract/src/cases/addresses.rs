//! Address books.

use crate::keyed::{answer, key, now};
use crate::{TestShop, at, first_page, page, race, retry_busy};
use std::collections::BTreeSet;
use tradepost_domain::Stores;
use tradepost_domain::addresses::{
    Address, AddressAction, AddressFields, AddressId, AddressLine, AddressRefusal, AddressResult,
    AddressUpdate, ChangeAddress, Country,
};
use tradepost_domain::kernel::{
    Execution, FieldError, IdempotencyRefusal, Page, Precondition, Refusal, ResponseEncoder, UserId,
};

const FULL: Refusal = Refusal::Addresses(AddressRefusal::Full { limit: 20 });

fn line(text: &str) -> AddressLine {
    AddressLine::new(text).unwrap()
}

/// Every field has a text of its own.
fn fields(name: &str) -> AddressFields {
    AddressFields {
        label: Some(line("At \"work\", \\ 東京")),
        name: line(name),
        company: Some(line("Navy' OR 1=1")),
        line1: line("Hafenweg 1"),
        line2: Some(line("c/o %_")),
        postal_code: Some(line("20457")),
        city: Some(line("Hamburg é\u{1f375}")),
        region: Some(line("HH")),
        country: Country::new("DE").unwrap(),
        phone: Some(line("+49 40 1")),
        tax_id: Some(line("DE123")),
    }
}

fn command(user: UserId, action: AddressAction) -> ChangeAddress {
    ChangeAddress {
        user,
        action,
        seen: None,
        key: None,
        at: at(30),
    }
}

fn creation(user: UserId, name: &str) -> ChangeAddress {
    command(user, AddressAction::Create(fields(name)))
}

fn change_all(stores: &Stores, commands: &[ChangeAddress]) -> Vec<AddressResult> {
    let results = retry_busy(|| stores.addresses.change(commands));
    assert_eq!(results.len(), commands.len());
    results
}

fn change(stores: &Stores, command: ChangeAddress) -> AddressResult {
    change_all(stores, &[command]).remove(0)
}

/// The address that a command leaves behind.
fn changed(stores: &Stores, command: ChangeAddress) -> Address {
    now(change(stores, command)).unwrap()
}

fn create(stores: &Stores, user: UserId, name: &str) -> Address {
    changed(stores, creation(user, name))
}

fn updating(address: &Address, update: AddressUpdate) -> ChangeAddress {
    ChangeAddress {
        at: at(60),
        ..command(address.user, AddressAction::Update(address.id, update))
    }
}

fn deleting(user: UserId, address: AddressId) -> ChangeAddress {
    command(user, AddressAction::Delete(address))
}

fn find(stores: &Stores, user: UserId, address: AddressId) -> Option<Address> {
    retry_busy(|| stores.addresses.find(user, address))
}

fn list(stores: &Stores, user: UserId) -> Page<Address> {
    retry_busy(|| stores.addresses.list(user, first_page()))
}

/// An address is stored as given, with every field and with as few as possible.
pub fn a_new_address_is_as_given(stores: &Stores) {
    let ada = TestShop::new(stores).customer("ada");
    let few = AddressFields {
        label: None,
        company: None,
        line2: None,
        postal_code: None,
        city: None,
        region: None,
        country: Country::new("AG").unwrap(),
        phone: None,
        tax_id: None,
        ..fields("Ada")
    };
    for fields in [fields("Ada"), few] {
        let address = changed(stores, command(ada, AddressAction::Create(fields.clone())));
        let expected = Address {
            id: address.id,
            user: ada,
            fields,
            created_at: at(30),
            updated_at: at(30),
        };
        assert_eq!(address, expected);
        assert_eq!(find(stores, ada, address.id), Some(expected));
    }
}

/// A customer finds, lists and changes no address of another customer.
pub fn addresses_are_of_one_customer(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, bob) = (shop.customer("ada"), shop.customer("bob"));
    let hers = create(stores, ada, "Ada");
    assert_eq!(find(stores, bob, hers.id), None);
    assert_eq!(list(stores, bob).count, 0);
    assert_eq!(list(stores, ada).items, std::slice::from_ref(&hers));
    let missing = AddressId::new(hers.id.get() + 1000).unwrap();
    for id in [hers.id, missing] {
        assert_eq!(change(stores, deleting(bob, id)), Err(Refusal::NotFound));
        let update = AddressAction::Update(id, AddressUpdate::default());
        assert_eq!(change(stores, command(bob, update)), Err(Refusal::NotFound));
    }
    assert_eq!(find(stores, ada, hers.id), Some(hers));
}

/// Addresses are listed newest first, page by page.
pub fn addresses_are_listed_newest_first(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, bob) = (shop.customer("ada"), shop.customer("bob"));
    assert_eq!(list(stores, ada).count, 0);
    let mut made: Vec<_> = ["a", "b", "c"].map(|name| create(stores, ada, name)).into();
    create(stores, bob, "Bob");
    made.reverse();
    assert_eq!(list(stores, ada).items, made);
    let second = retry_busy(|| stores.addresses.list(ada, page(2, 2)));
    assert_eq!((second.count, &*second.items), (3, &made[2..]));
    let beyond = retry_busy(|| stores.addresses.list(ada, page(3, 2)));
    assert_eq!((beyond.count, beyond.items.len()), (3, 0));
}

/// An update changes the named fields and the time; an update that changes nothing keeps the time.
pub fn an_address_is_changed(stores: &Stores) {
    let ada = TestShop::new(stores).customer("ada");
    let (first, other) = (create(stores, ada, "Ada"), create(stores, ada, "Other"));
    let same = AddressUpdate {
        name: Some(line("Ada")),
        ..AddressUpdate::default()
    };
    assert_eq!(changed(stores, updating(&first, same)), first);
    let update = AddressUpdate {
        line2: Some(None),
        country: Country::new("FR").ok(),
        ..AddressUpdate::default()
    };
    let after = changed(stores, updating(&first, update));
    let expected = Address {
        fields: AddressFields {
            line2: None,
            country: Country::new("FR").unwrap(),
            ..first.fields.clone()
        },
        updated_at: at(60),
        ..first.clone()
    };
    assert_eq!(after, expected);
    assert_eq!(find(stores, ada, first.id), Some(expected.clone()));
    let cityless = AddressUpdate {
        city: Some(None),
        ..AddressUpdate::default()
    };
    let missing = Err(Refusal::field("city", FieldError::Required));
    assert_eq!(change(stores, updating(&first, cityless)), missing);
    assert_eq!(list(stores, ada).items, [other, expected]);
}

/// A deleted address is in no list and cannot be found, and its id is never used again.
pub fn a_deleted_address_is_gone(stores: &Stores) {
    let ada = TestShop::new(stores).customer("ada");
    let (first, second) = (create(stores, ada, "Ada"), create(stores, ada, "Other"));
    assert_eq!(now(change(stores, deleting(ada, second.id))), None);
    assert_eq!(find(stores, ada, second.id), None);
    assert_eq!(list(stores, ada).items, std::slice::from_ref(&first));
    let again = change(stores, deleting(ada, second.id));
    assert_eq!(again, Err(Refusal::NotFound));
    now(change(stores, deleting(ada, first.id)));
    assert_eq!(list(stores, ada).count, 0);
    assert!(create(stores, ada, "New").id > second.id);
}

/// A customer has at most 20 addresses; those of other customers do not count.
pub fn an_address_book_holds_20_addresses(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, bob) = (shop.customer("ada"), shop.customer("bob"));
    create(stores, bob, "Bob");
    let made: Vec<_> = (0..20).map(|_| create(stores, ada, "Ada")).collect();
    assert_eq!(change(stores, creation(ada, "Ada")), Err(FULL));
    create(stores, bob, "Bob");
    now(change(stores, deleting(ada, made[0].id)));
    create(stores, ada, "Ada");
    assert_eq!(change(stores, creation(ada, "Ada")), Err(FULL));
    assert_eq!(list(stores, ada).count, 20);
}

/// In a slice of commands each sees the earlier ones, and a refused one affects no other.
pub fn a_refused_address_does_not_affect_its_neighbours(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, bob) = (shop.customer("ada"), shop.customer("bob"));
    assert_eq!(change_all(stores, &[]), []);
    for _ in 0..18 {
        create(stores, ada, "Ada");
    }
    let first = create(stores, ada, "Ada");
    let commands = [
        deleting(bob, first.id),
        creation(ada, "The twentieth"),
        creation(ada, "One too many"),
        deleting(ada, first.id),
        creation(ada, "In its place"),
        updating(&first, AddressUpdate::default()),
    ];
    let results = change_all(stores, &commands);
    let names = results.into_iter().map(|result| match result {
        Ok(Execution::Executed(after)) => Ok(after.map(|it| it.fields.name.as_str().to_owned())),
        Ok(Execution::Replayed(answer)) => panic!("without a key: {answer}"),
        Err(refusal) => Err(refusal),
    });
    let expected = [
        Err(Refusal::NotFound),
        Ok(Some("The twentieth".to_owned())),
        Err(FULL),
        Ok(None),
        Ok(Some("In its place".to_owned())),
        Err(Refusal::NotFound),
    ];
    assert_eq!(names.collect::<Vec<_>>(), expected);
    assert_eq!(list(stores, ada).count, 20);
}

/// An address is changed and deleted only if the precondition holds.
pub fn an_address_edit_checks_its_precondition(stores: &Stores) {
    fn tag(address: &Address) -> String {
        format!("{address:?}")
    }
    let ada = TestShop::new(stores).customer("ada");
    let first = create(stores, ada, "Ada");
    let saw = |address: &Address, command: ChangeAddress| ChangeAddress {
        seen: Some(Precondition {
            tags: vec![tag(address)],
            tag: ResponseEncoder(tag),
        }),
        ..command
    };
    let renamed = |name: &str| AddressUpdate {
        name: Some(line(name)),
        ..AddressUpdate::default()
    };
    let second = changed(stores, saw(&first, updating(&first, renamed("Grace"))));
    for stale in [
        updating(&first, renamed("Mary")),
        updating(&first, AddressUpdate::default()),
        deleting(ada, first.id),
    ] {
        let refused = change(stores, saw(&first, stale));
        assert_eq!(refused, Err(Refusal::PreconditionFailed));
    }
    assert_eq!(find(stores, ada, first.id), Some(second.clone()));
    now(change(stores, saw(&second, deleting(ada, first.id))));
    let gone = change(stores, saw(&second, deleting(ada, first.id)));
    assert_eq!(gone, Err(Refusal::NotFound));
}

fn keyed(user: UserId, name: &str, fingerprint: &str) -> ChangeAddress {
    ChangeAddress {
        key: Some(key("/addresses/", "a", fingerprint)),
        ..creation(user, name)
    }
}

/// A creation sent twice under one key is executed once, also within a slice, and replayed after the
/// address is gone; a refused one is not stored.
pub fn one_key_is_one_address(stores: &Stores) {
    let shop = TestShop::new(stores);
    let (ada, bob) = (shop.customer("ada"), shop.customer("bob"));
    let twice = change_all(stores, &[keyed(ada, "Ada", "1"), keyed(ada, "Ada", "1")]);
    let twice: Vec<_> = twice.into_iter().map(Result::unwrap).collect();
    let Execution::Executed(Some(first)) = &twice[0] else {
        panic!("{twice:?}")
    };
    let stored = Execution::Replayed(answer(Execution::Executed(first.clone())));
    assert_eq!(twice[1], stored);
    assert_eq!(list(stores, ada).count, 1);
    now(change(stores, deleting(ada, first.id)));
    assert_eq!(change(stores, keyed(ada, "Ada", "1")), Ok(stored));
    let reused = Refusal::Idempotency(IdempotencyRefusal::KeyReused);
    assert_eq!(change(stores, keyed(ada, "Ada", "2")), Err(reused));
    assert_eq!(list(stores, ada).count, 0);

    let full: Vec<_> = (0..20).map(|_| create(stores, bob, "Bob")).collect();
    assert_eq!(change(stores, keyed(bob, "Bob", "1")), Err(FULL));
    now(change(stores, deleting(bob, full[0].id)));
    now(change(stores, keyed(bob, "Bob", "1")));
}

/// Of concurrent creations, as many are executed as the address book has places.
pub fn the_last_place_for_an_address(stores: &Stores) {
    let ada = TestShop::new(stores).customer("ada");
    for _ in 0..18 {
        create(stores, ada, "Ada");
    }
    let results = race(8, |_| change(stores, creation(ada, "Ada")));
    let refused = results.iter().filter(|result| **result == Err(FULL));
    assert_eq!((refused.count(), list(stores, ada).count), (6, 20));
}

/// Concurrent changes of different fields of one address are all kept; the deletion that races them
/// leaves nothing.
pub fn edits_of_an_address_do_not_overwrite_each_other(stores: &Stores) {
    let ada = TestShop::new(stores).customer("ada");
    for round in 0..5 {
        let address = create(stores, ada, "Ada");
        let text = line(&format!("round {round}"));
        let edit = |at: usize| {
            let text = Some(text.clone());
            let mut update = AddressUpdate::default();
            match at {
                0 => update.name = text,
                1 => update.line1 = text,
                2 => update.city = Some(text),
                _ => update.phone = Some(text),
            }
            changed(stores, updating(&address, update));
        };
        race(4, edit);
        let after = find(stores, ada, address.id).unwrap().fields;
        let seen = (after.name, after.line1, after.city, after.phone);
        let some = Some(text.clone());
        assert_eq!(seen, (text.clone(), text.clone(), some.clone(), some));

        let update = AddressUpdate {
            name: Some(line("Late")),
            ..AddressUpdate::default()
        };
        race(4, |at| match at {
            0 => drop(now(change(stores, deleting(ada, address.id)))),
            _ => drop(change(stores, updating(&address, update.clone()))),
        });
        assert_eq!(list(stores, ada).count, 0);
    }
}

/// Concurrent creations under one key are one, and all get its response.
pub fn addresses_under_one_key_are_one(stores: &Stores) {
    let ada = TestShop::new(stores).customer("ada");
    let results = race(8, |_| change(stores, keyed(ada, "Ada", "1")).unwrap());
    let response = |result: Execution<Option<Address>>| match result {
        Execution::Executed(after) => answer(Execution::Executed(after.unwrap())),
        Execution::Replayed(answer) => answer,
    };
    let responses: BTreeSet<String> = results.into_iter().map(response).collect();
    assert_eq!((responses.len(), list(stores, ada).count), (1, 1));
}
