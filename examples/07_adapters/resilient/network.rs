use super::super::backend::{Answer, Network};
use super::Resilient;

impl<B: Network> Network for Resilient<B> {
    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    async fn create(&self, name: &str) -> Answer<()> {
        self.guard(self.classes.usual, |inner| inner.create(name)).await
    }

    async fn attach(&self, name: &str, instance: &str) -> Answer<()> {
        self.guard(self.classes.usual, |inner| inner.attach(name, instance)).await
    }

    async fn members(&self, name: &str) -> Answer<Vec<String>> {
        self.guard(self.classes.usual, |inner| inner.members(name)).await
    }

    async fn delete(&self, name: &str) -> Answer<()> {
        self.guard(self.classes.usual, |inner| inner.delete(name)).await
    }

    async fn ping(&self) -> Answer<()> {
        self.guard(self.classes.ping, |inner| inner.ping()).await
    }
}
