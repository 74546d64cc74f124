use seaworthy::Name;

use super::Subject;
use super::case::{BRIEF, CANDIDATE, Case, LONG, PAST, WHENEVER, bid};
use crate::store::{Acquired, Bid, Candidate, Renewal};

/// LE-10: a lease that nobody had, that was given back, or that is over is granted.
///
/// # Panics
/// If it does not hold.
pub async fn free_leases_are_granted<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LE-10").await;
    let first = case.granted("a bid without a row", LONG, &bid("a"), 1, 0).await;
    case.release(&first).await;
    let second = case.granted("a bid for what was given back", BRIEF, &bid("a"), 2, 1).await;
    case.pass(PAST).await;
    let third = case.granted("a bid for what is over", LONG, &bid("a"), 3, 2).await;
    case.expect("a renewal of what was over and taken", case.renew(&second, LONG).await, Renewal::Lost);
    case.expect("a renewal by who took it", case.renew(&third, BRIEF).await, Renewal::Renewed);
    case.pass(PAST).await;
    case.granted("a bid for what was renewed and is over", LONG, &bid("a"), 4, 3).await;
    case.held("a bid for what was just granted", &bid("a")).await;
}

/// LE-02: a live lease is its holder's, whoever asks, and asking changes nothing. LE-08: who asks sees holder, epoch,
/// hint, and the time to the end.
///
/// # Panics
/// If it does not hold.
pub async fn live_leases_are_held<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LE-02").await;
    let (name, mine) = (Name::from("a"), bid("a"));
    let candidate = Candidate { holder: "host-7-deadbeef", hint: Some("10.0.0.7:8080 \u{1f6a2} 'it\"s'"), ttl: LONG };
    let granted = case.acquire_all(&candidate, std::slice::from_ref(&mine), WHENEVER).await;
    case.expect("a bid without a row", granted, vec![Acquired::Granted { epoch: 1, before: 0 }]);
    for seen in [0, 1, u64::from(u32::MAX)] {
        let row = case.held("a bid for what is held", &Bid { seen, ..bid("a") }).await;
        let shown = (&*row.holder, row.epoch, row.hint.as_deref());
        case.expect("what is seen of it", shown, (candidate.holder, 1, candidate.hint));
        case.check("the time left", row.left, row.left <= LONG && row.left > LONG / 2);
    }
    let before = case.read(&name).await.map(|row| row.left);
    case.pass(PAST).await;
    let after = case.read(&name).await.map(|row| row.left);
    case.check("the time left runs down", (before, after), after.zip(before).is_some_and(|(a, b)| a + PAST <= b));
    case.expect("names that nobody holds", case.read(&Name::from("b")).await, None);
    case.held("a bid after all that", &bid("a")).await;
    let no_hint = Candidate { hint: None, ..CANDIDATE };
    case.acquire_all(&no_hint, &[bid("b")], WHENEVER).await;
    let hint = case.read(&Name::from("b")).await.map(|row| row.hint);
    case.expect("the hint of who has none", hint, Some(None));
}

/// LE-03: each epoch is greater than every earlier one, after a release, too; LE-07: and than what the candidate has
/// seen, so that a row that went back is put right.
///
/// # Panics
/// If it does not hold.
pub async fn epochs_grow<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LE-03").await;
    let mut epoch = 0;
    for seen in [0, 0, 40, 7, 40, 41, 1 << 40] {
        let before = epoch;
        epoch = before.max(seen) + 1;
        let held = case.granted("a bid above both", LONG, &Bid { seen, ..bid("a") }, epoch, before).await;
        case.expect("renewing keeps it", case.renew(&held, LONG).await, Renewal::Renewed);
        let row = case.read(&held.name).await.map(|row| row.epoch);
        case.expect("the epoch of the row", row, Some(epoch));
        case.release(&held).await;
    }
    case.granted("a bid for another name", LONG, &bid("b"), 1, 0).await;
}

/// LE-15: a bid whose answer was lost is granted again, with a new epoch, which alone is good from then on.
///
/// # Panics
/// If it does not hold.
pub async fn lost_answers_are_granted<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LE-15").await;
    for term in [1, u128::MAX, 1 << 127, 1 << 64, u128::from(u64::MAX)] {
        let mine = Bid { term, ..bid(&format!("term {term}")) };
        let lost = case.granted("a bid", LONG, &mine, 1, 0).await;
        let held = case.granted("the same bid again", LONG, &mine, 2, 1).await;
        case.held("somebody else's bid", &bid(&mine.name)).await;
        case.expect("a renewal with the epoch that was lost", case.renew(&lost, LONG).await, Renewal::Lost);
        case.expect("a renewal with the new one", case.renew(&held, LONG).await, Renewal::Renewed);
    }
}

/// LE-08: names are told apart by every byte.
///
/// # Panics
/// If it does not hold.
pub async fn names_are_told_apart<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LE-08").await;
    let (longest, almost) = ("n".repeat(100), "n".repeat(99));
    let names = [
        "a",
        "A",
        "a ",
        " a",
        "%",
        "_",
        "b'c",
        "b\"c",
        "b\\c",
        "$1",
        "?1",
        "\u{e9}",
        "e\u{301}",
        "\u{1f6a2}",
        "1",
        "01",
        "null",
        &longest,
        &almost,
    ];
    let mut held = Vec::new();
    for name in names {
        held.push(case.granted(&format!("the first bid for {name:?}"), LONG, &bid(name), 1, 0).await);
    }
    for tenure in &held {
        case.held("a second bid", &bid(&tenure.name)).await;
        case.expect("a renewal", case.renew(tenure, LONG).await, Renewal::Renewed);
    }
}
