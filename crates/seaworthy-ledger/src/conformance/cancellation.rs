use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use seaworthy_store::{StoreError, limit};
use tokio::task::JoinSet;

use crate::held_answer::Held;
use crate::record::EntryState;
use crate::store::{Answer, Attempt, Holder, LedgerStore, Renewal, Settlement, StepKept};

use super::Subject;
use super::case::{Case, LONG, ask, done, failed, named, released};
use super::retention::expired;

/// What was sent before its future was dropped has been carried out by then, or never is.
const SETTLED: Duration = Duration::from_millis(200);
const MOST_POLLS: usize = 500;
const STEP: Bytes = Bytes::from_static(b"step");
const ANSWER: Duration = Duration::from_secs(30);

/// IN-15: each future may be dropped after any number of polls: what it asked for has happened or has not, whoever asks
/// again gets the right answer, and no lock and no connection is left behind.
///
/// # Panics
/// If it does not hold.
pub async fn dropped_anywhere<S: Subject>(subject: &S) {
    let case = Case::of(subject, "IN-15").await;
    let claims = drop_claims(&case).await;
    let renewals = drop_each(&case, &Asked::Renewal).await;
    let mut settled = Vec::new();
    for end in [done("result"), Settlement::FailedForGood { reason: "no".into(), keep: None }, failed("no"), released()]
    {
        let holders = drop_each(&case, &Asked::Settlement(end.clone())).await;
        settled.push((end, holders));
    }
    let looked = drop_each(&case, &Asked::Look).await;
    let stepped = drop_each(&case, &Asked::Step).await;
    let swept = expired(&case, 8).await;
    drop_sweeps(&case).await;
    case.pass(SETTLED).await;

    everybody_is_answered(&case).await;
    for (attempt, was_granted) in claims {
        let fence = case.lookup(&attempt.key).await.map_or(0, |entry| entry.fence);
        case.check("the fence after a claim that was dropped", fence, fence == 1 || (fence == 0 && !was_granted));
        let again = Attempt { owner: attempt.owner.wrapping_add(1), ..attempt.clone() };
        let held = case.granted("the same claim again", &again, fence + 1, 1).await;
        case.busy("a claim of somebody else", &ask(&attempt.key)).await;
        case.settled(&held, &done("result")).await;
    }
    for holder in renewals.iter().chain(&looked) {
        case.expect("a renewal after one was dropped", case.renew(holder, LONG).await, Renewal::Renewed);
        case.settled(holder, &done("result")).await;
    }
    for (end, holders) in &settled {
        for holder in holders {
            case.expect(&format!("{end:?} after it was dropped"), case.settle(holder, end).await, Held::Yes);
            let entry = case.entry(&holder.key).await;
            let grants = u32::from(*end != released());
            case.expect(&format!("grants after {end:?}"), (entry.fence, entry.grants), (1, grants));
            match case.claim(&ask(&holder.key)).await {
                Answer::Done(_) => case.expect("the state of what is done", entry.state, EntryState::Done),
                answer => {
                    case.expect("the state of what is not done", entry.state, EntryState::Failed);
                    case.expect("a claim of it", answer, Answer::Granted { fence: 2, grants: grants + 1 });
                }
            }
        }
    }
    for holder in &stepped {
        case.expect("a step after it was dropped", case.keep_step(holder, "a", "step").await, StepKept::Stored(STEP));
    }
    case.sweep(1_000).await;
    for holder in &swept {
        case.expect("what a dropped sweep left is swept", case.lookup(&holder.key).await, None);
    }
}

/// Claims, each dropped one poll later than the one before, and whether it was granted.
async fn drop_claims<S: Subject>(case: &Case<S>) -> Vec<(Attempt, bool)> {
    let mut claims = Vec::new();
    for polls in 0..MOST_POLLS {
        let attempt = ask(&named(&format!("claim {polls}")));
        let ended = polled(case.store.claim(&attempt), polls).await.is_some();
        claims.push((attempt, ended));
        if ended {
            return claims;
        }
    }
    never_ends("claim")
}

async fn drop_sweeps<S: Subject>(case: &Case<S>) {
    for polls in 0..MOST_POLLS {
        if polled(case.store.sweep(2), polls).await.is_some() {
            return;
        }
    }
    never_ends("sweep")
}

/// What is asked of the store for a claim that is held.
#[derive(Debug)]
enum Asked {
    Renewal,
    Settlement(Settlement),
    Look,
    Step,
}

impl Asked {
    /// Whether it ended before it was dropped.
    async fn polled<S: Subject>(&self, case: &Case<S>, holder: &Holder, polls: usize) -> bool {
        let store = &case.store;
        match self {
            Asked::Renewal => polled(store.renew(&[(holder.clone(), LONG)]), polls).await.is_some(),
            Asked::Settlement(end) => polled(store.settle(holder, end), polls).await.is_some(),
            Asked::Step => polled(store.keep_step(holder, "a", &STEP), polls).await.is_some(),
            Asked::Look => {
                let looked = polled(store.lookup(&holder.key), polls).await.is_some();
                let stepped = polled(store.step(&holder.key, "a"), polls).await.is_some();
                looked && stepped && polled(store.stale(), polls).await.is_some()
            }
        }
    }
}

/// For claims that are each held by somebody else, each time dropped one poll later.
async fn drop_each<S: Subject>(case: &Case<S>, asked: &Asked) -> Vec<Holder> {
    let mut holders = Vec::new();
    for polls in 0..MOST_POLLS {
        let holder = case.first(&named(&format!("{asked:?} {polls}"))).await;
        let ended = asked.polled(case, &holder, polls).await;
        holders.push(holder);
        if ended {
            return holders;
        }
    }
    never_ends(&format!("{asked:?}"))
}

fn never_ends(what: &str) -> ! {
    panic!("IN-15: {what}: no answer after {MOST_POLLS} polls");
}

/// Polls up to `times` times, each when it was woken, and then drops it.
async fn polled<T>(future: impl Future<Output = Result<T, StoreError>>, times: usize) -> Option<T> {
    let mut future = pin!(future);
    let mut left = times;
    let answer = poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    });
    match limit::within(ANSWER, "a future to be dropped", async { Ok(answer.await) }).await {
        Ok(Some(Ok(answer))) => Some(answer),
        Ok(None) => None,
        Ok(Some(Err(error))) | Err(error) => panic!("IN-15: after others were dropped: {error}"),
    }
}

/// More than any pool has connections ask at once.
async fn everybody_is_answered<S: Subject>(case: &Case<S>) {
    let mut claims = JoinSet::new();
    for number in 0..64 {
        let store = case.store.clone();
        claims.spawn(async move {
            let attempt = ask(&named(&format!("after {number}")));
            limit::within(ANSWER, "claim", store.claim(&attempt)).await.map_err(|error| error.to_string())
        });
    }
    for answer in claims.join_all().await {
        case.expect(
            "a claim after others were dropped",
            answer,
            Ok::<_, String>(Answer::Granted { fence: 1, grants: 1 }),
        );
    }
}
