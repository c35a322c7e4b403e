//! Measures of a product: whole numbers within bounds, 0 by default. Each is declared once; the
//! fields of requests, responses, forms, files and events follow from the declaration.

use crate::kernel::{FieldError, FieldName};

/// Declares the measures: the name of the variant and of the field with its description, and
/// `title word label symbol 0..=maximum hint`.
macro_rules! measures {
    ($(
        $variant:ident = $field:ident $about:literal
            $title:literal $word:literal $label:literal $symbol:literal 0..=$max:literal $hint:literal;
    )+) => {
        /// A measure of a product.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Measure {
            $(#[doc = $about] $variant,)+
        }

        impl Measure {
            /// All measures.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name of the field, with the unit.
            #[must_use]
            pub const fn name(self) -> FieldName {
                match self {
                    $(Self::$variant => stringify!($field),)+
                }
            }

            /// The word for it, without the unit.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The word as a title.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$variant => $title,)+
                }
            }

            /// The title with the unit, as the label of a form field.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$variant => $label,)+
                }
            }

            /// The symbol of the unit, such as `g`.
            #[must_use]
            pub const fn symbol(self) -> &'static str {
                match self {
                    $(Self::$variant => $symbol,)+
                }
            }

            /// Maximum in its unit.
            #[must_use]
            pub const fn max(self) -> i64 {
                match self {
                    $(Self::$variant => $max,)+
                }
            }

            /// Its description.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self {
                    $(Self::$variant => $about,)+
                }
            }

            /// A hint beside its form field.
            #[must_use]
            pub const fn hint(self) -> &'static str {
                match self {
                    $(Self::$variant => $hint,)+
                }
            }
        }

        /// The measures of a product.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Measures {
            $($field: i64,)+
        }

        impl Measures {
            /// The value of a measure in its unit.
            #[must_use]
            pub const fn get(&self, measure: Measure) -> i64 {
                match measure {
                    $(Measure::$variant => self.$field,)+
                }
            }

            fn value(&mut self, measure: Measure) -> &mut i64 {
                match measure {
                    $(Measure::$variant => &mut self.$field,)+
                }
            }
        }

        /// Changes to the measures of a product; `None` leaves one unchanged.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct MeasureChanges {
            $($field: Option<i64>,)+
        }

        impl MeasureChanges {
            /// The new value of a measure in its unit.
            #[must_use]
            pub const fn get(&self, measure: Measure) -> Option<i64> {
                match measure {
                    $(Measure::$variant => self.$field,)+
                }
            }

            fn value(&mut self, measure: Measure) -> &mut Option<i64> {
                match measure {
                    $(Measure::$variant => &mut self.$field,)+
                }
            }
        }
    };
}

measures! {
    // A tonne is more than any parcel service takes.
    WeightGrams = weight_grams "Shipping weight of one unit, in grams."
        "Weight" "weight" "Weight in grams" "g" 0..=1_000_000 "Zero if it is not shipped.";
}

impl Measure {
    /// Returns a valid value.
    ///
    /// # Errors
    /// [`FieldError::OutOfRange`] below 0 and above [`Measure::max`].
    pub fn check(self, value: i64) -> Result<i64, FieldError> {
        if (0..=self.max()).contains(&value) {
            Ok(value)
        } else {
            Err(FieldError::OutOfRange {
                min: 0,
                max: self.max(),
            })
        }
    }

    /// The measure with this word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|measure| measure.word() == word)
    }
}

impl Measures {
    /// The measures with another value of this one.
    ///
    /// # Errors
    /// As [`Measure::check`].
    ///
    /// ```
    /// use tradepost_domain::catalog::{Measure, Measures};
    ///
    /// let measures = Measures::default().with(Measure::WeightGrams, 350)?;
    /// assert_eq!(measures.get(Measure::WeightGrams), 350);
    /// assert!(measures.with(Measure::WeightGrams, -1).is_err());
    /// # Ok::<(), tradepost_domain::kernel::FieldError>(())
    /// ```
    pub fn with(mut self, measure: Measure, value: i64) -> Result<Self, FieldError> {
        *self.value(measure) = measure.check(value)?;
        Ok(self)
    }

    /// Each measure with its value.
    pub fn iter(&self) -> impl Iterator<Item = (Measure, i64)> + use<> {
        let measures = *self;
        let all = Measure::ALL.iter();
        all.map(move |measure| (*measure, measures.get(*measure)))
    }
}

impl MeasureChanges {
    /// The changes with a new value of this measure.
    ///
    /// # Errors
    /// As [`Measure::check`].
    pub fn with(mut self, measure: Measure, value: i64) -> Result<Self, FieldError> {
        *self.value(measure) = Some(measure.check(value)?);
        Ok(self)
    }

    /// The measures after the changes.
    #[must_use]
    pub fn applied_to(&self, mut measures: Measures) -> Measures {
        for measure in Measure::ALL {
            if let Some(value) = self.get(*measure) {
                *measures.value(*measure) = value;
            }
        }
        measures
    }
}

/// A change of every measure to these values.
impl From<Measures> for MeasureChanges {
    fn from(measures: Measures) -> Self {
        let mut changes = Self::default();
        for (measure, value) in measures.iter() {
            *changes.value(measure) = Some(value);
        }
        changes
    }
}
