use std::time::Duration;

use serde::de::MapAccess;

use super::rule;
use crate::data::leaf::Time;
use crate::data::path::Path;
use crate::data::table::Table;
use crate::policy::PolicyBuilder;

/// What a policy makes of the deadlines of its calls.
#[derive(Default)]
pub(super) struct DeadlineTable {
    default: Option<Duration>,
    max: Option<Duration>,
    least: Option<Duration>,
}

impl DeadlineTable {
    pub(super) fn into(self, builder: PolicyBuilder) -> PolicyBuilder {
        let builder = self.default.into_iter().fold(builder, PolicyBuilder::default_deadline);
        let builder = self.max.into_iter().fold(builder, PolicyBuilder::max_deadline);
        self.least.into_iter().fold(builder, PolicyBuilder::least_remaining)
    }
}

impl Table for DeadlineTable {
    const KEYS: &'static [&'static str] = &["default", "max", "least"];

    fn read<'de, M: MapAccess<'de>>(&mut self, key: &'static str, at: Path<'_>, map: &mut M) -> Result<(), M::Error> {
        let time = Some(map.next_value_seed(Time(at))?);
        match key {
            "default" => self.default = time,
            "max" => self.max = time,
            _ => self.least = time,
        }
        Ok(())
    }

    fn check(&self) -> Result<(), (String, String)> {
        let DeadlineTable { default, max, least } = *self;
        if default.is_none() && max.is_none() && least.is_none() {
            return rule("default", "or `max` or `least` has to be set");
        }
        let is_above = |time: Option<Duration>, most: Option<Duration>| time.zip(most).is_some_and(|(a, b)| a > b);
        match () {
            () if is_above(default, max) => rule("default", "must not be above `max`"),
            () if is_above(least, max) => rule("least", "must not be above `max`"),
            () if is_above(least, default) => rule("least", "must not be above `default`"),
            () => Ok(()),
        }
    }
}
