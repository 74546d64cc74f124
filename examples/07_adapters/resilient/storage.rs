use super::super::backend::{Answer, Storage};
use super::Resilient;

impl<B: Storage> Storage for Resilient<B> {
    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    async fn create(&self, name: &str) -> Answer<()> {
        self.guard(self.classes.usual, |inner| inner.create(name)).await
    }

    async fn snapshot(&self, name: &str) -> Answer<u32> {
        self.guard(self.classes.long, |inner| inner.snapshot(name)).await
    }

    async fn delete(&self, name: &str) -> Answer<()> {
        self.guard(self.classes.usual, |inner| inner.delete(name)).await
    }

    async fn ping(&self) -> Answer<()> {
        self.guard(self.classes.ping, |inner| inner.ping()).await
    }
}
