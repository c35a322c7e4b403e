//! Assets: the stylesheet and the script, embedded, and served under names with their digests. A
//! browser keeps them for a year; a changed file has another name.

use crate::Shared;
use crate::page::{PageResult, defect};
use crate::routes::AdminRoute;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tradepost_domain::kernel::{Access, Refusal};

pub(crate) static ROUTES: &[AdminRoute] = &[AdminRoute::get(
    "/admin/assets/{file}/",
    Access::Public,
    || web::to(file),
)];

const STYLE: &str = include_str!("../assets/admin.css");
const SCRIPT: &str = include_str!("../assets/admin.js");

/// Length of a digest in a name.
const DIGEST: usize = 12;

/// The assets by their names.
pub(crate) struct Assets {
    style: String,
    script: String,
}

impl Assets {
    pub(crate) fn new() -> Self {
        Self {
            style: format!("admin.{}.css", digest(STYLE)),
            script: format!("admin.{}.js", digest(SCRIPT)),
        }
    }

    /// The path of the stylesheet on a server at this path.
    pub(crate) fn style_path(&self, public_path: &str) -> String {
        format!("{public_path}/admin/assets/{}", self.style)
    }

    /// The path of the script on a server at this path.
    pub(crate) fn script_path(&self, public_path: &str) -> String {
        format!("{public_path}/admin/assets/{}", self.script)
    }

    /// The media type and the text of an asset.
    fn find(&self, name: &str) -> Option<(&'static str, &'static str)> {
        if name == self.style {
            Some(("text/css; charset=utf-8", STYLE))
        } else if name == self.script {
            Some(("text/javascript; charset=utf-8", SCRIPT))
        } else {
            None
        }
    }
}

fn digest(text: &str) -> String {
    let digest = format!("{:x}", Sha256::digest(text));
    digest.chars().take(DIGEST).collect()
}

async fn file(request: HttpRequest) -> PageResult {
    let shared = request.app_data::<Arc<Shared>>();
    let shared = shared.ok_or_else(|| defect("no assets"))?;
    let name = request.match_info().get("file").unwrap_or_default();
    let (media, text) = shared.assets.find(name).ok_or(Refusal::NotFound)?;
    let mut response = HttpResponse::Ok().body(text);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
    headers.insert(CACHE_CONTROL, forever);
    let tag = HeaderValue::try_from(format!("\"{name}\"")).map_err(defect)?;
    headers.insert(ETAG, tag);
    Ok(response)
}
