//! End-to-end tests of the real binary: its commands, and serving.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod check;
#[cfg(test)]
mod import;
#[cfg(test)]
mod integrity;
#[cfg(test)]
mod log;
#[cfg(test)]
mod log_load;
#[cfg(test)]
mod metrics;
mod openapi;
#[cfg(test)]
mod place;
#[cfg(test)]
mod products;
#[cfg(test)]
mod rotate_key;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod start_and_stop;
#[cfg(test)]
mod throttle;
#[cfg(test)]
#[cfg(feature = "tls")]
mod tls;
#[cfg(test)]
mod verify;
