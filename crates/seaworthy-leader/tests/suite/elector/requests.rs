use seaworthy_leader::Local;
use seaworthy_store::time::{now, sleep};
use tokio::task::JoinSet;

use crate::doubles::{Fault, Faulty, builder, candidate, millis, recorder, seconds, settle_down};

/// LE-37: one statement a tick renews all names; 501 cost two, because one has 500 at most.
#[tokio::test(start_paused = true)]
async fn le_37_one_statement() {
    for (names, ticks) in [(100, 1), (501, 2)] {
        let (elector, store) = candidate(&Local::default());
        let mut terms = Vec::new();
        for n in 0..names {
            terms.push(elector.campaign(format!("name {n}")).await.unwrap());
            sleep(millis(7)).await;
        }
        sleep(seconds(10)).await;
        store.take_calls();
        store.take_sizes();
        sleep(seconds(60)).await;
        let (calls, sizes) = (store.take_calls(), store.take_sizes());
        assert!(calls.len() <= 15 * ticks, "{names}: {}", calls.len());
        assert!(calls.iter().all(|call| *call == "renew"));
        assert!(sizes.iter().sum::<usize>() >= 11 * names, "{sizes:?}");
        assert!(terms.iter().all(|term| term.is_valid()));
    }
}

/// LE-37: and so do those that wait: 100 names that others lead cost one statement every poll.
#[tokio::test(start_paused = true)]
async fn le_37_followers() {
    let local = Local::default();
    let (leads, _) = candidate(&local);
    let (follows, store) = candidate(&local);
    let mut terms = Vec::new();
    let mut campaigns = JoinSet::new();
    for n in 0..100 {
        terms.push(leads.campaign(format!("name {n}")).await.unwrap());
        let follows = follows.clone();
        campaigns.spawn(async move { follows.campaign(format!("name {n}")).await });
    }
    sleep(seconds(30)).await;
    store.take_calls();
    sleep(seconds(60)).await;
    let asked = store.take_calls().len();
    assert!((24..=60).contains(&asked), "{asked}");
    drop(terms);
    sleep(millis(2_501)).await;
    assert_eq!(campaigns.len(), 100);
    assert!(campaigns.join_all().await.iter().all(|term| term.is_ok()));
}

/// LE-37: a row that somebody has locked is tried again after `retry_renew`, and does not hold up the others.
#[tokio::test(start_paused = true)]
async fn le_37_locked() {
    let (elector, _) = {
        let store = Faulty::default();
        let (told, observer) = recorder();
        let elector = seaworthy_leader::LocalElector::on(&store.inner).observer(observer).build().unwrap();
        (elector, told)
    };
    let (locked, free) = (elector.campaign("locked").await.unwrap(), elector.campaign("free").await.unwrap());
    elector.stop_renewing("locked");
    let from = now();
    locked.ended().requested().await;
    assert!(now() - from >= seconds(11));
    sleep(seconds(30)).await;
    assert!(free.is_valid() && !locked.is_valid());
}

/// LE-37: a renewal that failed is tried again every second, and one that hung to its limit at once.
#[tokio::test(start_paused = true)]
async fn le_37_again() {
    let (elector, store) = candidate(&Local::default());
    let term = elector.campaign("a").await.unwrap();
    sleep(millis(4_990)).await;
    store.take_calls();
    store.set(Fault::Down);
    sleep(millis(4_500)).await;
    // At 5, 6, 7, 8 and 9 s.
    assert_eq!(store.take_calls(), ["renew"; 5]);
    store.heal();
    sleep(seconds(30)).await;
    assert!(term.is_valid() && !term.ended().is_requested());
    store.take_calls();
    store.set(Fault::Hangs);
    sleep(seconds(11)).await;
    assert!((4..=5).contains(&store.count("renew")), "{}", store.count("renew"));
}

