//! Probe specs from data, in this crate's notation or in that of Kubernetes.

mod leaf;
mod spec;
mod target;
