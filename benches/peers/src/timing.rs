//! Times benches in turn (A B C A B C ..), so that a noisy moment hits all of them.

use std::time::Duration;

use seaworthy_peers::Bench;

/// How often each bench has its turn, and for how long.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    /// Odd, so that the median is one of them.
    rounds: usize,
    turn: Duration,
}

impl Pace {
    /// Turns shorter than a time slice of the scheduler: even on a busy machine most are not interrupted, and the
    /// median comes from those.
    pub(crate) const SHORT: Self = Self { rounds: 201, turn: Duration::from_micros(300) };

    /// For two threads, which have to run at the same time.
    pub(crate) const LONG: Self = Self { rounds: 21, turn: Duration::from_millis(3) };
}

/// Nanoseconds per call of each bench in each round; `None` for a bench that does not exist.
pub(crate) fn interleaved(benches: &mut [Option<Box<dyn Bench>>], pace: Pace) -> Vec<Option<Vec<f64>>> {
    let calls: Vec<u64> = benches
        .iter_mut()
        .map(|bench| bench.as_mut().map_or(0, |bench| calls_a_turn(&mut **bench, pace.turn)))
        .collect();
    let mut rounds: Vec<Option<Vec<f64>>> =
        benches.iter().map(|bench| bench.as_ref().map(|_| Vec::with_capacity(pace.rounds))).collect();
    for _ in 0..pace.rounds {
        for ((bench, calls), rounds) in benches.iter_mut().zip(&calls).zip(&mut rounds) {
            if let (Some(bench), Some(rounds)) = (bench, rounds) {
                rounds.push(bench.time(*calls).as_nanos() as f64 / *calls as f64);
            }
        }
    }
    rounds
}

/// Doubles the calls until they take long enough to measure, which also warms everything up.
fn calls_a_turn(bench: &mut dyn Bench, turn: Duration) -> u64 {
    let mut calls = 16;
    loop {
        // The best of several, because an interrupted one would look long enough.
        let took = (0..3).map(|_| bench.time(calls)).min().unwrap_or_default();
        if took * 4 >= turn {
            let calls = calls as f64 * turn.as_secs_f64() / took.as_secs_f64();
            return (calls as u64).max(1);
        }
        calls *= 2;
    }
}

pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
