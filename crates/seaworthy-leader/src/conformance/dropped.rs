use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use super::Subject;
use super::case::{CANDIDATE, Case, LONG, WHENEVER, bid};
use crate::store::{Acquired, LeaseStore, Renewal};

/// What was sent before its future was dropped has been carried out by then, or never is.
const SETTLED: Duration = Duration::from_millis(200);
const MOST_POLLS: usize = 500;

/// IN-15: each future may be dropped after any number of polls: what it asked for has happened or has not, whoever asks
/// again gets the right answer, and no lock and no connection is left behind.
///
/// # Panics
/// If it does not hold.
pub async fn dropped_anywhere<S: Subject>(subject: &S) {
    let case = Case::of(subject, "IN-15").await;
    let mut bids = Vec::new();
    for polls in 0..MOST_POLLS {
        let mine = [bid(&format!("bid {polls}"))];
        let ended = polled(case.store.acquire(&CANDIDATE, &mine, WHENEVER), polls).await;
        bids.extend(mine);
        if ended {
            break;
        }
    }
    let mut held = Vec::new();
    for polls in 0..MOST_POLLS {
        let tenure = case.granted("a bid", LONG, &bid(&format!("renewal {polls}")), 1, 0).await;
        let ended = polled(case.store.renew(std::slice::from_ref(&tenure), LONG, WHENEVER), polls).await;
        held.push(tenure);
        if ended {
            break;
        }
    }
    let mut released = Vec::new();
    for polls in 0..MOST_POLLS {
        let tenure = case.granted("a bid", LONG, &bid(&format!("release {polls}")), 1, 0).await;
        let ended = polled(case.store.release(&tenure.name, tenure.term), polls).await;
        released.push(tenure);
        if ended || polled(case.store.read(&[]), polls).await {
            break;
        }
    }
    case.pass(SETTLED).await;
    for mine in bids {
        let epoch = case.read(&mine.name).await.map_or(0, |row| row.epoch);
        case.check("the epoch after a bid that was dropped", epoch, epoch <= 1);
        let again = case.acquire(LONG, &mine).await;
        case.expect("the same bid again", again, Acquired::Granted { epoch: epoch + 1, before: epoch });
    }
    for tenure in held {
        case.expect("a renewal after one was dropped", case.renew(&tenure, LONG).await, Renewal::Renewed);
    }
    for tenure in released {
        case.release(&tenure).await;
        case.granted("a bid after releases", LONG, &bid(&tenure.name), 2, 1).await;
    }
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
