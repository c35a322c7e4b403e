//! Lists: pages by number (offset) and by cursor (keyset), sort orders and search.

mod cursor;
mod offset;
mod search;
mod sort;

pub use cursor::{CursorBound, CursorPage, CursorRequest, Keyset, SortPosition};
pub use offset::{Page, PageRequest};
pub use search::{Search, searched_text};
pub use sort::{List, SortField, SortKey, SortValue, Sorting};
