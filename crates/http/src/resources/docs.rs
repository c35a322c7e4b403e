//! The OpenAPI document, and a page to read and try it. The page loads nothing from other servers.

use crate::extract::request_context::RequestContext;
use crate::middleware::forwarded::PublicUrl;
use crate::openapi;
use crate::respond::responses::{self, File, HttpResult};
use std::sync::LazyLock;
use tradepost_domain::kernel::Refusal;

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const JSON: &str = "application/json";

/// The files that depend on the path below which the server is reached.
pub(crate) struct Docs {
    document: File,
    page: File,
    start: File,
}

/// The docs of a server at the root of its host.
static AT_ROOT: LazyLock<Docs> = LazyLock::new(|| Docs::of("", openapi::document().to_owned()));

impl Docs {
    /// The docs of a server at this public URL; `None` at the root, where [`AT_ROOT`] serves.
    pub(crate) fn below(url: Option<&PublicUrl>) -> Option<Self> {
        let path = url.map(PublicUrl::path).filter(|path| !path.is_empty())?;
        Some(Self::of(path, openapi::document_below(path)))
    }

    fn of(path: &str, document: String) -> Self {
        let placed = |text: &str| text.replace("{path}", path);
        Self {
            document: File::new(JSON, document),
            page: File::new(HTML, placed(include_str!("../docs/index.html"))),
            start: File::new(SCRIPT, placed(include_str!("../docs/start.js"))),
        }
    }
}

/// The files that are the same for every path: most of the page, by their names.
static FILES: LazyLock<[(&str, File); 2]> = LazyLock::new(|| {
    let bundle = include_str!(concat!(env!("OUT_DIR"), "/swagger-ui-bundle.js"));
    let style = include_str!(concat!(env!("OUT_DIR"), "/swagger-ui.css"));
    [
        ("swagger-ui-bundle.js", File::new(SCRIPT, bundle)),
        ("swagger-ui.css", File::new(STYLE, style)),
    ]
});

/// The names of all files of the page.
pub(crate) const NAMES: [&str; 3] = [START, "swagger-ui-bundle.js", "swagger-ui.css"];
const START: &str = "start.js";

pub(crate) async fn schema(call: RequestContext) -> HttpResult {
    responses::file(&call, &docs(&call).document)
}

pub(crate) async fn page(call: RequestContext) -> HttpResult {
    responses::page(&call, &docs(&call).page)
}

pub(crate) async fn file(call: RequestContext) -> HttpResult {
    let name = call.file();
    if name == START {
        return responses::file(&call, &docs(&call).start);
    }
    let mut files = FILES.iter();
    let (_, file) = files
        .find(|(known, _)| *known == name)
        .ok_or(Refusal::NotFound)?;
    responses::file(&call, file)
}

fn docs(call: &RequestContext) -> &Docs {
    call.docs().unwrap_or_else(|| &AT_ROOT)
}
