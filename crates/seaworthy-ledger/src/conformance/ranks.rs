use crate::held_answer::Held;
use crate::key::Key;
use crate::record::{EntryState, Kept};
use crate::store::{Attempt, Renewal};

use super::Subject;
use super::case::{Case, LONG, ask, done, failed, named};

fn ranked(key: &Key, rank: Option<i64>) -> Attempt {
    Attempt { rank, ..ask(key) }
}

/// LG-27: a running row of a lower rank, or of none, is taken at once, and its holder has lost it; of an equal or a
/// higher one it is busy; and no rank takes what is done.
///
/// # Panics
/// If it does not hold.
pub async fn higher_rank_takes<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LG-27").await;
    let key = named("ranked");
    let mut holder = case.first(&key).await;
    case.busy("none after none", &ranked(&key, None)).await;
    let mut fence = 1;
    for rank in [i64::MIN, -1, 0, 1, 2, i64::MAX] {
        fence += 1;
        let grants = u32::try_from(fence).unwrap_or(u32::MAX);
        let taken = case.granted("a claim of a higher rank", &ranked(&key, Some(rank)), fence, grants).await;
        case.expect("a renewal of a lower rank", case.renew(&holder, LONG).await, Renewal::Lost);
        case.expect("a completion of a lower rank", case.settle(&holder, &done("lost")).await, Held::Lost);
        case.expect("a failure of a lower rank", case.settle(&holder, &failed("lost")).await, Held::Lost);
        case.busy(&format!("rank {rank} after {rank}"), &ranked(&key, Some(rank))).await;
        case.busy(&format!("no rank after {rank}"), &ranked(&key, None)).await;
        if let Some(lower) = rank.checked_sub(1) {
            case.busy(&format!("rank {lower} after {rank}"), &ranked(&key, Some(lower))).await;
        }
        holder = taken;
    }
    let state = case.entry(&key).await.state;
    case.check("the state of the highest", state, matches!(state, EntryState::Running { left } if left > LONG / 2));
    case.expect("a renewal of the highest", case.renew(&holder, LONG).await, Renewal::Renewed);
    case.settled(&holder, &failed("no")).await;
    let lower = case.granted("a lower rank of what failed", &ranked(&key, Some(-5)), 8, 8).await;
    case.let_expire(&lower).await;
    case.granted("no rank of what is stale", &ranked(&key, None), 9, 9).await;
    let last = case.granted("any rank of what has none again", &ranked(&key, Some(i64::MIN)), 10, 10).await;
    case.settled(&last, &done("result")).await;
    let kept = Kept::Result { bytes: "result".into(), content_type: "text/plain".into() };
    case.recorded("the highest rank of what is done", &ranked(&key, Some(i64::MAX)), 10, &kept).await;
}
