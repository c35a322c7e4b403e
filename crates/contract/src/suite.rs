//! The tests of a store: one for each case.

/// Makes a test of each case for one store. The argument is a function, or any callable expression,
/// without arguments that returns a new [`Fixture`](trait@crate::Fixture): an empty shop in USD.
/// Use it once per module.
#[macro_export]
macro_rules! suite {
    ($fixture:expr) => {
        fn contract_fixture() -> impl $crate::Fixture {
            ($fixture)()
        }
        $crate::each_case!($crate::contract_tests);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! contract_tests {
    ($($subject:ident { $($case:ident,)* })*) => {$(
        mod $subject {
            $(
                #[test]
                fn $case() {
                    $crate::check(&super::contract_fixture(), $crate::$subject::$case);
                }
            )*
        }
    )*};
}
