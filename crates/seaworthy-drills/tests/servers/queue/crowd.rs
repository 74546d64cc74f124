use std::collections::HashSet;
use std::time::Instant;

use seaworthy_queue::postgres::Postgres;
use seaworthy_queue::store::{Entry, NewJob, Producer, Source, Take};
use tokio::task::JoinSet;

use super::support::{ACK, Space, holder, job, received, take};

/// QU-51: 32 sessions take 10,000 jobs, eight at a time: all of them, each once, and none is left.
#[tokio::test(flavor = "multi_thread")]
async fn each_goes_to_one_of_32_sessions() {
    const JOBS: usize = 10_000;
    let space = Space::of_jobs().await;
    let store = space.builder().connections(32).connect().await.unwrap();
    let jobs = Postgres::new("q", &store);
    let all: Vec<NewJob> = (0..JOBS).map(|number| job(&format!("j{number}"))).collect();
    for some in all.chunks(1_000) {
        assert_eq!(jobs.enqueue(some, None).await.unwrap(), vec![Entry::Accepted; 1_000]);
    }
    let began = Instant::now();
    let mut sessions = JoinSet::new();
    for _ in 0..32 {
        let jobs = jobs.clone();
        sessions.spawn(async move {
            let mut mine = Vec::new();
            loop {
                let asked = Take { room: 8, ..take() };
                let taken = received(&jobs, &asked).await.jobs;
                if taken.is_empty() {
                    return mine;
                }
                for taken in taken {
                    // Some of them are done, too, so that rows go while others look.
                    if mine.len() % 2 == 0 {
                        assert!(jobs.settle(&holder(&asked, &taken), &ACK).await.unwrap().is_yes());
                    }
                    mine.push(taken.id);
                }
            }
        });
    }
    let taken = sessions.join_all().await.concat();
    println!("{JOBS} jobs taken, every second one settled, in {:?}", began.elapsed());
    let distinct: HashSet<_> = taken.iter().collect();
    assert_eq!((taken.len(), distinct.len()), (JOBS, JOBS));
    assert_eq!(space.session().await.number("SELECT count(*) FROM seaworthy_job WHERE state = 0").await, 0);
}

/// QU-02: of many who enqueue the same ids at once, in different orders, each id is accepted from one, and none of them
/// fails: no two wait for each other.
#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_producers_is_accepted() {
    let space = Space::of_jobs().await;
    let store = space.builder().connections(16).connect().await.unwrap();
    let jobs = Postgres::new("q", &store);
    for round in 0..10 {
        let mut producers = JoinSet::new();
        for producer in 0..16 {
            let mut all: Vec<NewJob> = (0..100).map(|number| job(&format!("{round}-{number}"))).collect();
            if producer % 2 == 0 {
                all.reverse();
            }
            all.rotate_left(producer * 7 % 100);
            let jobs = jobs.clone();
            producers.spawn(async move {
                let entries = jobs.enqueue(&all, None).await.unwrap();
                entries.iter().filter(|entry| **entry == Entry::Accepted).count()
            });
        }
        assert_eq!(producers.join_all().await.iter().sum::<usize>(), 100);
    }
    assert_eq!(space.session().await.copies().await, "1000 0 0 0");
}

/// QU-24, QU-51: extensions of many jobs in different orders, takings and settlements at once: nothing fails.
#[tokio::test(flavor = "multi_thread")]
async fn orders_do_not_matter() {
    let space = Space::of_jobs().await;
    let store = space.builder().connections(12).connect().await.unwrap();
    let jobs = Postgres::new("q", &store);
    let all: Vec<NewJob> = (0..200).map(|number| job(&format!("j{number}"))).collect();
    jobs.enqueue(&all, None).await.unwrap();
    let asked = Take { room: 64, ..take() };
    let held: Vec<_> = received(&jobs, &asked).await.jobs.iter().map(|taken| holder(&asked, taken)).collect();
    let mut tasks = JoinSet::new();
    for task in 0..10_usize {
        let (jobs, mut held) = (jobs.clone(), held.clone());
        tasks.spawn(async move {
            if task % 2 == 0 {
                held.reverse();
            }
            held.rotate_left(task * 5);
            for _ in 0..20 {
                let extended = jobs.extend(&held, asked.visibility).await.unwrap();
                assert!(extended.iter().all(|held| held.is_yes()));
                let other = Take { room: 2, ..take() };
                for taken in received(&jobs, &other).await.jobs {
                    assert!(jobs.settle(&holder(&other, &taken), &ACK).await.unwrap().is_yes());
                }
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(space.session().await.copies().await, "0 64 0 0");
}
