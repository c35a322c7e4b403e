//! Options of the admin interface.

use clap::Args;

/// Options of the admin interface.
#[derive(Debug, Clone, Args)]
pub(crate) struct AdminArgs {
    /// Addresses or networks that may use the setup link besides this machine, separated by commas
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_SETUP_ALLOW",
        hide_env_values = true,
        value_name = "NETWORKS"
    )]
    pub(crate) setup_allow: Option<String>,
    /// The time zone of the shop's pages, by its IANA name, such as Europe/Berlin
    #[arg(
        long,
        global = true,
        env = "TRADEPOST_TIME_ZONE",
        hide_env_values = true,
        value_name = "ZONE",
        default_value = "UTC"
    )]
    pub(crate) time_zone: String,
}
