//! The same traits, with a policy around each of their methods.

mod compute;
mod dns;
mod lb;
mod network;
mod storage;

use std::future::Future;

use seaworthy::policy::{Class, ClassifiedPolicy};
use seaworthy::{Classify, Policy, UnknownName, Verdict};

use super::backend::{Answer, BackendError};

/// A backend behind its policy.
pub struct Resilient<B> {
    inner: B,
    policy: ClassifiedPolicy<Judge>,
    classes: Classes,
}

/// The classes of calls, looked up once; a backend without its own class for a kind of call uses the usual one.
#[derive(Clone, Copy)]
struct Classes {
    usual: Class,
    long: Class,
    ping: Class,
}

impl<B> Resilient<B> {
    /// # Errors
    /// The policy lacks one of the classes.
    pub fn new(inner: B, policy: Policy, classes: &[&str]) -> Result<Resilient<B>, UnknownName> {
        let find = |name| if classes.contains(&name) { policy.class(name) } else { Ok(Class::new()) };
        let classes = Classes { usual: Class::new(), long: find("long")?, ping: find("ping")? };
        Ok(Resilient { inner, policy: policy.classify(Judge), classes })
    }

    /// For its state, to force its circuit, or to make a check of it.
    pub fn policy(&self) -> &Policy {
        self.policy.policy()
    }

    /// The backend, without its policy.
    pub fn get_ref(&self) -> &B {
        &self.inner
    }

    /// The backend, alone.
    pub fn into_inner(self) -> B {
        self.inner
    }

    /// Calls the backend through the policy.
    async fn guard<'a, F, T>(&'a self, class: Class, call: impl Fn(&'a B) -> F) -> Answer<T>
    where
        F: Future<Output = Answer<T>>,
    {
        self.policy.with(class).run(|| call(&self.inner)).await
    }
}

/// A backend that says that something does not exist is well.
#[derive(Clone, Copy, Debug)]
struct Judge;

impl<T> Classify<T, BackendError> for Judge {
    fn classify(&self, result: &Answer<T>) -> Verdict {
        match result {
            Ok(_) | Err(BackendError::NotFound(_) | BackendError::Exists(_)) => Verdict::Success,
            Err(_) => Verdict::Failure,
        }
    }
}
