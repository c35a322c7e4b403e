//! Rows as columns: one array for each column, for the bulk statements on PostgreSQL. The rows
//! declare their columns; the statements name none.

use diesel::pg::Pg;
use diesel::query_builder::AstPass;
use diesel::result::QueryResult;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text};

/// A value of a row, or several of them, as columns.
pub(crate) trait Columns: Sized {
    /// An array for each column.
    type Arrays: Default;

    /// Calls a function with the name of each column; `own` is that of the field.
    fn names(own: &'static str, each: &mut dyn FnMut(&'static str));

    /// Appends to the arrays.
    fn push(self, arrays: &mut Self::Arrays);

    /// Writes the arrays as parameters, with commas between them.
    fn bind<'b>(
        arrays: &'b Self::Arrays,
        parameters: &mut Parameters<'_, '_, 'b>,
    ) -> QueryResult<()>;
}

/// The parameters of a statement.
pub(crate) struct Parameters<'p, 'o, 'b> {
    out: &'p mut AstPass<'o, 'b, Pg>,
    is_first: bool,
}

impl<'p, 'o, 'b> Parameters<'p, 'o, 'b> {
    /// None yet, or if `is_first` is false, some that were written before.
    pub(crate) fn new(out: &'p mut AstPass<'o, 'b, Pg>, is_first: bool) -> Self {
        Self { out, is_first }
    }

    /// Separates the next one from those before.
    fn separated(&mut self) -> &mut AstPass<'o, 'b, Pg> {
        if !std::mem::take(&mut self.is_first) {
            self.out.push_sql(", ");
        }
        self.out
    }
}

/// The columns of single values, by their SQL types.
macro_rules! values {
    ($($rust:ty $(, $life:lifetime)? => $sql:ty;)+) => {$(
        impl $(<$life>)? Columns for $rust {
            type Arrays = Vec<$rust>;

            fn names(own: &'static str, each: &mut dyn FnMut(&'static str)) {
                each(own);
            }

            fn push(self, arrays: &mut Self::Arrays) {
                arrays.push(self);
            }

            fn bind<'b>(
                arrays: &'b Self::Arrays,
                parameters: &mut Parameters<'_, '_, 'b>,
            ) -> QueryResult<()> {
                parameters.separated().push_bind_param::<Array<$sql>, _>(arrays)
            }
        }
    )+};
}

values! {
    i64 => BigInt;
    bool => Bool;
    Option<bool> => Nullable<Bool>;
    String => Text;
    &'a str, 'a => Text;
    Option<i64> => Nullable<BigInt>;
    Option<String> => Nullable<Text>;
    Option<&'a str>, 'a => Nullable<Text>;
}
