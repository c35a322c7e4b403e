use super::{Cluster, USER, free_port, is_root};
use std::io;
use std::process::Command;
use std::sync::atomic::AtomicU32;

impl Cluster {
    /// Starts a standby: a replica that replays this server's writes, and serves reads. Its name is
    /// `standby`, for `synchronous_standby_names`.
    ///
    /// # Errors
    /// If the copy cannot be made, or does not start.
    pub fn standby(&self) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("tradepost-pg-").tempdir()?;
        let mut standby = Self {
            folder,
            programs: self.programs.clone(),
            port: free_port()?,
            settings: self.settings.clone(),
            keeper: None,
            databases: AtomicU32::new(0),
        };
        let mut own = Command::new("chown");
        let owned = !is_root()?
            || own
                .args([USER])
                .arg(standby.folder.path())
                .status()?
                .success();
        let mut copy = standby.command("pg_basebackup")?;
        copy.arg("-d")
            .arg(self.plain_url("?application_name=standby"))
            .arg("-D")
            .arg(standby.data())
            .args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync"]);
        let copied = copy.output()?;
        if !owned || !copied.status.success() {
            return Err(io::Error::other(
                String::from_utf8_lossy(&copied.stderr).into_owned(),
            ));
        }
        standby.first_start()?;
        Ok(standby)
    }
}
