//! Stores with a deliberate defect (mutants): the simulation has to find it, otherwise a simulation
//! without findings would prove little.

use crate::broken_accounts::BrokenAccounts;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tradepost_domain::Stores;
use tradepost_domain::cart::{Cart, CartAction, CartChange, CartRepository, ChangeCart};
use tradepost_domain::catalog::{
    ChangeProduct, CreateProduct, Product, ProductChange, ProductField, ProductFilter, ProductList,
    ProductRepository,
};
use tradepost_domain::inventory::{
    AdjustStock, Adjusted, InventoryRefusal, InventoryRepository, Movement, Reason, StockDelta,
    StockLevel,
};
use tradepost_domain::kernel::{
    AllOrNone, CursorPage, CursorRequest, Error, Execution, IdempotencyRefusal, Keyset, OrderId,
    Outcomes, Page, PageRequest, ProductId, Refusal, StoreError, UserId,
};
use tradepost_domain::orders::{
    ChangeOrder, Order, OrderAction, OrderField, OrderFilter, OrderList, OrderRefusal,
    OrderRepository, OrderStatus, PlaceOrder, Placement, PlacementId,
};
use tradepost_domain::testing::one_by_one;

/// A defect of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Defect {
    /// Sells units that are not on hand, and reports a level of zero.
    Oversells,
    /// Returns the stock of a deleted order twice.
    ReturnsTwice,
    /// Writes no movement for returned stock.
    LosesMovements,
    /// Ignores idempotency keys when it places orders.
    ForgetsOrderKeys,
    /// Gives the right response to a repeated delivery, and counts it again.
    DoublesDeliveries,
    /// Replays a key with a new response instead of the stored one.
    AnswersAnew,
    /// Leaves the ordered lines in the cart.
    KeepsTheCart,
    /// Writes refused commands.
    AppliesRefused,
    /// Places no order after the first refused request of a batch.
    HarmsNeighbours,
    /// Lets staff change an order to any status.
    SkipsStatuses,
    /// Loses an acknowledged order.
    LosesOrders,
    /// Returns an order without all of its lines.
    LosesLines,
    /// Counts archived products as part of the catalogue.
    WrongCount,
    /// Ignores preconditions.
    IgnoresWhatWasSeen,
    /// Gives another token pair for a used refresh token.
    TakesUsedTokens,
    /// Does not end families at sign-out.
    KeepsFamilies,
}

impl Defect {
    pub(crate) const ALL: [Self; 16] = [
        Self::Oversells,
        Self::ReturnsTwice,
        Self::LosesMovements,
        Self::ForgetsOrderKeys,
        Self::DoublesDeliveries,
        Self::AnswersAnew,
        Self::KeepsTheCart,
        Self::AppliesRefused,
        Self::HarmsNeighbours,
        Self::SkipsStatuses,
        Self::LosesOrders,
        Self::LosesLines,
        Self::WrongCount,
        Self::IgnoresWhatWasSeen,
        Self::TakesUsedTokens,
        Self::KeepsFamilies,
    ];
}

/// A store with a defect, over a correct one.
pub(crate) struct Broken {
    inner: Stores,
    defect: Defect,
    names: AtomicU64,
}

impl Broken {
    pub(crate) fn stores(inner: Stores, defect: Defect) -> Stores {
        let broken = Arc::new(Self {
            inner: inner.clone(),
            defect,
            names: AtomicU64::new(1),
        });
        Stores {
            products: broken.clone(),
            inventory: broken.clone(),
            carts: broken.clone(),
            orders: broken,
            accounts: BrokenAccounts::over(inner.accounts.clone(), defect),
            ..inner
        }
    }

    fn is(&self, defect: Defect) -> bool {
        self.defect == defect
    }

    /// A placement id that no client uses: the store would not accept one twice.
    fn unused(&self) -> PlacementId {
        let number = self.names.fetch_add(1, Ordering::Relaxed);
        PlacementId::new(u128::MAX - u128::from(number))
    }

