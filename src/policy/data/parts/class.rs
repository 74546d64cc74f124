use std::time::Duration;

use serde::de::MapAccess;

use super::rule;
use crate::data::leaf::{Flag, TimeOrFalse};
use crate::data::path::Path;
use crate::data::table::{Each, Fill, Table};
use crate::policy::Class;
use crate::policy::check::WITHIN_TOTAL;

/// The classes of a policy, by name.
pub(super) struct Classes {
    /// The policy's total timeout, if it was read before them.
    pub(super) total: Option<Duration>,
    pub(super) classes: Vec<(String, Class)>,
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
