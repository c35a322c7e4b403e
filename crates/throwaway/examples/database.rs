//! Makes an empty database on a server of its own, and keeps it until standard input ends: for
//! scripts. Prints the database's URL.

use std::io::{self, Read, Write};
use tradepost_throwaway::Cluster;

fn main() -> io::Result<()> {
    let cluster = Cluster::start()?;
    let url = cluster.url(&cluster.database()?);
    writeln!(io::stdout(), "{url}")?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
