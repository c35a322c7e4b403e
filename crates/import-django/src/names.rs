//! Column names: they are compared without case and underscores, and each field has a ranked list
//! of known names.

use crate::kind::{self, Kind};
use std::sync::LazyLock;
use tradepost_domain::catalog::Measure;

/// A name without case, underscores and hyphens: `countInStock` is `count_in_stock`.
pub(crate) fn fold(name: &str) -> String {
    let kept = name.chars().filter(|c| !matches!(c, '_' | '-' | ' '));
    kept.flat_map(char::to_lowercase).collect()
}

/// Whether a column has one of these names. A foreign key may end with `_id`.
pub(crate) fn is_named(column: &str, names: &[&str]) -> bool {
    rank(column, names).is_some()
}

/// The rank of a column's name in a ranked list.
pub(crate) fn rank(column: &str, names: &[&str]) -> Option<usize> {
    let folded = fold(column);
    let foreign = folded.strip_suffix("id");
    names.iter().position(|name| {
        let name = fold(name);
        folded == name || foreign.is_some_and(|stem| stem == name)
    })
}

/// The type of a field's values, which excludes columns of the right name but another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    Anything,
    /// A number; excludes columns of booleans.
    Number,
    /// An amount: a column in which every value is a number.
    Amount,
    /// A whole number: a column in which every value is an integer.
    Whole,
    /// A list of keys.
    List,
    /// A boolean.
    Flag,
}

/// A field of a kind of row.
#[derive(Debug)]
pub(crate) struct Field {
    /// The name, as in `--field`.
    pub(crate) name: &'static str,
    /// The names of its columns, the best one first.
    pub(crate) columns: &'static [&'static str],
    pub(crate) holds: Holds,
}

