//! `tradepost openapi`, on the real binary.

use crate::place::Place;

#[test]
fn the_document_is_printed_as_it_is_served() {
    let place = Place::new();
    let printed = place.run(&["openapi"]).well();
    assert!(place.files().is_empty(), "{:?}", place.files());
    let serving = place.serve(&[]);
    let (status, served) = serving.get("/api/schema/", "");
    assert_eq!((status, format!("{served}\n")), (200, printed));
    let (status, page) = serving.get("/api/docs/", "");
    assert!(
        status == 200 && page.contains("/api/docs/start.js"),
        "{page}"
    );
    serving.stop();
}
