use std::collections::HashMap;

use proptest::prelude::*;
use seaworthy_leader::{Epoch, Epochs, FENCE_SQL};

proptest! {
    /// LE-53, LE-54: whatever comes in whatever order, the epochs that are accepted of a name never decrease, and those of
    /// the newest leader always are.
    #[test]
    fn le_53_history_never_decreases(sent in proptest::collection::vec((0..3usize, 0..20u64), 1..200)) {
        let epochs = Epochs::default();
        let names = ["a", "b", "c"];
        let mut newest: HashMap<&str, u64> = HashMap::new();
        for (name, epoch) in sent {
            let name = names[name];
            let before = newest.get(name).copied();
            match epochs.accept(name, Epoch::new(epoch)) {
                Ok(()) => {
                    prop_assert!(before.is_none_or(|before| before <= epoch));
                    newest.insert(name, epoch);
                }
                Err(stale) => {
                    prop_assert!(before.is_some_and(|before| before > epoch));
                    prop_assert_eq!((stale.epoch.get(), Some(stale.newest.get())), (epoch, before));
                }
            }
            prop_assert_eq!(epochs.newest(name).map(Epoch::get), newest.get(name).copied());
        }
    }
}

/// LE-53: the statement compares with `<=`, so that a leader can write twice, and takes the epoch along.
#[test]
fn le_53_statement() {
    assert!(FENCE_SQL.contains("epoch = $2") && FENCE_SQL.ends_with("epoch <= $2"));
    let error = Epochs::default();
    error.accept("a", Epoch::new(2)).unwrap();
    let stale = error.accept("a", Epoch::new(1)).unwrap_err();
    assert_eq!(stale.to_string(), "epoch 1 is over: 2 has come");
}
