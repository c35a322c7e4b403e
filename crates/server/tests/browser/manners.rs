//! What holds on every page: no error in the console, nothing loaded from elsewhere, accessible in
//! light and dark, and no horizontal scrolling on a small phone.

use crate::browser::{Browser, NARROW};
use serde_json::{Value, json};

impl Browser {
    /// Asserts all of it on the open page.
    #[track_caller]
    pub(crate) fn is_well_made(&self) {
        let faults = self.faults();
        assert!(faults.is_empty(), "{}: {faults:#?}", self.path());
        for dark in [false, true] {
            self.set_dark(dark);
            self.is_accessible();
        }
        self.set_dark(false);
        self.resize(NARROW);
        self.fits();
        self.devtools("Emulation.clearDeviceMetricsOverride", &json!({}));
        // axe-core runs against the policy of the page.
        self.log("browser");
        self.log("performance");
    }

    /// Asserts that the open page does not scroll horizontally.
    #[track_caller]
    pub(crate) fn fits(&self) {
        let wide = "const most = document.documentElement.clientWidth; \
            if (document.documentElement.scrollWidth <= most) return []; \
            return Array.from(document.body.querySelectorAll('*')) \
                .filter(one => one.getBoundingClientRect().right > most) \
                .map(one => one.outerHTML.slice(0, 200))";
        let wide = self.script(wide);
        assert_eq!(wide, json!([]), "{}", self.path());
    }

    /// Errors in the console, and requests to other servers, since the last call.
    fn faults(&self) -> Vec<String> {
        let pages = format!("{}/admin/", self.shop());
        let errors = self.log("browser").into_iter().filter_map(|entry| {
            let message = entry["message"].as_str().unwrap().to_owned();
            // A page that reports an error has its status; an asset has no reason for one.
            let is_status = message.starts_with(&pages)
                && !message.contains("/assets/")
                && message.contains(" - Failed to load resource: the server responded with");
            (entry["level"] == "SEVERE" && !is_status).then_some(message)
        });
        let requests = self.log("performance").into_iter().filter_map(|entry| {
            let message = entry["message"].as_str().unwrap();
            let event: Value = serde_json::from_str(message).unwrap();
            let url = event["message"]["params"]["request"]["url"].as_str()?;
            // `chrome:` is the empty page with which the browser begins.
            let is_network = ["http:", "https:", "ws:", "wss:"];
            let is_network = is_network.iter().any(|scheme| url.starts_with(scheme));
            (is_network && !url.starts_with(self.shop())).then(|| url.to_owned())
        });
        errors.chain(requests).collect()
    }

    /// The entries of a log since the last call.
    fn log(&self, kind: &str) -> Vec<Value> {
        let entries = self.command("/se/log", &json!({"type": kind}));
        entries.as_array().unwrap().clone()
    }

    /// The setting of the system for light or dark pages.
    pub(crate) fn set_dark(&self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let feature = json!({"name": "prefers-color-scheme", "value": value});
        self.devtools(
            "Emulation.setEmulatedMedia",
            &json!({"features": [feature]}),
        );
    }

    /// Sets the size of the page, which a window exceeds.
    pub(crate) fn resize(&self, (width, height): (u32, u32)) {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    fn devtools(&self, command: &str, parameters: &Value) {
        let body = json!({"cmd": command, "params": parameters});
        let value = self.command("/goog/cdp/execute", &body);
        assert!(value.get("error").is_none(), "{value}");
    }
}
