//! The lease elector, over leases in memory that can be told to fail.

mod campaign;
mod failover;
mod local;
mod requests;
mod settings;
mod term;
