//! What the public types are, besides what they do.

use std::cell::Cell;
use std::fmt::Debug;
use std::future::Ready;
use std::marker::PhantomPinned;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

use seaworthy::health::{
    AsyncCheckBuilder, CheckReport, CheckRun, Exempt, InFlight, NoneExempt, ReadinessLayer, ReadinessService, Report,
    ResponseFuture, RunChecks,
};
use seaworthy::{AsyncCheck, BoxError, Bulkhead, Check, CircuitBreaker, Health, Phase, Status};
use static_assertions::{assert_impl_all, assert_not_impl_any, assert_obj_safe};
use tokio_test::task;
use tower::{Layer, Service, service_fn};

// The handle goes everywhere, even through `catch_unwind`.
assert_impl_all!(Health: Clone, Debug, Default, Check, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(AsyncCheck: Clone, Debug, Check, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(AsyncCheckBuilder: Debug, Send, Sync, Unpin);
assert_impl_all!(ReadinessLayer: Clone, Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe, Layer<Rc<u8>>);
// A count exists once.
assert_impl_all!(InFlight: Debug, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_not_impl_any!(InFlight: Clone);

// Plain values.
assert_impl_all!(Phase: Copy, Debug, Ord, std::hash::Hash, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(Status: Clone, Debug, Eq, From<bool>, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(Report: Clone, Debug, Eq, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(CheckReport: Clone, Debug, Eq, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(NoneExempt: Copy, Debug, Default, Exempt<Rc<u8>>, Send, Sync, Unpin, UnwindSafe, RefUnwindSafe);
assert_impl_all!(CheckRun: Future, Debug, Send, Sync, Unpin);
assert_impl_all!(RunChecks: Future, Debug, Send, Sync, Unpin);

// A service has the traits of its inner service and its exemption, and so does a future.
assert_impl_all!(ReadinessService<Cell<u8>>: Clone, Debug, Send, Unpin);
assert_not_impl_any!(ReadinessService<Cell<u8>>: Sync);
assert_not_impl_any!(ReadinessService<Rc<u8>>: Send);
assert_not_impl_any!(ReadinessService<u8, Rc<u8>>: Send);
assert_not_impl_any!(ReadinessService<InFlight>: Clone);
assert_not_impl_any!(ReadinessService<PhantomPinned>: Unpin);
assert_impl_all!(ResponseFuture<Ready<()>, u8, u8>: Debug, Send, Sync, Unpin);
assert_not_impl_any!(ResponseFuture<Ready<()>, u8, u8>: Clone);
assert_not_impl_any!(ResponseFuture<Rc<()>, u8, u8>: Send);
assert_not_impl_any!(ResponseFuture<PhantomPinned, u8, u8>: Unpin);

// A closure is a check and an exemption, and either can be chosen at run time.
assert_obj_safe!(Check, Exempt<()>);
assert_impl_all!(dyn Check: Send, Sync);
assert_impl_all!(CircuitBreaker: Check);
assert_impl_all!(Bulkhead: Check);
assert_impl_all!(fn() -> bool: Check);
assert_impl_all!(fn() -> Status: Check);
assert_impl_all!(for<'a> fn(&'a u8) -> bool: Exempt<u8>);
assert_not_impl_any!(fn() -> u8: Check);

/// RD-09: a counted request, or a run of checks, can be sent and kept, and borrows nothing.
#[test]
fn futures_of_the_handle() {
    fn is_send<T: Send + 'static>(value: T) -> T {
        value
    }

    let health = Health::default();
    let mut service = health.readiness_layer().layer(service_fn(|(): ()| async { Ok::<_, BoxError>(()) }));
    assert!(task::spawn(is_send(service.call(()))).poll().is_ready());
    assert!(task::spawn(is_send(health.run_checks())).poll().is_ready());
    let idle = health.clone();
    assert!(task::spawn(is_send(async move { idle.idle().await })).poll().is_ready());
    assert_eq!((service.health().in_flight(), health.phase()), (0, Phase::Starting));
    service.get_mut();
    assert!(format!("{health:?}").contains("Starting"));
}
