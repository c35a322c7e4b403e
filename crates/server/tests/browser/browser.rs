//! A session of headless Chromium, driven through chromedriver (W3C WebDriver).

use fantoccini::elements::Element;
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// A timeout far above the duration of any step.
const NEVER: Duration = Duration::from_secs(60);

/// The size of a window in CSS pixels.
pub(crate) const WIDE: (u32, u32) = (1280, 900);

/// The width of a small phone, to which WCAG 2.2 (1.4.10 Reflow) refers.
pub(crate) const NARROW: (u32, u32) = (320, 700);

/// How a browser differs from the default.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options {
    pub(crate) size: (u32, u32),
    pub(crate) dark: bool,
    pub(crate) javascript: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            size: WIDE,
            dark: false,
            javascript: true,
        }
    }
}

/// A browser with a profile of its own.
pub(crate) struct Browser {
    runtime: Runtime,
    client: Client,
    driver: Child,
    /// The port of the driver.
    port: u16,
    /// The shop's address, `http://127.0.0.1:PORT`.
    shop: String,
    _profile: TempDir,
}

impl Browser {
    /// Opens a browser for the shop at this address.
    pub(crate) fn open(address: &str) -> Self {
        Self::with(address, Options::default())
    }

    pub(crate) fn with(address: &str, options: Options) -> Self {
        let (driver, port) = start_driver();
        let profile = tempfile::tempdir().unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let capabilities = capabilities(options, &profile);
        let url = format!("http://127.0.0.1:{port}");
        let client = runtime
            .block_on(
                ClientBuilder::new(hyper_connector())
                    .capabilities(capabilities)
                    .connect(&url),
            )
            .unwrap();
        let (width, height) = options.size;
        // Chromium's windows are at least 500 pixels wide: a narrower page is an emulated device.
        if width >= 500 {
            runtime
                .block_on(client.set_window_size(width, height))
                .unwrap();
        }
        Self {
            runtime,
            client,
            driver,
            port,
            shop: format!("http://{address}"),
            _profile: profile,
        }
    }

    /// Opens a page of the shop.
    pub(crate) fn go(&self, path: &str) {
        let url = format!("{}{path}", self.shop);
        self.runtime.block_on(self.client.goto(&url)).unwrap();
    }

    /// The address of the shop, with its scheme.
    pub(crate) fn shop(&self) -> &str {
        &self.shop
    }

    /// Path and query of the open page.
    pub(crate) fn path(&self) -> String {
        let url = self.runtime.block_on(self.client.current_url()).unwrap();
        let query = url.query().map(|query| format!("?{query}"));
        format!("{}{}", url.path(), query.unwrap_or_default())
    }

    /// The visible text of the page.
    pub(crate) fn text(&self) -> String {
        let body = self.element("body");
        self.runtime.block_on(body.text()).unwrap()
    }

    /// The first element that matches a CSS selector; waits for it.
    #[track_caller]
    pub(crate) fn element(&self, css: &str) -> Element {
        self.wait(Locator::Css(css))
    }

    /// Whether an element matches a CSS selector now.
    pub(crate) fn has(&self, css: &str) -> bool {
        let found = self.client.find_all(Locator::Css(css));
        !self.runtime.block_on(found).unwrap().is_empty()
    }

    /// Waits until the page shows this text.
    #[track_caller]
    pub(crate) fn see(&self, text: &str) {
        let path = format!("//body//*[contains(normalize-space(.), {})]", quoted(text));
        self.wait(Locator::XPath(&path));
    }

    /// The field with this label.
    #[track_caller]
    pub(crate) fn field(&self, label: &str) -> Element {
        let text = quoted(label);
        let path = format!("//*[@id = //label[starts-with(normalize-space(.), {text})]/@for]");
        self.wait(Locator::XPath(&path))
    }

    /// Replaces the text of the field with this label.
    #[track_caller]
    pub(crate) fn fill(&self, label: &str, text: &str) {
        self.replace(&self.field(label), text);
    }

    /// Replaces the text of the field that matches a CSS selector.
    #[track_caller]
    pub(crate) fn fill_in(&self, css: &str, text: &str) {
        self.replace(&self.element(css), text);
    }

    fn replace(&self, field: &Element, text: &str) {
        self.runtime.block_on(async {
            field.clear().await.unwrap();
            field.send_keys(text).await.unwrap();
        });
    }

    /// Selects an option of a list by its visible text.
    #[track_caller]
    pub(crate) fn select(&self, label: &str, option: &str) {
        let field = self.field(label);
        self.runtime
            .block_on(field.select_by_label(option))
            .unwrap();
    }

    /// Presses the button with this text, and waits for the page that it leads to.
    #[track_caller]
    pub(crate) fn press(&self, button: &str) {
        let text = quoted(button);
        self.leave(&format!("//button[normalize-space(.) = {text}]"));
    }

    /// Follows the link with this text.
    #[track_caller]
    pub(crate) fn follow(&self, link: &str) {
        let text = quoted(link);
        self.leave(&format!("//a[normalize-space(.) = {text}]"));
    }

    /// Clicks an element that opens another page.
    #[track_caller]
    fn leave(&self, path: &str) {
        let element = self.wait(Locator::XPath(path));
        self.opens(|| self.runtime.block_on(element.click()).unwrap());
    }

    /// Runs an action that opens another page, and waits until the old page is gone.
    #[track_caller]
    pub(crate) fn opens(&self, act: impl FnOnce()) {
        let old = self.element("html");
        act();
        self.until(|| self.runtime.block_on(old.attr("lang")).is_err());
        self.element("body");
    }

    /// Clicks the first element that matches a CSS selector.
    #[track_caller]
    pub(crate) fn click(&self, css: &str) {
        let element = self.element(css);
        self.runtime.block_on(element.click()).unwrap();
    }

