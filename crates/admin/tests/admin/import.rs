//! Import and export of products as CSV.

use crate::support::{App, Browser, Reply};
use std::fmt::Write as _;

/// The body of the form, with its fields in the order of the page.
fn body(csrf: &str, stock: &str, file: &[u8]) -> Vec<u8> {
    let mut body = String::new();
    for (name, value) in [("csrf", csrf), ("stock", stock)] {
        write!(
            body,
            "--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        )
        .unwrap();
    }
    body.push_str("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"p.csv\"\r\n");
    body.push_str("Content-Type: text/csv\r\n\r\n");
    let mut body = body.into_bytes();
    body.extend_from_slice(file);
    body.extend_from_slice(b"\r\n--x--\r\n");
    body
}

async fn upload(staff: &Browser<'_>, stock: &str, file: impl AsRef<[u8]>) -> Reply {
    let page = staff.get("/admin/products/import/").await.expect(200);
    let body = body(&page.field("csrf"), stock, file.as_ref());
    staff.upload(body).await
}

async fn apply(staff: &Browser<'_>, preview: &Reply, action: &str) -> Reply {
    let path = "/admin/products/import/apply/";
    preview.submit_to(staff, path, &[("action", action)]).await
}

#[actix_web::test]
async fn a_file_is_previewed_and_then_imported() {
    let app = App::new().await;
    let staff = app.staff().await;
    let list = staff.get("/admin/products/").await;
    let _ = list.has("/admin/products/import/");
    let file = "sku,name,price,stock,Colour\nMUG,Mug,9.90,4,red\nCUP,<b>Cup</b>,5,,\n";
    let preview = upload(&staff, "set", file).await.expect(200);
    let preview = preview
        .has("<dt>New</dt><dd>2</dd>")
        .has("Colour (1 row)")
        .has("sku, name, price, stock")
        .has("is set to the numbers of the file")
        .has("9.90 USD")
        .has("&#60;b&#62;Cup")
        .has_not("<b>Cup");
    staff
        .get("/admin/products/")
        .await
        .has("Create the first one");
    let applied = apply(&staff, &preview, "apply").await;
    assert_eq!(applied.location(), "/admin/products/import/");
    let result = staff.get("/admin/products/import/").await;
    let _ = result.has("The file was imported: 2 new, 0 changed, 0 unchanged.");
    let _ = staff.get("/admin/products/").await.has("9.90 USD");
    // The same file again has nothing to apply, and another price has.
    let same = upload(&staff, "set", file).await.expect(200);
    let _ = same
        .has("<dt>Unchanged</dt><dd>2</dd>")
        .has_not("Import all");
    let other = upload(&staff, "skip", file.replace("9.90,4", "8,9")).await;
    let other = other
        .has("<dt>Changed</dt><dd>1</dd>")
        .has("stays as it is");
    apply(&staff, &other, "apply").await.expect(303);
    let _ = staff.get("/admin/products/1/stock/").await.has("4");
    let _ = staff.get("/admin/products/").await.has("8.00 USD");
}

#[actix_web::test]
async fn a_discarded_import_changes_nothing_and_cannot_be_applied() {
    let app = App::new().await;
    let staff = app.staff().await;
    let preview = upload(&staff, "set", "sku,name,price\nMUG,Mug,1\n").await;
    apply(&staff, &preview, "discard").await.expect(303);
    let reply = apply(&staff, &preview, "apply").await.expect(412);
    let _ = reply.has("Nothing was changed by this one");
    staff
        .get("/admin/products/")
        .await
        .has("Create the first one");
}

#[actix_web::test]
async fn an_import_is_applied_once_and_not_after_a_newer_one() {
    let app = App::new().await;
    let staff = app.staff().await;
    let older = upload(&staff, "set", "sku,name,price\nOLD,Old,1\n").await;
    let newer = upload(&staff, "set", "sku,name,price\nNEW,New,1\n").await;
    let reply = apply(&staff, &older, "apply").await.expect(412);
    let _ = reply.has("Another import of products began after this one");
    apply(&staff, &newer, "apply").await.expect(303);
    apply(&staff, &newer, "apply").await.expect(412);
    let _ = staff
        .get("/admin/products/")
        .await
        .has("NEW")
        .has_not("OLD");
}

#[actix_web::test]
async fn problems_are_listed_by_line_and_nothing_is_changed() {
    let app = App::new().await;
    let staff = app.staff().await;
    let long = "x".repeat(2 << 20);
    for (file, sentence) in [
        (
            "sku,name,price\nMUG,Mug,1.234567\n".to_owned(),
            "1 problem was found",
        ),
        (
            "sku,name,price\nMUG,Mug\n".to_owned(),
            "The row has 2 cells and the header 3.",
        ),
        (
            "sku,name,price\nA,A,1\nB,B,1\nA,C,2\n".to_owned(),
            "Line 2 has the same sku.",
        ),
        (
            format!("sku,name,price\nMUG,\"{long}\",1\n"),
            "The row is longer than 1048576 bytes.",
        ),
        (
            "sku,name\n<i>x</i>,<script>alert(1)</script>\n".to_owned(),
            "a new one needs this field",
        ),
    ] {
        let reply = upload(&staff, "set", &file).await.expect(400);
        let reply = reply.has(sentence).has("Nothing was changed.");
        reply
            .has_not("Import all")
            .has_not("<script>alert")
            .has_not("<i>x");
    }
    let many: String = (2..400).map(|row| format!("S{row},x,-1\n")).collect();
    let reply = upload(&staff, "set", format!("sku,name,price\n{many}")).await;
    let _ = reply
        .has("398 problems were found")
        .has("The first 100 of 398");
    staff
        .get("/admin/products/")
        .await
        .has("Create the first one");
}

#[actix_web::test]
async fn files_that_are_no_table_of_products_are_refused_with_a_sentence() {
    let app = App::new().await;
    let staff = app.staff().await;
    let cp1252 = b"sku,name,price\nMUG,Caf\xe9 cr\xe8me \x80 5,1\nCUP,\xdcber \xdf,2\n";
    for (file, sentence) in [
        (&b"name,price\nMug,1\n"[..], "no column for the sku"),
        (b"sku,name,name\nMUG,a,b\n", "the column name twice"),
        (cp1252, "is not UTF-8: it seems to be windows-1252"),
        (b"PK\x03\x04zip", "it is compressed as zip"),
        (b"", "Choose a file"),
    ] {
        let reply = upload(&staff, "set", file).await.expect(400);
        let _ = reply.has(sentence).has("id=\"file-error\"");
    }
    let utf16: Vec<u8> = "\u{feff}sku;name;price\nMUG;Mug;1,50\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let reply = upload(&staff, "set", utf16).await.expect(200);
    let _ = reply.has("1.50 USD").has("separated by semicolons");
}

#[actix_web::test]
async fn strict_writes_need_a_choice_about_the_stock_of_a_file() {
    let app = App::strict().await;
    let staff = app.staff().await;
    let file = "sku,name,price,stock\nMUG,Mug,1,5\n";
    let reply = upload(&staff, "", file).await.expect(400);
    let _ = reply.has("id=\"stock-error\"").has("The file sets stock");
    upload(&staff, "", "sku,name,price\nMUG,Mug,1\n")
        .await
        .expect(200);
    for stock in ["set", "skip"] {
        upload(&staff, stock, file).await.expect(200);
    }
}

#[actix_web::test]
async fn a_file_that_is_too_large_is_refused() {
    let app = App::new().await;
    let staff = app.staff().await;
    let reply = upload(&staff, "set", vec![b'x'; (32 << 20) + 1]).await;
    let _ = reply.expect(413).has("tradepost import products FILE");
}

#[actix_web::test]
async fn an_upload_needs_the_token_of_its_session_before_the_file() {
    let app = App::new().await;
    let (staff, other) = (app.staff().await, app.staff().await);
    let csrf = staff.get("/admin/products/import/").await.field("csrf");
    let foreign = other.get("/admin/products/import/").await.field("csrf");
    let file = b"sku,name,price\nMUG,Mug,1\n";
    for token in ["", "forged", &foreign] {
        let reply = staff.upload(body(token, "set", file)).await.expect(403);
        let _ = reply.has("The form has expired");
    }
    let late = String::from_utf8(body(&csrf, "set", file)).unwrap();
    let late = late.replace("name=\"csrf\"", "name=\"other\"");
    staff.upload(late).await.expect(403);
    staff.upload("--x\r\nbroken").await.expect(400);
    let preview = staff.upload(body(&csrf, "set", file)).await.expect(200);
    // The preview of one session is not that of another.
    let fields = [
        ("csrf", &*foreign),
        ("staged", &*preview.field("staged")),
        ("action", "apply"),
    ];
    let reply = other.post("/admin/products/import/apply/", &fields).await;
    let _ = reply.expect(400).has("belongs to another session");
    let anonymous = app.browser().upload(body(&csrf, "set", file)).await;
    assert!(anonymous.location().starts_with("/admin/sign-in/"));
}

#[actix_web::test]
async fn a_download_is_imported_as_the_same_values() {
    let app = App::new().await;
    let staff = app.staff().await;
    let mut file = "sku,name,price\nMUG,'=1+1,2\nCUP,\"a \"\"b\"\", c\",3\n".to_owned();
    // More than two pages.
    (0..1_100).for_each(|row| writeln!(file, "S{row},Product {row},1").unwrap());
    let preview = upload(&staff, "set", &file).await.expect(200);
    apply(&staff, &preview, "apply").await.expect(303);
    app.product("Without", "1.00");
    let path = "/admin/products/export/";
    let download = staff.get(path).await.expect(200);
    assert_eq!(download.header("content-type"), "text/csv; charset=utf-8");
    let name = "attachment; filename=\"products-2077-09-27.csv\"";
    assert_eq!(download.header("content-disposition"), name);
    assert_eq!(download.header("cache-control"), "no-store");
    let download = download.has("MUG,'=1+1,").has_not("Without");
    assert_eq!(download.text.lines().count(), 1_103);
    assert_eq!(download.text.matches("sku,name").count(), 1);
    let again = upload(&staff, "set", &download.text).await.expect(200);
    let _ = again.has("<dt>Unchanged</dt><dd>1,102</dd>");
    let all = staff.get("/admin/products/export/?archived=1&without_sku=1&excel=1");
    let all = all.await.has("Without").has(",archived\r\n");
    assert!(all.text.starts_with('\u{feff}'));
}
