use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use seaworthy::runner::RestartPolicy;
use seaworthy::{Backoff, BoxError, Jitter, Runner, Shutdown};
use seaworthy_leader::{GuardError, LeaderGuard, LeaderStatus, Local, LocalElector, Term};
use seaworthy_store::time::{now, sleep};
use tokio::time::timeout;

use super::{Works, start};
use crate::doubles::{Fault, Faulty, builder, candidate, millis, recorder, seconds, settle_down};

/// LE-30: campaign, work, release, wait, campaign again; once for each term, never while another is alive.
#[tokio::test(start_paused = true)]
async fn le_30_terms() {
    let local = Local::default();
    let (elector, _) = candidate(&local);
    let (works, alive) = (Works::default(), Arc::new(AtomicUsize::new(0)));
    let running = start(&elector, {
        let works = works.clone();
        move |term| {
            let (works, alive) = (works.clone(), Arc::clone(&alive));
            async move {
                assert_eq!(alive.fetch_add(1, Ordering::SeqCst), 0);
                sleep(seconds(10)).await;
                works.note(format!("term {}", term.epoch()));
                assert_eq!(alive.fetch_sub(1, Ordering::SeqCst), 1);
                Ok(())
            }
        }
    });
    sleep(millis(10_000)).await;
    settle_down().await;
    assert_eq!(works.take(), ["term 1"]);
    // Given back, so that another can have it while this one waits.
    assert!(matches!(running.watch.status(), LeaderStatus::Follower { .. }));
    sleep(seconds(300)).await;
    let terms = works.take();
    assert!(terms.len() >= 5, "{terms:?}");
    assert_eq!(terms[0], "term 2");
    running.trigger.fire();
    assert!(running.task.await.unwrap().is_ok());
}

/// LE-30: work that drops its term leads all the same, until it has ended: the guard gives the name back.
#[tokio::test(start_paused = true)]
async fn le_30_dropped_term() {
    let local = Local::default();
    let (elector, store) = candidate(&local);
    let running = start(&elector, |_term| async move {
        sleep(seconds(60)).await;
        Ok(())
    });
    sleep(seconds(59)).await;
    assert!(running.watch.epoch().is_some());
    assert_eq!(store.count("release"), 0);
    sleep(seconds(1) + millis(1)).await;
    assert_eq!((running.watch.epoch(), store.count("release")), (None, 1));
    drop(running);
}

/// LE-31: it is a task of the runner, under the name that is led; who never leads never calls the closure.
#[tokio::test(start_paused = true)]
async fn le_31_task() {
    let local = Local::default();
    let other = LocalElector::on(&local).build().unwrap();
    let _leads = other.campaign("cron").await.unwrap();
    let (elector, _) = candidate(&local);
    let works = Works::default();
    let guard = LeaderGuard::new(elector, "cron", {
        let works = works.clone();
        move |_: Term<Faulty>| {
            works.note("called");
            async { Ok::<(), BoxError>(()) }
        }
    });
    let runner = Runner::builder().build().unwrap();
    runner.start(guard.into_task()).unwrap();
    let handle = runner.handle();
    assert_eq!(handle.tasks()[0].name, "cron");
    let run = tokio::spawn(runner.run());
    sleep(seconds(600)).await;
    handle.interrupt();
    run.await.unwrap().unwrap();
    assert_eq!(works.take(), [""; 0]);
}

