use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use allocation_counter::measure;
use seaworthy_ledger::store::LedgerStore;
use seaworthy_ledger::store::{Answer, Attempt, Holder, Settlement};
use seaworthy_ledger::{Key, Memory};

use super::given::{KEEP, LEASE, attempt, done};

const MAX: usize = 1_000;

/// The memory's futures are ready when they are first polled.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("it waits"),
    }
}

fn claimed_and_completed(store: &Memory, attempt: &Attempt, settlement: &Settlement) {
    let Ok(Answer::Granted { fence, .. }) = ready(store.claim(attempt)) else { panic!("not granted") };
    let holder = Holder { key: attempt.key.clone(), fence, owner: attempt.owner };
    assert!(ready(store.settle(&holder, settlement)).is_ok_and(|held| held.is_yes()));
}

/// LG-61: on the memory store a claim and its completion allocate nothing but the key, which is made by who asks; before
/// the store is full its tables double now and then.
#[test]
fn a_claim_and_its_completion_allocate_the_key_only() {
    let store = Memory::new(MAX).unwrap();
    let settlement = done(Some(KEEP));
    let attempts: Vec<_> = (0..=MAX * 2).map(|number| attempt(number, LEASE)).collect();
    let (first, second) = attempts.split_at(MAX);
    let filling = measure(|| first.iter().for_each(|attempt| claimed_and_completed(&store, attempt, &settlement)));
    assert!((10..30).contains(&filling.count_total), "{filling:?}");
    let Some((one, second)) = second.split_first() else { panic!("more keys than there is room for") };
    claimed_and_completed(&store, one, &settlement);
    let full = measure(|| second.iter().for_each(|attempt| claimed_and_completed(&store, attempt, &settlement)));
    // The keys of the rows that had to go are in `first` still, so that nothing is freed, either.
    assert_eq!((full.count_total, full.count_current), (0, 0), "{full:?}");
    let key = measure(|| drop(black_box(Key::new("test", "key"))));
    assert_eq!(key.count_total, 2, "its text, and the text shared");
}
