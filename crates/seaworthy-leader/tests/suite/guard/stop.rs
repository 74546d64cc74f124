use seaworthy_leader::{LeaderStatus, Local, LocalElector};
use seaworthy_store::time::{now, sleep};

use super::{Works, start};
use crate::doubles::{Fault, candidate, millis, seconds, settle_down};

/// LE-32: told to end, the work has the stop time; then it is dropped, when its term is over: at 11 and 14 s after the last
/// good renewal was sent. Only then does the guard go on.
#[tokio::test(start_paused = true)]
async fn le_32_stop_time() {
    let (elector, store) = candidate(&Local::default());
    let works = Works::default();
    let began = now();
    let running = start(&elector, {
        let works = works.clone();
        move |term| {
            let works = works.clone();
            async move {
                let _gone = works.at_end("gone");
                term.ended().requested().await;
                works.note("told");
                std::future::pending().await
            }
        }
    });
    settle_down().await;
    assert!(matches!(running.watch.status(), LeaderStatus::Leading { .. }));
    store.set(Fault::Down);
    sleep(millis(10_999)).await;
    assert_eq!(works.take(), [""; 0]);
    sleep(millis(2)).await;
    assert_eq!((works.take(), running.watch.status()), (vec!["told".to_owned()], LeaderStatus::Ending));
    sleep(millis(2_998)).await;
    assert_eq!(works.take(), [""; 0]);
    sleep(millis(2)).await;
    assert_eq!((works.take(), now() - began), (vec!["gone".to_owned()], millis(14_001)));
    drop(running);
}

/// LE-32: lost: the same, from when the store said so; work that listens ends in time, and is not dropped.
#[tokio::test(start_paused = true)]
async fn le_32_lost() {
    let local = Local::default();
    let (elector, _) = candidate(&local);
    let works = Works::default();
    let running = start(&elector, {
        let works = works.clone();
        move |term| {
            let works = works.clone();
            async move {
                let mut gone = Some(works.at_end("dropped"));
                term.ended().requested().await;
                assert!(!term.is_valid());
                if term.epoch().get() == 1 {
                    sleep(millis(2_999)).await;
                    std::mem::forget(gone.take());
                    works.note("ended by itself");
                    return Ok(());
                }
                std::future::pending().await
            }
        }
    });
    sleep(seconds(4)).await;
    LocalElector::on(&local).build().unwrap().revoke("a");
    sleep(seconds(1) + millis(2_999)).await;
    settle_down().await;
    assert_eq!(works.take(), ["ended by itself"]);
    sleep(seconds(4)).await;
    assert!(running.watch.epoch().is_some());
    LocalElector::on(&local).build().unwrap().revoke("a");
    sleep(seconds(9)).await;
    assert_eq!(works.take(), ["dropped"]);
    drop(running);
}

/// LE-32: when work ends after it was told, its name is given back at once, so that nobody has to wait for the ttl.
#[tokio::test(start_paused = true)]
async fn le_32_given_back() {
    let local = Local::default();
    let (elector, store) = candidate(&local);
    let running = start(&elector, |term| async move {
        term.ended().requested().await;
        Ok(())
    });
    settle_down().await;
    store.set_for("renew", Fault::Down);
    store.set_for("acquire", Fault::Down);
    sleep(seconds(11) + millis(2)).await;
    assert_eq!(store.count("release"), 1);
    assert!(candidate(&local).0.try_campaign("a").await.unwrap().is_some());
    drop(running);
}

/// IN-15: a guard that is dropped drops its work, and gives the name back.
#[tokio::test(start_paused = true)]
async fn in_15_dropped() {
    let local = Local::default();
    let (elector, store) = candidate(&local);
    let works = Works::default();
    let running = start(&elector, {
        let works = works.clone();
        move |_term| {
            let works = works.clone();
            async move {
                let _gone = works.at_end("gone");
                std::future::pending().await
            }
        }
    });
    sleep(seconds(1)).await;
    running.task.abort();
    settle_down().await;
    assert_eq!(works.take(), ["gone"]);
    assert_eq!((running.watch.epoch(), store.count("release"), elector.held()), (None, 1, 0));
    assert!(matches!(running.watch.status(), LeaderStatus::Follower { .. }));
}
