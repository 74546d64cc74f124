use super::super::backend::{Answer, Compute, Instance, Logs};
use super::Resilient;

impl<B: Compute> Compute for Resilient<B> {
    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    async fn create(&self, name: &str) -> Answer<Instance> {
        self.guard(self.classes.long, |inner| inner.create(name)).await
    }

    async fn get(&self, name: &str) -> Answer<Instance> {
        self.guard(self.classes.usual, |inner| inner.get(name)).await
    }

    async fn list(&self) -> Answer<Vec<String>> {
        self.guard(self.classes.usual, |inner| inner.list()).await
    }

    async fn delete(&self, name: &str) -> Answer<()> {
        self.guard(self.classes.usual, |inner| inner.delete(name)).await
    }

    /// The timeout covers the opening. The permit is held until the stream ends or is dropped.
    async fn logs(&self, name: &str) -> Answer<Logs> {
        let call = self.policy.with(self.classes.usual);
        call.run_with_permit(async |permit| Ok(self.inner.logs(name).await?.holding(permit))).await
    }

    async fn ping(&self) -> Answer<()> {
        self.guard(self.classes.ping, |inner| inner.ping()).await
    }
}
