//! The part to copy: a backend with a policy around each of its methods. It is a backend like the one in it.

use seaworthy::policy::Class;
use seaworthy::{BoxError, Policies, Policy, PolicyError};

use crate::backends::{Compute, Dns, LoadBalancer, Network, Storage};

pub(crate) struct Resilient<B> {
    backend: B,
    policy: Policy,
    /// Looked up once, here. Where the file has no such class, calls are like others.
    long: Class,
    ping: Class,
}

impl<B> Resilient<B> {
    /// # Errors
    /// The file has no policy of this name.
    pub(crate) fn new(backend: B, policies: &Policies, name: &str) -> Result<Resilient<B>, PolicyError> {
        let policy = policies.get(name)?.clone();
        let class = |name| policy.class(name).unwrap_or_default();
        let (long, ping) = (class("long"), class("ping"));
        Ok(Resilient { backend, policy, long, ping })
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }
}

impl<B: Compute + Sync> Compute for Resilient<B> {
    async fn create(&self, name: &str) -> Result<String, BoxError> {
        self.policy.with(self.long).run(|| self.backend.create(name)).await
    }

    async fn ping(&self) -> Result<(), BoxError> {
        self.policy.with(self.ping).run(|| self.backend.ping()).await
    }
}

impl<B: Network + Sync> Network for Resilient<B> {
    async fn attach(&self, name: &str) -> Result<String, BoxError> {
        self.policy.run(|| self.backend.attach(name)).await
    }

    async fn ping(&self) -> Result<(), BoxError> {
        self.policy.with(self.ping).run(|| self.backend.ping()).await
    }
}

impl<B: Storage + Sync> Storage for Resilient<B> {
    async fn snapshot(&self, name: &str) -> Result<String, BoxError> {
        self.policy.with(self.long).run(|| self.backend.snapshot(name)).await
    }
}

impl<B: Dns + Sync> Dns for Resilient<B> {
    async fn resolve(&self, name: &str) -> Result<String, BoxError> {
        self.policy.run(|| self.backend.resolve(name)).await
    }
}

impl<B: LoadBalancer + Sync> LoadBalancer for Resilient<B> {
    async fn drain(&self, name: &str) -> Result<String, BoxError> {
        self.policy.with(self.long).run(|| self.backend.drain(name)).await
    }
}
