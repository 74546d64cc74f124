//! Work that only the leader does.

mod checks;
mod handle;
mod lead;
mod status;
mod watch;

pub use checks::{LeadingCheck, StoreCheck};
pub use handle::LeaderGuard;
pub use status::LeaderStatus;
pub use watch::LeaderWatch;
