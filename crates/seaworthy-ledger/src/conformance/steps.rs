use bytes::Bytes;

use crate::record::EntryState;
use crate::store::{Holder, LedgerStore, Settlement, StepKept};

use super::Subject;
use super::case::{BRIEF, Case, PAST, ask, done, failed, named, released};

fn stored(result: &'static str) -> StepKept {
    StepKept::Stored(Bytes::from_static(result.as_bytes()))
}

/// WF-10: a step's result is stored once under its key and name, in any order, and the next claim of the key finds it.
///
/// # Panics
/// If it does not hold.
pub async fn steps_are_stored_once<S: Subject>(subject: &S) {
    let case = Case::of(subject, "WF-10").await;
    let (key, other) = (named("steps"), named("other"));
    case.expect("a step of an unknown key", case.step(&key, "a").await, None::<Bytes>);
    let first = case.first(&key).await;
    let others = case.first(&other).await;
    let names = ["b", "a", "A", "a ", "", "it's \"a\"; -- %_$1", "\u{1f6a2}"];
    for name in names {
        case.expect(&format!("the step {name:?} before it was stored"), case.step(&key, name).await, None::<Bytes>);
        case.expect(&format!("storing {name:?}"), case.keep_step(&first, name, "result").await, stored("result"));
        case.expect(&format!("storing {name:?} again"), case.keep_step(&first, name, "2").await, stored("result"));
    }
    case.expect("a step without bytes", case.keep_step(&first, "empty", "").await, stored(""));
    case.expect("it is stored", case.step(&key, "empty").await, Some(Bytes::new()));
    case.expect("a step of another key", case.step(&other, "a").await, None::<Bytes>);
    case.expect("the same name, another key", case.keep_step(&others, "a", "theirs").await, stored("theirs"));
    for settlement in [failed("no"), released()] {
        let holder = match case.entry(&key).await.state {
            EntryState::Running { .. } => first.clone(),
            _ => case.granted("a claim of what failed", &ask(&key), 2, 2).await,
        };
        case.settled(&holder, &settlement).await;
        for name in names {
            case.expect("a step of what failed", case.step(&key, name).await, Some(Bytes::from_static(b"result")));
        }
    }
    let third = case.granted("a claim of what was released", &ask(&key), 3, 2).await;
    case.expect("a step that was stored by another", case.keep_step(&third, "a", "3").await, stored("result"));
    let bytes: Vec<u8> = (0..=255).cycle().take(64 * 1024).collect();
    let kept = case.store.keep_step(&third, "large", &Bytes::from(bytes.clone())).await;
    case.check("a step of 64 KiB", "other bytes", matches!(kept, Ok(StepKept::Stored(kept)) if kept == bytes));
    case.check("it is stored", "other bytes", case.step(&key, "large").await.is_some_and(|kept| kept == bytes));
}

/// WF-11: who lost the key stores no step, whatever is stored already; a lease that is over and was not taken is no
/// loss.
///
/// # Panics
/// If it does not hold.
pub async fn lost_claim_stores_no_step<S: Subject>(subject: &S) {
    let case = Case::of(subject, "WF-11").await;
    let key = named("lost");
    let first = case.first(&key).await;
    case.expect("a step", case.keep_step(&first, "a", "first").await, stored("first"));
    let stranger = Holder { owner: first.owner ^ 1, ..first.clone() };
    case.expect("a step of a stranger", case.keep_step(&stranger, "b", "stranger").await, StepKept::Lost);
    case.let_expire(&first).await;
    case.expect("a step when the lease is over", case.keep_step(&first, "c", "late").await, stored("late"));
    let second = case.granted("a claim of what is stale", &ask(&key), 2, 2).await;
    for name in ["a", "b"] {
        case.expect("a step of who lost the key", case.keep_step(&first, name, "lost").await, StepKept::Lost);
    }
    case.expect("a step that a stranger wanted", case.step(&key, "b").await, None::<Bytes>);
    case.expect("a step of the holder", case.keep_step(&second, "b", "second").await, stored("second"));
    case.expect("a step that another stored", case.keep_step(&second, "a", "second").await, stored("first"));
    case.settled(&second, &failed("no")).await;
    case.expect("a step of what failed", case.keep_step(&second, "d", "failed").await, StepKept::Lost);
    let third = case.granted("a claim of what failed", &ask(&key), 3, 3).await;
    case.settled(&third, &done("result")).await;
    case.expect("a step of what is done", case.keep_step(&third, "d", "done").await, StepKept::Lost);
    case.expect("no such step", case.step(&key, "d").await, None::<Bytes>);
    let nobody = Holder { key: named("unknown"), ..third };
    case.expect("a step of an unknown key", case.keep_step(&nobody, "a", "nobody").await, StepKept::Lost);
    case.expect("no row was made of it", case.lookup(&nobody.key).await, None);
}

/// WF-15: steps are kept for as long as their row, through its end, and removed with it.
///
/// # Panics
/// If it does not hold.
pub async fn steps_go_with_their_row<S: Subject>(subject: &S) {
    let case = Case::of(subject, "WF-15").await;
    let (key, stays) = (named("goes"), named("stays"));
    for key in [&key, &stays] {
        let holder = case.first(key).await;
        for name in ["a", "b"] {
            case.expect("a step", case.keep_step(&holder, name, "old").await, stored("old"));
        }
        let keep = (holder.key != stays).then_some(BRIEF);
        case.settled(&holder, &Settlement::DoneNotKept { keep }).await;
    }
    case.expect("a step of what is done", case.step(&key, "a").await, Some(Bytes::from_static(b"old")));
    case.pass(PAST).await;
    case.expect("rows removed by a sweep", case.sweep(1_000).await, 1);
    case.expect("a step of what was removed", case.step(&key, "a").await, None::<Bytes>);
    let again = case.first(&key).await;
    case.expect("a step of the next", case.keep_step(&again, "a", "new").await, stored("new"));
    case.expect("another step of the next", case.step(&key, "b").await, None::<Bytes>);
    case.expect("a step of what is kept", case.step(&stays, "b").await, Some(Bytes::from_static(b"old")));
}
