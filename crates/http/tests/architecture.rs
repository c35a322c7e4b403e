//! Architecture tests: the module graph of this crate has no cycle, and its generic layers import
//! no resource.
//!
//! A node of the graph is a file. An edge is a path in its code that starts with `crate`, `self`,
//! `super` or a child module, in a `use` or inline. A name that a module re-exports leads to the
//! file that has it. Tests and comments are left out.

#![expect(
    clippy::unwrap_used,
    reason = "a tree that cannot be read has failed the test"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Source texts by module path, such as `middleware::cors`; the crate root is the empty path.
type Sources = BTreeMap<String, String>;
type Graph = BTreeMap<String, BTreeSet<String>>;

fn join(parent: &str, name: &str) -> String {
    match parent {
        "" => name.to_owned(),
        parent => format!("{parent}::{name}"),
    }
}

fn parent(module: &str) -> &str {
    module.rsplit_once("::").map_or("", |(parent, _)| parent)
}

/// Reads the files of a folder whose modules are below `module`. Files of tests are left out.
fn read(folder: &Path, module: &str, into: &mut Sources) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if name == "tests" || name.ends_with("_tests") {
            continue;
        }
        if path.is_dir() {
            read(&path, &join(module, &name), into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let module = match name.as_str() {
                "mod" | "lib" => module.to_owned(),
                name => join(module, name),
            };
            into.insert(module, fs::read_to_string(&path).unwrap());
        }
    }
}

/// The code without comments and without modules of tests.
fn code(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line == "#[cfg(test)]" {
            // A module ends at the closing brace of the first column, a declaration with its line.
            let is_end =
                |line: &&str| *line == "}" || line.starts_with("mod ") && line.ends_with(';');
            let _ = lines.find(is_end);
            continue;
        }
        code.push_str(line.split("//").next().unwrap_or_default());
        code.push('\n');
    }
    code
}

fn is_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Splits off the name at the start.
fn name(text: &str) -> (&str, &str) {
    text.split_at(text.find(|letter| !is_name(letter)).unwrap_or(text.len()))
}

/// Adds the paths of a use tree, or of a path, that continues `prefix`; returns the rest.
fn paths<'a>(prefix: &str, text: &'a str, into: &mut Vec<String>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = paths(prefix, rest, into).trim_start();
            if let Some(next) = rest.strip_prefix(',') {
                rest = next;
            }
            match rest.trim_start().strip_prefix('}') {
                Some(rest) => return rest,
                None if rest.is_empty() => return rest,
                None => {}
            }
        }
    }
    let (name, rest) = name(text);
    let path = match name {
        "self" => prefix.to_owned(),
        "super" => parent(prefix).to_owned(),
        name => join(prefix, name),
    };
    match rest.strip_prefix("::") {
        Some(rest) => paths(&path, rest, into),
        None => {
            into.push(path);
            // An alias, a glob, or code that follows.
            rest.trim_start_matches(|letter| !",}{;".contains(letter))
        }
    }
}

/// The paths in the code of a module that may lead to other modules of the crate.
fn mentions(module: &str, code: &str, children: &BTreeSet<&str>) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("::") {
        let before = code.get(..at).unwrap();
        let start = before
            .rfind(|letter| !is_name(letter))
            .map_or(0, |at| at + 1);
        let (before, first) = before.split_at(start);
        if before.ends_with(':') {
            continue;
        }
        let rest = code.get(at + 2..).unwrap();
        match first {
            "crate" => paths("", rest, &mut found),
            "self" => paths(module, rest, &mut found),
            "super" => paths(parent(module), rest, &mut found),
            child if children.contains(child) => paths(&join(module, child), rest, &mut found),
            _ => continue,
        };
    }
    found
}

/// The code without its re-exports, and the re-exports.
fn split(code: &str) -> (String, String) {
    let (mut own, mut exports) = (String::new(), String::new());
    for statement in code.split_inclusive(';') {
        let start = statement.rfind("pub").unwrap_or(statement.len());
        let (before, last) = statement.split_at(start);
        let after = last.trim_start_matches("pub").trim_start();
        let after = after
            .strip_prefix('(')
            .and_then(|scoped| scoped.split_once(')'));
        let after = after.map_or(last.trim_start_matches("pub"), |(_, after)| after);
        if after.trim_start().starts_with("use ") {
            own.push_str(before);
            exports.push_str(last);
        } else {
            own.push_str(statement);
        }
    }
    (own, exports)
}

struct Module {
    mentions: Vec<String>,
    exports: Vec<String>,
}

/// The file that a path leads to: the longest module path that it begins with, unless that module
/// re-exports the name.
fn resolve<'a>(path: &'a str, modules: &'a BTreeMap<String, Module>) -> &'a str {
    let mut module = path;
    while !module.is_empty() && !modules.contains_key(module) {
        module = parent(module);
    }
    let rest = path.strip_prefix(module).unwrap().trim_start_matches("::");
    let name = rest.split("::").next().unwrap();
    let exports = modules
        .get(module)
        .into_iter()
        .flat_map(|module| &module.exports);
    let mut of_name =
        exports.filter(|export| !name.is_empty() && export.ends_with(&format!("::{name}")));
    of_name
        .next()
        .map_or(module, |export| resolve(export, modules))
}

