//! What the program needs of its backends, as a trait for each; and a backend to play with.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use seaworthy::BoxError;

pub(crate) trait Compute {
    fn create(&self, name: &str) -> impl Future<Output = Result<String, BoxError>> + Send;
    fn ping(&self) -> impl Future<Output = Result<(), BoxError>> + Send;
}

pub(crate) trait Network {
    fn attach(&self, name: &str) -> impl Future<Output = Result<String, BoxError>> + Send;
    fn ping(&self) -> impl Future<Output = Result<(), BoxError>> + Send;
}

pub(crate) trait Storage {
    fn snapshot(&self, name: &str) -> impl Future<Output = Result<String, BoxError>> + Send;
}

pub(crate) trait Dns {
    fn resolve(&self, name: &str) -> impl Future<Output = Result<String, BoxError>> + Send;
}

pub(crate) trait LoadBalancer {
    fn drain(&self, name: &str) -> impl Future<Output = Result<String, BoxError>> + Send;
}

/// Does all of it, at once, unless told to fail.
#[derive(Debug, Default)]
pub(crate) struct Lab {
    fails: AtomicBool,
    calls: AtomicU32,
}

impl Lab {
    pub(crate) fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::Relaxed);
    }

    pub(crate) fn calls(&self) -> u32 {
        self.calls.load(Ordering::Relaxed)
    }

    fn answer(&self, what: &str, name: &str) -> Result<String, BoxError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if self.fails.load(Ordering::Relaxed) { Err("out of order".into()) } else { Ok(format!("{what} {name}")) }
    }
}

impl Compute for Arc<Lab> {
    async fn create(&self, name: &str) -> Result<String, BoxError> {
        self.answer("created", name)
    }

    async fn ping(&self) -> Result<(), BoxError> {
        self.answer("pinged", "compute").map(drop)
    }
}

impl Network for Arc<Lab> {
    async fn attach(&self, name: &str) -> Result<String, BoxError> {
        self.answer("attached", name)
    }

    async fn ping(&self) -> Result<(), BoxError> {
        self.answer("pinged", "network").map(drop)
    }
}

impl Storage for Arc<Lab> {
    async fn snapshot(&self, name: &str) -> Result<String, BoxError> {
        self.answer("took a snapshot of", name)
    }
}

impl Dns for Arc<Lab> {
    async fn resolve(&self, name: &str) -> Result<String, BoxError> {
        self.answer("resolved", name)
    }
}

impl LoadBalancer for Arc<Lab> {
    async fn drain(&self, name: &str) -> Result<String, BoxError> {
        self.answer("drained", name)
    }
}
