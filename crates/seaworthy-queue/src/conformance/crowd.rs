use std::collections::HashSet;
use std::time::Duration;

use super::Subject;
use super::case::{ACK, Case, holder, job, take};
use crate::store::{QueueStore, Settlement, Take};

/// QU-10, QU-51: of any number of consumers each job goes to one.
///
/// # Panics
/// If it does not hold.
pub async fn each_to_one<S: Subject>(subject: &S, consumers: usize, jobs: usize) {
    let case = Case::of(subject, "QU-10").await;
    let all: Vec<_> = (0..jobs).map(|number| job(&format!("j{number}"))).collect();
    for some in all.chunks(1_000) {
        case.accept(some).await;
    }
    let taken = crowd(&case.store, consumers, |_| ACK).await;
    let distinct: HashSet<_> = taken.iter().collect();
    case.expect("jobs and distinct ones", (taken.len(), distinct.len()), (jobs, jobs));
    case.expect("what is left", case.depth().await, crate::store::Depth::default());
}

/// QU-26: jobs that are put off and come back while many look are not lost and not doubled.
///
/// # Panics
/// If it does not hold.
pub async fn parked_and_promoted<S: Subject>(subject: &S, consumers: usize, jobs: usize) {
    let case = Case::of(subject, "QU-26").await;
    let all: Vec<_> = (0..jobs).map(|number| job(&format!("j{number}"))).collect();
    case.accept(&all).await;
    let defer = |attempt: u64| if attempt < 4 { Settlement::Defer { after: Duration::ZERO } } else { ACK };
    let taken = crowd(&case.store, consumers, defer).await;
    let distinct: HashSet<_> = taken.iter().collect();
    case.expect("deliveries and distinct jobs", (taken.len(), distinct.len()), (jobs * 4, jobs));
    case.expect("what is left", case.depth().await, crate::store::Depth::default());
}

/// All that is taken, until nothing is left, settled by its fence.
async fn crowd<S: QueueStore>(
    store: &S,
    consumers: usize,
    settlement: impl Fn(u64) -> Settlement + Copy + Send + 'static,
) -> Vec<String> {
    let consumers: Vec<_> = (0..consumers)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut all = Vec::new();
                loop {
                    let asked = Take { room: 3, ..take() };
                    let Ok(received) = store.receive(&asked, Duration::ZERO).await else { continue };
                    let is_over = received.jobs.is_empty()
                        && store.depth().await.is_ok_and(|depth| depth.ready + depth.later + depth.running == 0);
                    if is_over {
                        return all;
                    }
                    // So that the others look while these are at work.
                    tokio::task::yield_now().await;
                    for taken in received.jobs {
                        all.push(taken.id.to_string());
                        let settled = store.settle(&holder(&asked, &taken), &settlement(taken.fence)).await;
                        assert!(settled.as_ref().is_ok_and(|held| held.is_yes()), "QU-24: a settlement: {settled:?}");
                    }
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let mut all = Vec::new();
    for consumer in consumers {
        match consumer.await {
            Ok(taken) => all.extend(taken),
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }
    all
}
