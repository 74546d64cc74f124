use std::time::Instant;

use seaworthy_faults::proxy::{Direction, Proxy};
use seaworthy_leader::postgres::Postgres;
use seaworthy_leader::store::{Acquired, LeaseStore, Renewal};
use seaworthy_store::postgres::PgStore;
use tokio::task::JoinSet;

use super::support::{LONG, Session, Space, WHENEVER, acquire, bid, candidate, millis, renew, taken, until};

/// Leases behind a proxy, with a limit of 400 ms, which have asked once already.
async fn behind_a_proxy(space: &Space) -> (Proxy, Postgres) {
    let url = space.url();
    let server = url.split_once('@').and_then(|(_, rest)| rest.split_once('/')).unwrap().0.to_owned();
    let proxy = Proxy::to(&*server);
    let url = url.replace(&server, &proxy.addr().to_string());
    let store = PgStore::builder(&url).request_timeout(millis(400)).lock_timeout(millis(200)).connections(1);
    let leases = Postgres::new(&store.connect().await.unwrap());
    (proxy, leases)
}

async fn row(session: &mut Session, columns: &str) -> String {
    session.text(&format!("SELECT concat_ws(' ', {columns}) FROM seaworthy_lease ORDER BY name")).await
}

/// LE-02: 64 sessions and one row with leases of 30 ms: each term has an epoch of its own, none is left out.
#[tokio::test(flavor = "multi_thread")]
async fn no_two_epochs_are_alike() {
    let space = Space::of_leases().await;
    let ends = Instant::now() + millis(2_000);
    let mut sessions = JoinSet::new();
    for _ in 0..8 {
        let store = space.builder().connections(8).connect().await.unwrap();
        for _ in 0..8 {
            let leases = Postgres::new(&store);
            sessions.spawn(async move {
                let mut epochs = Vec::new();
                while Instant::now() < ends {
                    match acquire(&leases, &bid("a"), millis(30)).await {
                        Acquired::Granted { epoch, before } => {
                            assert_eq!(before + 1, epoch);
                            epochs.push(epoch);
                        }
                        Acquired::Held(row) => tokio::time::sleep(row.left).await,
                        other => assert_eq!(other, Acquired::Locked),
                    }
                }
                epochs
            });
        }
    }
    let mut epochs = sessions.join_all().await.concat();
    epochs.sort_unstable();
    let terms = u64::try_from(epochs.len()).unwrap();
    assert!(terms >= 10, "{terms} terms");
    assert_eq!(epochs, (1..=terms).collect::<Vec<_>>());
}

/// LE-10: whoever waited for the row goes by what it is then: another's, released, gone, or made meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn what_changed_meanwhile_is_looked_at_again() {
    let space = Space::of_leases().await;
    let leases = space.leases().await;
    let (mut other, mut session) = (space.session().await, space.session().await);
    let take = "UPDATE seaworthy_lease SET epoch = 7, holder = 'other', term = '\\x07',
        expires_at = clock_timestamp() + interval '1 minute' WHERE name = 'a'";
    let make = "INSERT INTO seaworthy_lease VALUES
        ('b', 7, 'other', '\\x07', clock_timestamp() + interval '1 minute', now(), NULL)";
    let held = |answer: &Acquired| matches!(answer, Acquired::Held(row) if row.epoch == 7 && &*row.holder == "other");
    for (name, change, end, expected) in [
        ("a", take, "COMMIT", None),
        ("a", take, "ROLLBACK", Some((2, 1))),
        ("a", "DELETE FROM seaworthy_lease WHERE name = 'a'", "COMMIT", Some((1, 0))),
        ("a", "SELECT FROM seaworthy_lease FOR UPDATE", "COMMIT", Some((2, 1))),
        ("b", make, "COMMIT", None),
        ("b", make, "ROLLBACK", Some((1, 0))),
    ] {
        session.run("DELETE FROM seaworthy_lease").await;
        taken(&leases, "a", LONG).await;
        session.end_leases().await;
        other.run("BEGIN").await;
        other.run(change).await;
        let waiting = tokio::spawn({
            let leases = leases.clone();
            async move { acquire(&leases, &bid(name), LONG).await }
        });
        tokio::time::sleep(millis(150)).await;
        assert!(!waiting.is_finished(), "{change} is waited for");
        other.run(end).await;
        let answer = waiting.await.unwrap();
        match expected {
            Some((epoch, before)) => assert_eq!(answer, Acquired::Granted { epoch, before }, "{change} {end}"),
            None => assert!(held(&answer), "{change} {end}: {answer:?}"),
        }
    }
    // Several do not wait for a row that somebody makes for longer than half a second, and are then asked for one by one.
    session.run("DELETE FROM seaworthy_lease").await;
    other.run("BEGIN").await;
    other.run(make).await;
    let began = Instant::now();
    let answers = leases.acquire(&candidate(LONG), &[bid("a"), bid("b")], WHENEVER).await.unwrap().each;
    assert_eq!(answers, [Acquired::Locked, Acquired::Locked]);
    assert!(began.elapsed() < millis(900), "{:?}", began.elapsed());
    assert_eq!(taken(&leases, "a", LONG).await.epoch, 1);
    other.run("COMMIT").await;
    assert!(held(&acquire(&leases, &bid("b"), LONG).await));
}

