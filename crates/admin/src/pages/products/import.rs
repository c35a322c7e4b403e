//! Import of products from a CSV file: the form, the preview, and its application.

use crate::config::ProductFiles;
use crate::form::Form;
use crate::page::{Page, PageResult};
use crate::pages::products::preview::{self, Preview, Review};
use crate::secrets::{is_equal, mac};
use crate::upload::{Received, Upload};
use askama::Template;
use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tradepost_domain::import::products::{
    ImportedBy, ProductImportId, ProductImportRefusal, StageError, StagedImport,
};
use tradepost_domain::inventory::StockWrites;
use tradepost_domain::kernel::{Actor, Currency, Error, NoProgress};
use tradepost_http::kit::{ApiError, Code};
use tradepost_product_csv::{CsvError, Options, ProductFile};

/// The largest file: 32 MiB, with about 100,000 products of usual length.
const MAX_FILE: u64 = 32 << 20;

/// How long the lines of a file may take to be read. Comparing them takes less.
const READ_TIME: Duration = Duration::from_secs(30);

/// How long a browser waits for a preview, and for its application. Proxies often give up after 60
/// seconds.
const WAIT: Duration = Duration::from_secs(55);

/// Lines that a preview shows.
const SAMPLE: usize = 20;

/// Problems that are shown if an import is refused although its preview had none.
const LATE_PROBLEMS: usize = 20;

const TOO_LONG: &str = "The file takes longer than a page may take. Nothing was changed. Run \
    “tradepost import products FILE” on the machine of the shop: it reads files of any length.";

#[derive(Template)]
#[template(path = "products/import.html")]
struct Import<'a> {
    page: &'a Page,
    form: &'a Form,
    stock: Vec<(&'static str, &'static str)>,
}

impl<'a> Import<'a> {
    fn new(page: &'a Page, form: &'a Form) -> Self {
        let mut stock = vec![
            ("set", "Set the stock to the numbers of the file"),
            ("skip", "Leave the stock as it is"),
        ];
        if page.shared.config.files.stock_writes == StockWrites::Strict {
            stock.insert(0, ("", "Choose, if the file has a column for the stock"));
        }
        Self { page, form, stock }
    }
}

/// The form.
pub(super) async fn show(page: Page) -> PageResult {
    page.show(&Import::new(&page, &Form::default()))
}

/// What became of a file.
pub(super) enum Staging {
    Reviewed(Box<Review>),
    /// It cannot be read as a table of products: a sentence.
    Unreadable(String),
    StockUndecided,
    Superseded(ProductImportRefusal),
    TooLong,
}

/// Receives a file, stages it, and shows its preview.
pub(super) async fn review(page: Page, mut upload: Upload) -> PageResult {
    let (mut form, received) = upload.receive("file", MAX_FILE).await?;
    let file = match received {
        Received::File(file) => file,
        Received::Nothing => {
            form.fail("file", "Choose a file with at least one line.");
            return page.invalid(&Import::new(&page, &form));
        }
        Received::TooLarge => {
            form.fail("file", "The file is larger than 32 MiB. Split it, or run “tradepost import products FILE” on the machine of the shop.");
            return page.failed(Code::BodyTooLarge, &Import::new(&page, &form));
        }
        Received::Unwritable(error) => {
            form.fail_all(format!(
                "The machine of the shop cannot keep the file: {error}. Run “tradepost import products FILE” there."
            ));
            return page.failed(Code::StorageFull, &Import::new(&page, &form));
        }
    };
    let stock = match form.value("stock") {
        "set" => Some(true),
        "skip" => Some(false),
        _ => None,
    };
    let (files, currency) = (page.shared.config.files.clone(), page.currency());
    let staging = page.call.command_within(WAIT, move |_, actor| {
        stage(&files, actor, file, stock, currency)
    });
    let staging = match staging.await {
        Err(ApiError::OutcomeUnknown) => Staging::TooLong,
        staging => staging?,
    };
    match staging {
        Staging::Reviewed(review) => {
            let staged = review.staged().map(|staged| seal(&page, staged));
            let view = Preview::new(&page, &review, staged);
            return match review.has_problems() {
                true => page.invalid(&view),
                false => page.show(&view),
            };
        }
        Staging::Unreadable(sentence) => form.fail("file", &sentence),
        Staging::StockUndecided => form.fail(
            "stock",
            "The file sets stock: units that were sold since it was written would be there again. Choose what to do, and choose the file again.",
        ),
        Staging::Superseded(refusal) => return refused(&page, form, &refusal),
        Staging::TooLong => form.fail("file", TOO_LONG),
    }
    page.invalid(&Import::new(&page, &form))
}