    fn set_stock(&self, product: ProductId, stock: i64, like: &PlaceOrder) {
        let change = ProductChange {
            stock: StockLevel::new(stock),
            ..ProductChange::default()
        };
        let (by, at) = (Some(like.user), like.at);
        let command = ChangeProduct {
            seen: None,
            product,
            change,
            by,
            at,
        };
        drop(self.inner.products.change(command));
    }

    fn oversell(&self, request: &PlaceOrder) -> Result<Placement, StoreError> {
        let placement = self.place_one(request)?;
        let Err(Refusal::Inventory(InventoryRefusal::InsufficientStock(short))) = &placement else {
            return Ok(placement);
        };
        for short in short {
            self.set_stock(short.product, short.requested, request);
        }
        self.place_one(request)
    }

    fn place_one(&self, request: &PlaceOrder) -> Result<Placement, StoreError> {
        let request = std::slice::from_ref(request);
        Ok(self.inner.orders.place(request)?.remove(0))
    }

    fn refill(&self, order: &Order) {
        for line in &order.lines {
            let action = CartAction::Add {
                product: line.product,
                quantity: line.quantity,
            };
            drop(self.inner.carts.change(ChangeCart {
                seen: None,
                user: order.user,
                action,
                key: None,
                at: order.created_at,
            }));
        }
    }
}

impl OrderRepository for Broken {
    fn list(&self, list: &OrderList, page: PageRequest) -> Result<Page<Order>, StoreError> {
        self.inner.orders.list(list, page)
    }

    fn cursor_page(
        &self,
        filter: &OrderFilter,
        keyset: Keyset<OrderField>,
        span: &CursorRequest,
    ) -> Result<CursorPage<Order>, StoreError> {
        self.inner.orders.cursor_page(filter, keyset, span)
    }

    fn find(&self, id: OrderId) -> Result<Option<Order>, StoreError> {
        let found = self.inner.orders.find(id)?;
        let lost = self.is(Defect::LosesOrders) && id.get() % 5 == 0;
        Ok(found.filter(|_| !lost))
    }

    fn place(&self, requests: &[PlaceOrder]) -> Result<Vec<Placement>, StoreError> {
        let mut requests = requests.to_vec();
        match self.defect {
            Defect::Oversells => requests.iter().map(|one| self.oversell(one)).collect(),
            Defect::HarmsNeighbours => {
                let mut harmed = false;
                let place = |one| {
                    let placement = if harmed {
                        Err(Refusal::LockConflict)
                    } else {
                        self.place_one(one)?
                    };
                    harmed |= placement.is_err();
                    Ok(placement)
                };
                requests.iter().map(place).collect()
            }
            Defect::ForgetsOrderKeys => {
                for request in &mut requests {
                    request.key = None;
                    request.placement = self.unused();
                }
                self.inner.orders.place(&requests)
            }
            _ => {
                let mut placements = self.inner.orders.place(&requests)?;
                for placement in &mut placements {
                    self.spoil(placement);
                }
                Ok(placements)
            }
        }
    }

    fn change_all(&self, commands: &[ChangeOrder]) -> Outcomes<Order> {
        one_by_one(commands, |command| self.change_order(command))
    }
}

impl Broken {
    fn change_order(&self, command: ChangeOrder) -> Result<Order, Error> {
        let outcome = self.inner.orders.change(command.clone());
        match (self.defect, &outcome) {
            (Defect::ReturnsTwice, Ok(order)) if order.archived => {
                for line in &order.lines {
                    drop(self.inner.inventory.adjust_stock(AdjustStock {
                        product: line.product,
                        delta: StockDelta::new(line.quantity.units()).unwrap(),
                        note: None,
                        key: None,
                        by: Some(order.user),
                        at: command.at,
                    }));
                }
            }
            (
                Defect::SkipsStatuses,
                Err(Error::Refused(Refusal::Orders(OrderRefusal::InvalidTransition { .. }))),
            ) => {
                let skip = |status| {
                    let action = OrderAction::SetStatus(status);
                    let skipped = ChangeOrder {
                        action,
                        ..command.clone()
                    };
                    self.inner.orders.change(skipped)
                };
                drop(skip(OrderStatus::Processing));
                return skip(OrderStatus::Shipped);
            }
            _ => {}
        }
        outcome
    }

