use std::time::Duration;

use bytes::Bytes;

use crate::held_answer::Held;
use crate::key::Key;
use crate::record::{EntryState, Kept};
use crate::store::{Attempt, Holder, Settlement};

use super::Subject;
use super::case::{BRIEF, Case, LONG, PAST, ask, done, failed, named};

/// LG-01: a key that is unknown, failed, or running with its lease over is granted, with a fence that grows by one.
///
/// # Panics
/// If it does not hold.
pub async fn free_keys_are_granted<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LG-01").await;
    let key = named("free");
    let first = case.granted("a claim of an unknown key", &ask(&key), 1, 1).await;
    case.settled(&first, &failed("no")).await;
    let second = case.granted("a claim of a failed key", &ask(&key), 2, 2).await;
    case.let_expire(&second).await;
    let brief = Attempt { lease: BRIEF, ..ask(&key) };
    case.granted("a claim of a key whose lease was renewed and is over", &brief, 3, 3).await;
    case.pass(PAST).await;
    let fourth = case.granted("a claim of a key whose lease is over", &ask(&key), 4, 4).await;
    case.busy("a claim of a key that was just granted", &ask(&key)).await;
    case.settled(&fourth, &done("result")).await;
}

/// LG-02: a key whose lease is live is busy until its end by the row clock, and whoever asks changes nothing.
///
/// # Panics
/// If it does not hold.
pub async fn live_lease_is_busy<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LG-02").await;
    let key = named("busy");
    let holder = case.first(&key).await;
    let before = case.busy("a claim of a key that runs", &ask(&key)).await;
    case.check("the time left is at most the lease", before, before <= LONG);
    case.check("the time left of a lease that has just begun", before, before > LONG / 2);
    case.pass(PAST).await;
    let after = case.busy("a claim of a key that runs still", &ask(&key)).await;
    case.check(&format!("the time left 50 ms after it was {before:?}"), after, after + PAST / 2 <= before);
    let entry = case.entry(&key).await;
    case.expect("fence and grants after claims that were refused", (entry.fence, entry.grants), (1, 1));
    case.expect("the holder completes", case.settle(&holder, &done("result")).await, Held::Yes);
}

/// LG-03: a key that is done is answered with its record, the same for everybody: every byte of its result, of none to
/// a megabyte, what it is, its fence, and when it was finished.
///
/// # Panics
/// If it does not hold.
pub async fn done_is_answered_to_everybody<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LG-03").await;
    let every_byte: Vec<u8> = (0..=255).cycle().take(1024 * 1024).collect();
    let results = [
        ("empty", Bytes::new(), ""),
        ("text", Bytes::from_static(b"{\"a\":1}"), "application/json"),
        ("bytes", Bytes::from(every_byte), "text/plain; charset=\"utf-8\"; name='\u{fc}\u{1f6a2}'"),
    ];
    let keep = Some(LONG);
    let mut ends: Vec<_> = results
        .into_iter()
        .map(|(name, bytes, content_type)| {
            let kept = Kept::Result { bytes: bytes.clone(), content_type: content_type.into() };
            (name, Settlement::Done { result: bytes, content_type: content_type.into(), keep }, kept)
        })
        .collect();
    ends.push(("forever", done_forever(), Kept::Result { bytes: "kept".into(), content_type: "text/plain".into() }));
    ends.push(("nothing", Settlement::DoneNotKept { keep }, Kept::Nothing));
    let reason = "it's \"no\": \u{1f6a2}";
    ends.push(("for good", Settlement::FailedForGood { reason: reason.into(), keep }, Kept::Failed(reason.into())));
    for (name, settlement, kept) in ends {
        let key = named(name);
        let holder = case.first(&key).await;
        let started = case.entry(&key).await.started_at;
        case.settled(&holder, &settlement).await;
        let first = case.recorded(name, &ask(&key), 1, &kept).await;
        case.check("finished before it was started", first.finished_at, first.finished_at >= started);
        case.pass(Duration::from_millis(2)).await;
        let same_owner = Attempt { owner: holder.owner.saturating_add(1), ..ask(&key) };
        let with_rank = Attempt { rank: Some(i64::MAX), ..ask(&key) };
        let with_fingerprint = Attempt { fingerprint: Some(Bytes::from_static(b"print")), ..ask(&key) };
        for attempt in [ask(&key), same_owner, with_rank, with_fingerprint] {
            case.expect(name, &case.recorded(name, &attempt, 1, &kept).await, &first);
        }
    }
}

