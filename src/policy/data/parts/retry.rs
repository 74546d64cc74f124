use serde::de::MapAccess;

use super::backoff::BackoffTable;
use super::{broken, count, set};
use crate::data::agree::Agree;
use crate::data::leaf::{Count, Either, Number, TableOr, Time};
use crate::data::path::Path;
use crate::data::table::{Fill, Table};
use crate::error::check::{Most, ratio_flaw};
use crate::machine::retry::attempts::{DEFAULT_BASE, DEFAULT_CAP};
use crate::retry::budget::RetryBudget;
#[cfg(feature = "grpc")]
use crate::retry::grpc_rules::GrpcRules;
use crate::retry::{RetryBudgetBuilder, RetryBuilder};

pub(super) struct RetryTable(pub(super) RetryBuilder);

impl Table for RetryTable {
    const KEYS: &'static [&'static str] = &[
        "attempts",
        "backoff",
        "deadline",
        "max_retry_after",
        "budget",
        #[cfg(feature = "grpc")]
        "grpc",
    ];

    fn read<'de, M: MapAccess<'de>>(&mut self, key: &'static str, at: Path<'_>, map: &mut M) -> Result<(), M::Error> {
        let RetryTable(builder) = self;
        match key {
            "attempts" => {
                let attempts = map.next_value_seed(count(at, Most::NONE))?;
                set(builder, |builder| builder.attempts(attempts));
            }
            "backoff" => {
                let mut table = BackoffTable::or(DEFAULT_BASE, DEFAULT_CAP);
                map.next_value_seed(Fill(at, &mut table))?;
                set(builder, |builder| builder.backoff(table.backoff()));
            }
            "budget" => {
                let budget = TableOr { at, table: BudgetTable(RetryBudget::builder()), off: Some(()), words: &[] };
                match map.next_value_seed(budget)? {
                    Either::Keyword(()) => set(builder, RetryBuilder::no_budget),
                    // The settings, not a built budget: each policy made from this has its own.
                    Either::Table(BudgetTable(table)) => set(builder, |builder| builder.own_budget(table)),
                }
            }
            #[cfg(feature = "grpc")]
            "grpc" => {
                let mut table = super::grpc::GrpcTable(GrpcRules::default());
                map.next_value_seed(Fill(at, &mut table))?;
                builder.grpc = table.0;
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
                // Zero is a valid number of tokens, and there is no other way to write it.
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
