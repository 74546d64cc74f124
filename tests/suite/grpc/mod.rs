//! GR: gRPC.

mod classifier;
mod judge;
mod policy;
mod respond;
