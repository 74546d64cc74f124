use super::Subject;
use super::case::{BRIEF, Case, LONG, PAST, bid};
use crate::store::{Renewal, Tenure};

/// LE-11: a renewal moves the end of the lease to one ttl from now, later or sooner; it is lost if the term or the
/// epoch is not the row's, or there is no row, and has changed nothing then.
///
/// # Panics
/// If it does not hold.
pub async fn renewals_move_the_end<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LE-11").await;
    let held = case.granted("a bid", LONG, &bid("a"), 1, 0).await;
    case.expect("a renewal", case.renew(&held, LONG * 2).await, Renewal::Renewed);
    let left = case.read(&held.name).await.map(|row| row.left);
    case.check("the time left after it", left, left.is_some_and(|left| left > LONG && left <= LONG * 2));
    case.expect("a second renewal", case.renew(&held, LONG).await, Renewal::Renewed);
    let left = case.read(&held.name).await.map(|row| row.left);
    case.check("it does not add up", left, left.is_some_and(|left| left <= LONG));
    let others = [
        Tenure { term: held.term ^ 1, ..held.clone() },
        Tenure { term: held.term ^ (1 << 127), ..held.clone() },
        Tenure { epoch: held.epoch + 1, ..held.clone() },
        Tenure { epoch: held.epoch - 1, ..held.clone() },
    ];
    for other in &others {
        case.expect(&format!("a renewal of {other:?}"), case.renew(other, BRIEF).await, Renewal::Lost);
    }
    let unknown = Tenure { name: "unknown".into(), ..held.clone() };
    case.expect("a renewal without a row", case.renew(&unknown, LONG).await, Renewal::Lost);
    case.pass(PAST).await;
    case.held("a bid after renewals that were lost", &bid("a")).await;
    case.expect("names that only were renewed", case.read(&"unknown".into()).await, None);
    let shown = case.read(&held.name).await.map(|row| (row.holder, row.epoch, row.hint));
    case.expect("what renewing leaves alone", shown, Some(("candidate".into(), 1, Some("hint".into()))));
}

/// LE-12: a lease that is over is never renewed, although nobody took it.
///
/// # Panics
/// If it does not hold.
pub async fn over_leases_are_not_renewed<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LE-12").await;
    let held = case.granted("a bid", BRIEF, &bid("a"), 1, 0).await;
    case.pass(PAST).await;
    case.expect("who holds what is over", case.read(&held.name).await, None);
    for _ in 0..2 {
        case.expect("a renewal of what is over", case.renew(&held, LONG).await, Renewal::Lost);
    }
    case.granted("a bid after it", LONG, &bid("a"), 2, 1).await;
    case.expect("a renewal of what was taken", case.renew(&held, LONG).await, Renewal::Lost);
}

/// LE-14: a release ends the lease at once, for its own term only; it may come twice, and late.
///
/// # Panics
/// If it does not hold.
pub async fn released_is_free<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LE-14").await;
    let held = case.granted("a bid", LONG, &bid("a"), 1, 0).await;
    case.release(&Tenure { term: held.term ^ 1, ..held.clone() }).await;
    case.release(&Tenure { name: "unknown".into(), ..held.clone() }).await;
    case.expect("a renewal after releases by others", case.renew(&held, LONG).await, Renewal::Renewed);
    case.release(&held).await;
    case.expect("who holds what was released", case.read(&held.name).await, None);
    case.expect("a renewal after it was released", case.renew(&held, LONG).await, Renewal::Lost);
    case.release(&held).await;
    let next = case.granted("a bid after it", LONG, &bid("a"), 2, 1).await;
    case.release(&held).await;
    case.expect("a renewal after a late release of another", case.renew(&next, BRIEF).await, Renewal::Renewed);
    case.pass(PAST).await;
    case.release(&next).await;
    case.granted("a bid after a release of what was over", LONG, &bid("a"), 3, 2).await;
}
