use std::hint::black_box;

use allocation_counter::measure;
use seaworthy_leader::{Local, LocalElector, Term};
use seaworthy_store::time::{Instant, now, sleep, sleep_until};
use tokio::time::advance;

use crate::doubles::{Fault, builder, candidate, changes, millis, seconds, settle_down};

/// When it is told, and when it is over.
async fn watched<S: Send + Sync + 'static>(term: &Term<S>, until: Instant) -> (Option<Instant>, Option<Instant>) {
    let (mut told, mut over) = (None, None);
    while now() < until && over.is_none() {
        if told.is_none() && term.ended().is_requested() {
            told = Some(now());
        }
        if !term.is_valid() {
            over = Some(now());
        }
        sleep(millis(1)).await;
    }
    (told, over)
}

/// LE-05: counted from when the last good renewal was sent, its work is told at 11 s, the term is over at 14 s, and
/// others can lead from 15 s on; whatever way the store is away.
#[tokio::test(start_paused = true)]
async fn le_05_told_and_over() {
    for fault in [Fault::Down, Fault::Hangs, Fault::Locked] {
        let local = Local::default();
        let (elector, store) = candidate(&local);
        let term = elector.campaign("a").await.unwrap();
        sleep(seconds(5) + millis(2)).await;
        let sent = now() - millis(2);
        assert_eq!(store.count("renew"), 1, "{fault:?}");
        assert_eq!(term.deadline(), Some((sent + seconds(14)).into_std()));
        store.set(fault);
        let (told, over) = watched(&term, sent + seconds(20)).await;
        let (told, over) = (told.unwrap() - sent, over.unwrap() - sent);
        assert!(told >= seconds(11) && told <= millis(11_002), "{fault:?}: {told:?}");
        assert!(over >= seconds(14) && over <= millis(14_002), "{fault:?}: {over:?}");
        let (others, _) = candidate(&local);
        sleep_until(sent + seconds(15) - millis(1)).await;
        assert!(others.try_campaign("a").await.unwrap().is_none(), "{fault:?}");
        sleep(millis(1)).await;
        assert!(others.try_campaign("a").await.unwrap().is_some(), "{fault:?}");
    }
}

/// LE-05: a leader that can renew leads on and on.
#[tokio::test(start_paused = true)]
async fn le_05_renewed() {
    let (elector, store) = candidate(&Local::default());
    let term = elector.campaign("a").await.unwrap();
    store.take_calls();
    sleep(seconds(600)).await;
    assert!(term.is_valid() && !term.ended().is_requested());
    assert!((119..=121).contains(&store.count("renew")), "{}", store.count("renew"));
    assert_eq!(term.epoch().get(), 1);
}

/// LE-06: between told and over it goes on trying, and a renewal that succeeds then does not bring the term back; the row
/// is free as soon as the work has ended.
#[tokio::test(start_paused = true)]
async fn le_06_told_is_told() {
    let local = Local::default();
    let (elector, store) = candidate(&local);
    let term = elector.campaign("a").await.unwrap();
    store.set(Fault::Down);
    term.ended().requested().await;
    store.heal();
    store.take_calls();
    let deadline = term.deadline();
    sleep(seconds(2)).await;
    assert!(store.count("renew") >= 1);
    assert!(term.is_valid() && term.ended().is_requested());
    assert_eq!(term.deadline(), deadline);
    sleep(seconds(1)).await;
    assert!(!term.is_valid());
    // The row was renewed, so that nobody else leads while the work goes on.
    let (others, _) = candidate(&local);
    sleep(seconds(5)).await;
    assert!(others.try_campaign("a").await.unwrap().is_none());
    drop(term);
    settle_down().await;
    assert!(others.try_campaign("a").await.unwrap().is_some());
}

/// LE-04: false from its deadline on for ever, also if a renewal that was sent in time is answered after it.
#[tokio::test(start_paused = true)]
async fn le_04_for_ever() {
    let store = crate::doubles::Faulty::default();
    let slow = builder(&store).stop_time(millis(0)).build().unwrap();
    let term = slow.campaign("a").await.unwrap();
    let watch = term.watch();
    store.set(Fault::Down);
    sleep(millis(13_500)).await;
    store.set(Fault::SlowAnswer(millis(1_900)));
    let over = tokio::spawn(async move {
        while watch.is_valid() {
            sleep(millis(1)).await;
        }
        for _ in 0..30_000 {
            assert!(!watch.is_valid());
            sleep(millis(1)).await;
        }
    });
    over.await.unwrap();
    assert!(term.ended().is_requested());
}

/// LE-04, LE-05: a process that was stopped while a renewal was on its way finds its time over, although that renewal was
/// granted: the term is not half alive, but told and given up.
#[tokio::test(start_paused = true)]
async fn le_05_stopped() {
    let store = crate::doubles::Faulty::default();
    let (told, observer) = changes();
    let elector = builder(&store).stop_time(millis(0)).observer(observer).build().unwrap();
    let term = elector.campaign("a").await.unwrap();
    store.set(Fault::Down);
    sleep(millis(12_500)).await;
    store.set(Fault::SlowAnswer(millis(1_000)));
    sleep(millis(600)).await;
    let (sent, renewals) = (now(), store.count("renew"));
    advance(seconds(5)).await;
    settle_down().await;
    assert!(!term.is_valid() && term.ended().is_requested());
    sleep(seconds(60)).await;
    assert_eq!((store.count("renew"), told.texts("expired").len()), (renewals, 1));
    assert!(now() > sent);
}

