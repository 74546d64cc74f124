use serde::de::MapAccess;

use super::{broken, count, set};
use crate::bulkhead::BulkheadBuilder;
use crate::data::leaf::Time;
use crate::data::path::Path;
use crate::data::table::Table;
use crate::error::check::Most;

pub(super) struct BulkheadTable(pub(super) BulkheadBuilder);

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
