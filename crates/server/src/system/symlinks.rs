//! Protection against symbolic links in folders that other users may write: a link there can
//! redirect the shop's files to any path.

use crate::config::folder_of;
use rustix::fs::OFlags;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// `open(2)` flags: `O_NOFOLLOW` where other users may have created a link.
pub(crate) fn open_flags(path: &Path) -> i32 {
    if is_exposed(folder_of(path)) && !is_link_of_root(path) {
        i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default()
    } else {
        0
    }
}

/// Rejects a symbolic link in a folder that other users may write.
///
/// # Errors
/// A sentence, as an I/O error.
pub(crate) fn refuse_link(path: &Path) -> io::Result<()> {
    // With a trailing slash, the path would resolve to the link's target.
    let path: &Path = &path.components().collect::<PathBuf>();
    let is_link = fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
    if is_link && is_exposed(folder_of(path)) && !is_link_of_root(path) {
        return Err(io::Error::other(format!(
            "it is a link, and others may write the folder {}",
            folder_of(path).display()
        )));
    }
    Ok(())
}

/// Whether a path is a link owned by root in a folder with the sticky bit, which keeps other users
/// from replacing it. Kubernetes mounts secrets like that.
fn is_link_of_root(path: &Path) -> bool {
    let link = fs::symlink_metadata(path);
    let is_of_root = link.is_ok_and(|found| found.is_symlink() && found.uid() == 0);
    is_of_root && fs::metadata(folder_of(path)).is_ok_and(|folder| folder.mode() & 0o1000 != 0)
}

/// Whether users other than this one and root may create files in a folder. The sticky bit of /tmp
/// keeps them from replacing existing files, but not from creating one first.
fn is_exposed(folder: &Path) -> bool {
    let Ok(folder) = fs::metadata(folder) else {
        return false;
    };
    let user = rustix::process::geteuid().as_raw();
    let group = rustix::process::getegid().as_raw();
    let of_others = folder.uid() != 0 && folder.uid() != user;
    let of_group = folder.mode() & 0o020 != 0 && folder.gid() != 0 && folder.gid() != group;
    folder.mode() & 0o002 != 0 || of_group || of_others
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{OpenOptions, Permissions};
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, lchown, symlink};

    #[test]
    fn links_are_followed_in_private_folders_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "").unwrap();
        symlink(&file, &link).unwrap();
        let is_root = rustix::process::geteuid().is_root();
        if is_root {
            lchown(&link, Some(65_534), None).unwrap();
        }
        let opened = |path: &Path| {
            let mut options = OpenOptions::new();
            options.append(true).custom_flags(open_flags(path));
            options.open(path).is_ok()
        };
        for (mode, follows) in [
            (0o700, true),
            (0o755, true),
            (0o777, false),
            (0o1777, false),
        ] {
            fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
            assert_eq!(opened(&link), follows, "{mode:o}");
            assert_eq!(refuse_link(&link).is_ok(), follows, "{mode:o}");
            let slashed = folder.path().join("link/");
            assert_eq!(refuse_link(&slashed).is_ok(), follows, "{mode:o}");
            assert!(opened(&file) && refuse_link(&file).is_ok(), "{mode:o}");
        }
        // The layout of secrets that Kubernetes mounts. Only root can create such a link.
        if is_root {
            lchown(&link, Some(0), None).unwrap();
            for (mode, follows) in [(0o777, false), (0o1777, true)] {
                fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
                assert_eq!(opened(&link), follows, "{mode:o}");
                assert_eq!(refuse_link(&link).is_ok(), follows, "{mode:o}");
            }
        }
    }
}
