//! The OpenAPI document, and a page to read and try it. The page loads nothing from elsewhere.

use crate::answer::{self, Answer, File};
use crate::call::Call;
use crate::openapi;
use std::sync::LazyLock;
use tradepost_domain::Refusal;

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";

static DOCUMENT: LazyLock<File> =
    LazyLock::new(|| File::new("application/json", openapi::document()));

static PAGE: LazyLock<File> = LazyLock::new(|| File::new(HTML, include_str!("../docs/index.html")));

/// The files of the page, by their names.
static FILES: LazyLock<[File; NAMES.len()]> = LazyLock::new(|| {
    let start = include_str!("../docs/start.js");
    let bundle = include_str!(concat!(env!("OUT_DIR"), "/swagger-ui-bundle.js"));
    let style = include_str!(concat!(env!("OUT_DIR"), "/swagger-ui.css"));
    [
        File::new(SCRIPT, start),
        File::new(SCRIPT, bundle),
        File::new(STYLE, style),
    ]
});

/// The names of [`FILES`], in their order.
pub(crate) const NAMES: [&str; 3] = ["start.js", "swagger-ui-bundle.js", "swagger-ui.css"];

pub(crate) async fn schema(call: Call) -> Answer {
    answer::file(&call, &DOCUMENT)
}

pub(crate) async fn page(call: Call) -> Answer {
    answer::page(&call, &PAGE)
}

pub(crate) async fn file(call: Call) -> Answer {
    let name = call.file();
    let mut files = NAMES.iter().zip(FILES.iter());
    let named = files.find(|(known, _)| **known == name);
    let (_, file) = named.ok_or(Refusal::NotFound)?;
    answer::file(&call, file)
}
