//! The retry budget under loom, which tries every interleaving of two threads and more:
//! `RUSTFLAGS="--cfg seaworthy_loom" cargo test --release --test loom_retry`
#![cfg(seaworthy_loom)]
#![allow(clippy::unwrap_used, reason = "a test that finds nothing fails there")]

use std::time::Duration;

use loom::thread;
use seaworthy::RetryBudget;

/// The window has no end: the clock decides nothing, so that every run takes the same turns.
fn budget(ratio: f64, floor: u32) -> RetryBudget {
    RetryBudget::builder().ratio(ratio).window(Duration::MAX).floor(floor).refill_per_second(0).build().unwrap()
}

fn withdraw_all(budget: &RetryBudget) -> u64 {
    std::iter::from_fn(|| budget.withdraw().then_some(())).count() as u64
}

/// RT-08: two threads that each make a request and want a retry get one between them at one in two, and no request is
/// lost.
#[test]
fn deposits_and_withdrawals() {
    loom::model(|| {
        let budget = budget(0.5, 0);
        let other = {
            let budget = budget.clone();
            thread::spawn(move || {
                budget.deposit();
                budget.withdraw()
            })
        };
        budget.deposit();
        let mine = budget.withdraw();
        let granted = u64::from(mine) + u64::from(other.join().unwrap());
        assert!(granted <= 1);
        assert_eq!(granted + withdraw_all(&budget), 1);
    });
}

/// RT-08: what a thread has deposited it can withdraw, whatever others do meanwhile.
#[test]
fn own_deposits() {
    loom::model(|| {
        let budget = budget(1.0, 0);
        let other = {
            let budget = budget.clone();
            thread::spawn(move || {
                budget.deposit();
                budget.balance()
            })
        };
        budget.deposit();
        assert!(budget.withdraw());
        assert!(other.join().unwrap() >= 1);
        assert_eq!(withdraw_all(&budget), 1);
    });
}

/// RT-08: three threads for the two tokens of the floor.
#[test]
fn floor() {
    loom::model(|| {
        let budget = budget(1.0, 2);
        let others: Vec<_> = (0..2)
            .map(|_| {
                let budget = budget.clone();
                thread::spawn(move || budget.withdraw())
            })
            .collect();
        let mut granted = u64::from(budget.withdraw());
        for other in others {
            granted += u64::from(other.join().unwrap());
        }
        assert_eq!((granted, budget.balance()), (2, 0));
    });
}
