use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::MapAccess;

use super::backoff::BackoffTable;
use super::{broken, count, rule, set};
use crate::circuit_breaker::CircuitBreakerBuilder;
use crate::data::agree::Agree;
use crate::data::leaf::{Either, Flag, Number, TableOr, Time};
use crate::data::path::Path;
use crate::data::table::{Fill, Table};
use crate::error::check::{Most, ratio_flaw};
use crate::machine::circuit_breaker::body_scope::{BodyRules, Early};
use crate::machine::circuit_breaker::settings::OnDrop;

pub(super) struct CircuitBreakerTable {
    pub(super) builder: CircuitBreakerBuilder,
    /// What was set so far. Anything that is not a count is zero.
    pub(super) given: BTreeMap<&'static str, u32>,
    pub(super) bodies: BodyRules,
}

impl CircuitBreakerTable {
    /// The rule that `key` breaks, given what was set before it.
    fn broken(&self, key: &str, count: u32) -> Option<&'static str> {
        let has = |key| self.given.contains_key(key);
        let below = |key| self.given.get(key).is_some_and(|given| *given < count);
        let above = |key| self.given.get(key).is_some_and(|given| *given > count);
        match key {
            "open_for" if has("open_backoff") => Some("must not be set together with `open_backoff`"),
            "open_backoff" if has("open_for") => Some("must not be set together with `open_for`"),
            "count_window" if has("time_window") => Some("must not be set together with `time_window`"),
            "time_window" if has("count_window") => Some("must not be set together with `count_window`"),
            "count_window" if above("minimum_calls") => Some("must not be less than `minimum_calls`"),
            "minimum_calls" if below("count_window") => Some("must not be greater than the count window"),
            "max_concurrent_probes" | "success_threshold" if below("max_trials") => {
                Some("must not be greater than `max_trials`")
            }
            "max_trials" if above("max_concurrent_probes") => Some("must not be less than `max_concurrent_probes`"),
            "max_trials" if above("success_threshold") => Some("must not be less than `success_threshold`"),
            _ => None,
        }
    }
}

impl Table for CircuitBreakerTable {
    const KEYS: &'static [&'static str] = &[
        "consecutive_failures",
        "failure_rate",
        "slow_rate",
        "slow_call",
        "count_window",
        "time_window",
        "minimum_calls",
        "open_for",
        "open_backoff",
        "max_concurrent_probes",
        "success_threshold",
        "max_trials",
        "probe_timeout",
        "on_drop",
        "on_deadline",
        "observe_only",
        #[cfg(feature = "http")]
        "until_body_end",
        #[cfg(feature = "http")]
        "settle_early",
        #[cfg(feature = "http")]
        "on_body_drop",
    ];

    fn read<'de, M: MapAccess<'de>>(&mut self, key: &'static str, at: Path<'_>, map: &mut M) -> Result<(), M::Error> {
        let (number, most): (fn(CircuitBreakerBuilder, u32) -> CircuitBreakerBuilder, _) = match key {
            "consecutive_failures" => (CircuitBreakerBuilder::consecutive_failures, Most::MILLION),
            "count_window" => (CircuitBreakerBuilder::count_window, Most::MILLION),
            "minimum_calls" => (CircuitBreakerBuilder::minimum_calls, Most::MILLION),
            "max_concurrent_probes" => (CircuitBreakerBuilder::max_concurrent_probes, Most::THOUSAND),
            "success_threshold" => (CircuitBreakerBuilder::success_threshold, Most::MILLION),
            "max_trials" => (CircuitBreakerBuilder::max_trials, Most::MILLION),
            "until_body_end" => {
                self.bodies.until_end = map.next_value_seed(Flag(at))?;
                return Ok(());
            }
            "settle_early" => {
                let words = &[("first_frame", Early::FirstFrame), ("never", Early::Never)];
                let early = TableOr { at, table: EarlyTable(None), off: None, words };
                self.bodies.early = match map.next_value_seed(early)? {
                    Either::Keyword(early) => Some(early),
                    Either::Table(EarlyTable(early)) => early,
                };
                return Ok(());
            }
            "on_body_drop" => {
                self.bodies.on_drop = Some(read_on_drop(at, map)?);
                return Ok(());
            }
            _ => {
                let broken = self.broken(key, 0);
                self.given.insert(key, 0);
                return read_other(&mut self.builder, key, broken, at, map);
            }
        };
        let broken = |count: &u32| self.broken(key, *count);
        let count = map.next_value_seed(Agree { at, seed: count(at, most), broken })?;
        self.given.insert(key, count);
        set(&mut self.builder, |builder| number(builder, count));
        Ok(())
    }

    fn check(&self) -> Result<(), (String, String)> {
        if let Some((field, flaw)) = self.bodies.flaw() {
            return rule(field, flaw);
        }
        self.builder.clone().build().map(drop).map_err(broken)
    }
}

