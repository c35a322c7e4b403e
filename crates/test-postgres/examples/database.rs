//! Creates an empty database on a temporary server, and keeps it until the end of standard input:
//! for scripts. Prints the database's URL.

use std::io::{self, Read, Write};
use tradepost_test_postgres::Cluster;

fn main() -> io::Result<()> {
    let cluster = Cluster::start()?;
    let url = cluster.url(&cluster.database()?);
    writeln!(io::stdout(), "{url}")?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
