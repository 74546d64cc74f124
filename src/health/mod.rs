//! How a service is: its phase, the requests that it has in flight, and checks of what it needs.

mod check;
mod gauge;
mod handle;

pub use check::{Check, Status};
pub use handle::Health;
