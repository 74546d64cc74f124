use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};

use crate::rt::panic::wake_all;
use crate::rt::sync::Mutex;

/// The wakers to be woken, in the order in which they joined. Each has an id; 0 means not in the set.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    last_id: u64,
    wakers: BTreeMap<u64, Waker>,
}

impl Wakers {
    /// Whether `waker` would be woken already.
    pub(crate) fn knows(&self, id: u64, waker: &Waker) -> bool {
        self.wakers.get(&id).is_some_and(|known| known.will_wake(waker))
    }

    /// Adds `waker`, in place of the one that `id` stood for. Returns the replaced one, to be dropped outside the lock.
    pub(crate) fn put(&mut self, id: &mut u64, waker: Waker) -> Option<Waker> {
        if *id == 0 {
            self.last_id += 1;
            *id = self.last_id;
        }
        self.wakers.insert(*id, waker)
    }

    #[must_use = "drop it outside the lock"]
    pub(crate) fn remove(&mut self, id: u64) -> Option<Waker> {
        self.wakers.remove(&id)
    }

    /// All of them, to be woken outside the lock. A task that still waits joins again with its next poll.
    #[must_use = "they have to be woken"]
    pub(crate) fn take(&mut self) -> BTreeMap<u64, Waker> {
        std::mem::take(&mut self.wakers)
    }
}

/// Wakes every task that waits for something.
///
/// It can serve as a waker itself, and may even be in its own list, because a ring empties the list first: where
/// something waits for itself, the second ring finds the list empty.
#[derive(Debug, Default)]
pub(crate) struct WakerSet(Mutex<Wakers>);

impl WakerSet {
    /// Wakes `waker` at the next ring. An `id` of 0 means not in the set yet.
    pub(crate) fn join(&self, id: &mut u64, waker: &Waker) {
        if self.0.lock().knows(*id, waker) {
            return;
        }
        // A waker is cloned and dropped outside the lock, because it may be anyone's code.
        let waker = waker.clone();
        let mut set = self.0.lock();
        let _dropped_outside = set.put(id, waker);
        drop(set);
    }

    pub(crate) fn leave(&self, id: u64) {
        let mut set = self.0.lock();
        let _dropped_outside = set.remove(id);
        drop(set);
    }

    pub(crate) fn wake_all(&self) {
        let wakers = self.0.lock().take();
        wake_all(wakers.into_values());
    }

    /// Waits until `is_so`, which is checked again after each ring.
    ///
    /// # Cancellation
    /// Dropping it leaves the set.
    pub(crate) async fn wait_until(&self, is_so: impl Fn() -> bool) {
        let mut place = Registration { wakers: self, id: 0 };
        poll_fn(|cx| {
            if is_so() {
                return Poll::Ready(());
            }
            // Joined before the second check, so that a change in between is not missed.
            place.wakers.join(&mut place.id, cx.waker());
            if is_so() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// A place in the set.
struct Registration<'a> {
    wakers: &'a WakerSet,
    id: u64,
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        if self.id != 0 {
            self.wakers.leave(self.id);
        }
    }
}

impl Wake for WakerSet {
    fn wake(self: Arc<Self>) {
        self.wake_all();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Default)]
    struct Counts(AtomicUsize);

    impl Wake for Counts {
        fn wake(self: Arc<Counts>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// ER-11: sets that are in their own list, or in each other's, ring once each, and all other wakers are woken.
    #[test]
    fn a_bell_in_its_own_list() {
        let (one, two, counts) = (Arc::<WakerSet>::default(), Arc::<WakerSet>::default(), Arc::<Counts>::default());
        let [to_one, to_two, counting] =
            [Waker::from(Arc::clone(&one)), Waker::from(Arc::clone(&two)), Waker::from(Arc::clone(&counts))];
        for (wakers, waker) in [(&one, &to_one), (&one, &to_two), (&two, &to_one), (&one, &counting), (&two, &counting)]
        {
            wakers.join(&mut 0, waker);
        }
        one.wake_all();
        assert_eq!(counts.0.load(Ordering::Relaxed), 2);
        one.wake_all();
        two.wake_all();
        assert_eq!(counts.0.load(Ordering::Relaxed), 2, "nobody was left in a list");
    }
}
