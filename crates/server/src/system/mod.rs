//! The operating system: signals, terminal, and file system checks.

pub(crate) mod background;
pub(crate) mod console;
pub(crate) mod progress;
pub(crate) mod signals;
pub(crate) mod symlinks;

/// Disables core dumps: the memory of this process contains signing keys and passwords.
pub(crate) fn dump_no_core() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Core).maximum;
    let none = Rlimit {
        current: Some(0),
        maximum,
    };
    // Lowering a limit always succeeds; a system without this limit has no core dumps either.
    let _ = setrlimit(Resource::Core, none);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_dumps_are_off() {
        dump_no_core();
        let limit = rustix::process::getrlimit(rustix::process::Resource::Core);
        assert_eq!(limit.current, Some(0));
    }
}
