use crate::held_answer::Held;
use crate::record::{EntryState, Kept};
use crate::store::Settlement;

use super::Subject;
use super::case::{Case, LONG, ask, done, each_settlement, failed, named, released};

/// LG-08: what failed is free at once; its reason and its grants are kept, and the next grant has the next fence.
///
/// # Panics
/// If it does not hold.
pub async fn failed_key_is_free<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LG-08").await;
    let key = named("failed");
    let longest = "\u{20ac}".repeat(341) + "!";
    for (grants, reason) in [(1, "it's \"no\"; -- \u{1f6a2}"), (2, ""), (3, longest.as_str())] {
        let holder = case.granted("a claim of what may be claimed", &ask(&key), u64::from(grants), grants).await;
        case.settled(&holder, &failed(reason)).await;
        let entry = case.entry(&key).await;
        case.expect("the state of what failed", entry.state, EntryState::Failed);
        case.expect("the reason", entry.reason.as_deref(), Some(reason));
        case.expect("fence and grants of what failed", (entry.fence, entry.grants), (u64::from(grants), grants));
    }
    case.granted("the next claim", &ask(&key), 4, 4).await;
    case.expect("the reason while it runs again", case.entry(&key).await.reason, None::<Box<str>>);
}

/// LG-08: what was released is free at once without a reason, and its grant is taken back from the count; the fence
/// grows all the same.
///
/// # Panics
/// If it does not hold.
pub async fn released_key_is_uncounted<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LG-08").await;
    let key = named("released");
    for fence in 1..=3 {
        let holder = case.granted("a claim of what was released", &ask(&key), fence, 1).await;
        case.settled(&holder, &released()).await;
        let entry = case.entry(&key).await;
        case.expect("state and grants of what was released", (entry.state, entry.grants), (EntryState::Failed, 0));
        case.expect("its reason", entry.reason, None::<Box<str>>);
    }
    let fourth = case.granted("a claim of what was released", &ask(&key), 4, 1).await;
    case.settled(&fourth, &failed("no")).await;
    let fifth = case.granted("a claim of what failed", &ask(&key), 5, 2).await;
    case.settled(&fifth, &released()).await;
    case.expect("the reason of what failed before", case.entry(&key).await.reason, None::<Box<str>>);
    case.granted("a claim of what failed once", &ask(&key), 6, 2).await;
}

/// LG-10: the same holder settles twice if the first answer was lost: that is Yes for what is alike in being final or
/// not, Lost else, and the first is what counts.
///
/// # Panics
/// If it does not hold.
pub async fn settled_twice<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LG-10").await;
    let ends = [
        (done("result"), Kept::Result { bytes: "result".into(), content_type: "text/plain".into() }),
        (Settlement::DoneNotKept { keep: Some(LONG) }, Kept::Nothing),
        (Settlement::FailedForGood { reason: "no".into(), keep: Some(LONG) }, Kept::Failed("no".into())),
    ];
    for (number, (end, kept)) in ends.iter().enumerate() {
        let key = named(&format!("final {number}"));
        let holder = case.first(&key).await;
        case.settled(&holder, end).await;
        let record = case.recorded("a claim of what is done", &ask(&key), 1, kept).await;
        for (again, held) in each_settlement().iter().zip([Held::Yes, Held::Yes, Held::Yes, Held::Lost, Held::Lost]) {
            case.expect(&format!("{again:?} after {end:?}"), case.settle(&holder, again).await, held);
            let what = format!("a claim after {again:?} after {end:?}");
            case.expect(&what, &case.recorded(&what, &ask(&key), 1, kept).await, &record);
        }
    }
    for (first, grants, reason) in [(failed("first"), 1, Some("first")), (released(), 0, None)] {
        let key = named(&format!("free {grants}"));
        let holder = case.first(&key).await;
        case.settled(&holder, &first).await;
        let finished = case.entry(&key).await.finished_at;
        for (again, held) in each_settlement().iter().zip([Held::Lost, Held::Lost, Held::Lost, Held::Yes, Held::Yes]) {
            case.expect(&format!("{again:?} after {first:?}"), case.settle(&holder, again).await, held);
            let entry = case.entry(&key).await;
            let what = format!("state and grants after {again:?} after {first:?}");
            case.expect(&what, (entry.state, entry.grants), (EntryState::Failed, grants));
            case.expect("the reason is the first", entry.reason.as_deref(), reason);
            case.expect("it was finished when it was first settled", entry.finished_at, finished);
        }
        case.granted("a claim after it", &ask(&key), 2, grants + 1).await;
    }
}
