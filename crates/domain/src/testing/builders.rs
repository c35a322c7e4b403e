use super::{at, level, money, product_id, user};
use crate::catalog::{NewProduct, Price, Product, ProductDraft};
use crate::identity::{Account, Email, Username};
use crate::kernel::{Description, ProductId, ProductName, Sku};

/// Builder of a product: by default without a sku, of $1.00, with no stock, in the catalogue.
#[derive(Debug, Clone)]
pub struct ProductBuilder {
    id: ProductId,
    draft: ProductDraft,
    archived: bool,
}

impl ProductBuilder {
    /// The product with this id.
    #[must_use]
    pub fn new(id: i64) -> Self {
        let name = ProductName::new(&format!("Product {id}")).unwrap();
        Self {
            id: product_id(id),
            draft: ProductDraft::new(name, Price::new(money(100)).unwrap()),
            archived: false,
        }
    }

    /// A sku.
    #[must_use]
    pub fn sku(mut self, sku: &str) -> Self {
        self.draft.sku = Some(Sku::new(sku).unwrap());
        self
    }

    /// A name.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.draft.name = ProductName::new(name).unwrap();
        self
    }

    /// A description.
    #[must_use]
    pub fn description(mut self, description: &str) -> Self {
        self.draft.description = Description::new(description).unwrap();
        self
    }

    /// A price in cents.
    #[must_use]
    pub fn price(mut self, cents: i64) -> Self {
        self.draft.price = Price::new(money(cents)).unwrap();
        self
    }

    /// Units on hand.
    #[must_use]
    pub fn stock(mut self, units: i64) -> Self {
        self.draft.stock = level(units);
        self
    }

    /// Archived.
    #[must_use]
    pub fn archived(mut self) -> Self {
        self.archived = true;
        self
    }

    /// The product.
    #[must_use]
    pub fn build(self) -> Product {
        let new = NewProduct {
            draft: self.draft,
            by: None,
            at: at(0),
        };
        Product {
            archived: self.archived,
            ..new.into_product(self.id)
        }
    }

    /// The draft from which a store makes the product; the id and the times are the store's.
    #[must_use]
    pub fn draft(self) -> ProductDraft {
        self.draft
    }
}

/// Builder of an account: by default an active customer, without an e-mail address.
#[derive(Debug, Clone)]
pub struct AccountBuilder(Account);

impl AccountBuilder {
    /// The account with this id, of the username `user` and the id.
    #[must_use]
    pub fn new(id: i64) -> Self {
        Self(Account {
            id: user(id),
            username: Username::new(&format!("user{id}")).unwrap(),
            email: None,
            is_staff: false,
            is_active: true,
            session_epoch: 0,
            created_at: at(0),
        })
    }

    /// A username.
    #[must_use]
    pub fn username(mut self, username: &str) -> Self {
        self.0.username = Username::new(username).unwrap();
        self
    }

    /// An e-mail address.
    #[must_use]
    pub fn email(mut self, email: &str) -> Self {
        self.0.email = Some(Email::new(email).unwrap());
        self
    }

    /// A staff user.
    #[must_use]
    pub fn staff(mut self) -> Self {
        self.0.is_staff = true;
        self
    }

    /// Deactivated.
    #[must_use]
    pub fn inactive(mut self) -> Self {
        self.0.is_active = false;
        self
    }

    /// The account.
    #[must_use]
    pub fn build(self) -> Account {
        self.0
    }
}
