use std::fmt;

use crate::error::did_you_mean::nearest;
use crate::name::Name;

/// A policy or a class was looked up by a name that does not exist.
///
/// It lists the names that do, and suggests the one probably meant.
///
/// ```
/// use seaworthy::policy::Class;
/// use seaworthy::{Policies, Policy};
///
/// let compute = Policy::builder("compute").class("long", Class::new()).class("ping", Class::bare()).build()?;
/// let error = compute.class("lnog").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "policy `compute` has no class `lnog`; did you mean `long`? There are `long`, `ping`",
/// );
/// let policies = Policies::new([compute])?;
/// assert_eq!(policies.get("dns").unwrap_err().to_string(), "there is no policy `dns`; there are `compute`");
/// # Ok::<(), seaworthy::PolicyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    /// The policy that lacks a class; `None` if the policy itself does not exist.
    policy: Option<Name>,
    name: String,
    known: Vec<String>,
}

impl UnknownName {
    #[cold]
    pub(super) fn new<'k>(policy: Option<Name>, name: &str, known: impl Iterator<Item = &'k str>) -> UnknownName {
        UnknownName { policy, name: name.to_owned(), known: known.map(str::to_owned).collect() }
    }

    /// The name that does not exist.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names that do.
    pub fn known(&self) -> impl ExactSizeIterator<Item = &str> {
        self.known.iter().map(String::as_str)
    }
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.policy {
            Some(policy) => write!(f, "policy `{policy}` has no class `{}`; ", self.name)?,
            None => write!(f, "there is no policy `{}`; ", self.name)?,
        }
        let Some((first, others)) = self.known.split_first() else {
            return f.write_str("there are none");
        };
        match nearest(self.known(), &self.name) {
            Some(meant) => write!(f, "did you mean `{meant}`? There are `{first}`")?,
            None => write!(f, "there are `{first}`")?,
        }
        others.iter().try_for_each(|other| write!(f, ", `{other}`"))
    }
}

impl std::error::Error for UnknownName {}
