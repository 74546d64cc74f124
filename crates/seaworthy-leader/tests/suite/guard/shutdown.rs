use seaworthy_leader::{GuardError, Local};
use seaworthy_store::time::{now, sleep};

use super::{Works, start};
use crate::doubles::{Fault, Faulty, builder, candidate, millis, recorder, seconds, settle_down};

/// LE-34: a shutdown while it waits, campaigns, or is between terms ends it at once, without an error.
#[tokio::test(start_paused = true)]
async fn le_34_at_once() {
    for at in ["campaigning", "store hangs", "between terms"] {
        let local = Local::default();
        let other = candidate(&local).0;
        let _leads = if at == "campaigning" { Some(other.campaign("a").await.unwrap()) } else { None };
        let (elector, store) = candidate(&local);
        if at == "store hangs" {
            store.set(Fault::Hangs);
        }
        let running = start(&elector, |_term| async { Ok(()) });
        sleep(seconds(7)).await;
        let before = now();
        running.trigger.fire();
        assert!(running.task.await.unwrap().is_ok(), "{at}");
        assert_eq!(now(), before, "{at}");
        elector.close().await;
        assert!(now() - before <= seconds(2), "{at}");
    }
}

/// LE-34: while it leads `ended` is requested, the work has `release_grace` and is then dropped; its lease is renewed all
/// the while, and its term stays valid; then it is given back. 12 s at most.
#[tokio::test(start_paused = true)]
async fn le_34_leading() {
    let local = Local::default();
    let (told, observer) = recorder();
    let elector = builder(&Faulty::on(&local)).observer(observer).build().unwrap();
    let store = elector.store().clone();
    let works = Works::default();
    let running = start(&elector, {
        let works = works.clone();
        move |term| {
            let works = works.clone();
            async move {
                let _gone = works.at_end("gone");
                term.ended().requested().await;
                for _ in 0..9 {
                    sleep(seconds(1)).await;
                    works.note(if term.is_valid() { "valid" } else { "invalid" });
                }
                std::future::pending().await
            }
        }
    });
    sleep(seconds(4)).await;
    store.take_calls();
    let fired = now();
    running.trigger.fire();
    settle_down().await;
    assert_eq!(running.watch.epoch(), None);
    store.set_for("release", Fault::Hangs);
    sleep(millis(9_999)).await;
    assert_eq!(works.take(), ["valid"; 9]);
    assert_eq!(store.take_calls(), ["renew"; 2]);
    assert!(candidate(&local).0.try_campaign("a").await.unwrap().is_none());
    assert!(running.task.await.unwrap().is_ok());
    assert_eq!(works.take(), ["gone"]);
    assert_eq!(now() - fired, seconds(12));
    assert_eq!(told.texts("told"), ["epoch=1 why=shutdown "]);
    assert_eq!(told.texts("released"), ["epoch=1 end=released "]);
}

/// LE-34: work that listens ends by itself, and the name is free at once.
#[tokio::test(start_paused = true)]
async fn le_34_listens() {
    let local = Local::default();
    let (elector, _) = candidate(&local);
    let running = start(&elector, |term| async move {
        term.ended().requested().await;
        sleep(seconds(2)).await;
        Ok(())
    });
    sleep(seconds(4)).await;
    let fired = now();
    running.trigger.fire();
    assert!(running.task.await.unwrap().is_ok());
    assert_eq!(now() - fired, seconds(2));
    assert!(candidate(&local).0.try_campaign("a").await.unwrap().is_some());
}

/// LE-34: if the lease cannot be renewed meanwhile the work has until its deadline, and no longer.
#[tokio::test(start_paused = true)]
async fn le_34_cut_off() {
    let local = Local::default();
    let elector = builder(&Faulty::on(&local)).release_grace(seconds(600)).build().unwrap();
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
    sleep(seconds(4)).await;
    running.trigger.fire();
    sleep(seconds(60)).await;
    assert_eq!(works.take(), [""; 0]);
    let cut_off = now();
    elector.store().set(Fault::Down);
    assert!(running.task.await.unwrap().is_ok());
    assert!(now() - cut_off <= seconds(14), "{:?}", now() - cut_off);
    assert_eq!(works.take(), ["gone"]);
}

/// LE-34: a grace of zero drops it at once, and one that never ends is as good as none.
#[tokio::test(start_paused = true)]
async fn le_34_any_grace() {
    for (grace, is_over) in [(seconds(0), true), (std::time::Duration::MAX, false)] {
        let elector = builder(&Faulty::default()).release_grace(grace).build().unwrap();
        let running = start(&elector, |_term| std::future::pending());
        sleep(seconds(4)).await;
        running.trigger.fire();
        sleep(seconds(3_600)).await;
        assert_eq!(running.task.is_finished(), is_over);
        running.task.abort();
    }
}

/// LE-34: work that fails while it shuts down is the guard's failure, as it is a supervised task's.
#[tokio::test(start_paused = true)]
async fn le_34_fails() {
    for panics in [false, true] {
        let (elector, _) = candidate(&Local::default());
        let running = start(&elector, move |term| async move {
            term.ended().requested().await;
            if panics { panic!("too late") } else { Err("too late".into()) }
        });
        sleep(seconds(1)).await;
        running.trigger.fire();
        match running.task.await.unwrap().unwrap_err() {
            GuardError::Work(error) => assert!(!panics && error.to_string() == "too late"),
            GuardError::Panicked(text) => assert!(panics && text == "too late"),
            other => panic!("{other}"),
        }
        elector.close().await;
    }
}
