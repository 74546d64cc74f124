use seaworthy_leader::{ElectionError, Epoch, ErrorClass, Local};
use seaworthy_store::time::{now, sleep};
use tokio::task::JoinSet;

use crate::doubles::{Fault, Faulty, builder, candidate, changes, millis, seconds, settle_down};

/// LE-01: `campaign` waits until it leads, `try_campaign` asks once; a term says what it is.
#[tokio::test(start_paused = true)]
async fn le_01_calls() {
    let (elector, _) = candidate(&Local::default());
    let term = elector.try_campaign("a").await.unwrap().unwrap();
    assert_eq!((term.name().as_str(), term.epoch()), ("a", Epoch::new(1)));
    assert!(term.is_valid() && !term.ended().is_requested() && term.deadline().is_some());
    assert!(elector.try_campaign("a").await.unwrap().is_none());
    let waiting = tokio::spawn({
        let elector = elector.clone();
        async move { elector.campaign("a").await }
    });
    sleep(seconds(60)).await;
    assert!(!waiting.is_finished());
    let before = now();
    term.resign().await;
    let next = waiting.await.unwrap().unwrap();
    assert_eq!(next.epoch(), Epoch::new(2));
    assert!(now() - before <= millis(2_500));
}

/// LE-02: of 64 candidates at a time one leads, again and again; LE-03: with an epoch that is greater each time, also when
/// the same process leads again.
#[tokio::test(start_paused = true)]
async fn le_02_one_at_a_time() {
    let local = Local::default();
    let mut candidates = JoinSet::new();
    for n in 0..64 {
        let (elector, _) = candidate(&local);
        candidates.spawn(async move {
            let mut terms = Vec::new();
            for _ in 0..3 {
                let term = elector.campaign("a").await.unwrap();
                let from = now();
                sleep(millis(10)).await;
                assert!(term.is_valid());
                terms.push((term.epoch().get(), from, now()));
                // Half of them end cleanly, and half of those drop it.
                if n % 2 == 0 { term.resign().await } else { drop(term) }
            }
            terms
        });
    }
    let mut terms = candidates.join_all().await.concat();
    terms.sort_unstable();
    assert_eq!(terms.len(), 192);
    for pair in terms.windows(2) {
        let ((older, _, end), (newer, start, _)) = (pair[0], pair[1]);
        assert!(newer > older && start >= end, "{pair:?}");
    }
}

/// LE-09: the same process, the same name, twice: one leads, the other waits as any other candidate, also if both begin
/// at once.
#[tokio::test(start_paused = true)]
async fn le_09_twice() {
    let (elector, _) = candidate(&Local::default());
    let mut both = JoinSet::new();
    for _ in 0..2 {
        let elector = elector.clone();
        both.spawn(async move { elector.campaign("a").await.unwrap() });
    }
    let first = both.join_next().await.unwrap().unwrap();
    sleep(seconds(60)).await;
    assert!(both.try_join_next().is_none() && first.is_valid());
    drop(first);
    assert_eq!(both.join_next().await.unwrap().unwrap().epoch().get(), 2);
}

/// LE-08: a name is 1 to 100 bytes without control characters; what cannot be one is refused, and the store not asked.
#[tokio::test(start_paused = true)]
async fn le_08_names() {
    let (elector, store) = candidate(&Local::default());
    for name in [String::new(), "a\n".to_owned(), "\u{7f}".to_owned(), "n".repeat(101), "é".repeat(51)] {
        let error = elector.campaign(name.clone()).await.unwrap_err();
        assert!(matches!(error, ElectionError::Request(_)), "{name:?}: {error}");
        assert!(elector.try_campaign(name.clone()).await.is_err() && elector.leader(name).await.is_err());
    }
    assert_eq!(store.take_calls(), [""; 0]);
    for name in ["n".repeat(100), "é".repeat(50), "a b/c'\"".to_owned()] {
        assert!(elector.try_campaign(name).await.unwrap().is_some());
    }
}

