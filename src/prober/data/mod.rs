//! Specs of probes from data, written as here or as Kubernetes writes them.

mod leaf;
mod spec;
mod target;
