//! The names that most resources use: `use crate::resources::prelude::*`.

pub(super) use crate::endpoint::{Endpoint, Example, Tag, to_json};
pub(super) use crate::error::{ApiError, Code};
pub(super) use crate::extract::fields::Fields;
pub(super) use crate::extract::parameter::{ParameterType, QueryParameter, Work};
pub(super) use crate::extract::request::{field_type, request};
pub(super) use crate::extract::request_context::RequestContext;
pub(super) use crate::middleware::request_cost::Cost;
pub(super) use crate::respond::responses::{self, HttpResult};
pub(super) use actix_web::web;
pub(super) use schemars::JsonSchema;
pub(super) use serde::Serialize;
pub(super) use serde_json::{Value, json};
pub(super) use tradepost_domain::kernel::Access::{Customer, Public, Staff};
