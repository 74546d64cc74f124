use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::task::Poll;

use crate::rt::sync::{AtomicU64, Mutex, Ordering};
use crate::rt::waker_set::WakerSet;

/// Tells a task to finish. Check it with [`is_requested`](Self::is_requested), or await it with
/// [`requested`](Self::requested); once requested, it stays requested.
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
/// To a server that takes a future, pass it by value:
/// `axum::serve(listener, app).with_graceful_shutdown(shutdown.requested_owned())`.
///
/// # Clone
/// Costs a reference count; a request reaches all clones.
#[derive(Clone)]
pub struct Shutdown(Arc<Node>);

/// Requests the shutdown that its [`Shutdown`]s wait for.
///
/// Dropping it requests nothing: a trigger may be given away and forgotten, and only a deliberate call stops a service.
///
/// # Clone
/// Costs a reference count; any clone can fire.
#[derive(Clone)]
pub struct ShutdownTrigger(Arc<Node>);

struct Node {
    /// 1 once requested.
    fired: AtomicU64,
    waiting: WakerSet,
    branches: Mutex<Branches>,
    /// Keeps the parents alive, so that a request from further up still arrives when nothing else holds those in
    /// between.
    parent: Option<Arc<Node>>,
}

/// The shutdowns requested together with this one. Dead ones are pruned when the list has doubled, so that short-lived
/// children cost only what they use.
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

    /// The first call does the rest; a later one finds nothing to do.
    fn fire(&self) -> Vec<Weak<Node>> {
        if self.fired.swap(1, Ordering::AcqRel) == 1 {
            return Vec::new();
        }
        self.waiting.wake_all();
        std::mem::take(&mut self.branches.lock().list)
    }
}

/// Iterative, because dropping a long chain of parents recursively would overflow the stack.
impl Drop for Node {
    fn drop(&mut self) {
        let mut parent = self.parent.take();
        while let Some(mut node) = parent.and_then(Arc::into_inner) {
            parent = node.parent.take();
        }
    }
}

impl Shutdown {
    /// A shutdown that is not requested yet, and its trigger.
    // The trigger comes first, as a channel's sender does.
    #[allow(clippy::new_ret_no_self, reason = "the two are of no use without each other")]
    #[must_use]
    pub fn new() -> (ShutdownTrigger, Shutdown) {
        Shutdown::of(Node::new(None))
    }

    fn of(node: Arc<Node>) -> (ShutdownTrigger, Shutdown) {
        (ShutdownTrigger(Arc::clone(&node)), Shutdown(node))
    }

    /// A shutdown for part of what this one covers: it is requested by its own trigger, or together with this one.
    #[must_use]
    pub fn child(&self) -> (ShutdownTrigger, Shutdown) {
        let (trigger, child) = Shutdown::of(Node::new(Some(Arc::clone(&self.0))));
        let mut branches = self.0.branches.lock();
        // Under the lock, so that a call that fires this one either finds the child in the list or is seen here.
        if self.0.is_fired() {
            drop(branches);
            trigger.fire();
        } else {
            branches.push(Arc::downgrade(&child.0));
        }
        (trigger, child)
    }

    /// Whether it has been requested.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.0.is_fired()
    }

    /// Waits until it is requested; for ever, if it never is.
    ///
    /// # Cancellation
    /// Dropping it loses nothing.
    pub async fn requested(&self) {
        self.0.waiting.wait_until(|| self.is_requested()).await;
    }

    /// Like [`requested`](Self::requested), for code that needs a future without a borrow.
    ///
    /// # Cancellation
    /// Dropping it loses nothing.
    pub async fn requested_owned(self) {
        self.requested().await;
    }

    /// Runs `future` until it is done or the shutdown is requested; in the latter case there is no output, and `future`
    /// is dropped. Once the shutdown is requested `future` is not polled again, so that even a loop over a source that
    /// is always ready ends.
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
    /// Requests the shutdown, and all those made from it by [`Shutdown::child`]. Firing again does nothing.
    pub fn fire(&self) {
        let mut branches = self.0.fire();
        while let Some(branch) = branches.pop() {
            if let Some(node) = branch.upgrade() {
                branches.extend(node.fire());
            }
        }
    }

    /// The shutdown that this trigger requests.
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
