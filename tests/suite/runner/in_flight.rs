//! Requests in flight when the service is told to end.

use std::time::Duration;

use seaworthy::{BoxError, Health, Phase, Rejected, StackError};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

use super::{Story, builder, nap, stop_after, wrong};
use crate::support::SECOND;

/// A service whose requests take this many seconds.
fn service(
    health: &Health,
    story: &Story,
) -> impl Service<u64, Response = (), Error = BoxError, Future: Send> + Clone + Send + use<> {
    let story = story.clone();
    ServiceBuilder::new().layer(health.readiness_layer().refuse_while_draining()).service(service_fn(move |seconds| {
        let story = story.clone();
        async move {
            nap(Duration::from_secs(seconds)).await;
            story.tell(format!("request of {seconds} s done"));
            Ok::<_, BoxError>(())
        }
    }))
}

/// RN-03: requests in flight are awaited up to the grace period, a layer that refuses turns away those that come while
/// the service is draining, and nothing is cleaned up before the last is done.
#[tokio::test(start_paused = true)]
async fn awaited() {
    let story = Story::new();
    let runner = builder().drain_delay(2 * SECOND).grace_period(10 * SECOND).build().unwrap();
    let health = runner.health().clone();
    let service = service(&health, &story);
    runner.cleanup("pool", story.hook("pool", Duration::ZERO)).unwrap();
    let start = async |_| {
        nap(SECOND).await;
        Ok::<_, BoxError>(())
    };
    runner.startup("start", start).unwrap();
    let telling = story.clone();
    tokio::spawn(async move {
        let early = service.clone().oneshot(0).await.unwrap_err();
        assert_eq!(early.rejected(), Some(&Rejected::NotReady { reason: "starting".into(), retry_after: None.into() }));
        nap(2 * SECOND).await;
        tokio::spawn(service.clone().oneshot(8));
        nap(2 * SECOND).await;
        assert_eq!((health.phase(), health.in_flight()), (Phase::Draining, 1));
        let late = service.oneshot(0).await.unwrap_err();
        assert_eq!(
            late.rejected(),
            Some(&Rejected::NotReady { reason: "shutting down".into(), retry_after: None.into() })
        );
        telling.tell("turned away");
    });
    stop_after(&runner, 3 * SECOND);
    assert!(runner.run().await.is_ok());
    story.tell("returns");
    assert_eq!(
        story.lines(),
        ["4 turned away", "10 request of 8 s done", "10 pool begins", "10 pool ends", "10 returns"]
    );
}

/// RN-03, RN-05, RN-07: those not done when the grace period is over are reported, after the tasks, and no longer
/// waited for. A second signal ends the wait, too.
#[tokio::test(start_paused = true)]
async fn named() {
    for (requests, words) in [(1, "1 request was still in flight"), (3, "3 requests were still in flight")] {
        for forced in [false, true] {
            let story = Story::new();
            let runner = builder().grace_period(10 * SECOND).build().unwrap();
            let service = service(runner.health(), &story);
            runner.task("stuck", story.worker("stuck", Duration::MAX)).unwrap();
            tokio::spawn(async move {
                nap(SECOND).await;
                for _ in 0..requests {
                    tokio::spawn(service.clone().oneshot(3_600));
                }
            });
            let handle = runner.handle();
            tokio::spawn(async move {
                nap(2 * SECOND).await;
                handle.interrupt();
                nap(SECOND).await;
                if forced {
                    handle.interrupt();
                }
            });
            let lines = wrong(runner.run().await);
            story.tell("returns");
            let mut expected = vec!["task `stuck` was aborted", words];
            if forced {
                expected.insert(0, "a second signal cut the shutdown short");
            }
            assert_eq!(lines, expected);
            assert_eq!(story.lines().last().unwrap(), if forced { "3 returns" } else { "12 returns" });
        }
    }
}
