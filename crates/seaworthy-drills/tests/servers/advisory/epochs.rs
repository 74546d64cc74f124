use std::time::{Duration, Instant};

use seaworthy_faults::postgres::Postgres as Server;
use seaworthy_faults::proxy::Proxy;
use seaworthy_leader::Epoch;

use super::support::{Place, Told, quick};

/// LE-63: each epoch is greater than all before, whoever leads, and however the term before ended: resigned, dropped,
/// its session terminated, its connection cut.
#[tokio::test(flavor = "multi_thread")]
async fn epochs_grow_over_holders_and_ends() {
    let place = Place::new().await;
    let proxy = Proxy::to(Server::shared().addr());
    let electors = [place.elector(), quick(&place.url_at(proxy.addr())).build().unwrap()];
    let mut newest = Epoch::new(0);
    for round in 0..12 {
        // The second is the one that can be cut.
        let end = round % 4;
        let elector = &electors[usize::from(end == 3 || round % 3 == 0)];
        let term = elector.campaign("a").await.unwrap();
        assert_eq!(term.epoch().get(), newest.get() + 1, "{round}");
        newest = term.epoch();
        let ended = term.ended();
        match end {
            0 => term.resign().await,
            1 => drop(term),
            2 => {
                assert_eq!(place.terminate_holders().await, 1);
                ended.requested().await;
            }
            _ => {
                proxy.cut();
                ended.requested().await;
            }
        }
    }
}

/// LE-63, LE-07: a row that was deleted, or restored from an older copy, is put right by whoever remembers, and that is
/// told; `seen` is remembered from elsewhere. A leader whose row is gone has lost its lead at its next ping.
#[tokio::test(flavor = "multi_thread")]
async fn epochs_that_went_back() {
    let place = Place::new().await;
    let told = Told::default();
    let elector = quick(&place.url()).seen(Epoch::new(40)).observer(told.clone()).build().unwrap();
    let term = elector.campaign("a").await.unwrap();
    assert_eq!(term.epoch(), Epoch::new(41));
    term.resign().await;
    let mut session = place.session().await;
    session.run("UPDATE seaworthy_lease SET epoch = 7").await;
    let term = elector.campaign("a").await.unwrap();
    assert_eq!(term.epoch(), Epoch::new(42));
    session.run("DELETE FROM seaworthy_lease").await;
    term.ended().requested().await;
    assert!(!term.is_valid());
    drop(term);
    let term = elector.campaign("a").await.unwrap();
    assert_eq!(term.epoch(), Epoch::new(43));
    assert_eq!(
        told.all(),
        [
            "campaigning",
            "epoch_went_back seen=40 got=0",
            "elected epoch=41",
            "released epoch=41 end=released",
            "campaigning",
            "epoch_went_back seen=41 got=7",
            "elected epoch=42",
            "told epoch=42 why=lost",
            "campaigning",
            "epoch_went_back seen=42 got=0",
            "elected epoch=43",
        ]
    );
    // No epoch fits between the highest that there can be and the next.
    let last = quick(&place.url()).seen(Epoch::new(u64::MAX)).build().unwrap();
    let error = last.try_campaign("b").await.unwrap_err();
    assert!(error.to_string().contains("greater than any"), "{error}");
}

/// LE-08: followers read who leads, what it wants to be known, and that its lease is moved by the pings.
#[tokio::test(flavor = "multi_thread")]
async fn followers_read_the_row() {
    let place = Place::new().await;
    let elector = quick(&place.url()).hint("10.0.0.7:8080").build().unwrap();
    let follower = place.elector();
    let term = elector.campaign("a").await.unwrap();
    // Longer than the first lease.
    tokio::time::sleep(Duration::from_millis(3_300)).await;
    assert!(term.is_valid());
    assert!(follower.try_campaign("a").await.unwrap().is_none());
    for leader in [follower.sight().leader(&"a".into()), follower.leader("a").await.unwrap()] {
        let leader = leader.unwrap();
        assert_eq!((leader.holder.as_str(), leader.hint.as_deref()), (elector.holder(), Some("10.0.0.7:8080")));
        assert_eq!(leader.epoch, term.epoch());
        assert!(leader.left > Duration::from_secs(1), "{:?}", leader.left);
    }
    term.resign().await;
    assert_eq!(follower.leader("a").await.unwrap(), None);
}

/// LE-63, LE-51: a transaction that the term guards goes on beside the pings and keeps the next term from beginning
/// before it has ended, although the lock is free; a guard of the old term finds nothing then. A row that is locked by
/// somebody else costs the leader nothing.
#[tokio::test(flavor = "multi_thread")]
async fn guards_are_waited_for() {
    let place = Place::new().await;
    let elector = quick(&place.url()).transaction_limit(Duration::from_secs(3)).build().unwrap();
    let told = Told::default();
    let other = quick(&place.url()).observer(told.clone()).build().unwrap();
    let term = elector.campaign("a").await.unwrap();
    let mut writing = place.session().await;
    writing.run("BEGIN; SELECT 1 FROM seaworthy_lease FOR UPDATE").await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert!(term.is_valid() && !term.ended().is_requested(), "its session answers");
    writing.run("ROLLBACK").await;

    writing.run("BEGIN").await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    term.guard(&mut writing.0).await.unwrap();
    let before = term.deadline().unwrap();
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(term.deadline().unwrap() > before, "pings go on beside it");
    assert_eq!(place.terminate_holders().await, 1);
    let next = tokio::spawn(async move {
        let term = other.campaign("a").await.unwrap();
        (term, Instant::now())
    });
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert!(!next.is_finished(), "the row is locked by the guard");
    place.until_holders(1).await;
    let committed = Instant::now();
    writing.run("COMMIT").await;
    let (next, began) = next.await.unwrap();
    assert!(began >= committed && next.epoch() > term.epoch());
    assert_eq!(told.all(), ["campaigning", "elected epoch=2"], "the server was there all the while");
    writing.run("BEGIN").await;
    assert!(term.guard(&mut writing.0).await.unwrap_err().is_over());
    next.guard(&mut writing.0).await.unwrap();
    // LE-52: by default it has stop_time + margin.
    let limit = writing.text("SELECT current_setting('idle_in_transaction_session_timeout')").await;
    assert_eq!(limit, "800ms\n");
    writing.run("COMMIT").await;
}