fn done_forever() -> Settlement {
    Settlement::Done { result: "kept".into(), content_type: "text/plain".into(), keep: None }
}

/// LG-12: a claim whose answer was lost is asked for again under the next number, and granted, with a new fence, which
/// alone is good from then on; it is one grant, and not two. An asking that is carried out late, or twice, takes
/// nothing.
///
/// # Panics
/// If it does not hold.
pub async fn lost_answer_is_granted<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LG-12").await;
    let key = named("lost answer");
    for owner in [0, u128::MAX - 2, 1 << 127, 1 << 64, u128::from(u64::MAX) - 2] {
        let attempt = Attempt { owner, ..ask(&key) };
        let fence = case.lookup(&key).await.map_or(0, |entry| entry.fence);
        let grants = case.lookup(&key).await.map_or(0, |entry| entry.grants);
        let lost = case.granted("a claim", &attempt, fence + 1, grants + 1).await;
        let again = Attempt { owner: owner + 1, ..attempt.clone() };
        let held = case.granted("the same claim again", &again, fence + 2, grants + 1).await;
        case.busy("the first asking, late", &attempt).await;
        case.busy("the second asking, a second time", &again).await;
        case.busy("another's asking, of a higher number", &Attempt { owner: owner ^ (1 << 40) | 2, ..ask(&key) }).await;
        case.busy("a claim of somebody else", &ask(&key)).await;
        case.expect("settling with the fence that was lost", case.settle(&lost, &done("lost")).await, Held::Lost);
        case.expect("settling with the new fence", case.settle(&held, &failed("no")).await, Held::Yes);
    }
    let again = Attempt { owner: 7, ..ask(&key) };
    let fence = case.entry(&key).await.fence;
    let holder = Holder { key: key.clone(), fence: fence + 1, owner: again.owner };
    case.granted("a claim of a failed key", &again, fence + 1, 6).await;
    case.settled(&holder, &done("result")).await;
    let kept = Kept::Result { bytes: "result".into(), content_type: "text/plain".into() };
    let later = Attempt { owner: again.owner + 1, ..again };
    case.recorded("the same claim again, after it was done", &later, fence + 1, &kept).await;
}

/// LG-16: keys are told apart by every byte, and by where their scope ends.
///
/// # Panics
/// If it does not hold.
pub async fn keys_are_told_apart<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LG-16").await;
    let longest = ("s".repeat(100), "k".repeat(255));
    let keys = [
        ("a", "bc"),
        ("ab", "c"),
        ("A", "bc"),
        ("a", "BC"),
        ("a", "bc "),
        (" a", "bc"),
        ("a", "%"),
        ("a", "_"),
        ("a", "b'c"),
        ("a", "b\"c"),
        ("a", "b\\c"),
        ("a", "$1"),
        ("a", "\u{e9}"),
        ("a", "e\u{301}"),
        ("a", "\u{1f6a2}"),
        ("a", "1"),
        ("a", "01"),
        ("a", "null"),
        (longest.0.as_str(), longest.1.as_str()),
        (longest.0.as_str(), longest.1.get(1..).unwrap_or_default()),
    ];
    let mut holders = Vec::new();
    for (scope, value) in keys {
        let Ok(key) = Key::new(scope, value) else { panic!("LG-16: {scope:?} and {value:?} are a key") };
        holders.push(case.granted(&format!("the first claim of {scope:?}, {value:?}"), &ask(&key), 1, 1).await);
    }
    for holder in &holders {
        case.busy(&format!("a second claim of {}", holder.key), &ask(&holder.key)).await;
        case.settled(holder, &failed("no")).await;
        case.expect("the state of one that failed", case.entry(&holder.key).await.state, EntryState::Failed);
    }
}