/// Reads a value that is not a count, and refuses it if a rule is `broken` by its presence.
fn read_other<'de, M: MapAccess<'de>>(
    builder: &mut CircuitBreakerBuilder,
    key: &'static str,
    broken: Option<&'static str>,
    at: Path<'_>,
    map: &mut M,
) -> Result<(), M::Error> {
    match key {
        "failure_rate" | "slow_rate" => {
            let rate = map.next_value_seed(Agree { at, seed: Number(at), broken: ratio_flaw })?;
            set(builder, |builder| match key {
                "failure_rate" => builder.failure_rate(rate),
                _ => builder.slow_rate(rate),
            });
        }
        "open_backoff" => {
            let mut table = BackoffTable::default();
            map.next_value_seed(Agree { at, seed: Fill(at, &mut table), broken: |(): &()| broken })?;
            set(builder, |builder| builder.open_backoff(table.backoff()));
        }
        "on_drop" | "on_deadline" => {
            let rule = read_on_drop(at, map)?;
            set(builder, |builder| match key {
                "on_drop" => builder.on_drop(rule),
                _ => builder.on_deadline(rule),
            });
        }
        "observe_only" => {
            if map.next_value_seed(Flag(at))? {
                set(builder, CircuitBreakerBuilder::observe_only);
            }
        }
        _ => {
            let time = map.next_value_seed(Agree { at, seed: Time(at), broken: |_: &Duration| broken })?;
            set(builder, |builder| match key {
                "slow_call" => builder.slow_call(time),
                "time_window" => builder.time_window(time),
                "probe_timeout" => builder.probe_timeout(time),
                _ => builder.open_for(time),
            });
        }
    }
    Ok(())
}

fn read_on_drop<'de, M: MapAccess<'de>>(at: Path<'_>, map: &mut M) -> Result<OnDrop, M::Error> {
    let words = &[("ignore", OnDrop::Ignore), ("failure", OnDrop::Failure)];
    let rule = TableOr { at, table: OnDropTable(None), off: None, words };
    Ok(match map.next_value_seed(rule)? {
        Either::Keyword(rule) => rule,
        Either::Table(OnDropTable(after)) => after.map_or(OnDrop::Ignore, OnDrop::FailureAfter),
    })
}

struct EarlyTable(Option<Early>);

impl Table for EarlyTable {
    const KEYS: &'static [&'static str] = &["after", "bytes"];

    fn read<'de, M: MapAccess<'de>>(&mut self, key: &'static str, at: Path<'_>, map: &mut M) -> Result<(), M::Error> {
        let has_other = self.0.is_some();
        self.0 = Some(match key {
            "after" => {
                let broken = |_: &Duration| has_other.then_some("must not be set together with `bytes`");
                Early::After(map.next_value_seed(Agree { at, seed: Time(at), broken })?)
            }
            _ => {
                let broken = |_: &u32| has_other.then_some("must not be set together with `after`");
                let bytes = map.next_value_seed(Agree { at, seed: count(at, Most::NONE), broken })?;
                Early::Bytes(bytes.into())
            }
        });
        Ok(())
    }

    fn check(&self) -> Result<(), (String, String)> {
        if self.0.is_none() { rule("after", "or `bytes` has to be set") } else { Ok(()) }
    }
}

struct OnDropTable(Option<Duration>);

impl Table for OnDropTable {
    const KEYS: &'static [&'static str] = &["failure_after"];

    fn read<'de, M: MapAccess<'de>>(&mut self, _: &'static str, at: Path<'_>, map: &mut M) -> Result<(), M::Error> {
        self.0 = Some(map.next_value_seed(Time(at))?);
        Ok(())
    }

    fn check(&self) -> Result<(), (String, String)> {
        if self.0.is_none() { rule("failure_after", "has to be set") } else { Ok(()) }
    }
}
