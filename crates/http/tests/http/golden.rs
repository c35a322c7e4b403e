//! Golden files: the expected text in `tests/golden/`. `UPDATE_GOLDEN=1 cargo test` writes them.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn path(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    folder.join(name)
}

/// Compares a text with its golden file; with `UPDATE_GOLDEN`, writes the file first.
pub(crate) fn expect_golden(name: &str, actual: &str) {
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path(name), actual).unwrap();
    }
    let golden = fs::read_to_string(path(name)).unwrap();
    let mut lines = golden.lines().zip(actual.lines());
    let first = lines.find(|(golden, actual)| golden != actual);
    assert!(
        golden == actual,
        "tests/golden/{name} differs, first in {first:?}. UPDATE_GOLDEN=1 writes it."
    );
}
