//! GR: gRPC.

mod classifier;
mod judge;
mod respond;
