use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::MapAccess;

use super::bulkhead::BulkheadTable;
use super::circuit_breaker::CircuitBreakerTable;
use super::class::Classes;
use super::deadline::DeadlineTable;
use super::retry::RetryTable;
use super::set;
use crate::bulkhead::handle::Bulkhead;
use crate::circuit_breaker::handle::CircuitBreaker;
use crate::data::agree::Agree;
use crate::data::leaf::Time;
use crate::data::path::Path;
use crate::data::table::{Fill, NamedTables, Table};
use crate::machine::circuit_breaker::body_scope::BodyRules;
use crate::name::Name;
use crate::policy::PolicyBuilder;
use crate::policy::check::{WITHIN_TIMEOUT, WITHIN_TOTAL};
use crate::retry::policy::RetryPolicy;

/// A whole policy.
pub(in crate::policy::data) struct PolicyTable {
    name: Name,
    builder: PolicyBuilder,
    total: Option<Duration>,
    has_classes: bool,
}

impl PolicyTable {
    pub(in crate::policy::data) fn new(name: &str) -> PolicyTable {
        let name = Name::from(name.to_owned());
        PolicyTable { builder: PolicyBuilder::new(name.clone()), name, total: None, has_classes: false }
    }

    pub(in crate::policy::data) fn into_builder(self) -> PolicyBuilder {
        self.builder
    }
}

/// The rule that a timeout of a policy breaks, given the policy built so far. `is_certain` means that nothing still
/// to be read can make up for it, as a class with a longer timeout could.
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
        "deadline",
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
                let mut table = CircuitBreakerTable {
                    builder: CircuitBreaker::builder(name.clone()),
                    given: BTreeMap::new(),
                    bodies: BodyRules::default(),
                };
                map.next_value_seed(Fill(at, &mut table))?;
                set(builder, |builder| builder.circuit_breaker(|_| table.builder));
                builder.bodies.rules = table.bodies;
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
            "deadline" => {
                let mut table = DeadlineTable::default();
                map.next_value_seed(Fill(at, &mut table))?;
                builder.deadline = table.0;
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
                    // There is no other key.
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