/// LE-10: candidates that ask for the same names in different orders do not lock each other out, also if both have to wait
/// in the middle for somebody who makes a row.
#[tokio::test(flavor = "multi_thread")]
async fn orders_do_not_matter() {
    let space = Space::of_leases().await;
    let leases = space.leases().await;
    let mut session = space.session().await;
    for round in 0..3 {
        let names: Vec<_> = ["a", "m", "z"].map(|name| format!("{round} {name}")).into();
        session.run("BEGIN").await;
        session.run(&format!("INSERT INTO seaworthy_lease VALUES ('{}', 7, '', '', now(), now())", names[1])).await;
        let mut candidates = JoinSet::new();
        for is_reversed in [false, true] {
            let (leases, mut bids) = (leases.clone(), names.iter().map(|name| bid(name)).collect::<Vec<_>>());
            if is_reversed {
                bids.reverse();
            }
            candidates.spawn(async move {
                let answers = leases.acquire(&candidate(LONG), &bids, WHENEVER).await.unwrap().each;
                answers.iter().filter(|answer| matches!(answer, Acquired::Granted { .. })).count()
            });
        }
        tokio::time::sleep(millis(150)).await;
        session.run("ROLLBACK").await;
        // Who waits for half a second is told that all is locked, and a deadlock takes longer to be found.
        let mut granted = candidates.join_all().await;
        granted.sort_unstable();
        assert_eq!(granted, [0, 3]);
    }
}

/// LE-11: a renewal moves the end of the lease and nothing else; LE-12: one that is over stays so, although nobody took it.
#[tokio::test]
async fn a_renewal_moves_the_end_alone() {
    let space = Space::of_leases().await;
    let leases = space.leases().await;
    let mut session = space.session().await;
    let held = taken(&leases, "a", LONG).await;
    let others = "name, epoch, holder, encode(term, 'hex'), granted_at, hint";
    let (before, end) = (row(&mut session, others).await, row(&mut session, "expires_at").await);
    assert_eq!(renew(&leases, &held, LONG).await, Renewal::Renewed);
    assert_eq!(row(&mut session, others).await, before);
    assert_ne!(row(&mut session, "expires_at").await, end);
    session.end_leases().await;
    let end = row(&mut session, "expires_at").await;
    for _ in 0..2 {
        assert_eq!(renew(&leases, &held, LONG).await, Renewal::Lost);
    }
    assert_eq!(row(&mut session, "expires_at").await, end);
    assert_eq!(row(&mut session, others).await, before);
    // One that ran out while somebody had the row locked is lost, too.
    let held = taken(&leases, "a", millis(250)).await;
    session.run("BEGIN; SELECT FROM seaworthy_lease FOR UPDATE").await;
    assert_eq!(renew(&leases, &held, LONG).await, Renewal::Locked);
    tokio::time::sleep(millis(260)).await;
    assert_eq!(renew(&leases, &held, LONG).await, Renewal::Lost);
    session.run("COMMIT").await;
    assert_eq!(renew(&leases, &held, LONG).await, Renewal::Lost);
}

