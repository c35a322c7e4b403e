//! Extracts the files of the docs page from the Swagger UI archive, which comes as a crate: neither
//! the build nor the browser downloads anything. They are served compressed, so the binary has them
//! in that form.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::env;
use std::error::Error;
use std::fs::File;
use std::io::{Cursor, copy};
use std::path::Path;
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;
use zip::result::ZipError;

const FILES: [&str; 2] = ["swagger-ui-bundle.js", "swagger-ui.css"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let target = env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?;
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED))?;
    let names = archive.file_names().map(|name| Ok(name?.into_owned()));
    let names = names.collect::<Result<Vec<String>, ZipError>>()?;
    for file in FILES {
        let inside = format!("/dist/{file}");
        let of_top = |name: &&String| name.matches('/').count() == 2 && name.ends_with(&inside);
        let name = names
            .iter()
            .find(of_top)
            .ok_or_else(|| format!("there is no {file}"))?;
        let mut from = archive.by_name(name)?;
        let into = File::create(Path::new(&target).join(format!("{file}.gz")))?;
        let mut packed = GzEncoder::new(into, Compression::best());
        copy(&mut from, &mut packed)?;
        packed.finish()?;
    }
    Ok(())
}