    fn spoil(&self, placement: &mut Placement) {
        match (self.defect, placement) {
            (Defect::AnswersAnew, Ok(Execution::Replayed(answer))) => {
                *answer = answer.replace("pending", "processing");
            }
            (Defect::KeepsTheCart, Ok(Execution::Executed(order))) => self.refill(order),
            (Defect::LosesLines, Ok(Execution::Executed(order))) => {
                order.lines.truncate(1);
            }
            _ => {}
        }
    }
}

impl CartRepository for Broken {
    fn carts(&self, users: &[UserId]) -> Result<HashMap<UserId, Cart>, StoreError> {
        self.inner.carts.carts(users)
    }

    fn change_all(&self, commands: &[ChangeCart]) -> Outcomes<CartChange> {
        one_by_one(commands, |command| self.change_cart(command))
    }
}

impl Broken {
    fn change_cart(&self, command: ChangeCart) -> Result<CartChange, Error> {
        let outcome = self.inner.carts.change(command.clone());
        if self.is(Defect::AppliesRefused)
            && let Err(Error::Refused(Refusal::Idempotency(IdempotencyRefusal::KeyReused))) =
                &outcome
        {
            let key = None;
            drop(self.inner.carts.change(ChangeCart { key, ..command }));
        }
        outcome
    }
}

impl ProductRepository for Broken {
    fn list(&self, list: &ProductList, page: PageRequest) -> Result<Page<Product>, StoreError> {
        let mut found = self.inner.products.list(list, page)?;
        if self.is(Defect::WrongCount) && !list.filter.archived {
            let archived = ProductList::new(ProductFilter::all(true));
            found.count += self.inner.products.list(&archived, page)?.count;
        }
        Ok(found)
    }

    fn cursor_page(
        &self,
        filter: &ProductFilter,
        keyset: Keyset<ProductField>,
        span: &CursorRequest,
    ) -> Result<CursorPage<Product>, StoreError> {
        self.inner.products.cursor_page(filter, keyset, span)
    }

    fn find_all(&self, ids: &[ProductId]) -> Result<Vec<Product>, StoreError> {
        self.inner.products.find_all(ids)
    }

    fn create_all(&self, commands: &[CreateProduct]) -> Outcomes<Execution<Product>> {
        self.inner.products.create_all(commands)
    }

    fn change_all(&self, commands: &[ChangeProduct]) -> Outcomes<Product> {
        let mut commands = commands.to_vec();
        if self.is(Defect::IgnoresWhatWasSeen) {
            commands.iter_mut().for_each(|command| command.seen = None);
        }
        self.inner.products.change_all(&commands)
    }

    fn change_together(&self, commands: &[ChangeProduct]) -> AllOrNone<Product> {
        self.inner.products.change_together(commands)
    }
}

impl InventoryRepository for Broken {
    fn adjust_all(&self, commands: &[AdjustStock]) -> Outcomes<Execution<Adjusted>> {
        let inventory = &self.inner.inventory;
        one_by_one(commands, |command| {
            let outcome = inventory.adjust_stock(command.clone())?;
            if self.is(Defect::DoublesDeliveries)
                && let Execution::Replayed(_) = &outcome
            {
                let key = None;
                drop(inventory.adjust_stock(AdjustStock { key, ..command }));
            }
            Ok(outcome)
        })
    }

    fn movements(
        &self,
        product: ProductId,
        page: PageRequest,
    ) -> Result<Option<Page<Movement>>, StoreError> {
        let mut found = self.inner.inventory.movements(product, page)?;
        if let Some(ledger) = found.as_mut().filter(|_| self.is(Defect::LosesMovements)) {
            let before = ledger.items.len();
            ledger
                .items
                .retain(|one| one.entry.reason != Reason::Return);
            ledger.count -= u64::try_from(before - ledger.items.len()).unwrap();
        }
        Ok(found)
    }
}
