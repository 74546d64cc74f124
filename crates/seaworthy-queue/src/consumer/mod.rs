//! Jobs, done by a service.

mod caught;
mod error;
mod extend;
mod gate;
mod handle;
mod held;
mod measure;
mod run;
mod settings;
mod settling;
mod shared;
mod slots;
mod solo;
mod watch;
mod work;

pub use error::ConsumerError;
pub use gate::{Gate, Room};
pub use handle::Consumer;
pub use solo::Solo;
pub use watch::ConsumerHandle;
