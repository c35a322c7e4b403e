//! Columns of the measures of a product, in `products` and in the staged rows of imports.

use super::Source;
use super::catalog::NewProductRow;
use super::import::NewStagedRow;
use crate::schema::{product_import_rows, products};
use diesel::prelude::*;
use tradepost_domain::catalog::{Measure, MeasureChanges, Measures};
use tradepost_domain::kernel::StoreError;

/// Defines the columns, each with its measure. The first argument is a `$` for the macros that it
/// defines.
macro_rules! measure_columns {
    ($d:tt $($column:ident = $measure:ident;)+) => {
        /// The measures of a product.
        #[derive(Queryable, Selectable)]
        #[diesel(table_name = products)]
        pub(crate) struct MeasureColumns {
            $($column: i64),+
        }

        impl MeasureColumns {
            pub(super) fn measures(&self, from: Source) -> Result<Measures, StoreError> {
                let measures = Measures::default();
                $(
                    let measures = measures.with(Measure::$measure, self.$column).ok();
                    let measures = from.good(stringify!($column), measures)?;
                )+
                Ok(measures)
            }
        }

        impl NewProductRow<'_> {
            /// A row with these measures.
            pub(super) fn measured(measures: Measures) -> Self {
                Self {
                    $($column: measures.get(Measure::$measure),)+
                    ..Self::default()
                }
            }
        }

        /// The measures of a staged row; null leaves one unchanged.
        #[derive(Queryable, Selectable)]
        #[diesel(table_name = product_import_rows)]
        pub(crate) struct StagedMeasures {
            $($column: Option<i64>),+
        }

        impl StagedMeasures {
            pub(super) fn changes(&self, from: Source) -> Result<MeasureChanges, StoreError> {
                let mut changes = MeasureChanges::default();
                $(if let Some(value) = self.$column {
                    let changed = changes.with(Measure::$measure, value).ok();
                    changes = from.good(stringify!($column), changed)?;
                })+
                Ok(changes)
            }
        }

        impl NewStagedRow<'_> {
            /// A row with these changes of measures.
            pub(super) fn measured(changes: MeasureChanges) -> Self {
                Self {
                    $($column: changes.get(Measure::$measure),)+
                    ..Self::default()
                }
            }
        }

        /// Defines a row to insert that ends with the measures, by the macro of this name. COPY takes
        /// no embedded structs.
        macro_rules! with_measures {
            ($d define:ident, $d type:ty, { $d($d head:tt)* } { $d($d columns:tt)* }) => {
                $d define! { $d($d head)* { $d($d columns)* $($column: $d type),+ } }
            };
        }

        /// Whether a staged row names a measure that its product does not have.
        macro_rules! measures_differ {
            () => {
                diesel::dsl::sql::<diesel::sql_types::Nullable<diesel::sql_types::Bool>>("FALSE")
                $(.or(crate::schema::product_import_rows::$column
                    .ne(crate::schema::products::$column.nullable())))+
            };
        }
    };
}

measure_columns! {
    $
    weight_grams = WeightGrams;
}

#[expect(
    clippy::single_component_path_imports,
    reason = "makes the macro an item of this module"
)]
pub(crate) use measures_differ;
#[expect(
    clippy::single_component_path_imports,
    reason = "makes the macro an item of this module"
)]
pub(super) use with_measures;
