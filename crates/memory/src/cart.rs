use crate::idempotency::kept;
use crate::{Defect, MemoryStore, State};
use std::collections::HashMap;
use tradepost_domain::cart::{
    Cart, CartItem, CartItemDetail, CartRepository, ChangeCart, decide_cart,
};
use tradepost_domain::kernel::{Error, Execution, MAX_STORED_RESPONSE_BYTES, StoreError, UserId};

impl CartRepository for MemoryStore {
    fn carts(&self, users: &[UserId]) -> Result<HashMap<UserId, Cart>, StoreError> {
        let state = self.lock();
        let mut carts = HashMap::new();
        for user in users {
            let cart = state.cart(*user)?;
            if !cart.items.is_empty() {
                carts.insert(*user, cart);
            }
        }
        Ok(carts)
    }

    fn change(&self, command: ChangeCart) -> Result<Execution<Option<CartItemDetail>>, Error> {
        let mut state = self.lock();
        let (user, quota) = (Some(command.user), MAX_STORED_RESPONSE_BYTES);
        if let Some(answer) = state.replay(user, command.key.as_ref(), quota)? {
            return Ok(Execution::Replayed(answer));
        }
        let lines = state.cart_lines(command.user);
        let product = command.product(&lines);
        let product = product.and_then(|id| state.products.get(&id)).cloned();
        let decision = decide_cart(&command, &lines, product.as_ref())?;
        let keep = |item: &Option<CartItemDetail>| {
            let item = item.as_ref();
            item.map_or_else(Vec::new, |item| kept(user, command.key, item, command.at))
        };
        Ok(Execution::Executed(state.apply_keeping(decision, keep)?))
    }
}

impl State {
    fn cart(&self, user: UserId) -> Result<Cart, StoreError> {
        let item = |line: CartItem| {
            let product = self.products.get(&line.product).cloned();
            let product = product.ok_or(Defect("the product of a cart line is there"))?;
            Ok(CartItemDetail { line, product })
        };
        let items = self.cart_lines(user).into_iter().map(item);
        Ok(Cart {
            items: items.collect::<Result<_, StoreError>>()?,
        })
    }

    /// A customer's lines, in the order in which they were added.
    pub(crate) fn cart_lines(&self, user: UserId) -> Vec<CartItem> {
        let lines = self.carts.get(&user);
        lines.map_or_else(Vec::new, |lines| lines.values().copied().collect())
    }
}
