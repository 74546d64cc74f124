//! A circuit breaker and its model under random operations: `cargo +nightly fuzz run circuit_breaker`.

#![no_main]

#[allow(dead_code, unused_imports, reason = "what only the tests of the main crate use")]
#[path = "../../tests/suite/model/mod.rs"]
mod model;

use std::time::Duration;

use arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use model::{Config, Op, Open, Share, Step, Watch, Window};
use seaworthy::{OnDrop, Verdict};

const TIMES: [Duration; 10] = [
    Duration::from_nanos(1),
    Duration::from_nanos(11),
    Duration::from_micros(700),
    Duration::from_millis(1),
    Duration::from_millis(100),
    Duration::from_secs(1),
    Duration::from_secs(10),
    Duration::from_secs(31),
    Duration::from_secs(365 * 24 * 3600),
    Duration::MAX,
];
/// More would make the model slow, and find nothing more.
const MOST_OPS: usize = 150;

fuzz_target!(|script: Script| {
    let Script { config, watch, ops } = script;
    if let Err(error) = model::drive(&config, &ops, watch) {
        panic!("{error}");
    }
});

#[derive(Debug)]
struct Script {
    config: Config,
    watch: Watch,
    ops: Vec<Op>,
}

impl Arbitrary<'_> for Script {
    fn arbitrary(u: &mut Unstructured<'_>) -> Result<Script> {
        let config = config(u)?.fit();
        let watch = *u.choose(&[Watch::Exactly, Watch::Closely])?;
        let mut ops = Vec::new();
        while !u.is_empty() && ops.len() < MOST_OPS {
            ops.push(op(u)?);
        }
        Ok(Script { config, watch, ops })
    }
}

fn config(u: &mut Unstructured<'_>) -> Result<Config> {
    Ok(Config {
        consecutive: maybe(u, |u| u.int_in_range(1..=6))?,
        failure_rate: maybe(u, share)?,
        slow_rate: maybe(u, share)?,
        slow_call: maybe(u, time)?,
        window: maybe(u, |u| {
            Ok(if bool(u)? { Window::Calls(u.int_in_range(1..=12)?) } else { Window::Time(time(u)?) })
        })?,
        minimum: maybe(u, |u| u.int_in_range(1..=25))?,
        open: maybe(u, open)?,
        probes: maybe(u, |u| u.int_in_range(1..=5))?,
        successes: maybe(u, |u| u.int_in_range(1..=5))?,
        trials: maybe(u, |u| u.int_in_range(1..=8))?,
        probe_timeout: maybe(u, time)?,
        on_drop: maybe(u, |u| Ok([OnDrop::Ignore, OnDrop::Failure, OnDrop::FailureAfter(time(u)?)][below(u, 3)?]))?,
        observe_only: u.ratio(1, 8)?,
    })
}

fn open(u: &mut Unstructured<'_>) -> Result<Open> {
    Ok(match below(u, 3)? {
        0 => Open::For(time(u)?),
        1 => {
            let base = *u.choose(&[Duration::from_millis(1), Duration::from_secs(1)])?;
            Open::Growing { base, factor: u.int_in_range(1..=3)?, cap: base * u.int_in_range(1..=20)? }
        }
        _ => Open::ThenForEver,
    })
}

fn op(u: &mut Unstructured<'_>) -> Result<Op> {
    Ok(match below(u, 18)? {
        0..=2 => Op::Admit,
        3..=5 => Op::Settle(below(u, 8)?, verdict(u)?),
        6 => Op::Drop(below(u, 8)?),
        7 => Op::Unwind(below(u, 8)?),
        8 => Op::Burst(verdict(u)?, below(u, 13)?),
        9 => Op::Step(Step::By(time(u)?)),
        10 => Op::Step(Step::By(Duration::from_nanos(u.int_in_range(0..=4_000_000_000)?))),
        11 => Op::Step(Step::To(below(u, 6)?, u.int_in_range(-1..=1)?)),
        12 => Op::Look,
        13 => Op::Step(Step::Part(u.int_in_range(0..=22)?)),
        14 => Op::Hold,
        15 => Op::Release(below(u, 4)?, bool(u)?),
        16 => Op::TryProbe,
        _ => [Op::ForceOpen, Op::ForceClosed, Op::Reset][below(u, 3)?].clone(),
    })
}

fn verdict(u: &mut Unstructured<'_>) -> Result<Verdict> {
    u.choose(&[Verdict::Success, Verdict::Failure, Verdict::Throttled, Verdict::Ignored]).copied()
}

fn time(u: &mut Unstructured<'_>) -> Result<Duration> {
    u.choose(&TIMES).copied()
}

fn share(u: &mut Unstructured<'_>) -> Result<Share> {
    let whole = u.int_in_range(1..=12)?;
    Ok(Share(u.int_in_range(1..=whole)?, whole))
}

fn maybe<T>(u: &mut Unstructured<'_>, some: impl FnOnce(&mut Unstructured<'_>) -> Result<T>) -> Result<Option<T>> {
    bool(u)?.then(|| some(u)).transpose()
}

fn bool(u: &mut Unstructured<'_>) -> Result<bool> {
    u.arbitrary()
}

fn below(u: &mut Unstructured<'_>, count: usize) -> Result<usize> {
    u.int_in_range(0..=count - 1)
}
