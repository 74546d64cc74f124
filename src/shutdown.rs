use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::Poll;

use crate::rt::sync::{AtomicU64, Mutex, Ordering};
use crate::rt::waker_set::WakerSet;

/// Tells a task that it is to finish. It is asked with [`is_requested`](Self::is_requested), and awaited with
/// [`requested`](Self::requested); once requested, it stays so.
///
/// ```
/// use seaworthy::Shutdown;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (trigger, shutdown) = Shutdown::new();
/// let worker = tokio::spawn(async move {
///     shutdown.requested().await;
///     "finished"
/// });
/// trigger.fire();
/// assert_eq!(worker.await.unwrap(), "finished");
/// # }
/// ```
///
/// A server that takes a future takes it by value:
/// `axum::serve(listener, app).with_graceful_shutdown(shutdown.requested_owned())`.
///
/// # Clone
/// Costs a reference count; all clones are told.
#[derive(Clone)]
pub struct Shutdown(Arc<Node>);

/// Requests the shutdown that its [`Shutdown`]s observe.
///
/// Dropping it fires nothing: a trigger may be given away and forgotten, and only a deliberate call stops a service.
///
/// # Clone
/// Costs a reference count; any clone fires.
#[derive(Clone)]
pub struct ShutdownTrigger(Arc<Node>);

struct Node {
    /// 1 once requested.
    fired: AtomicU64,
    waiting: WakerSet,
    branches: Mutex<Branches>,
    /// Kept, so that whoever is told through it is told when nobody else holds it any more.
    parent: Option<Arc<Node>>,
}

/// Those who are requested with this one. Who has gone is left out when the list has doubled, so that short-lived
/// children cost what they cost and no more.
#[derive(Default)]
struct Branches {
    list: Vec<Weak<Node>>,
    prune_at: usize,
}

impl Branches {
    fn push(&mut self, branch: Weak<Node>) {
        if self.list.len() >= self.prune_at {
            self.list.retain(|branch| branch.strong_count() > 0);
            self.prune_at = (2 * self.list.len()).max(8);
        }
        self.list.push(branch);
    }
}

impl Node {
    fn new(parent: Option<Arc<Node>>) -> Arc<Node> {
        Arc::new(Node {
            parent,
            fired: AtomicU64::new(0),
            waiting: WakerSet::default(),
            branches: Mutex::new(Branches::default()),
        })
    }

    fn is_fired(&self) -> bool {
        self.fired.load(Ordering::Acquire) == 1
    }

    /// Who finds it fired leaves the rest to whoever fired it.
    fn fire(&self) -> Vec<Weak<Node>> {
        if self.fired.swap(1, Ordering::AcqRel) == 1 {
            return Vec::new();
        }
        self.waiting.ring();
        std::mem::take(&mut self.branches.lock().list)
    }
}

/// One after the other, because a long line of parents would be too deep for the stack.
impl Drop for Node {
    fn drop(&mut self) {
        let mut parent = self.parent.take();
        while let Some(mut node) = parent.and_then(Arc::into_inner) {
            parent = node.parent.take();
        }
    }
}

impl Shutdown {
    /// A shutdown that nobody has requested yet, and what requests it.
    // The trigger comes first, as the sender of a channel does.
    #[allow(clippy::new_ret_no_self, reason = "the two are of no use without each other")]
    #[must_use]
    pub fn new() -> (ShutdownTrigger, Shutdown) {
        Shutdown::of(Node::new(None))
    }

    fn of(node: Arc<Node>) -> (ShutdownTrigger, Shutdown) {
        (ShutdownTrigger(Arc::clone(&node)), Shutdown(node))
    }

    /// A shutdown for a part of what this one is for: it is requested by its own trigger, or together with this one.
    #[must_use]
    pub fn child(&self) -> (ShutdownTrigger, Shutdown) {
        let (trigger, child) = Shutdown::of(Node::new(Some(Arc::clone(&self.0))));
        let mut branches = self.0.branches.lock();
        // Under the lock, so that whoever fires this one either finds the child in the list or was seen here.
        if self.0.is_fired() {
            drop(branches);
            trigger.fire();
        } else {
            branches.push(Arc::downgrade(&child.0));
        }
        (trigger, child)
    }

    /// Whether it was requested.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.0.is_fired()
    }

    /// Waits until it is requested; for ever, if nobody ever does.
    ///
    /// # Cancellation
    /// Dropping it loses nothing.
    pub async fn requested(&self) {
        self.0.waiting.wait_until(|| self.is_requested()).await;
    }

    /// As [`requested`](Self::requested), for those who want a future that borrows nothing.
    ///
    /// # Cancellation
    /// Dropping it loses nothing.
    pub async fn requested_owned(self) {
        self.requested().await;
    }

    /// Runs `future` until it is done, or until the shutdown is requested; then there is no output, and `future` is
    /// dropped. Once it is requested `future` is not polled again, so that a loop over a source that is always ready
    /// ends, too.
    ///
    /// ```
    /// use seaworthy::Shutdown;
    ///
    /// async fn work(mut jobs: tokio::sync::mpsc::Receiver<u32>, shutdown: Shutdown) {
    ///     while let Some(Some(job)) = shutdown.until(jobs.recv()).await {
    ///         println!("job {job}");
    ///     }
    /// }
    /// ```
    ///
    /// # Cancellation
    /// Dropping it drops `future`.
    pub async fn until<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut requested = pin!(self.requested());
        let mut future = pin!(future);
        poll_fn(|cx| match requested.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(None),
            Poll::Pending => future.as_mut().poll(cx).map(Some),
        })
        .await
    }
}

impl ShutdownTrigger {
    /// Requests the shutdown, and all that were made from it by [`Shutdown::child`]. Firing again does nothing.
    pub fn fire(&self) {
        let mut branches = self.0.fire();
        while let Some(branch) = branches.pop() {
            if let Some(node) = branch.upgrade() {
                branches.extend(node.fire());
            }
        }
    }

    /// The shutdown that this requests.
    #[must_use]
    pub fn shutdown(&self) -> Shutdown {
        Shutdown(Arc::clone(&self.0))
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shutdown").field("is_requested", &self.is_requested()).finish()
    }
}

impl fmt::Debug for ShutdownTrigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShutdownTrigger").field("has_fired", &self.0.is_fired()).finish()
    }
}
