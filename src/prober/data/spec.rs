use std::time::Duration;

use serde::de::value::Error as Flaw;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess};

use super::leaf::{Leaf, Maybe};
#[cfg(feature = "grpc")]
use super::target::GrpcProbeTable;
use super::target::{ExecTable, HttpGetAction, HttpTable, TcpTable};
use crate::data::path::Path;
use crate::data::table::{Fill, Table};
use crate::prober::{ProbeKind, ProbePolicy, ProbeSpec};

/// The notation to which a key belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Ours,
    Kubernetes,
    Both,
}

/// Kubernetes' keys have a capital letter inside; none of this crate's keys has.
fn way(key: &str) -> Way {
    match key {
        "exec" | "grpc" => Way::Both,
        key if key.contains(|letter: char| letter.is_ascii_uppercase()) => Way::Kubernetes,
        _ => Way::Ours,
    }
}

#[cfg(not(feature = "grpc"))]
const KINDS: &str = "http, tcp, exec";
#[cfg(feature = "grpc")]
const KINDS: &str = "grpc, http, tcp, exec";
#[cfg(not(feature = "grpc"))]
const KUBERNETES_KINDS: &str = "httpGet, tcpSocket, exec";
#[cfg(feature = "grpc")]
const KUBERNETES_KINDS: &str = "grpc, httpGet, tcpSocket, exec";

/// A whole spec.
#[derive(Default)]
struct SpecTable {
    kinds: Vec<ProbeKind>,
    interval: Option<Duration>,
    timeout: Option<Duration>,
    jitter: Option<Duration>,
    start_period: Option<Duration>,
    failure_threshold: Option<u32>,
    success_threshold: Option<u32>,
    /// The first key that shows which notation is used.
    way: Option<(Way, &'static str)>,
}

impl SpecTable {
    fn build(&self) -> Result<ProbeSpec, (String, String)> {
        let kubernetes = self.way.is_some_and(|(way, _)| way == Way::Kubernetes);
        let kinds = if kubernetes { KUBERNETES_KINDS } else { KINDS };
        let [kind] = &self.kinds[..] else {
            let rule =
                if self.kinds.is_empty() { "there must be one of them" } else { "there must be only one of them" };
            return Err((kinds.to_owned(), rule.to_owned()));
        };
        let mut policy = ProbePolicy::builder();
        if kubernetes {
            // Kubernetes' own defaults.
            let second = Duration::from_secs(1);
            policy = policy.interval(10 * second).timeout(second).start_period(Duration::ZERO);
        }
        policy = self.interval.into_iter().fold(policy, |policy, time| policy.interval(time));
        policy = self.timeout.into_iter().fold(policy, |policy, time| policy.timeout(time));
        policy = self.jitter.into_iter().fold(policy, |policy, time| policy.jitter(time));
        policy = self.start_period.into_iter().fold(policy, |policy, time| policy.start_period(time));
        policy = self.failure_threshold.into_iter().fold(policy, |policy, count| policy.failure_threshold(count));
        policy = self.success_threshold.into_iter().fold(policy, |policy, count| policy.success_threshold(count));
        let policy = policy.build().map_err(|error| (error.field().to_owned(), error.rule().to_owned()))?;
        Ok(ProbeSpec { kind: kind.clone(), policy })
    }

    /// With both notations at once, it would be unclear which of two keys applies.
    fn conflict(&self, key: &'static str, at: &Path<'_>) -> Option<Flaw> {
        let (before, other) = self.way?;
        (way(key) != Way::Both && way(key) != before)
            .then(|| at.breaks(format_args!("must not stand beside `{other}`: one of them is as Kubernetes writes it")))
    }