fn graph(sources: &Sources) -> Graph {
    let read = |(module, text): (&String, &String)| {
        let children = sources
            .keys()
            .filter(|other| *other != module && parent(other) == module);
        let children = children
            .map(|child| child.rsplit("::").next().unwrap())
            .collect();
        let (own, exports) = split(&code(text));
        let mentions = |code: &str| mentions(module, code, &children);
        let (mentions, exports) = (mentions(&own), mentions(&exports));
        (module.clone(), Module { mentions, exports })
    };
    let modules: BTreeMap<String, Module> = sources.iter().map(read).collect();
    let edges = |(name, module): (&String, &Module)| {
        let targets = module
            .mentions
            .iter()
            .map(|path| resolve(path, &modules).to_owned());
        (
            name.clone(),
            targets.filter(|target| target != name).collect(),
        )
    };
    modules.iter().map(edges).collect()
}

/// The modules that a module imports, directly or through others.
fn reachable<'a>(graph: &'a Graph, from: &'a str) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut next: Vec<&str> = vec![from];
    while let Some(module) = next.pop() {
        let targets = graph.get(module).into_iter().flatten();
        next.extend(
            targets
                .map(String::as_str)
                .filter(|target| seen.insert(*target)),
        );
    }
    seen
}

/// The strongly connected components of more than one module.
fn cycles(graph: &Graph) -> BTreeSet<BTreeSet<&str>> {
    let modules = graph.keys().map(String::as_str);
    let component = |module| -> BTreeSet<&str> {
        let targets = reachable(graph, module);
        let back = |target: &&str| reachable(graph, target).contains(module);
        targets.into_iter().filter(back).collect()
    };
    modules
        .map(component)
        .filter(|component| component.len() > 1)
        .collect()
}

/// The layers that know no resource.
const KIT: [&str; 5] = ["connection", "exec", "extract", "middleware", "respond"];
const PRODUCT: [&str; 3] = ["openapi", "resources", "routes"];

fn is_below(module: &str, tops: &[&str]) -> bool {
    tops.contains(&module.split("::").next().unwrap())
}

/// Imports of a resource by a layer of the kit, directly or through others.
fn leaks(graph: &Graph) -> Vec<(&str, &str)> {
    let kit = graph.keys().filter(|module| is_below(module, &KIT));
    let leaks = kit.flat_map(|module| {
        let targets = reachable(graph, module).into_iter();
        let leaks = targets.filter(|target| is_below(target, &PRODUCT));
        leaks.map(move |target| (module.as_str(), target))
    });
    leaks.collect()
}

fn own() -> Graph {
    let mut sources = Sources::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    read(&folder, "", &mut sources);
    graph(&sources)
}

#[test]
fn no_modules_import_each_other_in_a_cycle() {
    let graph = own();
    assert!(graph.len() > 60, "{} modules were found", graph.len());
    assert_eq!(cycles(&graph), BTreeSet::new());
}

#[test]
fn the_generic_layers_import_no_resource() {
    assert_eq!(leaks(&own()), Vec::new());
}

fn made_up(files: &[(&str, &str)]) -> Graph {
    let files = files
        .iter()
        .map(|(module, text)| ((*module).to_owned(), (*text).to_owned()));
    graph(&files.collect())
}

#[test]
fn cycles_and_leaks_are_found_in_made_up_code() {
    let root = ("", "mod state;\npub use server::Api;\nfn f() {}");
    let routes = ("routes", "");
    for (one, other) in [
        (
            "use crate::{server, state::State};",
            "use crate::exec::pool::Pool;",
        ),
        (
            "fn run() { crate::state::State::new() }",
            "use crate::exec::{self, pool};",
        ),
        (
            "use super::Kind;\nuse crate::state;",
            "use crate::exec::pool as p;",
        ),
    ] {
        let exec = ("exec", "mod pool;\nfn start() { pool::Pool }");
        let files = [
            root,
            routes,
            exec,
            ("exec::pool", one),
            ("state", other),
            ("server", ""),
        ];
        let graph = made_up(&files);
        let found = cycles(&graph);
        assert!(
            found.iter().any(|cycle| cycle.contains("exec::pool")),
            "{one} {graph:?}"
        );
    }
    let files = [
        routes,
        ("exec", "use crate::state;"),
        ("state", "use crate::{\n    routes,\n};"),
    ];
    assert_eq!(leaks(&made_up(&files)), [("exec", "routes")]);
}

#[test]
fn comments_tests_and_names_alike_are_no_imports() {
    let text = "//! See [`crate::b`].\nuse b::crate_like;\nfn f() { x::crate::b } // crate::b\n\
                #[cfg(test)]\nmod tests {\n    use crate::b;\n}\n\
                #[cfg(test)]\nmod more;\nuse crate::c;";
    let graph = made_up(&[("a", text), ("b", "use super::a;"), ("c", "")]);
    let targets: Vec<_> = graph["a"].iter().collect();
    assert_eq!(targets, ["c"]);
    assert!(cycles(&graph).is_empty());
}

#[test]
fn a_name_that_is_exported_again_leads_to_its_file() {
    let facade = "mod one;\nmod two;\npub(crate) use one::{A, B};\npub use two::C;\nfn f() {}";
    let files = [
        ("m", facade),
        ("m::one", "use super::C;"),
        ("m::two", "use crate::m::D;"),
        ("user", "fn f() { crate::m::A::new() }"),
    ];
    let graph = made_up(&files);
    let targets = |module: &str| graph[module].iter().cloned().collect::<Vec<_>>();
    assert_eq!(targets("user"), ["m::one"]);
    assert_eq!(targets("m::one"), ["m::two"]);
    assert_eq!(targets("m::two"), ["m"]);
    assert_eq!(targets("m"), Vec::<String>::new());
}
