use std::time::Duration;

use serde::de::MapAccess;

use super::rule;
use crate::data::agree::Agree;
use crate::data::leaf::{Keyword, Number, Time};
use crate::data::path::Path;
use crate::data::table::Table;
use crate::machine::retry::backoff::{Backoff, Jitter};

/// Base and cap must be set, unless there are defaults.
#[derive(Default)]
pub(super) struct BackoffTable {
    base: Option<Duration>,
    cap: Option<Duration>,
    factor: Option<f64>,
    jitter: Option<Jitter>,
    /// The base and cap used where they are not set.
    otherwise: Option<(Duration, Duration)>,
}

impl BackoffTable {
    /// A table that uses these where they are not set.
    pub(super) fn or(base: Duration, cap: Duration) -> BackoffTable {
        BackoffTable { otherwise: Some((base, cap)), ..BackoffTable::default() }
    }

    pub(super) fn backoff(&self) -> Backoff {
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
