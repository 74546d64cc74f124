use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::Subject;
use super::case::{ACK, Case, PAST, holder, job, take};
use crate::store::{Depth, Producer, Source, Take};

/// What was sent before its future was dropped has been carried out by then, or never is.
const SETTLED: Duration = Duration::from_millis(300);
const MOST_POLLS: usize = 300;

/// IN-15: each future may be dropped after any number of polls: what it asked for has happened or has not, nothing is
/// lost or doubled, and no lock and no connection is left behind.
///
/// # Panics
/// If it does not hold.
pub async fn dropped_anywhere<S: Subject>(subject: &S) {
    let case = Case::of(subject, "IN-15").await;
    let mut jobs = Vec::new();
    for polls in 0..MOST_POLLS {
        let new = job(&format!("j{polls}"));
        let ended = polled(case.store.enqueue(std::slice::from_ref(&new), None), polls).await;
        jobs.push(new);
        if ended {
            break;
        }
    }
    case.pass(SETTLED).await;
    // Unknown whether they are there, and known when they are enqueued again.
    case.enqueue(&jobs).await;
    case.expect("jobs", case.depth().await.ready, u64::try_from(jobs.len()).unwrap_or(0));
    for polls in 0..MOST_POLLS {
        let asked = Take { visibility: PAST, room: 2, ..take() };
        if polled(case.store.receive(&asked, Duration::ZERO), polls).await {
            break;
        }
    }
    case.pass(SETTLED).await;
    let mut settled = 0;
    for polls in 0..MOST_POLLS {
        let asked = Take { visibility: SETTLED, ..take() };
        let Some(taken) = case.receive(&asked).await.jobs.pop() else { break };
        settled += usize::from(polled(case.store.settle(&holder(&asked, &taken), &ACK), polls).await);
    }
    case.check("settlements", settled, settled <= jobs.len());
    case.pass(SETTLED).await;
    case.pass(SETTLED).await;
    let asked = Take { room: 1_000, ..take() };
    for taken in case.receive(&asked).await.jobs {
        let held = case.settle(&holder(&asked, &taken), &ACK).await;
        case.check("an ack of what came back", held, held.is_yes());
    }
    case.expect("what is left", case.depth().await, Depth::default());
}

/// Polls so often, and drops it. Whether it ended before.
async fn polled(future: impl Future, polls: usize) -> bool {
    let mut future = pin!(future);
    for _ in 0..polls {
        let ended = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await;
        if ended {
            return true;
        }
        // So that what it waits for can come.
        tokio::task::yield_now().await;
    }
    false
}