/// LE-13: a renewal that is held up on the way for longer than the request's limit does nothing when it arrives, so that
/// nobody waits for a dead leader's last word.
#[tokio::test(start_paused = true)]
async fn le_13_late_renewal() {
    for (held_up, extends) in [(millis(1_900), true), (millis(2_100), false), (seconds(14), false)] {
        let local = Local::default();
        let (elector, store) = candidate(&local);
        let term = elector.campaign("a").await.unwrap();
        let granted = now();
        sleep(millis(4_999)).await;
        store.set(Fault::HeldUp(held_up));
        sleep(millis(2)).await;
        assert_eq!(store.count("renew"), 1);
        // It dies with that renewal on its way.
        store.set(Fault::Hangs);
        let (others, _) = candidate(&local);
        let next = others.campaign("a").await.unwrap();
        let free = now() - granted;
        assert_eq!(free > seconds(18), extends, "{held_up:?}: {free:?}");
        assert!(free >= seconds(15) && next.epoch() > term.epoch());
    }
}

/// LE-13: an acquisition that arrives too late does nothing, either.
#[tokio::test(start_paused = true)]
async fn le_13_late_acquisition() {
    for (held_up, grants) in [(millis(1_900), true), (millis(2_100), false)] {
        let local = Local::default();
        let (elector, store) = candidate(&local);
        elector.leader("a").await.unwrap();
        store.set_for("acquire", Fault::HeldUp(held_up));
        store.set_for("release", Fault::Hangs);
        let campaign = tokio::spawn(async move { elector.campaign("a").await });
        sleep(millis(1)).await;
        // Whoever asked dies.
        campaign.abort();
        sleep(seconds(3)).await;
        let led = candidate(&local).0.leader("a").await.unwrap().is_some();
        assert_eq!(led, grants, "{held_up:?}");
    }
}

/// LE-13: the estimate of the row clock is put right by the answer of the one who was too late: it is sent again at once,
/// and costs no more than that.
#[tokio::test(start_paused = true)]
async fn le_13_put_right() {
    let (elector, store) = candidate(&Local::default());
    elector.leader("a").await.unwrap();
    store.set_for("acquire", Fault::LateOnce);
    let before = now();
    let term = elector.campaign("a").await.unwrap();
    assert_eq!((now() - before, store.count("acquire")), (millis(0), 2));
    store.set_for("renew", Fault::LateOnce);
    store.take_calls();
    sleep(millis(5_001)).await;
    assert_eq!(store.take_calls(), ["renew"; 2]);
    assert_eq!(term.deadline(), Some((before + seconds(19)).into_std()));
    // One that asks once is asked for twice.
    store.set_for("acquire", Fault::LateOnce);
    assert!(elector.try_campaign("b").await.unwrap().is_some());
}

/// LE-13: before the row clock is known it is asked for, once.
#[tokio::test(start_paused = true)]
async fn le_13_first_contact() {
    let (elector, store) = candidate(&Local::default());
    let _terms = [elector.campaign("a").await.unwrap(), elector.campaign("b").await.unwrap()];
    assert_eq!(store.take_calls(), ["read", "acquire", "acquire"]);
}

/// LE-12: a lease that is over is never renewed, although nobody took it: whoever was late has a new epoch.
#[tokio::test(start_paused = true)]
async fn le_12_late() {
    let (elector, store) = candidate(&Local::default());
    let term = elector.campaign("a").await.unwrap();
    store.set(Fault::Down);
    sleep(seconds(16)).await;
    store.heal();
    sleep(seconds(30)).await;
    assert!(!term.is_valid());
    settle_down().await;
    let next = elector.try_campaign("a").await.unwrap().unwrap();
    assert!(next.epoch() > term.epoch() && !term.is_valid());
}

/// LE-37: a leader whose thread is blocked right after it was elected is renewed all the same, on a runtime with several
/// threads.
#[test]
fn renewed_while_blocked() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    let store = Faulty::default();
    let elector = builder(&store).ttl(seconds(1)).renew_every(millis(200)).request_timeout(millis(100));
    let elector = elector.retry_renew(millis(100)).stop_time(millis(100)).margin(millis(50)).poll(millis(100));
    let elector = elector.build().unwrap();
    let is_valid = runtime.block_on(async move {
        let work = tokio::spawn(async move {
            let term = elector.campaign("a").await.unwrap();
            std::thread::park_timeout(seconds(3));
            term.is_valid()
        });
        work.await.unwrap()
    });
    assert!(is_valid);
    assert!(store.count("renew") >= 10, "{}", store.count("renew"));
}
