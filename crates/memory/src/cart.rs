use crate::{Defect, MemoryStore, State};
use std::collections::HashMap;
use tradepost_domain::cart::{
    Cart, CartChange, CartItem, CartItemDetail, CartRepository, CartsState, ChangeCart,
    decide_carts,
};
use tradepost_domain::kernel::{Outcomes, StoreError, UserId};

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

    fn change_all(&self, commands: &[ChangeCart]) -> Outcomes<CartChange> {
        let mut state = self.lock();
        let mut floor = CartsState {
            keys: state.stored_keys(commands),
            ..CartsState::default()
        };
        for command in commands {
            let lines = state.cart_lines(command.user);
            let product = command.product(&lines);
            let product = product.and_then(|id| state.products.get(&id)).cloned();
            floor
                .products
                .extend(product.map(|product| (product.id, product)));
            floor.carts.insert(command.user, lines);
        }
        state.apply_slice(commands, decide_carts(commands, floor))
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
