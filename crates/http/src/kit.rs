//! The generic layers for a [`Mount`](crate::Mount): request context, errors, request bodies, signed
//! cursors, and the layer around a handler.

pub use crate::error::{ApiError, Code};
pub use crate::extract::body::read_form;
pub use crate::extract::long_request::ListReader;
pub use crate::extract::query::{encode, pairs};
pub use crate::extract::request_context::RequestContext;
pub use crate::middleware::mounted::{Admission, around_page, charge};
pub use crate::middleware::request_cost::BASE;
pub use crate::mount::{Failure, Rendered};
pub use crate::resources::accounts::credentials::{change_own_password, sign_in};
pub use crate::respond::method::{For, allow_header, other_method};
pub use crate::respond::signed_cursor::Scope;
