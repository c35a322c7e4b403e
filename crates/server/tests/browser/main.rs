//! The admin interface in a real browser: headless Chromium against the real binary.
//!
//! - [`browser`]: a browser session, and the elements of a page by their visible names.
//! - [`accessibility`]: axe-core on the open page.
//! - [`manners`]: the demands on every page.
//! - [`shop`]: a shop to work in.
//! - the others: tasks of the shop's staff, each from an empty folder.
//!
//! `scripts/browser-tools` installs the tools.

#[cfg(test)]
mod accessibility;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod first_run;
#[cfg(test)]
mod import;
#[cfg(test)]
mod javascript_off;
#[cfg(test)]
mod keyboard;
#[cfg(test)]
mod manners;
#[cfg(test)]
mod narrow;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod people;
#[cfg(test)]
#[path = "../binary/place.rs"]
#[expect(
    dead_code,
    reason = "shared with the tests of the commands, which need more of it"
)]
mod place;
#[cfg(test)]
mod products;
#[cfg(test)]
mod screenshots;
#[cfg(test)]
mod shop;
#[cfg(test)]
mod sign_in;
