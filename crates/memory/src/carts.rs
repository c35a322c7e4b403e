use crate::keys::kept;
use crate::{Defect, MemoryStore, State, next};
use std::collections::HashMap;
use tradepost_domain::cart::{
    Cart, CartDecision, CartItem, CartItemDetail, CartRepository, ChangeCart, decide_cart,
};
use tradepost_domain::catalog::Product;
use tradepost_domain::kernel::{
    CartItemId, Error, Execution, MAX_STORED_RESPONSE_BYTES, ProductId, Quantity, StoreError,
    UserId,
};

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
        let line = match decide_cart(&command, &lines, product.as_ref())? {
            CartDecision::Insert { product, quantity } => {
                state.new_line(&command, product, quantity)?
            }
            CartDecision::Update(line) | CartDecision::Keep(line) => line,
            CartDecision::Delete { line } => {
                state.carts.entry(command.user).or_default().remove(&line);
                return Ok(Execution::Executed(None));
            }
            CartDecision::Clear => {
                state.carts.remove(&command.user);
                return Ok(Execution::Executed(None));
            }
        };
        let item = item(line, product)?;
        let kept = kept(Some(command.user), command.key, &item, command.at);
        let cart = state.carts.entry(command.user).or_default();
        cart.insert(line.id, line);
        state.keep(kept);
        Ok(Execution::Executed(Some(item)))
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

    fn new_line(
        &mut self,
        command: &ChangeCart,
        product: ProductId,
        quantity: Quantity,
    ) -> Result<CartItem, StoreError> {
        Ok(CartItem {
            id: next(&mut self.last.cart_item, CartItemId::new)?,
            user: command.user,
            product,
            quantity,
            created_at: command.at,
            updated_at: command.at,
        })
    }
}

fn item(line: CartItem, product: Option<Product>) -> Result<CartItemDetail, StoreError> {
    let product = product.ok_or(Defect("a line is written with its product at hand"))?;
    Ok(CartItemDetail { line, product })
}
