use std::sync::Arc;

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::held_answer::Held;
use crate::record::Kept;
use crate::store::{Attempt, LedgerStore, Renewal, StepKept};

use super::Subject;
use super::case::{BRIEF, Case, PAST, ask, done, each_settlement, failed, named, released};

/// LG-10: of a key that was granted to `owners` one after the other, and to one more, the old ones settle, renew and
/// store nothing, at once and in any order, while it runs and when it is done.
///
/// # Panics
/// If it does not hold.
pub async fn stale_owners_change_nothing<S: Subject>(subject: &S, owners: usize) {
    let case = Case::of(subject, "LG-10").await;
    let key = named("taken");
    let mut stale = Vec::new();
    let mut grants = 0;
    for (number, fence) in (0..owners).zip(1..) {
        // Each loses the key in another way: it fails, gives it back, is late, or is outranked by the next.
        let way = number % 50;
        let lease = if way == 2 { BRIEF } else { super::case::LONG };
        let rank = i64::try_from(number).ok();
        let holder = case.granted("a claim", &Attempt { lease, rank, ..ask(&key) }, fence, grants + 1).await;
        match way {
            0 => case.settled(&holder, &failed("no")).await,
            1 => case.settled(&holder, &released()).await,
            2 => case.pass(PAST).await,
            _ => {}
        }
        grants += u32::from(way != 1);
        stale.push(holder);
    }
    let last = u64::try_from(owners).unwrap_or(u64::MAX) + 1;
    let holder = case.granted("the last claim", &Attempt { rank: Some(i64::MAX), ..ask(&key) }, last, grants + 1).await;
    let before = case.entry(&key).await;
    for what in ["while it runs", "when it is done"] {
        let begin = Arc::new(Barrier::new(owners));
        let mut settlings = JoinSet::new();
        for (number, owner) in stale.iter().enumerate() {
            let (store, owner, begin) = (case.store.clone(), owner.clone(), Arc::clone(&begin));
            settlings.spawn(async move {
                let settlements = each_settlement();
                begin.wait().await;
                match settlements.get(number % settlements.len()) {
                    Some(settlement) => store.settle(&owner, settlement).await.map_err(|error| error.to_string()),
                    None => Err("the suite has no settlements".to_owned()),
                }
            });
        }
        for held in settlings.join_all().await {
            case.expect(&format!("settling as a stale owner {what}"), held, Ok::<_, String>(Held::Lost));
        }
        for some in stale.chunks(500) {
            let leases: Vec<_> = some.iter().map(|owner| (owner.clone(), BRIEF)).collect();
            let lost = vec![Renewal::Lost; leases.len()];
            case.expect(&format!("renewing as stale owners {what}"), case.renew_all(&leases).await, lost);
        }
        for owner in stale.iter().take(3) {
            case.expect("a step of a stale owner", case.keep_step(owner, "a", "stale").await, StepKept::Lost);
        }
        let after = case.entry(&key).await;
        case.expect("fence, grants and reason", (after.fence, after.grants, &after.reason), (last, grants + 1, &None));
        if what == "while it runs" {
            case.expect("the start", after.started_at, before.started_at);
            case.busy("a claim of somebody else", &ask(&key)).await;
            case.expect("the holder completes", case.settle(&holder, &done("result")).await, Held::Yes);
        }
    }
    let kept = Kept::Result { bytes: "result".into(), content_type: "text/plain".into() };
    case.recorded("a claim of what the holder completed", &ask(&key), last, &kept).await;
    case.expect("a step of nobody's", case.step(&key, "a").await.is_some(), false);
}