    /// Types keys into the element that has the focus, such as `fantoccini::key::Key::Tab + ""`.
    pub(crate) fn keys(&self, keys: &str) {
        self.runtime.block_on(async {
            let active = self.client.active_element().await.unwrap();
            active.send_keys(keys).await.unwrap();
        });
    }

    /// The accessible text of the element that has the focus.
    pub(crate) fn focused(&self) -> String {
        let text = "const e = document.activeElement; \
            return (e.labels && e.labels[0] ? e.labels[0].innerText : e.innerText || '').trim()";
        self.script(text).as_str().unwrap_or_default().to_owned()
    }

    /// Runs a script in the page; returns its result. The page's policy does not bind it.
    pub(crate) fn script(&self, text: &str) -> Value {
        self.runtime
            .block_on(self.client.execute(text, Vec::new()))
            .unwrap()
    }

    /// Like [`Browser::script`], with the callback that the script calls with its result.
    pub(crate) fn script_with_callback(&self, text: &str) -> Value {
        self.runtime
            .block_on(self.client.execute_async(text, Vec::new()))
            .unwrap()
    }

    /// The text that the field with this label has now.
    #[track_caller]
    pub(crate) fn typed(&self, label: &str) -> String {
        let field = self.field(label);
        let value = self.runtime.block_on(field.prop("value")).unwrap();
        value.unwrap_or_default()
    }

    /// Sends a command of chromedriver that fantoccini has no function for; returns its value.
    pub(crate) fn command(&self, path: &str, body: &Value) -> Value {
        let session = self.runtime.block_on(self.client.session_id()).unwrap();
        let session = session.unwrap();
        let body = body.to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let head = format!(
            "POST /session/{session}{path} HTTP/1.1\r\nHost: localhost\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).unwrap();
        let mut response = read_body(BufReader::new(stream));
        response["value"].take()
    }

    /// Uploads a file by the field with this label.
    #[track_caller]
    pub(crate) fn upload(&self, label: &str, path: &std::path::Path) {
        let field = self.field(label);
        self.runtime
            .block_on(field.send_keys(path.to_str().unwrap()))
            .unwrap();
    }

    /// A picture of the window, as PNG.
    pub(crate) fn screenshot(&self) -> Vec<u8> {
        self.runtime.block_on(self.client.screenshot()).unwrap()
    }

    /// Waits for a condition.
    #[track_caller]
    pub(crate) fn until(&self, condition: impl Fn() -> bool) {
        let began = std::time::Instant::now();
        while !condition() {
            assert!(began.elapsed() < NEVER, "{}: {}", self.path(), self.text());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[track_caller]
    fn wait(&self, locator: Locator<'_>) -> Element {
        let wait = self.client.wait().at_most(NEVER).for_element(locator);
        let found = self.runtime.block_on(wait);
        match found {
            Ok(element) => element,
            Err(error) => panic!("{locator:?}: {error} on {}:\n{}", self.path(), self.text()),
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Chromium ends with its session. The driver may have ended if a test failed.
        let _ = self.runtime.block_on(self.client.clone().close());
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn hyper_connector() -> hyper_util::client::legacy::connect::HttpConnector {
    hyper_util::client::legacy::connect::HttpConnector::new()
}

/// The JSON body of a response.
fn read_body(mut stream: BufReader<TcpStream>) -> Value {
    let (mut line, mut length) = (String::new(), 0);
    while stream.read_line(&mut line).unwrap() > 2 {
        let header = line.to_ascii_lowercase();
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    serde_json::from_slice(&body).unwrap()
}

/// Starts chromedriver on a free port; returns the port.
fn start_driver() -> (Child, u16) {
    let started = Command::new("chromedriver")
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut driver =
        started.expect("the browser tests need chromedriver: run scripts/browser-tools");
    let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let mut lines = lines.map_while(Result::ok);
    let line = lines.find(|line| line.contains("started successfully on port"));
    let line = line.expect("chromedriver does not start");
    let port = line.trim_end_matches('.').rsplit(' ').next().unwrap();
    let port = port.parse().unwrap();
    // The driver logs to its standard output: the pipe has to be read.
    std::thread::spawn(move || lines.for_each(drop));
    (driver, port)
}

fn capabilities(options: Options, profile: &TempDir) -> Capabilities {
    let mut arguments = vec![
        "--headless=new".to_owned(),
        "--no-sandbox".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--disable-gpu".to_owned(),
        "--hide-scrollbars".to_owned(),
        "--force-prefers-reduced-motion".to_owned(),
        "--lang=en-US".to_owned(),
        format!("--user-data-dir={}", profile.path().display()),
    ];
    if options.dark {
        arguments.push("--blink-settings=preferredColorScheme=0".to_owned());
    }
    let mut chrome = json!({"args": arguments});
    if !options.javascript {
        // 2: blocked, for pages. Scripts of the driver run all the same.
        chrome["prefs"] = json!({"profile.managed_default_content_settings.javascript": 2});
    }
    let (width, height) = options.size;
    if width < 500 {
        chrome["mobileEmulation"] =
            json!({"deviceMetrics": {"width": width, "height": height, "pixelRatio": 2.0}});
    }
    let mut capabilities = Capabilities::new();
    capabilities.insert("goog:chromeOptions".to_owned(), chrome);
    let logs = json!({"browser": "ALL", "performance": "ALL"});
    capabilities.insert("goog:loggingPrefs".to_owned(), logs);
    capabilities
}

/// A string literal of `XPath` 1.0, which has no escapes.
fn quoted(text: &str) -> String {
    assert!(!text.contains('"'), "{text}");
    format!("\"{text}\"")
}
