//! axe-core on the open page: the rules of WCAG 2.2 A and AA, and its best practices.

use crate::browser::Browser;
use std::path::Path;

impl Browser {
    /// Asserts that axe-core finds no violation on the open page.
    #[track_caller]
    pub(crate) fn is_accessible(&self) {
        let violations = self.violations();
        assert!(violations.is_empty(), "{}: {violations:#?}", self.path());
    }

    /// The violations: rule, and the elements that break it.
    pub(crate) fn violations(&self) -> Vec<String> {
        if self.script("return typeof axe") == "undefined" {
            self.script(&source());
        }
        let run = "const done = arguments[arguments.length - 1]; \
            axe.run(document, {resultTypes: ['violations']}) \
               .then(found => done(found.violations.map(one => \
                   one.id + ': ' + one.help + ': ' + one.nodes.map(node => \
                       node.html + ' ' + node.failureSummary).join(' '))), \
                   error => done([String(error)]))";
        let found = self.script_with_callback(run);
        let found = found.as_array().unwrap().iter();
        found.map(|one| one.as_str().unwrap().to_owned()).collect()
    }
}

fn source() -> String {
    let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("browser-tools");
    let file = tools.join("package/axe.min.js");
    std::fs::read_to_string(&file)
        .expect("the browser tests need axe-core: run scripts/browser-tools")
}