/// LE-33: work that returns at once, well, with an error or a panic, never spins: at most one term a wait, and waits grow.
#[tokio::test(start_paused = true)]
async fn le_33_never_spins() {
    for how in ["ok", "error", "panic"] {
        let (told, observer) = recorder();
        let elector = builder(&Faulty::default()).observer(observer).build().unwrap();
        let running = start(&elector, move |_term| async move {
            match how {
                "ok" => Ok(()),
                "error" => Err("no".into()),
                _ => panic!("on purpose"),
            }
        });
        sleep(seconds(60)).await;
        let terms = told.texts("elected").len();
        assert!((3..=40).contains(&terms), "{how}: {terms}");
        let (failed, ends) = (told.texts("work_failed"), told.texts("released"));
        let (error, end) = match how {
            "ok" => (None, "released"),
            "error" => (Some("no"), "failed"),
            _ => (Some("the leader's work panicked: on purpose"), "panicked"),
        };
        assert_eq!(ends[0], format!("epoch=1 end={end} "));
        assert_eq!(failed.first().cloned(), error.map(|error| format!("epoch=1 error={error} ")));
        running.trigger.fire();
        assert!(running.task.await.unwrap().is_ok());
    }
}

/// LE-33: waits are 1 s doubling to 30 s at most, and the first again after a term of 60 s.
#[tokio::test(start_paused = true)]
async fn le_33_waits() {
    let (elector, _) = candidate(&Local::default());
    let (works, start_of_time) = (Works::default(), now());
    let running = start(&elector, {
        let works = works.clone();
        let mut terms = 0;
        move |_term| {
            terms += 1;
            works.note((now() - start_of_time).as_millis().to_string());
            let span = if terms == 12 { seconds(60) } else { millis(0) };
            async move {
                sleep(span).await;
                Ok(())
            }
        }
    });
    sleep(seconds(600)).await;
    let began: Vec<u64> = works.take().iter().map(|at| at.parse().unwrap()).collect();
    let waits: Vec<u64> = began.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (n, wait) in waits.iter().take(11).enumerate() {
        assert!(*wait <= (1_000 << n).min(30_000) + 5, "{n}: {wait}");
    }
    assert!(waits[11] <= 61_005, "{waits:?}");
    drop(running);
}

/// LE-33: `restarts` decides about failures, and what it gives up with is the guard's failure; terms that ended well are
/// not counted.
#[tokio::test(start_paused = true)]
async fn le_33_gives_up() {
    for panics in [false, true] {
        let (elector, _) = candidate(&Local::default());
        let works = Works::default();
        let policy = RestartPolicy::new(Backoff::constant(seconds(1)).jitter(Jitter::None)).max_restarts(2);
        let guard = LeaderGuard::new(elector.clone(), "a", {
            let works = works.clone();
            let mut terms = 0;
            move |_: Term<Faulty>| {
                terms += 1;
                works.note(terms.to_string());
                async move {
                    if terms % 2 == 0 {
                        return Ok(());
                    }
                    if panics { panic!("failure {terms}") } else { Err(BoxError::from(format!("failure {terms}"))) }
                }
            }
        });
        let error = guard.restarts(policy).run(Shutdown::new().1).await.unwrap_err();
        match error {
            GuardError::Work(error) => assert!(!panics && error.to_string() == "failure 5"),
            GuardError::Panicked(text) => assert!(panics && text == "failure 5"),
            other => panic!("{other}"),
        }
        assert_eq!(works.take(), ["1", "2", "3", "4", "5"]);
        elector.close().await;
        assert_eq!(elector.held(), 0);
    }
    let (elector, _) = candidate(&Local::default());
    let guard = LeaderGuard::new(elector, "a", |_: Term<Faulty>| async { Ok::<(), BoxError>(()) });
    let error = guard.restarts(RestartPolicy::default().max_restarts(0)).run(Shutdown::new().1).await.unwrap_err();
    assert!(matches!(error, GuardError::Config(_)), "{error}");
}

