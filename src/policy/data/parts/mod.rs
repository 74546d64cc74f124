//! The tables of a policy, each read key by key.

mod backoff;
mod bulkhead;
mod circuit_breaker;
mod class;
mod deadline;
#[cfg(feature = "grpc")]
mod grpc;
mod policy;
mod retry;

pub(super) use policy::PolicyTable;

use crate::data::leaf::Count;
use crate::data::path::Path;
use crate::error::ConfigError;
use crate::error::check::Most;

fn broken(error: ConfigError) -> (String, String) {
    (error.field().to_owned(), error.rule().to_owned())
}

fn rule(field: &str, rule: &str) -> Result<(), (String, String)> {
    Err((field.to_owned(), rule.to_owned()))
}

fn count(at: Path<'_>, most: Most) -> Count<'_> {
    Count { at, least: 1, most }
}

/// Sets one field of a builder, whose setters take it and return it.
fn set<B: Clone>(builder: &mut B, change: impl FnOnce(B) -> B) {
    *builder = change(builder.clone());
}
