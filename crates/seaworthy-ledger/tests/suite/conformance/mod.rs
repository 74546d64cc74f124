mod fault;
mod memory;
mod naive;
mod notices;
#[cfg(feature = "sqlite")]
mod sqlite;
