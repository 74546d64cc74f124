use std::time::Duration;

use super::Subject;
use super::case::{ACK, BRIEF, Case, LONG, PAST, dead, holder, job, retry, take};
use crate::store::{Held, Holder, Settlement, Take};

/// QU-10, QU-66: an extension moves the end of a lease to one visibility from now and costs nothing; one that is over
/// is not brought back.
///
/// # Panics
/// If it does not hold.
pub async fn extensions_keep<S: Subject>(subject: &S) {
    let case = Case::of(subject, "QU-66").await;
    case.accept(&[job("a")]).await;
    let asked = Take { visibility: PAST * 2, ..take() };
    let taken = case.one("a job", &asked).await;
    let ours = holder(&asked, &taken);
    for _ in 0..3 {
        case.pass(PAST).await;
        case.expect("an extension", case.extend(&ours, PAST * 3).await, Held::Yes);
    }
    case.pass(PAST).await;
    case.none("what is extended").await;
    case.expect("a shorter one", case.extend(&ours, BRIEF).await, Held::Yes);
    case.pass(PAST).await;
    case.expect("one that is too late", case.extend(&ours, LONG).await, Held::Lost);
    let again = case.one("what was not extended", &take()).await;
    case.expect("what it cost", (again.attempt, again.abandoned), (2, 1));
}

/// QU-24, IN-02: each of five operations, four ways to be stale: the delivery is not touched, and its owner settles it.
///
/// # Panics
/// If it does not hold.
pub async fn stale_owners_change_nothing<S: Subject>(subject: &S) {
    let case = Case::of(subject, "QU-24").await;
    case.accept(&[job("a")]).await;
    let first = Take { visibility: BRIEF, ..take() };
    let old = holder(&first, &case.one("a job", &first).await);
    case.pass(PAST).await;
    let second = take();
    let new = holder(&second, &case.one("the next delivery", &second).await);
    let stale = [
        old.clone(),
        Holder { owner: new.owner, ..old.clone() },
        Holder { owner: old.owner, ..new.clone() },
        Holder { fence: new.fence + 1, ..new.clone() },
    ];
    let settlements = [ACK, retry(Duration::ZERO), Settlement::Defer { after: Duration::ZERO }, dead("x")];
    for holder in &stale {
        for settlement in &settlements {
            let settled = case.settle(holder, settlement).await;
            case.expect(&format!("{settlement:?} by {holder:?}"), settled, Held::Lost);
        }
        case.expect(&format!("an extension by {holder:?}"), case.extend(holder, BRIEF).await, Held::Lost);
    }
    case.pass(PAST).await;
    case.none("while the new owner has it").await;
    case.expect("the new owner's ack", case.settle(&new, &ACK).await, Held::Yes);
}
