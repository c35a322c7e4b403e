//! Rows: the structs that diesel selects, inserts and updates, and their conversion to and from
//! values of the domain. Each names its columns, so that no two of them can be swapped by their
//! position. An invalid row is reported with table, column and id.

mod cart;
mod catalog;
#[cfg(feature = "postgres")]
pub(crate) mod columns;
mod events;
mod idempotency;
mod identity;
mod import;
mod inventory;
mod measures;
mod orders;
mod usage;

pub(crate) use cart::{CartItemRow, NewCartItemRow};
pub(crate) use catalog::{NewProductRow, ProductRow, ProductSnapshotRow, SearchTextRow, StockRow};
pub(crate) use events::{EventRow, NewEventRow};
pub(crate) use idempotency::{NewStoredResponse, StoredResponseRow};
pub(crate) use identity::{
    AccountRow, CredentialsRow, NewUserRow, RefreshTokenRow, StaffSessionRow, UserChanges,
};
pub(crate) use import::{NewStagedRow, ProductImportRow, StagedRow};
pub(crate) use inventory::{LedgerCheckRow, MovementRow, NewMovementRow, StockAfterRow};
pub(crate) use measures::measures_differ;
pub(crate) use orders::{NewOrderItem, NewOrderRow, OrderItemRow, OrderRow};
pub(crate) use usage::{UsageQuery, UsageRow, running_bytes};

use chrono::{DateTime, Utc};
use tradepost_domain::kernel::StoreError;

/// Origin of a value, for the error report.
#[derive(Clone, Copy)]
struct Source {
    table: &'static str,
    row: i64,
}

impl Source {
    fn new(table: &'static str, row: i64) -> Self {
        Self { table, row }
    }

    fn good<T>(self, column: &'static str, value: Option<T>) -> Result<T, StoreError> {
        value.ok_or_else(|| StoreError::corrupt(self.table, column, self.row))
    }

    /// A nullable text.
    fn text<T, E>(
        self,
        column: &'static str,
        text: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, StoreError> {
        text.map(|text| self.good(column, parse(text).ok()))
            .transpose()
    }

    fn at(self, column: &'static str, micros: i64) -> Result<DateTime<Utc>, StoreError> {
        self.good(column, DateTime::from_timestamp_micros(micros))
    }
}

/// The stored form of a time: microseconds since 1970 in UTC.
pub(crate) fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

/// Defines a row to insert. On PostgreSQL it is also a row of [`Columns`].
macro_rules! insert_row {
    (
        $(#[$meta:meta])*
        $row:ident $(<$life:lifetime>)?: $table:ident {
            $($(#[$field_meta:meta])* $column:ident: $type:ty),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(diesel::Insertable)]
        #[diesel(table_name = $table, treat_none_as_default_value = false)]
        pub(crate) struct $row $(<$life>)? {
            $($(#[$field_meta])* pub(crate) $column: $type),+
        }

        #[cfg(feature = "postgres")]
        const _: () = {
            use $crate::rows::columns::{Columns, Parameters};

            #[derive(Default)]
            pub(crate) struct Arrays $(<$life>)? {
                $($column: <$type as Columns>::Arrays),+
            }

            impl $(<$life>)? Columns for $row $(<$life>)? {
                type Arrays = Arrays $(<$life>)?;

                fn names(_: &'static str, each: &mut dyn FnMut(&'static str)) {
                    $(<$type as Columns>::names(stringify!($column), each);)+
                }

                fn push(self, arrays: &mut Self::Arrays) {
                    $(self.$column.push(&mut arrays.$column);)+
                }

                fn bind<'b>(
                    arrays: &'b Self::Arrays,
                    parameters: &mut Parameters<'_, '_, 'b>,
                ) -> diesel::QueryResult<()> {
                    $(<$type as Columns>::bind(&arrays.$column, parameters)?;)+
                    Ok(())
                }
            }
        };
    };
}

use insert_row;

/// Defines a row to insert, and the same row with the id of an imported one.
macro_rules! new_row {
    (
        $(#[$meta:meta])*
        $new:ident $(<$life:lifetime>)?, $imported:ident: $table:ident {
            $($(#[$field_meta:meta])* $column:ident: $type:ty),+ $(,)?
        }
    ) => {
        $crate::rows::insert_row! {
            $(#[$meta])*
            $new $(<$life>)?: $table {
                $($(#[$field_meta])* $column: $type),+
            }
        }

        #[derive(diesel::Insertable)]
        #[diesel(table_name = $table, treat_none_as_default_value = false)]
        pub(crate) struct $imported $(<$life>)? {
            id: i64,
            $($column: $type),+
        }

        impl $(<$life>)? $new $(<$life>)? {
            pub(crate) fn with_id(self, id: i64) -> $imported $(<$life>)? {
                $imported {
                    id,
                    $($column: self.$column),+
                }
            }
        }
    };
}

use new_row;
