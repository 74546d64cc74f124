use std::error::Error as StdError;
use std::iter::successors;
use std::sync::Arc;

use seaworthy::Rejected;
use seaworthy::http::grpc::{grpc_response_of, grpc_status_of};
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

/// The status that a caller gets for a rejection: what a
/// [`GrpcRespondLayer`](seaworthy::http::grpc::GrpcRespondLayer) puts on the wire.
///
/// | rejection | code | message | `grpc-retry-pushback-ms` |
/// |---|---|---|---|
/// | [`Rejected::CircuitOpen`] | `Unavailable` | circuit open | -1: do not retry |
/// | [`Rejected::BulkheadFull`] | `ResourceExhausted` | bulkhead full | its [`retry_after`](Rejected::retry_after) |
/// | [`Rejected::NotReady`] | `Unavailable` | not ready | its [`retry_after`](Rejected::retry_after), where known |
/// | [`Rejected::TimedOut`] | `DeadlineExceeded` | timed out | none |
/// | [`Rejected::DeadlineExceeded`] | `DeadlineExceeded` | deadline exceeded | -1: do not retry |
/// | [`Rejected::Withdrawn`] | `Unavailable` | call withdrawn | -1: do not retry |
///
/// The rejection is the status's source, which is never sent: [`rejected_of`] finds it again in this process.
///
/// ```
/// use seaworthy::Bulkhead;
/// use seaworthy_tonic::{rejected_of, status_of};
///
/// let bulkhead = Bulkhead::builder("work").limit(1).build()?;
/// let _permit = bulkhead.try_acquire()?;
/// if let Err(rejected) = bulkhead.try_acquire() {
///     let status = status_of(&rejected);
///     assert_eq!((status.code(), status.message()), (tonic::Code::ResourceExhausted, "bulkhead full"));
///     assert_eq!(rejected_of(&status), Some(&rejected));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn status_of(rejected: &Rejected) -> Status {
    let (head, ()) = grpc_response_of::<()>(rejected).into_parts();
    let mut status = Status::from_header_map(&head.headers)
        .unwrap_or_else(|| Status::new(Code::from_i32(grpc_status_of(rejected).into()), rejected.to_string()));
    // It is tonic's to set.
    let metadata: &mut MetadataMap = status.metadata_mut();
    metadata.remove("content-type");
    status.set_source(Arc::new(rejected.clone()));
    status
}

/// The rejection that this status was made from in this process, if any: by [`status_of`], by a
/// [`TonicError`](crate::TonicError), or by tonic, from the error of a stack under one of its clients.
///
/// A status that came over the wire is none, whatever its code: the server's open circuit is not ours, and its answer
/// is an answer.
#[must_use]
pub fn rejected_of(status: &Status) -> Option<&Rejected> {
    chain(status).find_map(|error| error.downcast_ref())
}

/// Errors that refer to each other in a circle are not followed for ever.
const DEEPEST: usize = 64;

/// The error and its sources.
pub(crate) fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    successors(Some(error), |error| (**error).source()).take(DEEPEST)
}
