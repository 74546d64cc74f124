//! Postgres, by sqlx: connecting, what each request is made in, schema steps, and classes of errors.
//!
//! A [`PgStore`] asks in one of two ways, which it finds out when it connects:
//!
//! | | connections of its own, direct | behind a pooler, or a caller's pool |
//! |---|---|---|
//! | limits, isolation | startup options | `SET LOCAL`, in a transaction of each request's own |
//! | statements | prepared once a connection | unnamed, never kept |
//! | round trips a request | 1 | 4 |

mod bells;
mod builder;
mod classify;
mod connections;
mod lent;
mod listening;
mod package;
mod probe;
mod read;
mod request;
mod schema;
mod session;
mod statement;
mod store;
mod url;

pub use bells::Bell;
pub use builder::PgStoreBuilder;
pub use classify::{sqlstate, store_error};
pub use package::PackageStore;
pub use read::{Read, corrupt};
pub use session::{Session, SessionLimits, Sessions};
pub use statement::Statement;
pub use store::PgStore;
