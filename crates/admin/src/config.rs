//! Configuration of the admin interface.

use crate::zone::ShopZone;
use std::sync::Arc;
use tradepost_domain::catalog::ProductRepository;
use tradepost_domain::import::products::ProductImports;
use tradepost_domain::inventory::StockWrites;
use tradepost_domain::kernel::Clock;
use tradepost_http::IpNet;

/// Configuration of the admin interface.
#[derive(Clone)]
pub struct AdminConfig {
    /// The time zone of the shop, in which times are shown.
    pub time_zone: ShopZone,
    /// The clock of the shop.
    pub clock: Arc<dyn Clock>,
    /// Networks that may use the setup link, besides this machine.
    pub setup_allow: Vec<IpNet>,
    /// Import and export of products.
    pub files: ProductFiles,
}

/// Import and export of products.
#[derive(Clone)]
pub struct ProductFiles {
    /// Imports.
    pub imports: ProductImports,
    /// The products that are exported.
    pub products: Arc<dyn ProductRepository>,
    /// With strict writes, a file that sets stock needs a choice.
    pub stock_writes: StockWrites,
}
