//! The fault kit, held to its own docs/behaviour.md. What needs a server is behind the feature `servers`.

mod drawing;
mod judges;
#[cfg(unix)]
mod leftovers;
mod package;
mod proxy;
mod support;
#[cfg(unix)]
mod workers;

#[cfg(all(unix, feature = "servers"))]
mod pgbouncer;
#[cfg(all(unix, feature = "servers"))]
mod postgres;
#[cfg(all(unix, feature = "servers"))]
mod redis;
#[cfg(all(unix, feature = "servers"))]
mod sharing;