/// LE-08: followers read who leads, its epoch, its hint, and the time to the end of the lease.
#[tokio::test(start_paused = true)]
async fn le_08_leader() {
    let local = Local::default();
    let leads = builder(&Faulty::on(&local)).hint("10.0.0.7:8080").build().unwrap();
    let (follower, _) = candidate(&local);
    assert_eq!(follower.leader("a").await.unwrap(), None);
    let term = leads.campaign("a").await.unwrap();
    sleep(seconds(2)).await;
    let leader = follower.leader("a").await.unwrap().unwrap();
    assert_eq!((leader.holder.as_str(), leader.epoch), (leads.holder(), term.epoch()));
    assert_eq!((leader.hint.as_deref(), leader.left), (Some("10.0.0.7:8080"), seconds(13)));
    // What was seen can be looked at without asking, until it cannot be so any more.
    sleep(seconds(12)).await;
    let seen = follower.sight().leader(&"a".into()).unwrap();
    assert_eq!((seen.epoch, seen.left), (term.epoch(), seconds(1)));
    sleep(seconds(1)).await;
    assert_eq!(follower.sight().leader(&"a".into()), None);
    term.resign().await;
    assert_eq!(follower.leader("a").await.unwrap(), None);
}

/// LE-03: an epoch that is known from elsewhere is below all that come.
#[tokio::test(start_paused = true)]
async fn le_03_known_from_elsewhere() {
    let elector = builder(&Faulty::default()).seen(Epoch::new(41)).build().unwrap();
    assert_eq!(elector.campaign("a").await.unwrap().epoch(), Epoch::new(42));
}

/// LE-07, LE-74: a row that was deleted, or is an older copy, is put right by whoever remembers, and told.
#[tokio::test(start_paused = true)]
async fn le_07_went_back() {
    let (told, observer) = changes();
    let elector = seaworthy_leader::LocalElector::builder().observer(observer).build().unwrap();
    for epoch in 1..=3 {
        let term = elector.campaign("a").await.unwrap();
        assert_eq!(term.epoch(), Epoch::new(epoch));
        term.resign().await;
    }
    assert!(told.texts("epoch_went_back").is_empty());
    elector.go_back("a");
    let term = elector.campaign("a").await.unwrap();
    assert_eq!(term.epoch(), Epoch::new(4));
    assert_eq!(told.texts("epoch_went_back"), ["seen=3 got=0 "]);
    // A leader whose row is gone has lost it.
    elector.go_back("a");
    settle_down().await;
    assert!(!term.is_valid());
    // A follower that saw the epoch of another remembers it, too.
    let (follower, _) = candidate(elector.store());
    let other = elector.campaign("a").await.unwrap();
    assert!(follower.try_campaign("a").await.unwrap().is_none());
    elector.go_back("a");
    settle_down().await;
    let next = follower.campaign("a").await.unwrap();
    assert!(next.epoch() > other.epoch(), "{} after {}", next.epoch(), other.epoch());
}

/// LE-15: an acquisition whose answer was lost is granted again by the next attempt of the same campaign.
#[tokio::test(start_paused = true)]
async fn le_15_lost_answer() {
    let (elector, store) = candidate(&Local::default());
    elector.leader("a").await.unwrap();
    store.set_for("acquire", Fault::LosesAnswers);
    let campaign = tokio::spawn({
        let elector = elector.clone();
        async move { elector.campaign("a").await.unwrap() }
    });
    let before = now();
    sleep(seconds(1)).await;
    store.heal();
    let term = campaign.await.unwrap();
    // The limit of the first, and the shortest wait.
    assert!(now() - before <= millis(2_200), "{:?}", now() - before);
    assert!(term.is_valid());
}

/// IN-15: a campaign that is dropped at any point leads nobody: what was granted is given back, and what is not known is
/// given up, at once or after one ttl.
#[tokio::test(start_paused = true)]
async fn in_15_dropped() {
    for fault in [Fault::None, Fault::SlowAnswer(millis(500)), Fault::LosesAnswers, Fault::HeldUp(millis(1_500))] {
        for span in [0, 1, 499, 500, 501, 1_499, 1_500, 1_999, 2_000, 2_001, 3_000] {
            let local = Local::default();
            let (elector, store) = candidate(&local);
            elector.leader("a").await.unwrap();
            store.set_for("acquire", fault);
            let campaign = tokio::time::timeout(millis(span), elector.campaign("a"));
            let leads = campaign.await.is_ok_and(|term| term.is_ok());
            let before = now();
            store.heal();
            elector.close().await;
            assert_eq!((elector.held(), now() - before <= seconds(4)), (0, true), "{fault:?} {span} {leads}");
            let next = candidate(&local).0.campaign("a").await.unwrap();
            let waited = now() - before;
            assert!(waited <= seconds(15 + 5), "{fault:?} after {span} ms: {waited:?}");
            drop(next);
        }
    }
}

