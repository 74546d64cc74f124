use std::time::Duration;

use serde::de::MapAccess;

use crate::bulkhead::SlotsBuilder;
use crate::circuit::CircuitBuilder;
use crate::data::leaf::{Count, Either, Flag, Number, TableOr, Time, TimeOrFalse, Word};
use crate::data::path::Path;
use crate::data::table::{Each, Fill, Named, Table};
use crate::machine::retry::{DEFAULT_BASE, DEFAULT_CAP};
use crate::policy::{Class, PolicyBuilder};
use crate::retry::{RetryBudgetBuilder, RetryPolicyBuilder};
use crate::{Backoff, Circuit, ConfigError, Jitter, Name, OnDrop, RetryBudget, RetryPolicy, Slots};

fn broken(error: ConfigError) -> (String, String) {
    (error.field().to_owned(), error.rule().to_owned())
}

fn rule(field: &str, rule: &str) -> Result<(), (String, String)> {
    Err((field.to_owned(), rule.to_owned()))
}

fn count(at: Path<'_>) -> Count<'_> {
    Count { at, least: 1 }
}

/// Sets one field of a builder, which its setter takes and gives back.
fn set<B: Clone>(builder: &mut B, change: impl FnOnce(B) -> B) {
    *builder = change(builder.clone());
}

/// A whole policy.
pub(super) struct PolicyTable {
    name: Name,
    builder: PolicyBuilder,
}

impl PolicyTable {
    pub(super) fn new(name: &str) -> PolicyTable {
        let name = Name::from(name.to_owned());
        PolicyTable { builder: PolicyBuilder::new(name.clone()), name }
    }

    pub(super) fn into_builder(self) -> PolicyBuilder {
        self.builder
    }
}

impl Table for PolicyTable {
    const KEYS: &'static [&'static str] = &[
        "circuit",
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
        let PolicyTable { name, builder } = self;
        match key {
            "circuit" => {
                let mut table = CircuitTable { builder: Circuit::builder(name.clone()), open: None, both: false };
                map.next_value_seed(Fill(at, &mut table))?;
                set(builder, |builder| builder.circuit(|_| table.builder));
            }
            "bulkhead" => {
                let mut table = BulkheadTable(Slots::builder(name.clone()));
                map.next_value_seed(Fill(at, &mut table))?;
                set(builder, |builder| builder.bulkhead(|_| table.0));
            }
            "retry" => {
                let mut table = RetryTable(RetryPolicy::builder(name.clone()));
                map.next_value_seed(Fill(at, &mut table))?;
                set(builder, |builder| builder.retry(|_| table.0));
            }
            "classes" => {
                let classes = Named { at: Some(at), what: "classes", each: Classes(Vec::new()) };
                for (name, class) in map.next_value_seed(classes)?.0 {
                    set(builder, |builder| builder.class(name, class));
                }
            }
            _ => {
                let time = map.next_value_seed(Time(at))?;
                set(builder, |builder| match key {
                    "total_timeout" => builder.total_timeout(time),
                    #[cfg(feature = "http")]
                    "body_idle_timeout" => builder.body_idle_timeout(time),
                    #[cfg(feature = "http")]
                    "body_timeout" => builder.body_timeout(time),
                    _ => builder.timeout(time),
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

struct CircuitTable {
    builder: CircuitBuilder,
    /// Which of `open_for` and `open_backoff` was set, and whether both were.
    open: Option<&'static str>,
    both: bool,
}

impl Table for CircuitTable {
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
        "probes",
        "successes",
        "trials",
        "probe_timeout",
        "on_drop",
        "observe_only",
    ];

    fn read<'de, M: MapAccess<'de>>(&mut self, key: &'static str, at: Path<'_>, map: &mut M) -> Result<(), M::Error> {
        let CircuitTable { builder, open, both } = self;
        if matches!(key, "open_for" | "open_backoff") {
            *both = open.replace(key).is_some();
        }
        let number: fn(CircuitBuilder, u32) -> CircuitBuilder = match key {
            "consecutive_failures" => CircuitBuilder::consecutive_failures,
            "count_window" => CircuitBuilder::count_window,
            "minimum_calls" => CircuitBuilder::minimum_calls,
            "probes" => CircuitBuilder::probes,
            "successes" => CircuitBuilder::successes,
            "trials" => CircuitBuilder::trials,
            _ => return read_other(builder, key, at, map),
        };
        let count = map.next_value_seed(count(at))?;
        set(builder, |builder| number(builder, count));
        Ok(())
    }

    fn check(&self) -> Result<(), (String, String)> {
        if self.both {
            return rule("open_backoff", "must not be set together with `open_for`");
        }
        self.builder.clone().build().map(drop).map_err(broken)
    }
}

/// What is not a count.
fn read_other<'de, M: MapAccess<'de>>(
    builder: &mut CircuitBuilder,
    key: &'static str,
    at: Path<'_>,
    map: &mut M,
) -> Result<(), M::Error> {
    match key {
        "failure_rate" | "slow_rate" => {
            let rate = map.next_value_seed(Number(at))?;
            set(builder, |builder| match key {
                "failure_rate" => builder.failure_rate(rate),
                _ => builder.slow_rate(rate),
            });
        }
        "open_backoff" => {
            let mut table = BackoffTable::default();
            map.next_value_seed(Fill(at, &mut table))?;
            set(builder, |builder| builder.open_backoff(table.backoff()));
        }
        "on_drop" => {
            let words = &[("ignore", OnDrop::Ignore), ("failure", OnDrop::Failure)];
            let on_drop = TableOr { at, table: OnDropTable(None), off: None, words };
            let on_drop = match map.next_value_seed(on_drop)? {
                Either::Word(on_drop) => on_drop,
                Either::Table(OnDropTable(after)) => after.map_or(OnDrop::Ignore, OnDrop::FailureAfter),
            };
            set(builder, |builder| builder.on_drop(on_drop));
        }
        "observe_only" => {
            if map.next_value_seed(Flag(at))? {
                set(builder, CircuitBuilder::observe_only);
            }
        }
        _ => {
            let time = map.next_value_seed(Time(at))?;
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

/// Base and cap have to be set, unless they were there to begin with.
#[derive(Default)]
struct BackoffTable {
    base: Option<Duration>,
    cap: Option<Duration>,
    factor: Option<f64>,
    jitter: Option<Jitter>,
}

impl BackoffTable {
    fn backoff(&self) -> Backoff {
        let backoff = Backoff::exponential(self.base.unwrap_or_default(), self.cap.unwrap_or_default());
        let backoff = self.factor.map_or(backoff, |factor| backoff.factor(factor));
        self.jitter.map_or(backoff, |jitter| backoff.jitter(jitter))
    }
}

impl Table for BackoffTable {
    const KEYS: &'static [&'static str] = &["base", "cap", "factor", "jitter"];

    fn read<'de, M: MapAccess<'de>>(&mut self, key: &'static str, at: Path<'_>, map: &mut M) -> Result<(), M::Error> {
        match key {
            "base" => self.base = Some(map.next_value_seed(Time(at))?),
            "cap" => self.cap = Some(map.next_value_seed(Time(at))?),
            "factor" => self.factor = Some(map.next_value_seed(Number(at))?),
            _ => {
                let words = &[("none", Jitter::None), ("full", Jitter::Full), ("equal", Jitter::Equal)];
                self.jitter = Some(map.next_value_seed(Word(at, words))?);
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), (String, String)> {
        match (self.base, self.cap) {
            (None, _) => rule("base", "has to be set"),
            (_, None) => rule("cap", "has to be set"),
            _ => Ok(()),
        }
    }
}

struct BulkheadTable(SlotsBuilder);

impl Table for BulkheadTable {
    const KEYS: &'static [&'static str] = &["limit", "max_wait", "max_waiting", "retry_after"];

    fn read<'de, M: MapAccess<'de>>(&mut self, key: &'static str, at: Path<'_>, map: &mut M) -> Result<(), M::Error> {
        match key {
            "limit" => {
                let limit = map.next_value_seed(count(at))?;
                set(&mut self.0, |builder| builder.limit(limit));
            }
            "retry_after" => {
                let time = map.next_value_seed(Time(at))?;
                set(&mut self.0, |builder| builder.retry_after(time));
            }
            "max_waiting" => {
                let calls = map.next_value_seed(count(at))?;
                set(&mut self.0, |builder| builder.max_waiting(calls));
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

struct RetryTable(RetryPolicyBuilder);

impl Table for RetryTable {
    const KEYS: &'static [&'static str] = &["attempts", "backoff", "deadline", "max_retry_after", "budget"];

    fn read<'de, M: MapAccess<'de>>(&mut self, key: &'static str, at: Path<'_>, map: &mut M) -> Result<(), M::Error> {
        let RetryTable(builder) = self;
        match key {
            "attempts" => {
                let attempts = map.next_value_seed(count(at))?;
                set(builder, |builder| builder.attempts(attempts));
            }
            "backoff" => {
                let mut table =
                    BackoffTable { base: Some(DEFAULT_BASE), cap: Some(DEFAULT_CAP), ..BackoffTable::default() };
                map.next_value_seed(Fill(at, &mut table))?;
                set(builder, |builder| builder.backoff(table.backoff()));
            }
            "budget" => {
                let budget = TableOr { at, table: BudgetTable(RetryBudget::builder()), off: Some(()), words: &[] };
                match map.next_value_seed(budget)? {
                    Either::Word(()) => set(builder, RetryPolicyBuilder::no_budget),
                    // Not one that is built here: each policy that is made of this has its own.
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
                let ratio = map.next_value_seed(Number(at))?;
                set(&mut self.0, |builder| builder.ratio(ratio));
            }
            "window" => {
                let window = map.next_value_seed(Time(at))?;
                set(&mut self.0, |builder| builder.window(window));
            }
            _ => {
                // Zero is a number of tokens like others, and there is no other way to say it.
                let tokens = map.next_value_seed(Count { at, least: 0 })?;
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
struct Classes(Vec<(String, Class)>);

impl Each for Classes {
    fn read<'de, M: MapAccess<'de>>(&mut self, name: &str, at: Path<'_>, map: &mut M) -> Result<(), M::Error> {
        let mut table = ClassTable(Class::new());
        map.next_value_seed(Fill(at, &mut table))?;
        self.0.push((name.to_owned(), table.0));
        Ok(())
    }
}

struct ClassTable(Class);

impl Table for ClassTable {
    const KEYS: &'static [&'static str] = &["timeout", "total_timeout", "circuit", "bulkhead", "retry"];

    fn read<'de, M: MapAccess<'de>>(&mut self, key: &'static str, at: Path<'_>, map: &mut M) -> Result<(), M::Error> {
        let without = match key {
            "circuit" => Class::without_circuit,
            "bulkhead" => Class::without_bulkhead,
            "retry" => Class::without_retry,
            "total_timeout" => Class::without_total_timeout,
            _ => {
                let time = map.next_value_seed(TimeOrFalse(at))?;
                self.0 = time.map_or(self.0.without_timeout(), |time| self.0.timeout(time));
                return Ok(());
            }
        };
        if !map.next_value_seed(Flag(at))? {
            self.0 = without(self.0);
        }
        Ok(())
    }

    fn check(&self) -> Result<(), (String, String)> {
        Ok(())
    }
}
