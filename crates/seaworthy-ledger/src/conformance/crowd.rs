use std::collections::HashSet;
use std::sync::Arc;

use tokio::sync::Barrier;
use tokio::task::{JoinSet, yield_now};

use crate::held_answer::Held;
use crate::key::Key;
use crate::record::EntryState;
use crate::store::{Answer, Holder, LedgerStore, Renewal, Settlement};

use super::Subject;
use super::case::{BRIEF, Case, LONG, PAST, ask, done, failed, named};

const CLAIMERS: usize = 64;

/// IN-07: of 64 claimers of each of `keys` keys one gets it, be the keys fresh, all stale at once, or all failed; no
/// fence is given twice, and the others are busy. Then 16 claim and give back one key as fast as they can, and its
/// fences have neither gap nor repeat.
///
/// # Panics
/// If it does not hold.
pub async fn one_winner<S: Subject>(subject: &S, keys: usize) {
    let case = Case::of(subject, "IN-07").await;
    let names: Vec<Key> = (0..keys).map(|number| named(&format!("key {number}"))).collect();
    let names = Arc::new(names);
    let fresh = crowd(&case.store, &names).await;
    judge(&case, "fresh", &fresh, &names, 1);

    for some in fresh.chunks(500) {
        let leases: Vec<_> = some.iter().map(|holder| (holder.clone(), BRIEF)).collect();
        let renewed = vec![Renewal::Renewed; leases.len()];
        case.expect("a renewal by those who won", case.renew_all(&leases).await, renewed);
    }
    case.pass(PAST).await;
    let stale = crowd(&case.store, &names).await;
    judge(&case, "stale", &stale, &names, 2);
    for holder in &fresh {
        case.expect("a completion of who was stale", case.settle(holder, &done("stale")).await, Held::Lost);
    }

    for holder in &stale {
        case.settled(holder, &failed("no")).await;
    }
    let again = crowd(&case.store, &names).await;
    judge(&case, "failed", &again, &names, 3);
    for holder in &again {
        case.settled(holder, &done("result")).await;
    }
    for name in names.iter() {
        let entry = case.entry(name).await;
        case.expect("state and fence in the end", (entry.state, entry.fence), (EntryState::Done, 3));
    }
    one_key(&case).await;
}

fn judge<S: Subject>(case: &Case<S>, what: &str, winners: &[Holder], names: &[Key], fence: u64) {
    case.expect(&format!("winners of {} {what} keys", names.len()), winners.len(), names.len());
    let won: HashSet<&Key> = winners.iter().map(|holder| &holder.key).collect();
    case.expect(&format!("keys that were won, {what}"), won.len(), names.len());
    for holder in winners {
        case.expect(&format!("the fence of a key, {what}"), holder.fence, fence);
    }
}

/// Everybody asks for every key, each beginning with another.
async fn crowd<L: LedgerStore>(store: &L, names: &Arc<Vec<Key>>) -> Vec<Holder> {
    let begin = Arc::new(Barrier::new(CLAIMERS));
    let mut claimers = JoinSet::new();
    for number in 0..CLAIMERS {
        let (store, names, begin) = (store.clone(), Arc::clone(names), Arc::clone(&begin));
        claimers.spawn(async move {
            let mut won = Vec::new();
            begin.wait().await;
            // Pairs begin with the same, so that each key is met by two at once from the start.
            for name in names.iter().cycle().skip(number / 2 % names.len().max(1)).take(names.len()) {
                let attempt = ask(name);
                match store.claim(&attempt).await {
                    Ok(Answer::Granted { fence, .. }) => {
                        won.push(Holder { key: attempt.key, fence, owner: attempt.owner });
                    }
                    Ok(Answer::Busy { left }) if left <= LONG => {}
                    other => panic!("IN-07: one of 64 claims of a key: expected Granted or Busy, answered {other:?}"),
                }
                yield_now().await;
            }
            won
        });
    }
    claimers.join_all().await.into_iter().flatten().collect()
}

/// Fewer, because each grant is waited for by all.
const CLAIMERS_OF_ONE: usize = 16;
const TIMES: usize = 4;

/// Everybody claims one key until it was granted to them four times.
async fn one_key<S: Subject>(case: &Case<S>) {
    let mut claimers = JoinSet::new();
    for number in 0..CLAIMERS_OF_ONE {
        let store = case.store.clone();
        claimers.spawn(async move {
            let mut fences = Vec::new();
            while fences.len() < TIMES {
                let attempt = ask(&named("one key"));
                let fence = match store.claim(&attempt).await {
                    Ok(Answer::Granted { fence, .. }) => fence,
                    Ok(Answer::Busy { .. }) => {
                        yield_now().await;
                        continue;
                    }
                    other => panic!("IN-07: a claim of a key that is given back: answered {other:?}"),
                };
                fences.push(fence);
                let holder = Holder { key: attempt.key, fence, owner: attempt.owner };
                let end = if number % 2 == 0 { failed("no") } else { Settlement::Released { keep: Some(LONG) } };
                let held = store.settle(&holder, &end).await;
                assert!(matches!(held, Ok(Held::Yes)), "IN-07: giving back what is held: answered {held:?}");
            }
            fences
        });
    }
    let mut fences: Vec<u64> = claimers.join_all().await.into_iter().flatten().collect();
    fences.sort_unstable();
    let all: Vec<u64> = (1..).take(CLAIMERS_OF_ONE * TIMES).collect();
    case.expect("the fences of one key, given back at once", fences, all);
    // Those that were given back are not counted.
    let grants = u32::try_from(CLAIMERS_OF_ONE * TIMES / 2).unwrap_or(u32::MAX);
    case.expect("its grants", case.entry(&named("one key")).await.grants, grants);
}

/// LG-10: of many settlings of one claim that are sent at once, all of the kind of the first say Yes, all others Lost,
/// and what is stored is the first, whichever that was.
///
/// # Panics
/// If it does not hold.
pub async fn settled_at_once<S: Subject>(subject: &S) {
    let case = Case::of(subject, "LG-10").await;
    for round in 0..4 {
        let holder = case.first(&named(&format!("round {round}"))).await;
        let begin = Arc::new(Barrier::new(16));
        let mut settlings = JoinSet::new();
        for number in 0..16 {
            let (store, holder, begin) = (case.store.clone(), holder.clone(), Arc::clone(&begin));
            settlings.spawn(async move {
                let end = if number % 2 == 0 { done("result") } else { Settlement::Released { keep: Some(LONG) } };
                begin.wait().await;
                (number % 2 == 0, store.settle(&holder, &end).await.map_err(|error| error.to_string()))
            });
        }
        let answers = settlings.join_all().await;
        let entry = case.entry(&holder.key).await;
        let is_done = entry.state == EntryState::Done;
        case.expect("grants after one settling of many", entry.grants, u32::from(is_done));
        for (completes, held) in answers {
            let expected = if completes == is_done { Held::Yes } else { Held::Lost };
            let what = format!("completing: {completes}, which was done: {is_done}");
            case.expect(&what, held, Ok::<_, String>(expected));
        }
    }
}
