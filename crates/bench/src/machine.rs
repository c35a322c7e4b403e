//! Description of the machine.

use crate::Outcome;
use crate::data::TestShop;
use crate::plan::Store;
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Instant;

/// Number of disk writes to time.
const WRITES: u32 = 200;

/// The machine and the versions of all software, in a few lines.
pub(crate) fn describe(shops: &[TestShop], folder: &Path) -> Outcome<String> {
    let version = |store: Store, sql: &str| -> Outcome<String> {
        let shop = shops.iter().find(|shop| shop.store == store);
        let mut link = shop.ok_or("there is no such shop")?.connect()?;
        Ok(link.words(&format!("SELECT {sql} AS value"))?)
    };
    let postgres = version(Store::Postgres, "current_setting('server_version')")?;
    let sqlite = version(Store::Sqlite, "sqlite_version()")?;
    let durability = version(
        Store::Postgres,
        "'fsync=' || current_setting('fsync') || ', synchronous_commit='
             || current_setting('synchronous_commit')",
    )?;
    let cores = std::thread::available_parallelism()?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let sync = sync_micros(folder)?;
    Ok(format!(
        "- Machine: {cores} cores ({}), {} GB of memory, Linux {}\n\
         - Disk: {sync} us to write 8 KB and see it there (fdatasync), mean of {WRITES}\n\
         - PostgreSQL {postgres} ({durability}), SQLite {sqlite} (WAL, synchronous=FULL)",
        line_of("/proc/cpuinfo", "model name"),
        gigabytes(&line_of("/proc/meminfo", "MemTotal")),
        kernel.trim(),
    ))
}

/// The text after a name and a colon in a file.
fn line_of(path: &str, name: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name));
    let value = line.and_then(|line| line.split_once(':'));
    value
        .map_or("unknown", |(_, value)| value.trim())
        .to_owned()
}

fn gigabytes(kilobytes: &str) -> u64 {
    let number = kilobytes
        .split(' ')
        .next()
        .and_then(|text| text.parse().ok());
    number.unwrap_or(0_u64) / 1_000_000
}

fn sync_micros(folder: &Path) -> Outcome<u128> {
    let mut file = File::create(folder.join("sync"))?;
    let block = [7; 8192];
    file.write_all(&block)?;
    file.sync_all()?;
    let began = Instant::now();
    for _ in 0..WRITES {
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&block)?;
        file.sync_data()?;
    }
    Ok(began.elapsed().as_micros() / u128::from(WRITES))
}