/// LE-13: a statement that was held up on the way does nothing when it arrives; without the time by which it is to be begun
/// it would.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_statement_does_nothing() {
    let space = Space::of_leases().await;
    let leases = space.leases().await;
    let mut session = space.session().await;
    let ends = "SELECT string_agg(concat_ws(' ', name, epoch, expires_at), ',' ORDER BY name) FROM seaworthy_lease";
    for is_renewal in [true, false] {
        for is_late in [true, false] {
            let (proxy, slow) = behind_a_proxy(&space).await;
            let name = format!("{is_renewal} {is_late}");
            let held = taken(&slow, &name, LONG).await;
            assert_eq!(renew(&slow, &held, LONG).await, Renewal::Renewed);
            let before = session.text(ends).await;
            let at = slow.read(&[]).await.unwrap().at;
            let begin_by = if is_late { at.after(millis(300)) } else { WHENEVER };
            // Both are prepared already: what waits in the proxy is the statement itself.
            proxy.stall();
            let given_up = if is_renewal {
                slow.renew(std::slice::from_ref(&held), LONG * 10, begin_by).await.map(drop)
            } else {
                let new = bid(&format!("{name}, new"));
                slow.acquire(&candidate(LONG), std::slice::from_ref(&new), begin_by).await.map(drop)
            };
            assert!(given_up.unwrap_err().is_unavailable());
            proxy.heal();
            if is_late {
                until("its connection has ended", async || proxy.open() == 0).await;
                tokio::time::sleep(millis(200)).await;
                assert_eq!(session.text(ends).await, before, "{name}");
            } else {
                until("it is done", async || session.text(ends).await != before).await;
            }
        }
    }
    assert!(leases.read(&["false true, new".into()]).await.unwrap().each[0].is_none());
    assert!(leases.read(&["false false, new".into()]).await.unwrap().each[0].is_some());
}

/// LE-14: a release that meets a lock gives up, and the ttl does it; one that is late ends nobody else's lease.
#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_sent_once() {
    let space = Space::of_leases().await;
    let leases = space.leases().await;
    let mut session = space.session().await;
    let held = taken(&leases, "a", millis(700)).await;
    session.run("BEGIN; SELECT FROM seaworthy_lease FOR UPDATE").await;
    let began = Instant::now();
    assert!(leases.release(&held.name, held.term).await.unwrap_err().is_unavailable());
    assert!(began.elapsed() < millis(900), "{:?}", began.elapsed());
    session.run("COMMIT").await;
    tokio::time::sleep(millis(700)).await;
    let next = taken(&leases, "a", LONG).await;
    leases.release(&held.name, held.term).await.unwrap();
    assert_eq!(renew(&leases, &next, LONG).await, Renewal::Renewed);
    leases.release(&next.name, next.term).await.unwrap();
    assert_eq!(taken(&leases, "a", LONG).await.epoch, 3);
}

/// LE-15: an acquisition whose answer was lost is granted again, with the next epoch; nobody else is granted it meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_costs_nothing() {
    let space = Space::of_leases().await;
    let (proxy, leases) = behind_a_proxy(&space).await;
    taken(&leases, "first", LONG).await;
    let mine = bid("a");
    // The statement is prepared already; all that comes down is its answer.
    proxy.drop_next(Direction::Down, 1);
    let lost = leases.acquire(&candidate(LONG), std::slice::from_ref(&mine), WHENEVER).await;
    assert!(lost.unwrap_err().is_unavailable());
    assert_eq!(space.session().await.number("SELECT epoch FROM seaworthy_lease WHERE name = 'a'").await, 1);
    proxy.heal();
    assert!(matches!(acquire(&leases, &bid("a"), LONG).await, Acquired::Held(row) if row.epoch == 1));
    assert_eq!(acquire(&leases, &mine, LONG).await, Acquired::Granted { epoch: 2, before: 1 });
}