/// Why the lines of a file end early.
enum Stop {
    Unreadable(CsvError),
    TooLong,
}

/// Stages and reviews a file, on a thread that may wait.
fn stage(
    files: &ProductFiles,
    actor: Actor,
    file: File,
    stock: Option<bool>,
    currency: Currency,
) -> Result<Staging, Error> {
    let until = Instant::now() + READ_TIME;
    let unreadable = |error: &CsvError| {
        Ok(Staging::Unreadable(format!(
            "The file cannot be imported: {error}."
        )))
    };
    let mut file = match ProductFile::open(Box::new(file), Options::new(currency)) {
        Ok(file) => file,
        Err(error) => return unreadable(&error),
    };
    let is_strict = files.stock_writes == StockWrites::Strict;
    if stock.is_none() && is_strict && file.has_stock() {
        return Ok(Staging::StockUndecided);
    }
    file.read_stock(stock.unwrap_or(true));
    let rows = file.by_ref().map(|row| match Instant::now() > until {
        true => Err(Stop::TooLong),
        false => row.map_err(Stop::Unreadable),
    });
    let by = ImportedBy::Actor(actor);
    match files.imports.stage(by, rows, SAMPLE, &NoProgress) {
        Ok(reviewed) => {
            let sets_stock = file.has_stock().then_some(stock.unwrap_or(true));
            let review = Review::new(reviewed, file.report(), sets_stock);
            Ok(Staging::Reviewed(Box::new(review)))
        }
        Err(StageError::Source(Stop::TooLong)) => Ok(Staging::TooLong),
        Err(StageError::Source(Stop::Unreadable(error))) => unreadable(&error),
        Err(StageError::Refused(ProductImportRefusal::Refused(refusal))) => {
            Err(Error::Refused(refusal))
        }
        Err(StageError::Refused(refusal)) => Ok(Staging::Superseded(refusal)),
        Err(StageError::Store(error)) => Err(Error::Store(error)),
    }
}

/// Names a staged import in a form, so that only its session can apply it.
fn seal(page: &Page, staged: StagedImport) -> String {
    let named = format!("{}.{}", staged.import.get(), staged.rows);
    let seal = mac("import", page.secret(), &named);
    format!("{named}.{seal}")
}

fn unseal(page: &Page, text: &str) -> Option<StagedImport> {
    let (named, seal) = text.rsplit_once('.')?;
    if !is_equal(seal, &mac("import", page.secret(), named)) {
        return None;
    }
    let (import, rows) = named.split_once('.')?;
    Some(StagedImport {
        import: ProductImportId::new(import.parse().ok()?),
        rows: rows.parse().ok()?,
    })
}

/// Applies or discards the import of a preview.
pub(super) async fn apply(page: Page, form: Form) -> PageResult {
    let Some(staged) = unseal(&page, form.value("staged")) else {
        let mut form = Form::default();
        form.fail_all("The preview belongs to another session. Choose the file again.".to_owned());
        return page.invalid(&Import::new(&page, &form));
    };
    let files = page.shared.config.files.clone();
    if form.value("action") != "apply" {
        let discard = move |_: &_, _| Ok(files.imports.discard(staged)?);
        page.command(discard).await?;
        return page.redirect("/products/import/", "Nothing was imported.");
    }
    let applied = page.call.command_within(WAIT, move |_, actor| {
        let by = ImportedBy::Actor(actor);
        match files.imports.apply(by, staged, Arc::new(NoProgress)) {
            Ok(counts) => Ok(Ok(counts)),
            Err(StageError::Source(never)) => match never {},
            Err(StageError::Refused(ProductImportRefusal::Refused(refusal))) => {
                Err(Error::Refused(refusal))
            }
            Err(StageError::Refused(refusal)) => Ok(Err(refusal)),
            Err(StageError::Store(error)) => Err(Error::Store(error)),
        }
    });
    match applied.await? {
        Ok(counts) => {
            let counts = preview::counted(counts);
            page.redirect(
                "/products/import/",
                &format!("The file was imported: {counts}."),
            )
        }
        Err(refusal) => refused(&page, Form::default(), &refusal),
    }
}

fn refused(page: &Page, mut form: Form, refusal: &ProductImportRefusal) -> PageResult {
    form.fail_all(refusal.to_string());
    if let ProductImportRefusal::Invalid(problems) = refusal {
        let problems = problems.listed().iter().take(LATE_PROBLEMS);
        problems.for_each(|problem| form.fail_all(problem.to_string()));
    }
    let view = Import::new(page, &form);
    page.failed(Code::PreconditionFailed, &view)
}
