use std::time::Duration;

use super::Subject;
use super::case::{ACK, Case, PAST, dead, holder, job, retry, take};
use crate::store::{DeadLetters, Entry, Held, Settlement};

/// QU-20 to QU-23: what a settlement does to the attempt, to the deferrals in a row, and when the job is due again.
///
/// # Panics
/// If it does not hold.
pub async fn attempts_are_counted<S: Subject>(subject: &S) {
    let case = Case::of(subject, "QU-22").await;
    case.accept(&[job("a")]).await;
    let after = PAST * 2;
    let steps = [
        (Settlement::Defer { after }, true, 1, true),
        (Settlement::Release, false, 1, true),
        (Settlement::Defer { after: Duration::ZERO }, false, 1, true),
        (retry(after), true, 2, false),
        (Settlement::Release, false, 2, false),
        (retry(Duration::ZERO), false, 3, false),
    ];
    let (mut fence, mut deferred) = (0, None);
    for (settlement, must_wait, attempt, is_deferred) in steps {
        let asked = take();
        let taken = case.one("a job", &asked).await;
        case.check("fences", (fence, taken.fence), fence < taken.fence);
        let settled = case.settle(&holder(&asked, &taken), &settlement).await;
        case.expect(&format!("{settlement:?}"), settled, Held::Yes);
        if must_wait {
            case.none(&format!("at once after {settlement:?}")).await;
            case.pass(after + PAST).await;
        }
        let asked = take();
        let taken = case.one(&format!("after {settlement:?}"), &asked).await;
        case.expect(&format!("the attempt after {settlement:?}"), taken.attempt, attempt);
        case.expect(&format!("a deferral after {settlement:?}"), taken.deferred_for.is_some(), is_deferred);
        case.check("the time since the first deferral", (deferred, taken.deferred_for), {
            deferred.is_none() || taken.deferred_for.is_none() || deferred <= taken.deferred_for
        });
        deferred = taken.deferred_for;
        fence = taken.fence;
        case.expect("giving it back", case.settle(&holder(&asked, &taken), &Settlement::Release).await, Held::Yes);
    }
}

/// QU-01, QU-24: what is done is gone, and its id free, unless it is remembered.
///
/// # Panics
/// If it does not hold.
pub async fn done_is_gone<S: Subject>(subject: &S) {
    let case = Case::of(subject, "QU-24").await;
    case.accept(&[job("a")]).await;
    let asked = take();
    let taken = case.one("a job", &asked).await;
    case.expect("an ack", case.settle(&holder(&asked, &taken), &ACK).await, Held::Yes);
    let depth = case.depth().await;
    case.expect("counts", (depth.ready, depth.later, depth.running, depth.dead), (0, 0, 0, 0));
    case.none("what is done").await;
    case.expect("its id", case.enqueue(&[job("a")]).await, vec![Entry::Accepted]);
}

/// QU-24, QU-26: a delivery is settled once, whichever way; what comes later changes nothing.
///
/// # Panics
/// If it does not hold.
pub async fn settled_once<S: Subject>(subject: &S) {
    let case = Case::of(subject, "QU-24").await;
    let all = [ACK, retry(Duration::ZERO), Settlement::Defer { after: Duration::ZERO }, Settlement::Release, dead("x")];
    for (number, first) in all.iter().enumerate() {
        let name = format!("j{number}");
        case.accept(&[job(&name)]).await;
        let asked = take();
        let taken = case.one("a job", &asked).await;
        let holder = holder(&asked, &taken);
        case.expect(&format!("{first:?}"), case.settle(&holder, first).await, Held::Yes);
        for second in &all {
            let settled = case.settle(&holder, second).await;
            case.expect(&format!("{second:?} after {first:?}"), settled, Held::Lost);
        }
        let depth = case.depth().await;
        let left = depth.ready + depth.later + depth.running + depth.dead;
        case.expect(&format!("copies after {first:?}"), left, u64::from(*first != ACK));
        let again = take();
        if let Some(taken) = case.receive(&again).await.jobs.pop() {
            let settled = case.settle(&super::case::holder(&again, &taken), &ACK).await;
            case.expect("the next owner's ack", settled, Held::Yes);
        }
        case.ask("cleaning up", case.store.discard(&super::case::id(&name))).await;
    }
}
