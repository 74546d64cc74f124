use bytes::Bytes;

use crate::key::Key;
use crate::record::Kept;
use crate::store::{Answer, Attempt, StepKept};

use super::Subject;
use super::case::{Case, ask, done, failed, named};

const LONGEST: &[u8] = &[0xff; 64];

fn with(fingerprint: &'static [u8], key: &Key) -> Attempt {
    Attempt { fingerprint: Some(Bytes::from_static(fingerprint)), ..ask(key) }
}

/// LG-04: a key that is running, stale or done with another fingerprint is a mismatch, for the same owner and for any
/// rank, too; who has none matches everything.
///
/// # Panics
/// If it does not hold.
pub async fn other_fingerprint_mismatches<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LG-04").await;
    let key = named("fingerprint");
    let first = case.granted("a first claim", &with(b"a", &key), 1, 1).await;
    for other in [b"b" as &[u8], b"aa", b"", b"A", LONGEST] {
        case.expect("running, another fingerprint", case.claim(&with(other, &key)).await, Answer::Mismatch);
    }
    let ranked = Attempt { rank: Some(1), ..with(b"b", &key) };
    case.expect("running, another fingerprint, a rank", case.claim(&ranked).await, Answer::Mismatch);
    let same_owner = Attempt { owner: first.owner.saturating_add(1), ..with(b"b", &key) };
    case.expect("running, another fingerprint, same owner", case.claim(&same_owner).await, Answer::Mismatch);
    case.busy("running, the same fingerprint", &with(b"a", &key)).await;
    case.busy("running, no fingerprint", &ask(&key)).await;
    case.let_expire(&first).await;
    case.expect("stale, another fingerprint", case.claim(&with(b"b", &key)).await, Answer::Mismatch);
    let second = case.granted("stale, no fingerprint", &ask(&key), 2, 2).await;
    case.expect("taken without one, another", case.claim(&with(b"b", &key)).await, Answer::Mismatch);
    case.settled(&second, &done("result")).await;
    case.expect("done, another fingerprint", case.claim(&with(b"b", &key)).await, Answer::Mismatch);
    let kept = Kept::Result { bytes: "result".into(), content_type: "text/plain".into() };
    case.recorded("done, the same fingerprint", &with(b"a", &key), 2, &kept).await;
    case.recorded("done, no fingerprint", &ask(&key), 2, &kept).await;
}

/// LG-04: a failed key takes the new fingerprint, and forgets the steps of the old one; a key without a fingerprint
/// takes the first that is granted.
///
/// # Panics
/// If it does not hold.
pub async fn failed_key_takes_fingerprint<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LG-04").await;
    let key = named("failed");
    let first = case.granted("a claim without one", &ask(&key), 1, 1).await;
    case.busy("running without one, one is given", &with(LONGEST, &key)).await;
    let stored = StepKept::Stored("step".into());
    case.expect("a step", case.keep_step(&first, "a", "step").await, stored);
    case.let_expire(&first).await;
    let second = case.granted("stale without one, one is given", &with(LONGEST, &key), 2, 2).await;
    case.expect("a step of a key without one", case.step(&key, "a").await, Some(Bytes::from_static(b"step")));
    case.expect("the one that was taken is compared", case.claim(&with(b"b", &key)).await, Answer::Mismatch);
    case.settled(&second, &failed("no")).await;
    let third = case.granted("failed, without one", &ask(&key), 3, 3).await;
    case.expect("the old one stays", case.claim(&with(b"b", &key)).await, Answer::Mismatch);
    case.settled(&third, &failed("no")).await;
    let fourth = case.granted("failed, the same", &with(LONGEST, &key), 4, 4).await;
    case.expect("a step, after the same", case.step(&key, "a").await, Some(Bytes::from_static(b"step")));
    case.settled(&fourth, &failed("no")).await;
    let fifth = case.granted("failed, another", &with(b"b", &key), 5, 5).await;
    case.expect("a step of another's", case.step(&key, "a").await, None::<Bytes>);
    case.expect("the old one is another now", case.claim(&with(LONGEST, &key)).await, Answer::Mismatch);
    case.busy("the new one is the row's", &with(b"b", &key)).await;
    case.expect("a step again", case.keep_step(&fifth, "a", "new").await, StepKept::Stored("new".into()));
}
