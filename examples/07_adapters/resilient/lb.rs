use super::super::backend::{Answer, LoadBalancer};
use super::Resilient;

impl<B: LoadBalancer> LoadBalancer for Resilient<B> {
    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    async fn create(&self, name: &str) -> Answer<()> {
        self.guard(self.classes.long, |inner| inner.create(name)).await
    }

    async fn add_target(&self, name: &str, address: &str) -> Answer<()> {
        self.guard(self.classes.usual, |inner| inner.add_target(name, address)).await
    }

    async fn targets(&self, name: &str) -> Answer<Vec<String>> {
        self.guard(self.classes.usual, |inner| inner.targets(name)).await
    }

    async fn delete(&self, name: &str) -> Answer<()> {
        self.guard(self.classes.usual, |inner| inner.delete(name)).await
    }
}