/// LE-04: never true after it was resigned, for those who only watch, too, and then `ended` is requested.
#[tokio::test(start_paused = true)]
async fn le_04_resigned() {
    let (elector, store) = candidate(&Local::default());
    let term = elector.campaign("a").await.unwrap();
    let watch = term.watch();
    assert!(watch.is_valid() && !watch.ended().is_requested());
    store.set(Fault::Hangs);
    let resigning = tokio::spawn(term.resign());
    settle_down().await;
    assert!(!watch.is_valid() && watch.ended().is_requested());
    assert_eq!(watch.deadline(), None);
    assert!(!resigning.is_finished());
    let before = now();
    resigning.await.unwrap();
    assert_eq!(now() - before, seconds(2));
}

/// LE-04: no allocation, and no request.
#[tokio::test(start_paused = true)]
async fn le_04_costs() {
    let (elector, store) = candidate(&Local::default());
    let term = elector.campaign("a").await.unwrap();
    assert!(term.is_valid());
    store.take_calls();
    let allocations = measure(|| {
        assert!(black_box(&term).is_valid());
    });
    assert_eq!(allocations.count_total, 0);
    assert_eq!(store.take_calls(), [""; 0]);
}

/// LE-11: what the store says is gone is over at once, whatever the local deadline says, and its work is told.
#[tokio::test(start_paused = true)]
async fn le_11_lost() {
    let (told, observer) = changes();
    let elector = LocalElector::builder().observer(observer).build().unwrap();
    let term = elector.campaign("a").await.unwrap();
    sleep(seconds(1)).await;
    elector.revoke("a");
    settle_down().await;
    assert!(!term.is_valid() && term.ended().is_requested());
    assert_eq!(told.texts("told"), ["epoch=1 why=lost "]);
    drop(term);
    elector.close().await;
    // How it ended was told.
    assert_eq!(told.kinds(), ["campaigning", "elected", "single_thread", "told"]);
}

/// LE-80: a term that is dropped resigns, in the background; what watches it only looks.
#[tokio::test(start_paused = true)]
async fn le_80_dropped() {
    let local = Local::default();
    let (elector, store) = candidate(&local);
    let term = elector.campaign("a").await.unwrap();
    let watch = term.watch().clone();
    drop(watch);
    settle_down().await;
    assert!(term.is_valid() && store.count("release") == 0);
    drop(term);
    elector.close().await;
    assert_eq!(store.count("release"), 1);
    assert_eq!(elector.held(), 0);
    assert!(candidate(&local).0.try_campaign("a").await.unwrap().is_some());
}

/// LE-80: outside of its runtime, too; and if that has shut down the ttl does it.
#[test]
fn le_80_elsewhere() {
    let local = Local::default();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let first = runtime();
    let (elector, store) = candidate(&local);
    let term = first.block_on(elector.campaign("a")).unwrap();
    drop(term);
    first.block_on(elector.close());
    assert_eq!(store.count("release"), 1);
    let term = first.block_on(elector.campaign("a")).unwrap();
    drop(first);
    drop(term);
    let second = runtime();
    assert!(second.block_on(candidate(&local).0.try_campaign("a")).unwrap().is_none());
    // The same elector goes on elsewhere.
    assert!(second.block_on(elector.campaign("b")).unwrap().is_valid());
}

/// LE-14: a release is sent once; if it fails the ttl does it.
#[tokio::test(start_paused = true)]
async fn le_14_once() {
    let local = Local::default();
    let (elector, store) = candidate(&local);
    let term = elector.campaign("a").await.unwrap();
    store.set(Fault::Down);
    let granted = now();
    term.resign().await;
    assert_eq!(store.count("release"), 1);
    let (others, _) = candidate(&local);
    sleep(seconds(14)).await;
    assert!(others.try_campaign("a").await.unwrap().is_none());
    assert_eq!(store.count("release"), 1);
    sleep_until(granted + seconds(15)).await;
    assert!(others.try_campaign("a").await.unwrap().is_some());
}

/// CO-16: a resignation that was begun goes on when its future is dropped.
#[tokio::test(start_paused = true)]
async fn co_16_resigning() {
    let local = Local::default();
    let (elector, store) = candidate(&local);
    let term = elector.campaign("a").await.unwrap();
    store.set(Fault::SlowAnswer(seconds(1)));
    {
        let resigning = tokio_test::task::spawn(term.resign());
        let mut resigning = resigning;
        assert!(resigning.poll().is_pending());
    }
    advance(millis(1)).await;
    elector.close().await;
    assert_eq!(store.count("release"), 1);
    assert!(candidate(&local).0.try_campaign("a").await.unwrap().is_some());
}
