//! The events of a family of handles.

use seaworthy::{Bulkhead, Keyed};

use super::Diary;
use crate::support::{MS, SECOND, advance};

fn family(diary: &Diary) -> Keyed<u32, Bulkhead> {
    Bulkhead::builder("k").observer(diary.clone()).keyed().max(2).idle(SECOND).build().unwrap()
}

/// The events of the family, without those of its handles.
fn told(diary: &Diary) -> Vec<String> {
    diary.take().into_iter().filter(|line| line.starts_with("k ") && !line.starts_with("k (overflow)")).collect()
}

/// ME-18: a family reports its creation, each handle that comes and goes, and why, each look-up without room, and its
/// end.
#[tokio::test(start_paused = true)]
async fn handles_that_come_and_go() {
    let diary = Diary::new(true);
    let keyed = family(&diary);
    assert_eq!(told(&diary), ["k built for 2"]);
    drop(keyed.get(&1));
    drop(keyed.get(&1));
    advance(MS).await;
    assert!(keyed.find(&7).is_none());
    drop(keyed.get(&2));
    assert_eq!(told(&diary), ["k added", "k added"]);
    advance(MS).await;
    drop(keyed.get(&3));
    assert_eq!(told(&diary), ["k evicted 1: Capacity", "k added"]);
    let _held = [keyed.get(&2), keyed.get(&3)];
    // None can be evicted; the family reports once that it is exhausted, and each time that it overflows.
    drop((keyed.get(&4), keyed.get(&5)));
    assert_eq!(told(&diary), ["k exhausted", "k overflowed", "k overflowed"]);
    assert!(keyed.remove(&3).is_some() && keyed.remove(&3).is_none());
    assert_eq!(told(&diary), ["k evicted 1: Removed"]);
    drop(keyed.get(&6));
    assert_eq!(told(&diary), ["k added"]);
    keyed.evict_idle();
    advance(2 * SECOND).await;
    keyed.evict_idle();
    advance(2 * SECOND).await;
    keyed.evict_idle();
    assert_eq!(told(&diary), ["k evicted 1: Idle"]);
    assert_eq!(keyed.len(), 1);
    drop(keyed.clone());
    assert_eq!(told(&diary), [""; 0]);
    drop(keyed);
    assert_eq!(told(&diary), ["k dropped with 1 of 2"]);
}

/// ME-18: an observer that does not want events of calls hears only that there is no room.
#[tokio::test(start_paused = true)]
async fn who_does_not_want_calls() {
    let diary = Diary::new(false);
    let keyed = family(&diary);
    let _held = [keyed.get(&1), keyed.get(&2)];
    drop((keyed.get(&3), keyed.get(&4)));
    keyed.remove(&1);
    drop(keyed);
    assert_eq!(told(&diary), ["k exhausted"]);
}
