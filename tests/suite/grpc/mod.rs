//! GR: gRPC.

mod classifier;
mod respond;