    /// Reads the table of a kind; none if there is no value.
    fn kind<'de, T: Table, M: MapAccess<'de>>(
        &self,
        key: &'static str,
        at: Path<'_>,
        map: &mut M,
        mut table: T,
    ) -> Result<Option<T>, M::Error> {
        let conflict = self.conflict(key, &at);
        let there = map.next_value_seed(Maybe { fill: Fill(at, &mut table), conflict })?;
        Ok(there.then_some(table))
    }
}

impl Table for SpecTable {
    const KEYS: &'static [&'static str] = &[
        "interval",
        "timeout",
        "jitter",
        "start_period",
        "failure_threshold",
        "success_threshold",
        "http",
        "tcp",
        "exec",
        "httpGet",
        "tcpSocket",
        "grpc",
        "initialDelaySeconds",
        "periodSeconds",
        "timeoutSeconds",
        "successThreshold",
        "failureThreshold",
        "terminationGracePeriodSeconds",
    ];

    fn read<'de, M: MapAccess<'de>>(&mut self, key: &'static str, at: Path<'_>, map: &mut M) -> Result<(), M::Error> {
        let kind = match key {
            "http" => self.kind(key, at, map, HttpTable::default())?.map(|table| ProbeKind::Http(table.get)),
            "httpGet" => self.kind(key, at, map, HttpGetAction::default())?.map(|action| ProbeKind::Http(action.0.get)),
            "tcp" | "tcpSocket" => {
                let table = TcpTable::new(key == "tcpSocket");
                self.kind(key, at, map, table)?.map(|table| ProbeKind::Tcp(table.connect))
            }
            "exec" => self.kind(key, at, map, ExecTable::default())?.and_then(|table| table.0).map(ProbeKind::Exec),
            #[cfg(feature = "grpc")]
            "grpc" => self.kind(key, at, map, GrpcProbeTable::default())?.map(|table| ProbeKind::Grpc(table.health)),
            _ => {
                let conflict = self.conflict(key, &at);
                let set = |leaf: &Leaf<'_>| conflict.map_or_else(|| self.set(key, &at, leaf), Err);
                if Leaf::read(at, map, set)?.is_some() {
                    self.says(key);
                }
                return Ok(());
            }
        };
        if let Some(kind) = kind {
            self.kinds.push(kind);
            self.says(key);
        }
        Ok(())
    }

    fn check(&self) -> Result<(), (String, String)> {
        self.build().map(drop)
    }
}

impl SpecTable {
    /// The key is there; it may show which notation is used.
    fn says(&mut self, key: &'static str) {
        if way(key) != Way::Both {
            self.way.get_or_insert((way(key), key));
        }
    }

    fn set(&mut self, key: &'static str, at: &Path<'_>, leaf: &Leaf<'_>) -> Result<(), Flaw> {
        // In Kubernetes, zero means not set, and numbers are signed, with 32 bits.
        let whole = || leaf.whole(0..=i32::MAX as u32).map(|number| Some(number).filter(|number| *number > 0));
        let seconds = || whole().map(|number| number.map(|number| Duration::from_secs(number.into())));
        match key {
            "interval" => self.interval = Some(leaf.time(false)?),
            "timeout" => self.timeout = Some(leaf.time(false)?),
            "jitter" => self.jitter = Some(leaf.time(true)?),
            "start_period" => self.start_period = Some(leaf.time(true)?),
            "failure_threshold" => self.failure_threshold = Some(leaf.whole(1..=u32::MAX)?),
            "success_threshold" => self.success_threshold = Some(leaf.whole(1..=u32::MAX)?),
            #[cfg(not(feature = "grpc"))]
            "grpc" => return Err(at.breaks("needs the feature `grpc` of seaworthy")),
            "terminationGracePeriodSeconds" => {
                return Err(at.breaks("is not obeyed: a prober ends nothing; leave it out"));
            }
            "initialDelaySeconds" => self.start_period = seconds()?,
            "periodSeconds" => self.interval = seconds()?,
            "timeoutSeconds" => self.timeout = seconds()?,
            "failureThreshold" => self.failure_threshold = whole()?,
            _ => self.success_threshold = whole()?,
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for ProbeSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ProbeSpec, D::Error> {
        let mut table = SpecTable::default();
        Fill(Path::OUTERMOST, &mut table).deserialize(deserializer)?;
        table.build().map_err(|(field, rule)| D::Error::custom(format_args!("{field}: {rule}")))
    }
}
