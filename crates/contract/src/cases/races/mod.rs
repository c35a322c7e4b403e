//! Threads that want the same thing at the same time. Each case looks at what is left in the end:
//! as if they had come one after the other, in whatever order.

mod changing;
mod importing;
mod keys;
mod naming;
mod ordering;
mod searching;
mod sessions;

pub use changing::*;
pub use importing::*;
pub use keys::*;
pub use naming::*;
pub use ordering::*;
pub use searching::*;
pub use sessions::*;
