//! Leaders by advisory locks: another leads within a second or two, and between the loss of a connection and its being
//! noticed two may lead.

mod acquiring;
mod builder;
mod elector;
mod fence;
mod granting;
mod keeping;
mod lock_number;
mod settings;
mod shared;
mod statements;

pub use builder::PgAdvisoryBuilder;
pub use elector::PgAdvisory;
pub use fence::PgFence;
