//! The OpenAPI document, and a page to read and try it. The page loads nothing from other servers.

use crate::endpoint::parameters;
use crate::error::ApiError;
use crate::resources::prelude::*;
use crate::respond::responses::File;
use std::sync::{Arc, LazyLock, OnceLock};
use tradepost_domain::kernel::Refusal;

#[rustfmt::skip]
pub(crate) static ENDPOINTS: &[Endpoint] = &[
    Endpoint::get("/api/schema/", Public, || web::to(schema))
        .describe(Tag::DOCUMENTS, "getSchema", "This document")
        .text(&["application/json"]).etag().without_store(),
    Endpoint::get("/api/docs/", Public, || web::to(page))
        .describe(Tag::DOCUMENTS, "getDocs", "A page to read and try it")
        .text(&["text/html"]).etag().without_store(),
    Endpoint::get("/api/docs/{file}/", Public, || web::to(file))
        .describe(Tag::DOCUMENTS, "getDocsFile", "The page's files")
        .parameters(&[&FILE]).text(&["text/css", "text/javascript"]).etag().without_store(),
];

parameters! {
    FILE = "path" "File" "file" "One of the page's files.",
        json!({"type": "string", "enum": NAMES});
}

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const JSON: &str = "application/json";

/// The docs of a server at a path. They are made on their first request.
pub(crate) struct Docs {
    path: String,
    /// Renders the OpenAPI document of a server at a path.
    document: fn(&str) -> String,
    files: OnceLock<Files>,
}

/// The files that depend on the path.
struct Files {
    document: File,
    page: File,
    start: File,
}

impl Docs {
    /// The docs of a server at this path, without a slash at its end.
    pub(crate) fn new(path: &str, document: fn(&str) -> String) -> Self {
        Self {
            path: path.to_owned(),
            document,
            files: OnceLock::new(),
        }
    }

    fn files(&self) -> &Files {
        let placed = |text: &str| text.replace("{path}", &self.path);
        self.files.get_or_init(|| Files {
            document: File::new(JSON, (self.document)(&self.path)),
            page: File::new(HTML, placed(include_str!("../docs/index.html"))),
            start: File::new(SCRIPT, placed(include_str!("../docs/start.js"))),
        })
    }
}

/// The files that are the same for every path: most of the page, by their names. The build has
/// compressed them.
static BUNDLE: LazyLock<[(&str, File); 2]> = LazyLock::new(|| {
    let bundle = include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui-bundle.js.gz"));
    let style = include_bytes!(concat!(env!("OUT_DIR"), "/swagger-ui.css.gz"));
    [
        ("swagger-ui-bundle.js", File::packed(SCRIPT, bundle)),
        ("swagger-ui.css", File::packed(STYLE, style)),
    ]
});

/// The names of all files of the page.
const NAMES: [&str; 3] = [START, "swagger-ui-bundle.js", "swagger-ui.css"];
const START: &str = "start.js";

async fn schema(call: RequestContext) -> HttpResult {
    responses::file(&call, &docs(&call)?.document)
}

async fn page(call: RequestContext) -> HttpResult {
    responses::page(&call, &docs(&call)?.page)
}

async fn file(call: RequestContext) -> HttpResult {
    let name = call.file();
    if name == START {
        return responses::file(&call, &docs(&call)?.start);
    }
    let mut files = BUNDLE.iter();
    let (_, file) = files
        .find(|(known, _)| *known == name)
        .ok_or(Refusal::NotFound)?;
    responses::file(&call, file)
}

fn docs(call: &RequestContext) -> Result<&Files, ApiError> {
    let docs = call.request().app_data::<Arc<Docs>>();
    let docs = docs.ok_or_else(|| ApiError::Defect("there are no docs".to_owned()))?;
    Ok(docs.files())
}
