use std::time::Duration;

use proptest::prelude::*;
use seaworthy::RetryBudget;

use crate::support::advance;

/// What can happen to a budget.
#[derive(Clone, Copy, Debug)]
enum Step {
    Requests(u32),
    Retries(u32),
    Pass(Duration),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (1..40_u32).prop_map(Step::Requests),
        3 => (1..12_u32).prop_map(Step::Retries),
        2 => (1..1_500_u64).prop_map(|ms| Step::Pass(Duration::from_millis(ms))),
        1 => (1..30_000_u64).prop_map(|ms| Step::Pass(Duration::from_millis(ms))),
        1 => (1..3_000_000_000_u64).prop_map(|ns| Step::Pass(Duration::from_nanos(ns))),
    ];
    proptest::collection::vec(step, 1..80)
}

/// Everything that ever happened, and when, in nanoseconds.
#[derive(Default)]
struct Ledger {
    now: u128,
    requests: Vec<u128>,
    retries: Vec<u128>,
}

impl Ledger {
    fn since(times: &[u128], from: Option<u128>) -> u128 {
        times.iter().filter(|time| from.is_none_or(|from| **time > from)).count() as u128
    }

    /// How many happened within the last `span`, its beginning excluded; all, if less time has passed.
    fn last(&self, span: u128) -> (u128, u128) {
        let from = self.now.checked_sub(span);
        (Ledger::since(&self.requests, from), Ledger::since(&self.retries, from))
    }
}

const WINDOW: u128 = 10_000_000_000;

proptest! {
    /// RT-08: at every step of every sequence, retries are at most the ratio's share of requests, plus the floor: since
    /// the beginning, and over the window. And a retry that was paid for takes place.
    #[test]
    fn never_overdrawn((parts, whole) in (1..=60_u32).prop_flat_map(|whole| (1..=whole, Just(whole))),
                       floor in prop_oneof![Just(0_u32), 1..12_u32],
                       refill in prop_oneof![Just(0_u32), 1..20_u32],
                       steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let budget = RetryBudget::builder()
                .ratio(f64::from(parts) / f64::from(whole))
                .window(Duration::from_nanos(WINDOW as u64))
                .floor(floor)
                .refill_per_second(refill)
                .build()
                .unwrap();
            let (parts, whole) = (u128::from(parts), u128::from(whole));
            // The most that the floor can have given in a time, if it was full at its beginning.
            let floor_gives = |span: u128| u128::from(floor) + u128::from(if floor == 0 { 0 } else { refill }) * span / 1_000_000_000;
            let mut ledger = Ledger::default();
            for step in steps {
                match step {
                    Step::Pass(time) => {
                        advance(time).await;
                        ledger.now += time.as_nanos();
                    }
                    Step::Requests(count) => for _ in 0..count {
                        budget.deposit();
                        ledger.requests.push(ledger.now);
                    },
                    Step::Retries(count) => for _ in 0..count {
                        let balance = budget.balance();
                        let granted = budget.withdraw();
                        prop_assert_eq!(granted, balance > 0);
                        prop_assert_eq!(budget.balance(), balance - u64::from(granted));
                        if !granted {
                            // What the window's requests pay for is never refused, even if none of its retries came
                            // from the floor.
                            let (requests, _) = ledger.last(WINDOW);
                            let (_, retries) = ledger.last(WINDOW + WINDOW / 10);
                            prop_assert!((retries + 1) * whole > requests * parts);
                            continue;
                        }
                        ledger.retries.push(ledger.now);
                        let ever = (ledger.requests.len() as u128, ledger.retries.len() as u128);
                        prop_assert!((ever.1 - floor_gives(ledger.now).min(ever.1)) * whole <= ever.0 * parts);
                        // A request is gone a tenth of the window after it, and a retry counts for the window.
                        if floor == 0 {
                            let (requests, _) = ledger.last(WINDOW + WINDOW / 10);
                            let (_, retries) = ledger.last(WINDOW);
                            prop_assert!(retries * whole <= requests * parts);
                        }
                    },
                }
            }
            // After the window and a tenth, only the floor is left.
            advance(Duration::from_secs(11)).await;
            prop_assert!(budget.balance() <= u64::from(floor));
            Ok(())
        })?;
    }
}
