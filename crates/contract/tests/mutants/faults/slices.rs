use crate::store::{Behaviour, ChangeOneCart, HONEST};
use crate::table::Row;
use tradepost_domain::cart::{CartChange, ChangeCart};
use tradepost_domain::catalog::{ChangeProduct, Product, ProductRepository};
use tradepost_domain::inventory::InventoryRepository;
use tradepost_domain::inventory::{AdjustStock, Adjusted, InventoryRefusal, StockDelta};
use tradepost_domain::kernel::{AllOrNone, Error, Execution, Outcomes, Refusal, Refusals};
use tradepost_domain::testing::one_by_one;
use tradepost_memory::MemoryStore as Store;

/// Refuses every command after a refused one.
pub(crate) fn stops_at_a_refusal(
    store: &Store,
    change: ChangeOneCart,
    commands: &[ChangeCart],
) -> Outcomes<CartChange> {
    let mut results: Vec<Result<CartChange, Refusal>> = Vec::new();
    for command in commands {
        if let Some(Err(refusal)) = results.last() {
            results.push(Err(refusal.clone()));
        } else {
            results.extend(one_by_one(std::slice::from_ref(command), |command| {
                change(store, command)
            })?);
        }
    }
    Ok(results)
}

/// Executes the last command first.
pub(crate) fn goes_backwards(
    store: &Store,
    change: ChangeOneCart,
    commands: &[ChangeCart],
) -> Outcomes<CartChange> {
    let backwards: Vec<_> = commands.iter().rev().cloned().collect();
    let mut results = one_by_one(&backwards, |command| change(store, command))?;
    results.reverse();
    Ok(results)
}

/// Executes a command again whose key an earlier one of its slice has.
pub(crate) fn repeats_keys(
    store: &Store,
    change: ChangeOneCart,
    commands: &[ChangeCart],
) -> Outcomes<CartChange> {
    let mut seen = Vec::new();
    let mut commands = commands.to_vec();
    for command in &mut commands {
        let scope = command
            .key
            .as_ref()
            .map(|key| (command.user, key.scope.clone()));
        if scope.is_some() && seen.contains(&scope) {
            command.key = None;
        }
        seen.push(scope);
    }
    one_by_one(&commands, |command| change(store, command))
}

/// Writes off what is on hand, where more is asked for.
pub(crate) fn writes_off_the_rest(
    store: &Store,
    command: AdjustStock,
) -> Result<Execution<Adjusted>, Error> {
    let adjusted = store.adjust_stock(command.clone());
    let Err(Error::Refused(Refusal::Inventory(InventoryRefusal::InsufficientStock(short)))) =
        &adjusted
    else {
        return adjusted;
    };
    let left = short.first().map(|line| -line.available.units());
    match left.and_then(StockDelta::new) {
        Some(delta) => store.adjust_stock(AdjustStock { delta, ..command }),
        None => adjusted,
    }
}

/// Changes the products whose changes are not refused.
pub(crate) fn keeps_the_allowed_changes(
    store: &Store,
    commands: &[ChangeProduct],
) -> AllOrNone<Product> {
    let refused = store.change_together(commands)?;
    if refused.is_err() {
        ProductRepository::change_all(store, commands)?;
    }
    Ok(refused)
}

/// Reports every command of a refused slice as refused.
pub(crate) fn blames_every_command(
    store: &Store,
    commands: &[ChangeProduct],
) -> AllOrNone<Product> {
    let first = |refusals: Refusals| {
        let first = refusals.into_iter().flatten().next();
        vec![first; commands.len()]
    };
    Ok(store.change_together(commands)?.map_err(first))
}

/// Changes products one after the other, until a change is refused.
pub(crate) fn changes_one_by_one(store: &Store, commands: &[ChangeProduct]) -> AllOrNone<Product> {
    let mut products = Vec::new();
    for command in commands {
        match store.change_together(std::slice::from_ref(command))? {
            Ok(changed) => products.extend(changed),
            Err(refusals) => return Ok(Err(refusals)),
        }
    }
    Ok(Ok(products))
}

pub(crate) const ROWS: &[Row] = &[
    (
        "keeps the allowed changes of a refused slice",
        Behaviour {
            change_together: keeps_the_allowed_changes,
            ..HONEST
        },
        &["products_are_changed_together_or_not_at_all"],
    ),
    (
        "reports the refusal of one change for all",
        Behaviour {
            change_together: blames_every_command,
            ..HONEST
        },
        &["products_are_changed_together_or_not_at_all"],
    ),
    (
        "changes products one after the other",
        Behaviour {
            change_together: changes_one_by_one,
            ..HONEST
        },
        &[
            "changes_together_race_orders",
            "products_are_changed_together_or_not_at_all",
        ],
    ),
    (
        "refuses what follows a refusal",
        Behaviour {
            slice_carts: stops_at_a_refusal,
            ..HONEST
        },
        &[
            "a_refused_cart_change_does_not_affect_its_neighbours",
            "cart_changes_of_a_slice_see_each_other",
        ],
    ),
    (
        "executes a slice backwards",
        Behaviour {
            slice_carts: goes_backwards,
            ..HONEST
        },
        &[
            "a_refused_cart_change_does_not_affect_its_neighbours",
            "cart_changes_of_a_slice_see_each_other",
        ],
    ),
    (
        "repeats a key within a slice",
        Behaviour {
            slice_carts: repeats_keys,
            ..HONEST
        },
        &["a_key_repeated_in_a_slice_is_one_addition"],
    ),
    (
        "writes off the rest of a stock",
        Behaviour {
            adjust: writes_off_the_rest,
            ..HONEST
        },
        &["adjustments_of_a_slice_see_each_other"],
    ),
    (
        "gives stock of a slice back twice",
        Behaviour {
            change_order: super::orders::returns_twice,
            ..HONEST
        },
        &["order_changes_of_a_slice_see_each_other"],
    ),
    (
        "gives a sku to two products of a slice",
        Behaviour {
            create: super::products::shares_skus_of_new,
            ..HONEST
        },
        &["product_changes_of_a_slice_see_each_other"],
    ),
];
