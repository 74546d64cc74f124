//! When a circuit breaker opens, lets probes through, and closes again.

pub(crate) mod body_scope;
pub(crate) mod half_open;
pub(crate) mod machine;
pub(crate) mod notice;
pub(crate) mod settings;
pub(crate) mod wait_list;
