//! BH: the bulkhead.

#[cfg(feature = "http")]
mod body;
mod builder;
mod drops;
mod events;
mod handle;
mod limit;
mod property;
mod service;
mod storm;
mod waiting;

use std::task::Poll;
use std::time::Duration;

use seaworthy::bulkhead::{BulkheadBuilder, BulkheadService};
use seaworthy::{BoxError, Bulkhead, Rejected, StackError};
use tower_test::mock::{Handle, Mock, Spawn};

type Service = Spawn<BulkheadService<Mock<&'static str, &'static str>>>;
type Backend = Handle<&'static str, &'static str>;

/// A bulkhead that rejects at once.
fn bulkhead(limit: u32) -> Bulkhead {
    Bulkhead::builder("ship").limit(limit).build().expect("valid")
}

/// A bulkhead that lets calls wait for a second.
fn patient(limit: u32) -> Bulkhead {
    patient_builder(limit).build().expect("valid")
}

fn patient_builder(limit: u32) -> BulkheadBuilder {
    Bulkhead::builder("ship").limit(limit).max_wait(Duration::from_secs(1))
}

fn service(bulkhead: &Bulkhead) -> (Service, Backend) {
    tower_test::mock::spawn_layer(bulkhead.layer())
}

/// A call that the service is ready for.
fn call(service: &mut Service, request: &'static str) -> tokio_test::task::Spawn<Response> {
    assert!(matches!(service.poll_ready(), Poll::Ready(Ok(()))));
    tokio_test::task::spawn(service.call(request))
}

type Response = <BulkheadService<Mock<&'static str, &'static str>> as tower::Service<&'static str>>::Future;

/// Nothing is held, and nothing waits.
fn assert_idle(bulkhead: &Bulkhead) {
    assert_eq!((bulkhead.in_use(), bulkhead.queued(), bulkhead.available()), (0, 0, bulkhead.limit()));
}

fn is_full<T>(result: &Result<T, BoxError>) -> bool {
    let error = result.as_ref().err();
    error.and_then(StackError::rejected).is_some_and(|rejected| matches!(rejected, Rejected::BulkheadFull { .. }))
}

/// The next request that the backend gets, if any.
macro_rules! request {
    ($backend:expr) => {
        match $backend.poll_request() {
            std::task::Poll::Ready(Some((request, answer))) => {
                answer.send_response("aye");
                Some(request)
            }
            _ => None,
        }
    };
}
use request;

/// The call was rejected, as its first poll shows.
macro_rules! assert_full {
    ($call:expr) => {
        match $call.poll() {
            std::task::Poll::Ready(result) => {
                assert!($crate::bulkhead::is_full(&result.map(|_| ()).map_err(seaworthy::BoxError::from)))
            }
            std::task::Poll::Pending => panic!("pending"),
        }
    };
}
use assert_full;

/// A builder for another bulkhead of the same name and limit.
fn named_after(bulkhead: &Bulkhead) -> BulkheadBuilder {
    Bulkhead::builder(bulkhead.name().clone()).limit(bulkhead.limit())
}
