use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::MapAccess;

use crate::bulkhead::{Bulkhead, BulkheadBuilder};
use crate::circuit_breaker::{CircuitBreaker, CircuitBreakerBuilder, OnDrop};
use crate::data::agree::Agree;
use crate::data::leaf::{Count, Either, Flag, Keyword, Number, TableOr, Time, TimeOrFalse};
use crate::data::path::Path;
use crate::data::table::{Each, Fill, NamedTables, Table};
use crate::error::ConfigError;
use crate::error::check::{Most, ratio_flaw};
use crate::machine::retry::attempts::{DEFAULT_BASE, DEFAULT_CAP};
use crate::machine::retry::backoff::{Backoff, Jitter};
use crate::name::Name;
use crate::policy::check::{WITHIN_TIMEOUT, WITHIN_TOTAL};
use crate::policy::{Class, PolicyBuilder};
use crate::retry::{RetryBudget, RetryBudgetBuilder, RetryBuilder, RetryPolicy};

fn broken(error: ConfigError) -> (String, String) {
    (error.field().to_owned(), error.rule().to_owned())
}

fn rule(field: &str, rule: &str) -> Result<(), (String, String)> {
    Err((field.to_owned(), rule.to_owned()))
}

fn count(at: Path<'_>, most: Most) -> Count<'_> {
    Count { at, least: 1, most }
}

/// Sets one field of a builder, whose setters take it and return it.
fn set<B: Clone>(builder: &mut B, change: impl FnOnce(B) -> B) {
    *builder = change(builder.clone());
}

/// A whole policy.
pub(super) struct PolicyTable {
    name: Name,
    builder: PolicyBuilder,
    total: Option<Duration>,
    has_classes: bool,
}

impl PolicyTable {
    pub(super) fn new(name: &str) -> PolicyTable {
        let name = Name::from(name.to_owned());
        PolicyTable { builder: PolicyBuilder::new(name.clone()), name, total: None, has_classes: false }
    }

    pub(super) fn into_builder(self) -> PolicyBuilder {
        self.builder
    }
}

/// The rule that a timeout of a policy breaks, given the policy built so far. `is_certain` if what is still to be read
/// cannot make up for it, as a class with more time can.
fn too_short(key: &str, builder: &PolicyBuilder, is_certain: bool) -> Option<String> {
    let error = builder.clone().build().err()?;
    match error.rule() {
        WITHIN_TOTAL if key == error.path() => Some(WITHIN_TOTAL.to_owned()),
        WITHIN_TOTAL if key == "total_timeout" => Some(format!("must be longer than `{}`", error.path())),
        WITHIN_TIMEOUT if is_certain => Some(format!("must be longer than `{}`", error.path())),
        _ => None,
    }
}

impl Table for PolicyTable {
    const KEYS: &'static [&'static str] = &[
        "circuit_breaker",
        "bulkhead",
        "timeout",
        "total_timeout",
        #[cfg(feature = "http")]
        "body_idle_timeout",
        #[cfg(feature = "http")]
        "body_timeout",
        "retry",
        "classes",
    ];

    fn read<'de, M: MapAccess<'de>>(&mut self, key: &'static str, at: Path<'_>, map: &mut M) -> Result<(), M::Error> {
        let PolicyTable { name, builder, total, has_classes } = self;
        match key {
            "circuit_breaker" => {
                let mut table =
                    CircuitBreakerTable { builder: CircuitBreaker::builder(name.clone()), given: BTreeMap::new() };
                map.next_value_seed(Fill(at, &mut table))?;
                set(builder, |builder| builder.circuit_breaker(|_| table.builder));
            }
            "bulkhead" => {
                let mut table = BulkheadTable(Bulkhead::builder(name.clone()));
                map.next_value_seed(Fill(at, &mut table))?;
                set(builder, |builder| builder.bulkhead(|_| table.0));
            }
            "retry" => {
                let mut table = RetryTable(RetryPolicy::builder(name.clone()));
                map.next_value_seed(Fill(at, &mut table))?;
                set(builder, |builder| builder.retry(|_| table.0));
            }
            "classes" => {
                let each = Classes { total: *total, classes: Vec::new() };
                for (name, class) in map.next_value_seed(NamedTables { at: Some(at), what: "classes", each })?.classes {
                    set(builder, |builder| builder.class(name, class));
                }
                *has_classes = true;
            }
            "timeout" | "total_timeout" => {
                let is_certain = *has_classes || map.size_hint() == Some(0);
                let broken = |time: &Duration| {
                    set(builder, |builder| match key {
                        "timeout" => builder.timeout(*time),
                        _ => builder.total_timeout(*time),
                    });
                    too_short(key, builder, is_certain)
                };
                let time = map.next_value_seed(Agree { at, seed: Time(at), broken })?;
                if key == "total_timeout" {
                    *total = Some(time);
                }
            }
            _ => {
                let time = map.next_value_seed(Time(at))?;
                set(builder, |builder| match key {
                    #[cfg(feature = "http")]
                    "body_idle_timeout" => builder.body_idle_timeout(time),
                    #[cfg(feature = "http")]
                    "body_timeout" => builder.body_timeout(time),
                    // No other key gets here.
                    _ => {
                        let _ = time;
                        builder
                    }
                });
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), (String, String)> {
        let error = self.builder.clone().build().map(drop);
        error.map_err(|error| (error.path().to_owned(), error.rule().to_owned()))
    }
}

struct CircuitBreakerTable {
    builder: CircuitBreakerBuilder,
    /// What was set so far. Anything that is not a count is zero.
    given: BTreeMap<&'static str, u32>,
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
        "observe_only",
    ];

    fn read<'de, M: MapAccess<'de>>(&mut self, key: &'static str, at: Path<'_>, map: &mut M) -> Result<(), M::Error> {
        let (number, most): (fn(CircuitBreakerBuilder, u32) -> CircuitBreakerBuilder, _) = match key {
            "consecutive_failures" => (CircuitBreakerBuilder::consecutive_failures, Most::MILLION),
            "count_window" => (CircuitBreakerBuilder::count_window, Most::MILLION),
            "minimum_calls" => (CircuitBreakerBuilder::minimum_calls, Most::MILLION),
            "max_concurrent_probes" => (CircuitBreakerBuilder::max_concurrent_probes, Most::THOUSAND),
            "success_threshold" => (CircuitBreakerBuilder::success_threshold, Most::MILLION),
            "max_trials" => (CircuitBreakerBuilder::max_trials, Most::MILLION),
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
        "on_drop" => {
            let words = &[("ignore", OnDrop::Ignore), ("failure", OnDrop::Failure)];
            let on_drop = TableOr { at, table: OnDropTable(None), off: None, words };
            let on_drop = match map.next_value_seed(on_drop)? {
                Either::Keyword(on_drop) => on_drop,
                Either::Table(OnDropTable(after)) => after.map_or(OnDrop::Ignore, OnDrop::FailureAfter),
            };
            set(builder, |builder| builder.on_drop(on_drop));
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

/// Base and cap must be set, unless there are defaults.
#[derive(Default)]
struct BackoffTable {
    base: Option<Duration>,
    cap: Option<Duration>,
    factor: Option<f64>,
    jitter: Option<Jitter>,
    /// The base and the cap used where they are not set.
    otherwise: Option<(Duration, Duration)>,
}

impl BackoffTable {
    fn backoff(&self) -> Backoff {
        let (base, cap) = self.otherwise.unwrap_or_default();
        let backoff = Backoff::exponential(self.base.unwrap_or(base), self.cap.unwrap_or(cap));
        let backoff = self.factor.map_or(backoff, |factor| backoff.factor(factor));
        self.jitter.map_or(backoff, |jitter| backoff.jitter(jitter))
    }
}

impl Table for BackoffTable {
    const KEYS: &'static [&'static str] = &["base", "cap", "factor", "jitter"];

    fn read<'de, M: MapAccess<'de>>(&mut self, key: &'static str, at: Path<'_>, map: &mut M) -> Result<(), M::Error> {
        match key {
            "base" => {
                let cap = self.cap;
                let broken = |base: &Duration| (cap? < *base).then_some("must not be above the cap");
                self.base = Some(map.next_value_seed(Agree { at, seed: Time(at), broken })?);
            }
            "cap" => {
                let base = self.base;
                let broken = |cap: &Duration| (*cap < base?).then_some("must not be below the base");
                self.cap = Some(map.next_value_seed(Agree { at, seed: Time(at), broken })?);
            }
            "factor" => {
                let broken = |factor: &f64| (factor.is_nan() || *factor < 1.0).then_some("must be at least 1");
                self.factor = Some(map.next_value_seed(Agree { at, seed: Number(at), broken })?);
            }
            _ => {
                let words = &[("none", Jitter::None), ("full", Jitter::Full), ("equal", Jitter::Equal)];
                self.jitter = Some(map.next_value_seed(Keyword(at, words))?);
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), (String, String)> {
        match (self.base, self.cap, self.otherwise) {
            (None, _, None) => rule("base", "has to be set"),
            (_, None, None) => rule("cap", "has to be set"),
            (Some(base), None, Some((_, cap))) if base > cap => {
                rule("base", &format!("must not be above the cap, which is {cap:?} if not set"))
            }
            (None, Some(cap), Some((base, _))) if cap < base => {
                rule("cap", &format!("must not be below the base, which is {base:?} if not set"))
            }
            _ => Ok(()),
        }
    }
}

struct BulkheadTable(BulkheadBuilder);

impl Table for BulkheadTable {
    const KEYS: &'static [&'static str] = &["limit", "max_wait", "max_queued", "retry_after"];

    fn read<'de, M: MapAccess<'de>>(&mut self, key: &'static str, at: Path<'_>, map: &mut M) -> Result<(), M::Error> {
        match key {
            "limit" => {
                let limit = map.next_value_seed(count(at, Most::MILLION))?;
                set(&mut self.0, |builder| builder.limit(limit));
            }
            "retry_after" => {
                let time = map.next_value_seed(Time(at))?;
                set(&mut self.0, |builder| builder.retry_after(time));
            }
            "max_queued" => {
                let calls = map.next_value_seed(count(at, Most::MILLION))?;
                set(&mut self.0, |builder| builder.max_queued(calls));
            }
            _ => {
                let time = map.next_value_seed(Time(at))?;
                set(&mut self.0, |builder| builder.max_wait(time));
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), (String, String)> {
        self.0.clone().build().map(drop).map_err(broken)
    }
}

struct RetryTable(RetryBuilder);

impl Table for RetryTable {
    const KEYS: &'static [&'static str] = &["attempts", "backoff", "deadline", "max_retry_after", "budget"];

    fn read<'de, M: MapAccess<'de>>(&mut self, key: &'static str, at: Path<'_>, map: &mut M) -> Result<(), M::Error> {
        let RetryTable(builder) = self;
        match key {
            "attempts" => {
                let attempts = map.next_value_seed(count(at, Most::NONE))?;
                set(builder, |builder| builder.attempts(attempts));
            }
            "backoff" => {
                let otherwise = Some((DEFAULT_BASE, DEFAULT_CAP));
                let mut table = BackoffTable { otherwise, ..BackoffTable::default() };
                map.next_value_seed(Fill(at, &mut table))?;
                set(builder, |builder| builder.backoff(table.backoff()));
            }
            "budget" => {
                let budget = TableOr { at, table: BudgetTable(RetryBudget::builder()), off: Some(()), words: &[] };
                match map.next_value_seed(budget)? {
                    Either::Keyword(()) => set(builder, RetryBuilder::no_budget),
                    // Not one that is built here: each policy made from this has its own.
                    Either::Table(BudgetTable(table)) => set(builder, |builder| builder.own_budget(table)),
                }
            }
            _ => {
                let time = map.next_value_seed(Time(at))?;
                set(builder, |builder| match key {
                    "deadline" => builder.deadline(time),
                    _ => builder.max_retry_after(time),
                });
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), (String, String)> {
        self.0.clone().build().map(drop).map_err(broken)
    }
}

struct BudgetTable(RetryBudgetBuilder);

impl Table for BudgetTable {
    const KEYS: &'static [&'static str] = &["ratio", "window", "floor", "refill_per_second"];

    fn read<'de, M: MapAccess<'de>>(&mut self, key: &'static str, at: Path<'_>, map: &mut M) -> Result<(), M::Error> {
        match key {
            "ratio" => {
                let ratio = map.next_value_seed(Agree { at, seed: Number(at), broken: ratio_flaw })?;
                set(&mut self.0, |builder| builder.ratio(ratio));
            }
            "window" => {
                let window = map.next_value_seed(Time(at))?;
                set(&mut self.0, |builder| builder.window(window));
            }
            _ => {
                // Zero is as valid a number of tokens as any, and there is no other way to write it.
                let tokens = map.next_value_seed(Count { at, least: 0, most: Most::NONE })?;
                set(&mut self.0, |builder| match key {
                    "floor" => builder.floor(tokens),
                    _ => builder.refill_per_second(tokens),
                });
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), (String, String)> {
        self.0.clone().build().map(drop).map_err(broken)
    }
}

/// The classes of a policy, by name.
struct Classes {
    /// The policy's total timeout, if it was read before them.
    total: Option<Duration>,
    classes: Vec<(String, Class)>,
}

impl Each for Classes {
    fn read<'de, M: MapAccess<'de>>(&mut self, name: &str, at: Path<'_>, map: &mut M) -> Result<(), M::Error> {
        let mut table = ClassTable { class: Class::new(), total: self.total };
        map.next_value_seed(Fill(at, &mut table))?;
        self.classes.push((name.to_owned(), table.class));
        Ok(())
    }
}

struct ClassTable {
    class: Class,
    total: Option<Duration>,
}

impl Table for ClassTable {
    const KEYS: &'static [&'static str] = &["timeout", "total_timeout", "circuit_breaker", "bulkhead", "retry"];

    fn read<'de, M: MapAccess<'de>>(&mut self, key: &'static str, at: Path<'_>, map: &mut M) -> Result<(), M::Error> {
        let without = match key {
            "circuit_breaker" => Class::without_circuit_breaker,
            "bulkhead" => Class::without_bulkhead,
            "retry" => Class::without_retry,
            "total_timeout" => Class::without_total_timeout,
            _ => {
                let time = map.next_value_seed(TimeOrFalse(at))?;
                self.class = time.map_or(self.class.without_timeout(), |time| self.class.timeout(time));
                return Ok(());
            }
        };
        if !map.next_value_seed(Flag(at))? {
            self.class = without(self.class);
        }
        Ok(())
    }

    fn check(&self) -> Result<(), (String, String)> {
        let total = self.total.filter(|_| self.class.has_total_timeout());
        match (self.class.own_timeout(), total) {
            (Some(time), Some(total)) if time >= total => rule("timeout", WITHIN_TOTAL),
            _ => Ok(()),
        }
    }
}
