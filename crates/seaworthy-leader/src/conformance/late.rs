use std::time::Duration;

use super::Subject;
use super::case::{BRIEF, CANDIDATE, Case, LONG, PAST, bid};
use crate::store::{Acquired, LeaseStore, Renewal, RowTime};

/// LE-13: a statement that is begun after the row time that it carries does nothing and says so; one that is begun
/// before is carried out. Every answer tells the row clock, which goes on.
///
/// # Panics
/// If it does not hold.
pub async fn late_statements_do_nothing<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LE-13").await;
    let before = case.clock().await;
    case.pass(PAST).await;
    let after = case.clock().await;
    case.check("the row clock went on", (before, after), after.since(before) >= PAST);
    let (late, soon) = (RowTime(after.0 - 1), after.after(Duration::from_secs(60)));
    let mine = [bid("a"), bid("b")];
    let answers = case.acquire_all(&CANDIDATE, &mine, late).await;
    case.expect("bids that are late", answers, vec![Acquired::Late, Acquired::Late]);
    case.expect("who holds what was asked for too late", case.read(&mine[0].name).await, None);
    let held = case.granted("a bid after it", LONG, &mine[0], 1, 0).await;
    let answers = case.renew_all(std::slice::from_ref(&held), BRIEF, late).await;
    case.expect("a renewal that is late", answers, vec![Renewal::Late]);
    case.pass(PAST).await;
    case.held("a bid after a renewal that was late", &bid("a")).await;
    case.expect("a renewal in time", case.renew_all(&[held], LONG, soon).await, vec![Renewal::Renewed]);
    let answers = case.acquire_all(&CANDIDATE, &mine[1..], soon).await;
    case.expect("a bid in time", answers, vec![Acquired::Granted { epoch: 1, before: 0 }]);
    let answered = case.ask("an acquisition", case.store.acquire(&CANDIDATE, &[bid("a")], soon)).await.at;
    case.check("the row clock of an acquisition", answered, answered >= after && answered <= soon);
    let answered = case.ask("a renewal", case.store.renew(&[], LONG, soon)).await.at;
    case.check("the row clock of a renewal", answered, answered >= after && answered <= soon);
}
