//! Timeouts: around a service that answers at once, and around one that is late, so that a timer is set.

use std::hint::black_box;
use std::time::Duration;

use http::StatusCode;
use seaworthy::{BoxError, Timeout};
use tokio::runtime::Runtime;
use tower_layer::Layer;
use tower_resilience_timelimiter::TimeLimiterLayer;
use tower_service::Service;

use super::call::{REQUEST, bench, exact, finish, nearest, passed, passes, runtime};
use super::http::{Around, Within};
use super::inner::{AtOnce, Late};
use super::timeout_floor::{FloorBoxed, FloorInline};
use super::{Column, Pattern, Target};
use crate::bench::Bench;

/// Never reached.
const LIMIT: Duration = Duration::from_secs(30);

pub(super) fn pattern() -> Pattern {
    let runtime = runtime();
    Pattern {
        rows: &["inner ready", "armed: inner pending once"],
        columns: vec![
            Column {
                name: "seaworthy",
                note: "a tower service. The timer is made when the inner service is not ready with its answer; a \
                     rejection is a `Rejected::TimedOut`, boxed here as the errors are.",
                cells: vec![exact(passes(runtime, ours(AtOnce::new()))), exact(passes(runtime, ours(Late::new())))],
            },
            Column {
                name: "seaworthy, run",
                note: "`Timeout::run`, around a future.",
                cells: vec![exact(run(runtime, AtOnce::new())), exact(run(runtime, Late::new()))],
            },
            Column {
                name: "tower",
                note: "`tower::timeout::Timeout`. A timer is made for every call; errors are boxed.",
                cells: vec![exact(passes(runtime, tower(AtOnce::new()))), exact(passes(runtime, tower(Late::new())))],
            },
            Column {
                name: "tower-http",
                note: "`Timeout`. A timer is made and set for every call; what ran out of time is an answer with \
                     a status and no error. ≈ knows only HTTP: that row makes an `http::Request` and a `Response` for \
                     each call, which alone costs what the floor `http alone` says.",
                cells: vec![nearest(passes(runtime, http(AtOnce::new()))), nearest(passes(runtime, http(Late::new())))],
            },
            Column {
                name: "tower-resilience",
                note: "`TimeLimiterLayer`, which drops the call that ran out of time. A timer is made for every call, \
                     and the future is boxed.",
                cells: vec![exact(passes(runtime, theirs(AtOnce::new()))), exact(passes(runtime, theirs(Late::new())))],
            },
        ],
        floors: vec![floors(runtime, AtOnce::new), floors(runtime, Late::new)],
        targets: vec![
            Target { row: 0, ours: "seaworthy", theirs: "tower", at_most: 0.125 },
            Target { row: 1, ours: "seaworthy", theirs: "tower", at_most: 1.06 },
        ],
    }
}

fn floors<S>(runtime: &'static Runtime, inner: fn() -> S) -> Vec<(&'static str, Box<dyn Bench>)>
where
    S: Service<u64, Response = u64, Error = BoxError> + 'static,
{
    vec![
        ("inline", passes(runtime, FloorInline(inner(), LIMIT))),
        ("timer boxed", passes(runtime, FloorBoxed(inner(), LIMIT))),
        ("http alone", passes(runtime, Around(Within(inner())))),
    ]
}

fn layer() -> Timeout {
    Timeout::new(LIMIT)
}

fn ours<S: Service<u64, Error = BoxError>>(inner: S) -> seaworthy::timeout::TimeoutService<S> {
    layer().layer().layer(inner)
}

fn run<S>(runtime: &'static Runtime, mut inner: S) -> Box<dyn Bench>
where
    S: Service<u64, Response = u64, Error = BoxError> + 'static,
{
    let timeout = layer();
    bench(runtime, move || passed(&finish(timeout.run(inner.call(black_box(REQUEST))))))
}

fn tower<S: Service<u64, Error = BoxError>>(inner: S) -> tower::timeout::Timeout<S> {
    tower::timeout::Timeout::new(inner, LIMIT)
}

fn http<S: Service<u64, Error = BoxError>>(inner: S) -> Around<tower_http::timeout::Timeout<Within<S>>> {
    let layer = tower_http::timeout::TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, LIMIT);
    Around(layer.layer(Within(inner)))
}

fn theirs<S>(inner: S) -> impl Service<u64, Response = u64, Error: std::fmt::Debug>
where
    S: Service<u64, Response = u64, Error = BoxError, Future: Send> + Clone + Send + 'static,
{
    TimeLimiterLayer::builder().timeout_duration(LIMIT).cancel_running_future(true).build().layer(inner)
}
