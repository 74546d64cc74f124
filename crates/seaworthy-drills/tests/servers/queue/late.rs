use std::time::Duration;

use seaworthy_faults::proxy::{Direction, Proxy};
use seaworthy_queue::postgres::Postgres;
use seaworthy_queue::store::{Cancelled, Held, Holder, Producer, Settlement, Source, Take};
use seaworthy_store::postgres::PgStore;

use super::support::{ACK, LONG, Session, Space, holder, id, ids, job, millis, received, take, until};

/// A queue behind a proxy, with a limit of 400 ms, whose statements are prepared.
async fn behind_a_proxy(space: &Space) -> (Proxy, Postgres) {
    let url = space.url();
    let server = url.split_once('@').and_then(|(_, rest)| rest.split_once('/')).unwrap().0.to_owned();
    let proxy = Proxy::to(&*server);
    let url = url.replace(&server, &proxy.addr().to_string());
    let store = PgStore::builder(&url).request_timeout(millis(400)).lock_timeout(millis(200)).connections(1);
    let jobs = Postgres::new("q", &store.connect().await.unwrap());
    let nobody = Holder { id: id("nobody"), owner: 1, fence: 1 };
    for settlement in [ACK, Settlement::Release, Settlement::Dead { reason: "x".into() }] {
        assert_eq!(jobs.settle(&nobody, &settlement).await.unwrap(), Held::Lost);
    }
    received(&jobs, &take()).await;
    (proxy, jobs)
}

async fn states(session: &mut Session) -> String {
    let states = "SELECT concat_ws(' ', id, state, spent, abandoned, fence) FROM seaworthy_job ORDER BY id";
    session.text(states).await
}

/// QU-16, QU-51: a taking that was held up on the way is carried out after it was given up: its job is nobody else's until
/// its visibility is over, and then it comes back. Its repetition under the same owner is given it at no cost.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_taking_loses_nothing() {
    let space = Space::of_jobs().await;
    let jobs = space.jobs().await;
    let mut session = space.session().await;
    for repeats in [true, false] {
        let (proxy, slow) = behind_a_proxy(&space).await;
        jobs.enqueue(&[job("a")], None).await.unwrap();
        let asked = Take { visibility: millis(1_500), ..take() };
        proxy.stall();
        assert!(slow.receive(&asked, Duration::ZERO).await.unwrap_err().is_unavailable());
        proxy.heal();
        until("it is carried out", async || states(&mut session).await == "a 1 1 0 1\n").await;
        assert!(received(&jobs, &take()).await.jobs.is_empty());
        let (asked, attempt) = if repeats {
            (Take { repeats: true, ..asked }, (1, 0, 1))
        } else {
            tokio::time::sleep(millis(1_600)).await;
            (take(), (2, 1, 2))
        };
        let taken = received(&jobs, &asked).await.jobs.remove(0);
        assert_eq!((taken.attempt, taken.abandoned, taken.fence), attempt);
        assert!(jobs.settle(&holder(&asked, &taken), &ACK).await.unwrap().is_yes());
    }
}

/// QU-16: a taking whose answer was lost on the way is repeated, and given the same jobs at no cost.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_costs_nothing() {
    let space = Space::of_jobs().await;
    let (proxy, slow) = behind_a_proxy(&space).await;
    space.jobs().await.enqueue(&[job("a"), job("b")], None).await.unwrap();
    let asked = Take { room: 5, ..take() };
    proxy.drop_next(Direction::Down, 1);
    assert!(slow.receive(&asked, Duration::ZERO).await.unwrap_err().is_unavailable());
    proxy.heal();
    let again = received(&slow, &Take { repeats: true, ..asked }).await;
    assert_eq!(ids(&again), ["a", "b"]);
    assert!(again.jobs.iter().all(|taken| (taken.attempt, taken.abandoned, taken.fence) == (1, 0, 1)));
}

/// QU-24: settlements and extensions that arrive late, when the job is another owner's, change nothing; one whose answer
/// was lost was carried out once.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_settlement_changes_nothing() {
    let space = Space::of_jobs().await;
    let jobs = space.jobs().await;
    let mut session = space.session().await;
    let slow = [behind_a_proxy(&space).await, behind_a_proxy(&space).await, behind_a_proxy(&space).await];
    jobs.enqueue(&[job("a")], None).await.unwrap();
    let settlements = [ACK, Settlement::Release, Settlement::Dead { reason: "x".into() }];
    for ((proxy, slow), settlement) in slow.into_iter().zip(settlements) {
        let first = Take { visibility: millis(300), ..take() };
        let old = holder(&first, &received(&jobs, &first).await.jobs.remove(0));
        proxy.stall();
        assert!(slow.settle(&old, &settlement).await.unwrap_err().is_unavailable());
        let second = take();
        let new = holder(&second, &received(&jobs, &second).await.jobs.remove(0));
        let before = states(&mut session).await;
        proxy.heal();
        until("its connection has ended", async || proxy.open() == 0).await;
        tokio::time::sleep(millis(200)).await;
        assert_eq!(states(&mut session).await, before, "{settlement:?}");
        assert_eq!(jobs.settle(&new, &Settlement::Release).await.unwrap(), Held::Yes);
    }
}

