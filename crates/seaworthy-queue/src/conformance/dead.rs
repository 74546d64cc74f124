use std::time::Duration;

use super::Subject;
use super::case::{BRIEF, Case, PAST, dead, holder, id, job, take};
use crate::store::{DeadLetters, Take};

async fn with_dead<S: Subject>(subject: &S, number: &'static str, names: &[&str]) -> Case<S> {
    let case = Case::of(subject, number).await;
    for name in names {
        case.accept(&[job(name)]).await;
        let asked = take();
        let taken = case.one("a job", &asked).await;
        let settled = case.settle(&holder(&asked, &taken), &dead(&format!("reason of {name}"))).await;
        case.check("a death", settled, settled.is_yes());
        // So that they are not of one moment.
        case.pass(Duration::from_millis(2)).await;
    }
    case
}

/// QU-40, QU-41: the dead are kept whole, and listed in the order in which they died, page by page.
///
/// # Panics
/// If it does not hold.
pub async fn dead_are_listed<S: Subject>(subject: &S) {
    let case = with_dead(subject, "QU-41", &["c", "a", "b"]).await;
    let page = async |after: Option<&str>, most| {
        let after = after.map(id);
        let page = case.ask("a list", case.store.list(after.as_ref(), most)).await;
        page.iter().map(|job| job.id.to_string()).collect::<Vec<_>>()
    };
    case.expect("the first page", page(None, 2).await, vec!["c".to_owned(), "a".to_owned()]);
    case.expect("the next", page(Some("a"), 2).await, vec!["b".to_owned()]);
    case.expect("after the last", page(Some("b"), 2).await, vec![]);
    let one = case.ask("one of them", case.store.get(&id("a"))).await;
    let shown = one.map(|dead| (dead.body, dead.attempts, dead.reason.to_string(), dead.accepted_at <= dead.died_at));
    case.expect("one of them", shown, Some((job("a").body, 1, "reason of a".to_owned(), true)));
    case.expect("one that is not there", case.ask("one", case.store.get(&id("x"))).await, None);
    case.none("what is dead").await;
}

/// QU-11, QU-41: a job that is redriven is live and not dead, with no attempt made; it says how often that was done,
/// and its fence goes on growing.
///
/// # Panics
/// If it does not hold.
pub async fn dead_are_redriven<S: Subject>(subject: &S) {
    let case = with_dead(subject, "QU-41", &["a", "b"]).await;
    let mut fence = 1;
    for times in ["1", "2"] {
        case.expect("redriving", case.ask("redriving", case.store.redrive(&id("a"))).await, true);
        case.expect("redriving again", case.ask("redriving", case.store.redrive(&id("a"))).await, false);
        case.expect("the dead", case.dead_ids().await, vec!["b".to_owned()]);
        let asked = take();
        let taken = case.one("what was redriven", &asked).await;
        case.expect("its id", taken.id.as_str(), "a");
        let shown = (taken.attempt, taken.abandoned, taken.headers.get("redriven"));
        case.expect("what it has behind it", shown, (1, 0, Some(times)));
        case.check("fences", (fence, taken.fence), fence < taken.fence);
        fence = taken.fence;
        let settled = case.settle(&holder(&asked, &taken), &dead("again")).await;
        case.check("a death", settled, settled.is_yes());
    }
    // Also of one that died because nobody settled it.
    case.expect("redriving", case.ask("redriving", case.store.redrive(&id("a"))).await, true);
    let brief = || Take { visibility: BRIEF, max_deliveries: 2, ..take() };
    for _ in 0..2 {
        fence = case.one("what is abandoned", &brief()).await.fence;
        case.pass(PAST).await;
    }
    case.expect("what was abandoned too often", case.receive(&brief()).await.died, vec![id("a")]);
    case.expect("redriving it", case.ask("redriving", case.store.redrive(&id("a"))).await, true);
    let asked = take();
    let taken = case.one("what was redriven", &asked).await;
    case.check("fences", (fence, taken.fence), fence < taken.fence);
    let settled = case.settle(&holder(&asked, &taken), &dead("at last")).await;
    case.check("a death", settled, settled.is_yes());
    case.expect("discarding", case.ask("discarding", case.store.discard(&id("b"))).await, true);
    case.expect("discarding again", case.ask("discarding", case.store.discard(&id("b"))).await, false);
    case.expect("the dead", case.dead_ids().await, vec!["a".to_owned()]);
}

/// QU-40: nothing dead is removed unless it is too old or too many, and then the oldest.
///
/// # Panics
/// If it does not hold.
pub async fn dead_are_swept<S: Subject>(subject: &S) {
    let case = with_dead(subject, "QU-40", &["c", "a", "b"]).await;
    let sweep = async |keep, most| case.ask("a sweep", case.store.sweep(keep, most)).await;
    case.expect("a sweep of nothing", sweep(None, None).await, 0);
    case.expect("a sweep of what fits", sweep(Some(Duration::from_secs(3_600)), Some(3)).await, 0);
    case.expect("a sweep of one too many", sweep(None, Some(2)).await, 1);
    case.expect("the dead", case.dead_ids().await, vec!["a".to_owned(), "b".to_owned()]);
    case.pass(PAST).await;
    case.expect("a sweep of what is old", sweep(Some(PAST / 2), Some(9)).await, 2);
    case.expect("the dead", case.dead_ids().await, Vec::new());
}