/// LE-33: a panic while the future is made, or dropped, is one of the work.
#[tokio::test(start_paused = true)]
async fn le_33_panics_anywhere() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !std::thread::panicking() {
                panic!("dropped");
            }
        }
    }
    let (told, observer) = recorder();
    let elector = builder(&Faulty::default()).observer(observer).build().unwrap();
    let mut terms = 0;
    let running = start(&elector, move |term| {
        terms += 1;
        assert!(terms != 1, "not even begun");
        let bomb = (terms == 2).then_some(Bomb);
        async move {
            let _bomb = bomb;
            term.ended().requested().await;
            std::future::pending().await
        }
    });
    sleep(seconds(10)).await;
    elector_revoke(&elector);
    sleep(seconds(20)).await;
    let failed = told.texts("work_failed").join(",");
    assert!(failed.contains("not even begun") && failed.contains("panicked: dropped"), "{failed}");
    assert!(told.texts("elected").len() >= 3);
    drop(running);
}

fn elector_revoke(elector: &seaworthy_leader::LeaseElector<Faulty>) {
    LocalElector::on(&elector.store().inner).build().unwrap().revoke("a");
}

/// LE-35: errors of the election never end it; `Refused` does at the first contact, and is tried again later.
#[tokio::test(start_paused = true)]
async fn le_35_errors() {
    let (elector, store) = candidate(&Local::default());
    store.set(Fault::Refused);
    let guard = LeaderGuard::new(elector.clone(), "a", |_: Term<Faulty>| async { Ok::<(), BoxError>(()) });
    let error = guard.run(Shutdown::new().1).await.unwrap_err();
    assert!(matches!(error, GuardError::Election(_)), "{error}");

    for fault in [Fault::Down, Fault::Hangs] {
        store.set(fault);
        let (works, noted) = (Works::default(), Works::default());
        let running = start(&elector, {
            let works = works.clone();
            move |term| {
                works.note("leads");
                async move {
                    term.ended().requested().await;
                    Ok(())
                }
            }
        });
        sleep(seconds(300)).await;
        assert_eq!(works.take(), [""; 0]);
        store.heal();
        sleep(seconds(5)).await;
        assert_eq!(works.take(), ["leads"]);
        // Later it is tried again, like anything else, and at most 40 times a minute.
        store.set(Fault::Refused);
        sleep(seconds(60)).await;
        store.take_calls();
        sleep(seconds(60)).await;
        assert!((10..=40).contains(&store.count("acquire")), "{}", store.count("acquire"));
        assert!(!running.task.is_finished());
        store.heal();
        sleep(seconds(40)).await;
        assert_eq!(works.take(), ["leads"]);
        running.trigger.fire();
        assert!(running.task.await.unwrap().is_ok());
        drop(noted);
    }
}

/// LE-35: a store that tells its clock, and refuses to give leases, has refused at the first contact.
#[tokio::test(start_paused = true)]
async fn le_35_may_only_look() {
    let (elector, store) = candidate(&Local::default());
    store.set_for("acquire", Fault::Refused);
    let guard = LeaderGuard::new(elector, "a", |_: Term<Faulty>| async { Ok::<(), BoxError>(()) });
    let ended = timeout(seconds(60), guard.run(Shutdown::new().1)).await;
    let error = ended.expect("it looks like a follower").unwrap_err();
    assert!(matches!(error, GuardError::Election(_)), "{error}");
}

/// LE-08: a name that cannot be used is the guard's failure.
#[tokio::test(start_paused = true)]
async fn le_08_name() {
    let (elector, store) = candidate(&Local::default());
    let guard = LeaderGuard::new(elector, "", |_: Term<Faulty>| async { Ok::<(), BoxError>(()) });
    assert!(guard.run(Shutdown::new().1).await.is_err());
    assert!(store.take_calls().is_empty());
}

/// LE-81: it works on a runtime with one thread, and warns of it once, however many names there are.
#[tokio::test(start_paused = true)]
async fn le_81_one_thread() {
    let (told, observer) = recorder();
    let elector = builder(&Faulty::default()).observer(observer).build().unwrap();
    let _terms = [elector.campaign("a").await.unwrap(), elector.campaign("b").await.unwrap()];
    assert_eq!(told.texts("single_thread").len(), 1);
}
