use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use seaworthy::{BoxError, Shutdown};
use seaworthy_leader::{LeaderGuard, LeaseElector, Local, Term};
use seaworthy_store::time::{now, sleep};

use crate::doubles::{Fault, Faulty, builder, millis, seconds, settle_down};

/// Polls so often, 50 ms apart, and drops it. Whether it ended before.
async fn polled(future: impl Future, polls: usize) -> bool {
    let mut future = pin!(future);
    for _ in 0..polls {
        if poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await {
            return true;
        }
        sleep(millis(50)).await;
    }
    false
}

async fn asked(elector: &LeaseElector<Faulty>, what: &str, polls: usize) -> bool {
    match what {
        "campaign" => polled(elector.campaign("a"), polls).await,
        "try_campaign" => polled(elector.try_campaign("a"), polls).await,
        "leader" => polled(elector.leader("a"), polls).await,
        "resign" => {
            let term = elector.campaign("a").await.unwrap();
            polled(term.resign(), polls).await
        }
        "close" => {
            let _term = elector.campaign("a").await.unwrap();
            polled(elector.close(), polls).await
        }
        _ => {
            let (trigger, shutdown) = Shutdown::new();
            let guard = LeaderGuard::new(elector.clone(), "a", |term: Term<Faulty>| async move {
                term.ended().requested().await;
                sleep(millis(200)).await;
                Ok::<(), BoxError>(())
            });
            let run = guard.run(shutdown);
            tokio::spawn(async move {
                sleep(millis(600)).await;
                trigger.fire();
            });
            polled(run, polls).await
        }
    }
}

/// IN-15: each public future, polled k times and then dropped, for k = 0, 1, 2, … until it ends, over a store that answers
/// after 120 ms: nobody is left leading, no task is left, and the name is free, within a ttl at most.
#[tokio::test(start_paused = true)]
async fn in_15_each_future() {
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    for what in ["campaign", "try_campaign", "leader", "resign", "close", "run"] {
        let mut ended = false;
        for polls in 0..60 {
            let before = tasks();
            let local = Local::default();
            let store = Faulty::on(&local);
            store.set(Fault::SlowAnswer(millis(120)));
            let elector = builder(&store).build().unwrap();
            ended = asked(&elector, what, polls).await;
            let dropped = now();
            elector.close().await;
            assert_eq!(elector.held(), 0, "{what}, {polls}");
            assert!(now() - dropped <= seconds(2), "{what}, {polls}: {:?}", now() - dropped);
            let next = builder(&Faulty::on(&local)).build().unwrap().campaign("a").await.unwrap();
            assert!(now() - dropped <= seconds(15) + millis(2_500), "{what}, {polls}: {:?}", now() - dropped);
            drop(next);
            sleep(seconds(1)).await;
            settle_down().await;
            assert_eq!(tasks(), before, "{what}, {polls}");
            if ended {
                break;
            }
        }
        assert!(ended || what == "close", "{what} never ended");
    }
}
