use super::{Expected, Fresh, Model, Touched, somebody};
use crate::command::Answer;
use chrono::{DateTime, Utc};
use tradepost_contract::money;
use tradepost_domain::cart::CartRefusal;
use tradepost_domain::catalog::CatalogRefusal;
use tradepost_domain::inventory::{InventoryRefusal, Reason, Shortage};
use tradepost_domain::kernel::{Actor, Execution, OrderId, ProductId, Refusal, UserId};
use tradepost_domain::orders::{
    Order, OrderItem, OrderRefusal, OrderStatus, PlaceOrder, Placement,
};

use OrderStatus::{Cancelled, Delivered, Pending, Processing, Shipped};

/// The transitions of design.md, in the order in which they are offered.
pub(crate) const EDGES: [(OrderStatus, OrderStatus); 5] = [
    (Pending, Processing),
    (Pending, Cancelled),
    (Processing, Shipped),
    (Processing, Cancelled),
    (Shipped, Delivered),
];

impl Model {
    /// Places requests one after the other, as if they had not arrived together.
    pub(crate) fn place(&mut self, requests: &[PlaceOrder], fresh: &Fresh) -> Vec<Placement> {
        self.touched = Touched::default();
        let mut fresh = fresh.orders.iter().copied();
        let mut placements = Vec::new();
        for request in requests {
            placements.push(self.place_one(request, &mut fresh));
        }
        placements
    }

    fn place_one(
        &mut self,
        request: &PlaceOrder,
        fresh: &mut impl Iterator<Item = OrderId>,
    ) -> Placement {
        let PlaceOrder { user, at, .. } = *request;
        let key = request.key.as_ref();
        if let Some(answer) = self.replay(user, key)? {
            return Ok(Execution::Replayed(answer));
        }
        self.acting(Actor::Customer(user))?;
        let lines = self.cart_to_order(user)?;
        let total = lines
            .iter()
            .map(|line| line.unit_price.minor() * line.quantity.units())
            .sum();
        let total = money(total);
        if request
            .expected_total
            .is_some_and(|expected| expected != total)
        {
            return Err(Refusal::Orders(OrderRefusal::TotalChanged {
                current: total,
            }));
        }
        let id = fresh.next().unwrap_or(OrderId::new(i64::MAX).unwrap());
        for line in &lines {
            let sale = (Reason::Sale, Some(id));
            self.move_stock(line.product, -line.quantity.units(), sale, user, at);
        }
        let order = Order {
            id,
            user,
            status: Pending,
            total,
            adjustment: money(0),
            lines,
            archived: false,
            created_at: at,
            updated_at: at,
        };
        self.carts.remove(&user);
        self.orders.insert(id, order.clone());
        self.keep(user, key, &order, at);
        self.touched.carts.push(user);
        self.touched.orders.push(id);
        Ok(Execution::Executed(order))
    }

    fn cart_to_order(&self, user: UserId) -> Expected<Vec<OrderItem>> {
        let lines = self.carts.get(&user).map_or(&[][..], Vec::as_slice);
        if lines.is_empty() {
            return Err(Refusal::Cart(CartRefusal::Empty));
        }
        let gone = lines.iter().map(|line| line.product);
        let mut gone: Vec<ProductId> = gone.filter(|id| self.sold(*id).is_none()).collect();
        gone.sort_unstable();
        if !gone.is_empty() {
            return Err(Refusal::Catalog(CatalogRefusal::ProductUnavailable(gone)));
        }
        let mut short: Vec<Shortage> = lines
            .iter()
            .filter(|line| line.quantity.units() > self.on_hand(line.product))
            .map(|line| self.short(line.product, line.quantity.units()))
            .collect();
        short.sort_unstable_by_key(|shortage| shortage.product);
        if !short.is_empty() {
            return Err(Refusal::Inventory(InventoryRefusal::InsufficientStock(
                short,
            )));
        }
        let snapshot = |line: &tradepost_domain::cart::CartItem| OrderItem {
            product: line.product,
            name: self.products[&line.product].name.clone(),
            unit_price: self.products[&line.product].price.money(),
            quantity: line.quantity,
        };
        Ok(lines.iter().map(snapshot).collect())
    }

    pub(super) fn set_status(
        &mut self,
        by: Actor,
        id: OrderId,
        to: OrderStatus,
        at: DateTime<Utc>,
    ) -> Expected {
        let by = self.acting(by)?;
        let (user, order) = self.visible(by, id)?;
        let from = order.status;
        if from == to {
            return Ok(Answer::Ordered(order));
        }
        if !by.is_staff() && to != Cancelled {
            return Err(Refusal::Forbidden);
        }
        let allowed: Vec<OrderStatus> = EDGES
            .into_iter()
            .filter(|edge| by.is_staff() || *edge == (Pending, Cancelled))
            .filter_map(|(before, after)| (before == from).then_some(after))
            .collect();
        if !allowed.contains(&to) {
            return Err(Refusal::Orders(OrderRefusal::InvalidTransition {
                from,
                to,
                allowed,
            }));
        }
        Ok(self.move_order(order, to, user, at))
    }

    pub(super) fn delete(&mut self, by: Actor, id: OrderId, at: DateTime<Utc>) -> Expected {
        let by = self.acting(by)?;
        let (user, mut order) = self.visible(by, id)?;
        let status = order.status;
        if status != Pending {
            return Err(Refusal::Orders(OrderRefusal::NotPending { status }));
        }
        order.archived = true;
        self.move_order(order, Cancelled, user, at);
        Ok(Answer::Done)
    }

    /// The order, if this actor may see it and it is not deleted.
    fn visible(&self, by: Actor, id: OrderId) -> Expected<(UserId, Order)> {
        let user = somebody(by)?;
        let order = self.orders.get(&id).ok_or(Refusal::NotFound)?;
        if order.archived || (order.user != user && !by.is_staff()) {
            return Err(Refusal::NotFound);
        }
        Ok((user, order.clone()))
    }

    fn move_order(
        &mut self,
        mut order: Order,
        to: OrderStatus,
        user: UserId,
        at: DateTime<Utc>,
    ) -> Answer {
        order.status = to;
        order.updated_at = at;
        if to == Cancelled {
            for line in &order.lines {
                let back = (Reason::Return, Some(order.id));
                self.move_stock(line.product, line.quantity.units(), back, user, at);
            }
        }
        self.touched.orders.push(order.id);
        self.orders.insert(order.id, order.clone());
        Answer::Ordered(order)
    }
}
