use seaworthy::{BoxError, Deadline, DeadlineStage, Health, Phase, Shutdown};
use tokio::time::Duration;
use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::{MS, stage};

/// DL-20: readiness consults no deadline: what is below does, if it is asked for.
#[tokio::test(start_paused = true)]
async fn dl_20_readiness() {
    let health = Health::new();
    assert!(health.advance(Phase::Serving));
    let service = ServiceBuilder::new()
        .layer(health.readiness_layer())
        .service(service_fn(|()| async { Ok::<_, BoxError>(Deadline::current().is_some_and(Deadline::has_passed)) }));
    assert!(Deadline::within(Duration::ZERO).scope(service.oneshot(())).await.unwrap());
    assert_eq!(health.in_flight(), 0);
}

/// DL-20: a shutdown does not shorten a deadline.
#[tokio::test(start_paused = true)]
async fn dl_20_shutdown() {
    let (trigger, shutdown) = Shutdown::new();
    let deadline = Deadline::within(MS);
    let seen = deadline.scope(async {
        trigger.fire();
        shutdown.requested().await;
        Deadline::current()
    });
    assert_eq!(seen.await, Some(deadline));
}

/// DL-20: health endpoints answer whoever asks, whatever the deadline; a stack around them that consults one does not.
#[cfg(feature = "http")]
#[tokio::test(start_paused = true)]
async fn dl_20_endpoints() {
    let health = Health::new();
    assert!(health.advance(Phase::Serving));
    let passed = Deadline::within(Duration::ZERO);
    for path in ["/health/live", "/health/ready", "/health/startup"] {
        let request = http::Request::get(path).body(()).unwrap();
        let Ok(response) = passed.scope(health.endpoints().oneshot(request)).await;
        assert_eq!(response.status(), 200, "{path}");
    }
    let bulkhead = seaworthy::Bulkhead::builder("b").build().unwrap();
    let service = ServiceBuilder::new().layer(bulkhead.layer()).service(service_fn(async |()| Ok::<_, BoxError>(())));
    assert_eq!(stage(passed.scope(service.oneshot(())).await), Some(DeadlineStage::Arrival));
}
