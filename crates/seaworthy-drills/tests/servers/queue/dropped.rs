use seaworthy_queue::postgres::Postgres;
use seaworthy_queue::store::{DeadLetters, Holder, Producer, Settlement, Source, Take, TransactionalProducer};
use seaworthy_store::postgres::PgStore;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, Executor, PgConnection};

use super::support::{ACK, LONG, Session, Space, holder, id, job, millis, received, take};
use crate::dropping::{dropped_after, nothing_is_left};

/// A job that is held by whoever is given.
async fn held(jobs: &Postgres, name: &str) -> Holder {
    jobs.enqueue(&[job(name)], None).await.unwrap();
    let asked = take();
    let taken = received(jobs, &asked).await.jobs;
    holder(&asked, taken.iter().find(|taken| taken.id == id(name)).unwrap())
}

async fn empty(session: &mut Session) {
    session.run("DELETE FROM seaworthy_job; DELETE FROM seaworthy_dead_job; DELETE FROM seaworthy_done_job").await;
}

/// IN-15: each request dropped after k polls, for every k until it ends; then no connection, transaction or lock is left,
/// and nothing is done by halves: there is one copy of the job, or none where it is done.
#[tokio::test]
async fn a_request_can_be_dropped_at_any_await() {
    let space = Space::of_jobs().await;
    let mut session = space.session().await;
    let url = format!("{}&application_name={}", space.url(), space.name());
    let pool = PgPoolOptions::new().max_connections(2).connect(&url).await.unwrap();
    for (kind, store) in [
        ("own", PgStore::builder(&url).connections(2).connect().await.unwrap()),
        ("pooled", PgStore::builder(&url).connections(2).pooled().connect().await.unwrap()),
        ("pool", PgStore::from_pool(pool.clone()).connect().await.unwrap()),
    ] {
        let jobs = Postgres::new("q", &store);
        for request in ["enqueue", "cancel", "receive", "block", "extend", "ack", "retry", "dead", "redrive", "discard"]
        {
            let (mut ended, mut most) = (false, 0);
            for polls in 0..100 {
                let name = format!("{kind}-{request}-{polls}");
                let asked = Take { room: 4, ..take() };
                // How many copies there may be when it has happened, or not.
                let mut copies = (1, 1);
                ended = match request {
                    "enqueue" => {
                        copies = (0, 1);
                        dropped_after(polls, jobs.enqueue(&[job(&name)], None)).await
                    }
                    "cancel" => {
                        jobs.enqueue(&[job(&name)], None).await.unwrap();
                        copies = (0, 1);
                        dropped_after(polls, jobs.cancel(&id(&name))).await
                    }
                    "receive" | "block" => {
                        jobs.enqueue(&[job(&name)], None).await.unwrap();
                        let block = if request == "block" { millis(20) } else { millis(0) };
                        dropped_after(polls, jobs.receive(&asked, block)).await
                    }
                    "extend" => {
                        let held = held(&jobs, &name).await;
                        dropped_after(polls, jobs.extend(&[held], LONG)).await
                    }
                    "ack" => {
                        let held = held(&jobs, &name).await;
                        let remembered = Settlement::Ack { remember: Some(LONG) };
                        dropped_after(polls, jobs.settle(&held, &remembered)).await
                    }
                    "retry" => {
                        let held = held(&jobs, &name).await;
                        let retry = Settlement::Retry { after: LONG, reason: "no".into() };
                        dropped_after(polls, jobs.settle(&held, &retry)).await
                    }
                    "dead" => {
                        let held = held(&jobs, &name).await;
                        let dead = Settlement::Dead { reason: "no".into() };
                        dropped_after(polls, jobs.settle(&held, &dead)).await
                    }
                    _ => {
                        let held = held(&jobs, &name).await;
                        let dead = Settlement::Dead { reason: "no".into() };
                        assert!(jobs.settle(&held, &dead).await.unwrap().is_yes());
                        if request == "redrive" {
                            dropped_after(polls, jobs.redrive(&id(&name))).await
                        } else {
                            copies = (0, 1);
                            dropped_after(polls, jobs.discard(&id(&name))).await
                        }
                    }
                };
                nothing_is_left(&mut session, &space, 6).await;
                let all = session.copies().await;
                let there: usize = all.split(' ').map(|count| count.parse::<usize>().unwrap()).sum();
                assert!((copies.0..=copies.1).contains(&there), "{name}: {all}");
                empty(&mut session).await;
                most = most.max(polls);
                if ended {
                    break;
                }
            }
            assert!(ended && most >= 1, "{kind}: {request} was dropped in the middle, and ended after {most} polls");
        }
        store.close().await;
    }
    pool.close().await;
    nothing_is_left(&mut session, &space, 0).await;
}

/// IN-15: enqueuing in a transaction, dropped after k polls: with its connection the transaction goes, and the job.
#[tokio::test]
async fn an_enqueuing_in_a_transaction_can_be_dropped() {
    let space = Space::of_jobs().await;
    let mut session = space.session().await;
    let url = format!("{}&application_name={}", space.url(), space.name());
    let jobs = space.jobs().await;
    let mut ended = false;
    for polls in 0..100 {
        let mut connection = PgConnection::connect(&url).await.unwrap();
        connection.execute("BEGIN").await.unwrap();
        ended = dropped_after(polls, jobs.enqueue_in(&mut connection, &[job("a")], None)).await;
        drop(connection);
        nothing_is_left(&mut session, &space, 0).await;
        assert_eq!(session.copies().await, "0 0 0 0");
        if ended {
            break;
        }
    }
    assert!(ended);
    jobs.enqueue(&[job("a")], None).await.unwrap();
    let asked = take();
    let taken = received(&jobs, &asked).await.jobs.remove(0);
    assert!(jobs.settle(&holder(&asked, &taken), &ACK).await.unwrap().is_yes());
}
