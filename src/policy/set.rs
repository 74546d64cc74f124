use std::collections::BTreeMap;

use super::error::PolicyError;
use super::handle::Policy;
use super::unknown_name::UnknownName;

/// Policies by name. With feature `serde` they are read from data: see the [module](super).
///
/// # Clone
/// Clones the handles.
#[derive(Clone, Debug, Default)]
pub struct Policies(BTreeMap<String, Policy>);

impl Policies {
    /// Collects policies, each under the name it was built with.
    ///
    /// # Errors
    /// If two have the same name, which is the path.
    pub fn new(policies: impl IntoIterator<Item = Policy>) -> Result<Policies, PolicyError> {
        let mut set = Policies::default();
        for policy in policies {
            let name = policy.name().to_string();
            if set.0.contains_key(&name) {
                return Err(PolicyError::new(name, "there are two of this name"));
            }
            set.0.insert(name, policy);
        }
        Ok(set)
    }

    /// The policy with this name.
    ///
    /// # Errors
    /// If there is none with this name.
    pub fn get(&self, name: &str) -> Result<&Policy, UnknownName> {
        self.0.get(name).ok_or_else(|| UnknownName::new(None, name, self.0.keys().map(String::as_str)))
    }

    /// All policies, in the order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Policy> {
        self.0.values()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
