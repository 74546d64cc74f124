use std::time::Duration;

use serde::de::MapAccess;

use super::rule;
use crate::data::leaf::Time;
use crate::data::path::Path;
use crate::data::table::Table;
use crate::machine::deadline::DeadlineLimits;

/// What a policy makes of the deadlines of its calls.
#[derive(Default)]
pub(super) struct DeadlineTable(pub(super) DeadlineLimits);

impl Table for DeadlineTable {
    const KEYS: &'static [&'static str] = &["default", "max", "least"];

    fn read<'de, M: MapAccess<'de>>(&mut self, key: &'static str, at: Path<'_>, map: &mut M) -> Result<(), M::Error> {
        let time: Option<Duration> = Some(map.next_value_seed(Time(at))?);
        match key {
            "default" => self.0.default = time,
            "max" => self.0.max = time,
            _ => self.0.least = time,
        }
        Ok(())
    }

    fn check(&self) -> Result<(), (String, String)> {
        if self.0.if_set().is_none() {
            return rule("default", "or `max` or `least` has to be set");
        }
        self.0.flaw().map_or(Ok(()), |(field, _, broken)| rule(field, broken))
    }
}
