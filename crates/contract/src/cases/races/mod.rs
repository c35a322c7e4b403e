//! Races: threads that compete for the same rows. Each case checks the final state, which must
//! equal that of some sequential order.

mod changing;
mod identity;
mod importing;
mod keys;
mod naming;
mod ordering;
mod searching;
mod sessions;

pub use changing::*;
pub use identity::*;
pub use importing::*;
pub use keys::*;
pub use naming::*;
pub use ordering::*;
pub use searching::*;
pub use sessions::*;