/// QU-10, QU-51: whoever waited for a row goes by what it is then: a lease that ran out meanwhile is not extended; one that
/// was extended meanwhile is not taken; what was taken meanwhile is not cancelled.
#[tokio::test(flavor = "multi_thread")]
async fn who_waited_looks_again() {
    let space = Space::of_jobs().await;
    let jobs = space.jobs().await;
    let mut session = space.session().await;
    jobs.enqueue(&[job("a")], None).await.unwrap();
    let asked = Take { visibility: millis(250), ..take() };
    let held = holder(&asked, &received(&jobs, &asked).await.jobs.remove(0));
    session.run("BEGIN; SELECT FROM seaworthy_job FOR UPDATE").await;
    let extending = tokio::spawn({
        let (jobs, held) = (jobs.clone(), held.clone());
        async move { jobs.extend(&[held], LONG).await.unwrap() }
    });
    tokio::time::sleep(millis(350)).await;
    session.run("COMMIT").await;
    assert_eq!(extending.await.unwrap(), [Held::Lost]);
    // Of a row that is locked nobody knows: it is passed over, and taken the next time.
    session.run("BEGIN; UPDATE seaworthy_job SET lease_until = now() + interval '1 hour'").await;
    assert!(received(&jobs, &take()).await.jobs.is_empty());
    session.run("COMMIT").await;
    assert!(received(&jobs, &take()).await.jobs.is_empty());
    // Given back while somebody cancels it, and taken while somebody cancels it.
    for (change, answer) in [
        ("state = 1, owner = '\\x01', lease_until = now() + interval '1 hour'", Cancelled::Running),
        ("due = due", Cancelled::Removed),
    ] {
        session.run("UPDATE seaworthy_job SET state = 0, owner = NULL, lease_until = NULL").await;
        session.run(&format!("BEGIN; UPDATE seaworthy_job SET {change}")).await;
        let cancelling = tokio::spawn({
            let jobs = jobs.clone();
            async move { jobs.cancel(&id("a")).await.unwrap() }
        });
        tokio::time::sleep(millis(150)).await;
        session.run("COMMIT").await;
        assert_eq!(cancelling.await.unwrap(), answer);
    }
}

/// QU-51: whatever the isolation of a session is by default, requests are READ COMMITTED: none fails because others work.
#[tokio::test(flavor = "multi_thread")]
async fn isolation_is_ours() {
    let space = Space::of_jobs().await;
    let mut session = space.session().await;
    let role = format!("{}_strict", space.name());
    session
        .run(&format!(
            "CREATE ROLE {role} LOGIN SUPERUSER; ALTER ROLE {role} SET default_transaction_isolation = 'serializable'"
        ))
        .await;
    let (_, server) = space.url().split_once('@').map(|(user, server)| (user.to_owned(), server.to_owned())).unwrap();
    let url = format!("postgres://{role}@{server}");
    let mut outcomes = Vec::new();
    for builder in [PgStore::builder(&url), PgStore::builder(&url).pooled()] {
        let jobs = Postgres::new("q", &builder.connections(8).connect().await.unwrap());
        let all: Vec<_> = (0..100).map(|number| job(&format!("j{number}"))).collect();
        jobs.enqueue(&all, None).await.unwrap();
        let workers = (0..8).map(|_| {
            let jobs = jobs.clone();
            tokio::spawn(async move {
                loop {
                    let asked = Take { room: 2, ..take() };
                    let taken = jobs.receive(&asked, Duration::ZERO).await?.jobs;
                    if taken.is_empty() {
                        return Ok::<_, seaworthy_queue::StoreError>(());
                    }
                    for taken in taken {
                        assert!(jobs.settle(&holder(&asked, &taken), &ACK).await?.is_yes());
                    }
                }
            })
        });
        for worker in workers.collect::<Vec<_>>() {
            outcomes.push(worker.await.unwrap());
        }
    }
    session.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(session.copies().await, "0 0 0 0");
}
