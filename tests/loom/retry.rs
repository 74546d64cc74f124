//! The retry budget, in every order, without a bound. The time is paused, and any thread may advance it.

use std::time::Duration;

use loom::thread;
use seaworthy::RetryBudget;

use crate::{advance, with_paused_clock};

fn model(body: impl Fn() + Send + Sync + 'static) {
    with_paused_clock(|| loom::model(body));
}

fn budget(ratio: f64, floor: u32) -> RetryBudget {
    RetryBudget::builder().ratio(ratio).window(WINDOW).floor(floor).refill_per_second(0).build().unwrap()
}

const WINDOW: Duration = Duration::from_secs(10);

fn withdraw_all(budget: &RetryBudget) -> u64 {
    std::iter::from_fn(|| budget.withdraw().then_some(())).count() as u64
}

/// RT-08: two threads that each make a request and want a retry get one between them at a ratio of one half, and no
/// request is lost.
#[test]
fn deposits_and_withdrawals() {
    model(|| {
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

/// RT-08: a thread can withdraw what it has deposited, whatever others do meanwhile.
#[test]
fn own_deposits() {
    model(|| {
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
    model(|| {
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

/// RT-08: requests are made and a retry is wanted just as the bucket's time ends. In any order, no request is counted
/// twice, and all are gone a tenth of the window later.
#[test]
fn buckets_change() {
    model(|| {
        let budget = budget(0.5, 0);
        budget.deposit();
        let course = {
            let budget = budget.clone();
            thread::spawn(move || {
                advance(WINDOW / 10);
                budget.deposit();
                budget.withdraw()
            })
        };
        let others: Vec<_> = [true, false]
            .into_iter()
            .map(|deposits| {
                let budget = budget.clone();
                thread::spawn(move || {
                    if deposits {
                        budget.deposit();
                        return false;
                    }
                    budget.withdraw()
                })
            })
            .collect();
        let mut granted = u64::from(course.join().unwrap());
        for other in others {
            granted += u64::from(other.join().unwrap());
        }
        // Three requests at a ratio of one half.
        assert_eq!(granted + withdraw_all(&budget), 1);
        advance(WINDOW + WINDOW / 10);
        assert_eq!(budget.balance(), 0);
        // A token that was spent is not owed for ever.
        budget.deposit();
        budget.deposit();
        assert_eq!(budget.balance(), 1);
    });
}
