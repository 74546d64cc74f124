//! RD, HE: the readiness layer, the checks and the health endpoints.

mod async_check;
#[cfg(feature = "http")]
mod body;
mod checks;
mod drops;
#[cfg(feature = "http")]
mod endpoints;
mod events;
mod own_wait;
mod property;
mod readiness;
#[cfg(feature = "http")]
mod sockets;
mod stack;
mod thresholds;
mod traits;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use seaworthy::health::{Exempt, NoneExempt, ReadinessService};
use seaworthy::{BoxError, Check, Health, Phase, Rejected, StackError, Status};
use tower_test::mock::{Handle, Mock, Spawn};

type Request = &'static str;
type Service<X = NoneExempt> = Spawn<ReadinessService<Mock<Request, &'static str>, X>>;
type Backend = Handle<Request, &'static str>;

/// A service that takes requests.
fn serving() -> Health {
    let health = Health::new();
    assert!(health.advance(Phase::Serving));
    health
}

fn service(health: &Health) -> (Service, Backend) {
    tower_test::mock::spawn_layer(health.readiness_layer())
}

fn service_with<X: Exempt<Request> + Clone>(health: &Health, exempt: X) -> (Service<X>, Backend) {
    tower_test::mock::spawn_layer(health.readiness_layer().exempt(exempt))
}

/// What kept the call out, if it was rejected.
fn reason<T>(result: Result<T, BoxError>) -> Option<String> {
    match result.err()?.rejected() {
        Some(Rejected::NotReady { reason, .. }) => Some(reason.to_string()),
        _ => None,
    }
}

/// A check that the test can switch, and which counts how often it was asked.
#[derive(Clone, Debug, Default)]
struct Switch(Arc<(AtomicBool, AtomicUsize)>);

impl Switch {
    fn set_down(&self, down: bool) {
        self.0.0.store(down, Ordering::Relaxed);
    }

    fn asked(&self) -> usize {
        self.0.1.load(Ordering::Relaxed)
    }
}

impl Check for Switch {
    fn status(&self) -> Status {
        self.0.1.fetch_add(1, Ordering::Relaxed);
        Status::from(!self.0.0.load(Ordering::Relaxed))
    }
}

/// The next request that the backend gets, answered.
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