const fn field(name: &'static str, columns: &'static [&'static str]) -> Field {
    let holds = Holds::Anything;
    Field {
        name,
        columns,
        holds,
    }
}

const fn holding(name: &'static str, columns: &'static [&'static str], holds: Holds) -> Field {
    Field {
        name,
        columns,
        holds,
    }
}

const CREATED: &[&str] = &[
    "createdat",
    "created",
    "createdon",
    "createddate",
    "createdtime",
    "datejoined",
    "dateadded",
    "datecreated",
    "addedat",
    "addedon",
    "timestamp",
    "date",
    "pubdate",
    "datetime",
    "creationdate",
    "creationtime",
    "createdatetime",
    "createtime",
    "registeredon",
    "datecreation",
    "dateajout",
    "fechacreacion",
    "creadoen",
    "fecha",
    "datacriacao",
    "criadoem",
];
const PLACED: &[&str] = &[
    "placedat",
    "orderedat",
    "dateordered",
    "dateplaced",
    "ordereddate",
    "orderdate",
    "createdat",
    "created",
    "createdon",
    "createddate",
    "datecreated",
    "dateadded",
    "orderedon",
    "startdate",
    "addedat",
    "timestamp",
    "date",
    "datetime",
    "ordertime",
    "orderdatetime",
    "orderedtime",
    "placedon",
    "purchasedat",
    "purchasedate",
    "datepurchased",
    "creationdate",
    "creationtime",
    "createtime",
    "datecommande",
    "datecreation",
    "fechapedido",
    "fechacreacion",
    "creadoen",
    "fecha",
    "datapedido",
    "datacriacao",
    "criadoem",
];
const UPDATED: &[&str] = &[
    "updatedat",
    "updated",
    "updatedon",
    "updateddate",
    "modifiedat",
    "modified",
    "modifieddate",
    "datemodified",
    "dateupdated",
    "lastmodified",
    "lastupdated",
    "lastupdate",
    "modifiedon",
    "lastmodifieddate",
    "modificationtime",
    "updatetime",
    "datemiseajour",
    "fechaactualizacion",
    "actualizadoen",
    "atualizadoem",
    "dataatualizacao",
];
const UNIT_PRICE: &[&str] = &[
    "price",
    "unitprice",
    "priceatpurchase",
    "productprice",
    "priceatorder",
    "purchaseprice",
    "itemprice",
    "unitpriceincltax",
    "priceattime",
    "soldprice",
    "prixunitaire",
    "prix",
    "preciounitario",
    "precio",
    "precounitario",
    "preco",
];

const USER: &[Field] = &[
    field("username", &["username"]),
    field("email", &["email", "emailaddress"]),
    field("password", &["password"]),
    field("is_staff", &["isstaff", "staff", "isadmin", "admin"]),
    field("is_active", &["isactive"]),
    field("created_at", CREATED),
];
const PRODUCT: &[Field] = &[
    field("sku", &["sku"]),
    field("name", kind::NAME),
    field(
        "description",
        &["description", "desc", "descripcion", "descricao"],
    ),
    holding("price", kind::PRICE, Holds::Number),
    holding("stock", kind::STOCK, Holds::Number),
];
/// The names of the columns of a measure: with its unit, and without. Decimals without a unit may be
/// kilograms or pounds: such a column is not read.
static MEASURE_COLUMNS: LazyLock<Vec<[&str; 2]>> = LazyLock::new(|| {
    let measures = Measure::ALL.iter();
    measures.map(|one| [one.name(), one.word()]).collect()
});
static MEASURES: LazyLock<Vec<Field>> = LazyLock::new(|| {
    let measures = Measure::ALL.iter().zip(MEASURE_COLUMNS.iter());
    let field = |(measure, columns): (&Measure, &'static [&str; 2])| {
        holding(measure.word(), columns, Holds::Whole)
    };
    measures.map(field).collect()
});
const PRODUCT_STATE: &[Field] = &[
    field(
        "is_active",
        &[
            "isactive",
            "active",
            "isavailable",
            "available",
            "activo",
            "ativo",
            "disponible",
            "disponivel",
        ],
    ),
    field(
        "is_archived",
        &["isarchived", "archived", "isdeleted", "deleted"],
    ),
    field("created_at", CREATED),
    field("updated_at", UPDATED),
    // The product that this one is a variant of.
    field("parent", &["parent", "parentproduct"]),
];
/// Flags of carts and lines that were ordered and are history.
const CLOSED: &[&str] = &[
    "ordered",
    "isordered",
    "ispaid",
    "paid",
    "purchased",
    "checkedout",
    "ischeckedout",
    "completed",
    "iscompleted",
];
const STOCK_RECORD: &[Field] = &[
    field("product", kind::PRODUCT),
    holding(
        "price",
        &["price", "priceincltax", "priceexcltax", "unitprice"],
        Holds::Number,
    ),
    holding("stock", kind::STOCK, Holds::Number),
];
const CART: &[Field] = &[
    field("user", kind::USER),
    holding("closed", CLOSED, Holds::Flag),
    field("state", &["status"]),
];
const CART_LINE: &[Field] = &[
    field("user", kind::USER),
    field("cart", kind::CART),
    field("product", kind::PRODUCT),
    holding("quantity", kind::QUANTITY, Holds::Number),
    holding("closed", CLOSED, Holds::Flag),
    field("created_at", CREATED),
    field("updated_at", UPDATED),
];
const TAX: &[&str] = &[
    "tax",
    "taxprice",
    "taxamount",
    "totaltax",
    "taxtotal",
    "vat",
    "vatamount",
    "salestax",
    "gst",
];
const SHIPPING: &[&str] = &[
    "shippingprice",
    "shippingcost",
    "shippingfee",
    "shippingamount",
    "shippingcharge",
    "shippingcharges",
    "shippingtotal",
    "shippingincltax",
    "deliverycost",
    "deliveryfee",
    "deliverycharge",
    "deliveryprice",
    "postage",
    "shipping",
];
const DISCOUNT: &[&str] = &[
    "discountamount",
    "discountprice",
    "discounttotal",
    "totaldiscount",
    "coupondiscount",
    "discount",
];
const ORDER: &[Field] = &[
    field("user", kind::USER),
    field("status", kind::STATUS),
    holding("total", kind::TOTAL, Holds::Number),
    holding("tax", TAX, Holds::Amount),
    holding("shipping", SHIPPING, Holds::Amount),
    holding("discount", DISCOUNT, Holds::Amount),
    holding(
        "lines",
        &[
            "items",
            "orderitems",
            "orderlines",
            "lines",
            "cartitems",
            "products",
        ],
        Holds::List,
    ),
    field("created_at", PLACED),
    field("updated_at", UPDATED),
];
/// Fields of an order that is its own single line.
const SINGLE: &[Field] = &[
    field("product", kind::PRODUCT),
    holding("quantity", kind::QUANTITY, Holds::Number),
    holding("price", UNIT_PRICE, Holds::Number),
    field("name", &["productname", "producttitle", "itemname"]),
];
const ORDER_LINE: &[Field] = &[
    field("order", kind::ORDER),
    field("product", kind::PRODUCT),
    holding("quantity", kind::QUANTITY, Holds::Number),
    holding("price", UNIT_PRICE, Holds::Number),
    holding("total", LINE_TOTAL, Holds::Amount),
    field(
        "name",
        &["productname", "producttitle", "itemname", "name", "title"],
    ),
];
const LINE_TOTAL: &[&str] = &[
    "lineitemtotal",
    "linetotal",
    "totalprice",
    "subtotal",
    "total",
];

/// The fields of a kind of row.
pub(crate) fn fields(kind: Kind) -> Vec<&'static Field> {
    let fields: &[&'static [Field]] = match kind {
        Kind::User => &[USER],
        Kind::Product => &[PRODUCT, &MEASURES, PRODUCT_STATE],
        Kind::Cart => &[CART],
        Kind::CartItem => &[CART_LINE],
        Kind::Order => &[ORDER, SINGLE],
        Kind::OrderItem => &[ORDER_LINE],
        Kind::StockRecord => &[STOCK_RECORD],
    };
    fields.iter().flat_map(|fields| fields.iter()).collect()
}

/// Columns beside which `state` is part of an address.
pub(crate) const ADDRESS: &[&str] = &[
    "city",
    "zip",
    "zipcode",
    "postalcode",
    "postcode",
    "pincode",
    "country",
    "ville",
    "ciudad",
    "cidade",
    "address",
    "street",
];
