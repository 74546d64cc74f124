use super::super::backend::{Answer, Dns};
use super::Resilient;

impl<B: Dns> Dns for Resilient<B> {
    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    async fn set(&self, name: &str, address: &str) -> Answer<()> {
        self.guard(self.classes.usual, |inner| inner.set(name, address)).await
    }

    async fn look_up(&self, name: &str) -> Answer<String> {
        self.guard(self.classes.usual, |inner| inner.look_up(name)).await
    }

    async fn remove(&self, name: &str) -> Answer<()> {
        self.guard(self.classes.usual, |inner| inner.remove(name)).await
    }
}
