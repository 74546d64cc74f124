use std::time::Duration;

use bytes::Bytes;

use crate::record::{Entry, EntryState};
use crate::store::{Attempt, Settlement};

use super::Subject;
use super::case::{BRIEF, Case, LONG, PAST, ask, done, failed, named};

/// LG-17: a lookup tells state, fence, grants, times, reason and the length of the result; none if the key is unknown;
/// and it changes nothing.
///
/// # Panics
/// If it does not hold.
pub async fn lookup_tells<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LG-17").await;
    let key = named("looked up");
    case.expect("a lookup of an unknown key", case.lookup(&key).await, None::<Entry>);
    let first = case.first(&key).await;
    let running = case.entry(&key).await;
    let live = matches!(running.state, EntryState::Running { left } if left > LONG / 2 && left <= LONG);
    case.check("the state of what runs", running.state, live);
    case.expect("fence and grants of what runs", (running.fence, running.grants), (1, 1));
    case.expect("the first start is the first claim", running.started_at, running.first_at);
    let ended = (running.finished_at, &running.reason, running.result_len);
    case.expect("end, reason and result of what runs", ended, (None, &None, None));

    case.let_expire(&first).await;
    case.expect(
        "the state of what is stale",
        case.entry(&key).await.state,
        EntryState::Running { left: Duration::ZERO },
    );
    case.settled(&first, &failed("no")).await;
    let ended = case.entry(&key).await;
    case.expect("the state of what failed", ended.state, EntryState::Failed);
    let told = (ended.fence, ended.grants, ended.reason.as_deref(), ended.result_len);
    case.expect("what is told of what failed", told, (1, 1, Some("no"), None));
    case.expect("its start", (ended.first_at, ended.started_at), (running.first_at, running.started_at));
    let finished = ended.finished_at;
    case.check("its end", finished, finished.is_some_and(|at| at >= ended.started_at + BRIEF));

    case.pass(PAST).await;
    let second = case.granted("a claim of what was looked up", &ask(&key), 2, 2).await;
    let again = case.entry(&key).await;
    case.expect("the first claim of what runs again", again.first_at, running.first_at);
    case.check("its start", again.started_at, finished.is_some_and(|at| again.started_at >= at + PAST / 2));
    case.expect("end and reason of what runs again", (again.finished_at, &again.reason), (None, &None));
    case.settled(&second, &done("result")).await;
    let told = case.entry(&key).await;
    case.expect("the state of what is done", told.state, EntryState::Done);
    case.expect("its result and reason", (told.result_len, &told.reason), (Some(6), &None));
    case.expect("fence and grants of what is done", (told.fence, told.grants), (2, 2));
    case.check("the end of what is done", told.finished_at, told.finished_at >= Some(told.started_at));

    for (name, settlement, reason, length) in [
        ("nothing", Settlement::DoneNotKept { keep: None }, None, None),
        ("no bytes", done(""), None, Some(0)),
        ("for good", Settlement::FailedForGood { reason: "never".into(), keep: None }, Some("never"), None),
    ] {
        let key = named(name);
        let holder = case.first(&key).await;
        case.settled(&holder, &settlement).await;
        let entry = case.entry(&key).await;
        let told = (entry.state, entry.reason.as_deref(), entry.result_len);
        case.expect(&format!("what is told of {settlement:?}"), told, (EntryState::Done, reason, length));
    }
}

/// LG-17: what runs past its lease is counted, and nothing else is.
///
/// # Panics
/// If it does not hold.
pub async fn stale_rows_are_counted<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LG-17").await;
    case.expect("stale rows of an empty store", case.stale().await, 0);
    let mut holders = Vec::new();
    for number in 0..5 {
        holders.push(case.first(&named(&format!("stale {number}"))).await);
    }
    case.expect("stale rows with five live leases", case.stale().await, 0);
    let brief: Vec<_> = holders.iter().take(3).map(|holder| (holder.clone(), BRIEF)).collect();
    case.renew_all(&brief).await;
    case.pass(PAST).await;
    case.expect("stale rows with three of five leases over", case.stale().await, 3);
    for (holder, settlement) in holders.iter().zip([done("result"), failed("no")]) {
        case.settled(holder, &settlement).await;
    }
    case.expect("stale rows after two were settled", case.stale().await, 1);
    let fingerprint = Some(Bytes::from_static(b"print"));
    let claim = Attempt { fingerprint, ..ask(&named("stale 2")) };
    case.granted("a claim of what is stale", &claim, 2, 2).await;
    case.expect("stale rows after the last was claimed", case.stale().await, 0);
}
