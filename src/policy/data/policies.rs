use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess};

use super::parts::PolicyTable;
use crate::data::path::Path;
use crate::data::table::{Each, Fill, NamedTables};
use crate::name::Name;
use crate::observe::notifier::Notifier;
use crate::observe::observer::Observer;
use crate::policy::PolicyBuilder;
use crate::policy::error::PolicyError;
use crate::policy::set::Policies;
use crate::policy::unknown_name::UnknownName;

/// Policies read from data, checked and not yet built, so that code can add what data cannot express: an observer, or a
/// shared part. Feature `serde`.
///
/// If there is nothing to add, read [`Policies`] directly.
///
/// ```
/// use seaworthy::policy::PoliciesBuilder;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let file = r#"
///     [network]
///     timeout = "30s"
///     [storage.bulkhead]
///     limit = 10
/// "#;
/// let network = seaworthy::CircuitBreaker::builder("the network").build()?;
/// let policies = toml::from_str::<PoliciesBuilder>(file)?
///     .change("storage", |storage| storage.shared_circuit_breaker(network.clone()))?
///     .change("network", |policy| policy.shared_circuit_breaker(network.clone()))?
///     .build()?;
/// let circuit_breaker = policies.get("storage")?.circuit_breaker().ok_or("it has one")?;
/// assert_eq!(circuit_breaker.name(), "the network");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `build`"]
pub struct PoliciesBuilder {
    policies: Vec<(Name, PolicyBuilder)>,
    notifier: Notifier,
}

impl PoliciesBuilder {
    /// Continues with the settings of the policy with this name.
    ///
    /// # Errors
    /// If there is none with this name.
    pub fn change(
        mut self,
        name: &str,
        change: impl FnOnce(PolicyBuilder) -> PolicyBuilder,
    ) -> Result<PoliciesBuilder, UnknownName> {
        let Some((_, policy)) = self.policies.iter_mut().find(|(known, _)| *known == *name) else {
            return Err(UnknownName::new(None, name, self.policies.iter().map(|(name, _)| name.as_str())));
        };
        *policy = change(policy.clone());
        Ok(self)
    }

    /// Reports events to `observer` from all parts that were not given another one.
    pub fn observer(mut self, observer: impl Observer + 'static) -> PoliciesBuilder {
        self.notifier = Notifier::new(observer);
        self
    }

    /// Builds all of them. What was read was valid; what has been [changed](Self::change) since may not be.
    ///
    /// # Errors
    /// The first setting that breaks a rule, by its path (`compute.circuit_breaker.open_for`), and which rule.
    pub fn build(self) -> Result<Policies, PolicyError> {
        let PoliciesBuilder { policies, notifier } = self;
        let build = |(name, policy): (Name, PolicyBuilder)| {
            policy.or_notifier(&notifier).build().map_err(|error| error.in_policy(&name))
        };
        let built = policies.into_iter().map(build);
        Policies::new(built.collect::<Result<Vec<_>, _>>()?)
    }
}

impl Each for PoliciesBuilder {
    fn read<'de, M: MapAccess<'de>>(&mut self, name: &str, at: Path<'_>, map: &mut M) -> Result<(), M::Error> {
        let mut table = PolicyTable::new(name);
        map.next_value_seed(Fill(at, &mut table))?;
        self.policies.push((Name::from(name.to_owned()), table.into_builder()));
        Ok(())
    }
}

impl<'de> Deserialize<'de> for PoliciesBuilder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PoliciesBuilder, D::Error> {
        NamedTables { at: None, what: "policies", each: PoliciesBuilder::default() }.deserialize(deserializer)
    }
}

impl<'de> Deserialize<'de> for Policies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Policies, D::Error> {
        PoliciesBuilder::deserialize(deserializer)?.build().map_err(D::Error::custom)
    }
}

impl PolicyBuilder {
    /// Reports events to `notifier`, unless an observer was set.
    pub(super) fn or_notifier(mut self, notifier: &Notifier) -> PolicyBuilder {
        if !self.notifier.is_set() {
            self.notifier = notifier.clone();
        }
        self
    }
}

impl PolicyError {
    /// The same, in the policy with this name.
    pub(super) fn in_policy(self, name: &str) -> PolicyError {
        PolicyError { path: format!("{name}.{}", self.path), ..self }
    }
}