/// CO-14: a store that cannot be reached is waited for by `campaign`, and an error of `try_campaign`; one that refuses is
/// an error of both.
#[tokio::test(start_paused = true)]
async fn co_14_classes() {
    let (elector, store) = candidate(&Local::default());
    store.set(Fault::Down);
    let error = elector.try_campaign("a").await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");
    assert!(elector.leader("a").await.unwrap_err().is_unavailable());
    assert!(tokio::time::timeout(seconds(600), elector.campaign("a")).await.is_err());
    store.set(Fault::Refused);
    assert_eq!(elector.campaign("a").await.unwrap_err().class(), Some(ErrorClass::Refused));
    assert_eq!(elector.try_campaign("a").await.unwrap_err().class(), Some(ErrorClass::Refused));
    // Also when the store had answered before.
    store.heal();
    drop(elector.campaign("a").await.unwrap());
    store.set_for("acquire", Fault::Refused);
    assert_eq!(elector.campaign("a").await.unwrap_err().class(), Some(ErrorClass::Refused));
}

/// CO-15, CO-14: a store that does not answer all that it was asked cannot be understood, and is not asked again at once.
#[tokio::test(start_paused = true)]
async fn co_15_too_few_answers() {
    let (elector, store) = candidate(&Local::default());
    let term = elector.campaign("led").await.unwrap();
    store.set(Fault::TooFew);
    store.take_calls();
    let asked = tokio::spawn(async move { (elector.campaign("a").await, elector) });
    sleep(seconds(15)).await;
    let counts = ["acquire", "renew"].map(|what| store.count(what));
    assert!(counts.iter().all(|count| (1..=20).contains(count)), "{counts:?}");
    assert!(!term.is_valid());
    let (refused, _elector) = asked.await.unwrap();
    assert_eq!(refused.unwrap_err().class(), Some(ErrorClass::Corrupt));
}

/// CO-15: whatever comes back at once, a campaign asks at most 40 times a minute.
#[tokio::test(start_paused = true)]
async fn co_15_never_spins() {
    for fault in [Fault::None, Fault::Down, Fault::Locked, Fault::Hangs] {
        let local = Local::default();
        let _leads = candidate(&local).0.campaign("a").await.unwrap();
        let (elector, store) = candidate(&local);
        store.set(fault);
        let campaign = tokio::spawn(async move { elector.campaign("a").await });
        sleep(seconds(60)).await;
        let asked = store.take_calls().len();
        assert!((10..=40).contains(&asked), "{fault:?}: {asked}");
        campaign.abort();
    }
}

/// CO-17: after `close` no task of the elector is left.
#[tokio::test(start_paused = true)]
async fn co_17_closed() {
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let (elector, _) = candidate(&Local::default());
    let terms = [elector.campaign("a").await.unwrap(), elector.campaign("b").await.unwrap()];
    assert!(elector.try_campaign("a").await.unwrap().is_none());
    assert!(tasks() > before);
    drop(terms);
    elector.close().await;
    settle_down().await;
    assert_eq!(tasks(), before);
}

/// LE-38: a candidate of an elector that holds so many names already waits one poll more before it first asks.
#[tokio::test(start_paused = true)]
async fn le_38_spread() {
    let store = Faulty::default();
    let elector = builder(&store).spread(2).build().unwrap();
    let before = now();
    let _terms = [elector.campaign("a").await.unwrap(), elector.campaign("b").await.unwrap()];
    assert_eq!(now(), before);
    let _third = elector.campaign("c").await.unwrap();
    let waited = now() - before;
    assert!(waited >= seconds(2) && waited <= millis(2_500), "{waited:?}");
    // So that two processes share what begins at once.
    let local = Local::default();
    let both = [(); 2].map(|()| builder(&Faulty::on(&local)).spread(2).build().unwrap());
    let terms: Vec<_> =
        both.iter().flat_map(|elector| ["a", "b", "c", "d"].map(|name| (elector.clone(), name))).collect();
    let mut campaigns = JoinSet::new();
    for (elector, name) in terms {
        campaigns.spawn(async move { tokio::time::timeout(seconds(3), elector.campaign(name)).await.ok() });
        settle_down().await;
    }
    let led = campaigns.join_all().await;
    assert_eq!(led.iter().flatten().count(), 4);
    assert_eq!(both.each_ref().map(|elector| elector.held()), [2, 2]);
}
