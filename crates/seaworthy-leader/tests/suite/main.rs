//! The elector's tests, in one binary.

mod doubles;
mod elector;
mod guard;
mod layer;
