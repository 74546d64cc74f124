//! What the tests of the layer have in common.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use seaworthy::{BoxError, ConfigError};
use seaworthy_ledger::idempotency::IdempotencyService;
use seaworthy_ledger::{Entry, EntryState, Key, Ledger};
use seaworthy_ledger::{IdempotencyError, IdempotencyLayer};
use tower::{Layer, Service};

use crate::doubles::Faulty;

pub(super) const LEASE: Duration = Duration::from_secs(60);

/// A request is its key; an empty one has none.
pub(super) type Request = &'static str;
pub(super) type KeyOf = fn(&Request) -> Option<Result<Key, ConfigError>>;

pub(super) fn key_of(request: &Request) -> Option<Result<Key, ConfigError>> {
    (!request.is_empty()).then(|| Key::new("test", request))
}

pub(super) fn ledger() -> (Ledger<Faulty>, Faulty) {
    let store = Faulty::default();
    (Ledger::with_store("test", store.clone()).lease(LEASE).build().unwrap(), store)
}

pub(super) fn layer(ledger: &Ledger<Faulty>) -> IdempotencyLayer<KeyOf, Faulty> {
    IdempotencyLayer::new(ledger.clone(), key_of as KeyOf)
}

/// Its outcomes are what `work` gives; it counts who asks.
#[derive(Clone)]
pub(super) struct Inner<W> {
    work: W,
    pub(super) count: Arc<Count>,
}

#[derive(Default)]
pub(super) struct Count {
    readied: AtomicUsize,
    called: AtomicUsize,
}

impl Count {
    pub(super) fn called(&self) -> usize {
        self.called.load(Ordering::Relaxed)
    }

    /// How often it was asked whether it is ready, and called.
    pub(super) fn touched(&self) -> (usize, usize) {
        (self.readied.load(Ordering::Relaxed), self.called())
    }
}

pub(super) fn inner<W>(work: W) -> Inner<W> {
    Inner { work, count: Arc::default() }
}

/// What is recorded must not depend on who answers: each answer has its number.
pub(super) type Numbered = Inner<fn(Request, usize) -> std::future::Ready<Result<String, BoxError>>>;

pub(super) fn numbered() -> Numbered {
    inner(|request, call| std::future::ready(Ok(format!("{request} {call}"))))
}

impl<W, R, F, T, E> Service<R> for Inner<W>
where
    W: Fn(R, usize) -> F,
    F: Future<Output = Result<T, E>>,
{
    type Response = T;
    type Error = E;
    type Future = F;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), E>> {
        self.count.readied.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: R) -> F {
        let call = self.count.called.fetch_add(1, Ordering::Relaxed) + 1;
        (self.work)(request, call)
    }
}

/// A layer with its defaults around a numbered service.
pub(super) fn guarded(ledger: &Ledger<Faulty>) -> (IdempotencyService<Numbered, KeyOf, Faulty>, Arc<Count>) {
    let inner = numbered();
    let count = Arc::clone(&inner.count);
    (layer(ledger).layer(inner), count)
}

pub(super) fn key(text: &str) -> Key {
    Key::new("test", text).unwrap()
}

pub(super) async fn entry(ledger: &Ledger<Faulty>, text: &str) -> Option<Entry> {
    ledger.lookup(&key(text)).await.unwrap()
}

pub(super) async fn is_running(ledger: &Ledger<Faulty>, text: &str) -> bool {
    matches!(entry(ledger, text).await.unwrap().state, EntryState::Running { .. })
}

/// The state, the grants, and the reason, once what is in the background has had its turn.
pub(super) async fn row(ledger: &Ledger<Faulty>, text: &str) -> (EntryState, u32, Option<Box<str>>) {
    turns().await;
    let entry = entry(ledger, text).await.unwrap();
    (entry.state, entry.grants, entry.reason)
}

/// Lets tasks go on for as long as no time passes.
pub(super) async fn turns() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

pub(super) fn idempotency(error: &BoxError) -> &IdempotencyError {
    error.downcast_ref().expect("an error of the layer")
}
