use std::time::Duration;

use crate::held_answer::Held;
use crate::key::Key;
use crate::record::Kept;
use crate::store::{Holder, Renewal, Settlement, StepKept};

use super::Subject;
use super::case::{BRIEF, Case, LONG, PAST, ask, done, failed, named};

fn ends(keep: Option<Duration>) -> [(&'static str, Settlement); 5] {
    [
        ("done", Settlement::Done { result: "result".into(), content_type: "".into(), keep }),
        ("not kept", Settlement::DoneNotKept { keep }),
        ("failed for good", Settlement::FailedForGood { reason: "no".into(), keep }),
        ("failed", Settlement::Failed { reason: "no".into(), keep }),
        ("released", Settlement::Released { keep }),
    ]
}

/// LG-05: fences start at 1 when retention has removed the row; a holder from before it has lost the key, although the
/// fence is the same.
///
/// # Panics
/// If it does not hold.
pub async fn fences_start_again<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LG-05").await;
    let mut before = Vec::new();
    for (name, settlement) in ends(Some(BRIEF)) {
        let key = named(name);
        let first = case.first(&key).await;
        case.settled(&first, &failed("no")).await;
        let second = case.granted("a second claim", &ask(&key), 2, 2).await;
        case.settled(&second, &settlement).await;
        before.push((first, second));
    }
    case.pass(PAST).await;
    case.expect("rows removed by a sweep", case.sweep(1_000).await, 5);
    for (first, second) in &before {
        case.expect("a lookup of what was removed", case.lookup(&first.key).await, None);
        case.expect("settling what was removed", case.settle(second, &done("lost")).await, Held::Lost);
        case.expect("renewing what was removed", case.renew(second, LONG).await, Renewal::Lost);
        let again = case.granted("a claim of what was removed", &ask(&first.key), 1, 1).await;
        case.expect("settling with the old owner, the same fence", case.settle(first, &done("lost")).await, Held::Lost);
        case.expect("renewing with the old owner, the same fence", case.renew(first, LONG).await, Renewal::Lost);
        let step = case.keep_step(first, "a", "lost").await;
        case.expect("a step of the old owner, the same fence", step, StepKept::Lost);
        case.settled(&again, &done("new")).await;
        let kept = Kept::Result { bytes: "new".into(), content_type: "text/plain".into() };
        case.recorded("a claim of what is done again", &ask(&first.key), 1, &kept).await;
    }
}

/// LG-18: a sweep removes what was done or failed and kept for long enough, oldest first, no more than it is asked for;
/// never what is to be kept, and never what runs, however old.
///
/// # Panics
/// If it does not hold.
pub async fn sweep_removes_what_is_over<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LG-18").await;
    case.expect("rows removed from an empty store", case.sweep(1_000).await, 0);
    let mut kept = Vec::new();
    for (keep, span) in [(Some(LONG), "a day"), (None, "for ever"), (Some(LONG * 3_650), "ten years")] {
        for (name, settlement) in ends(keep) {
            let holder = case.first(&named(&format!("{name}, kept {span}"))).await;
            case.settled(&holder, &settlement).await;
            kept.push(holder);
        }
    }
    // Was to be removed, and was claimed again.
    let again = case.first(&named("again")).await;
    case.settled(&again, &Settlement::Failed { reason: "no".into(), keep: Some(BRIEF) }).await;
    let again = case.granted("a claim of what failed", &ask(&again.key), 2, 2).await;
    // Was kept for a short time, and is kept for a long one.
    let longer = case.first(&named("longer")).await;
    case.settled(&longer, &Settlement::Failed { reason: "no".into(), keep: Some(BRIEF) }).await;
    let longer = case.granted("a claim of what failed", &ask(&longer.key), 2, 2).await;
    case.settled(&longer, &done("result")).await;
    let stale = case.first(&named("stale")).await;
    case.expect("a renewal", case.renew(&stale, BRIEF).await, Renewal::Renewed);
    let mut over = Vec::new();
    for (name, settlement) in ends(Some(BRIEF)) {
        let holder = case.first(&named(name)).await;
        case.settled(&holder, &settlement).await;
        over.push(holder);
        case.pass(Duration::from_millis(2)).await;
    }
    case.pass(PAST).await;
    // The first two, then the next, then what is left.
    for (most, removed, left) in [(0, 0, 5), (2, 2, 3), (1, 1, 2), (1_000, 2, 0), (1_000, 0, 0)] {
        case.expect(&format!("rows removed by a sweep of {most}"), case.sweep(most).await, removed);
        for (number, holder) in over.iter().enumerate() {
            let there = case.lookup(&holder.key).await.is_some();
            let expected = number >= over.len() - left;
            case.expect(&format!("number {number}, oldest first, is there after a sweep of {most}"), there, expected);
        }
    }
    kept.extend([again.clone(), longer.clone(), stale.clone()]);
    for holder in &kept {
        case.expect("the fence of what is kept", fence(&case, &holder.key).await, Some(holder.fence));
    }
    // What was stale for the sweep is settled as ever.
    for holder in [again, stale] {
        case.expect("settling what was passed over", case.settle(&holder, &done("result")).await, Held::Yes);
    }
}

async fn fence<S: Subject>(case: &Case<S>, key: &Key) -> Option<u64> {
    case.lookup(key).await.map(|entry| entry.fence)
}

/// What is over, for others to sweep.
pub(super) async fn expired<S: Subject>(case: &Case<S>, count: usize) -> Vec<Holder> {
    let mut holders = Vec::new();
    for number in 0..count {
        let holder = case.first(&named(&format!("expired {number}"))).await;
        case.settled(&holder, &Settlement::DoneNotKept { keep: Some(BRIEF) }).await;
        holders.push(holder);
    }
    case.pass(PAST).await;
    holders
}
