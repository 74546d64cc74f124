use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Wake, Waker};

use crate::sync::Mutex;

/// Wakes everybody who waits for a run: any of them may be the one who drives it on.
#[derive(Debug, Default)]
pub(super) struct Bell(Mutex<Wakers>);

#[derive(Debug, Default)]
struct Wakers {
    last_id: u64,
    wakers: BTreeMap<u64, Waker>,
}

impl Bell {
    /// Wakes `waker`, too, from now on. An `id` of 0 stands for nobody.
    pub(super) fn join(&self, id: &mut u64, waker: &Waker) {
        // A waker is cloned and dropped outside of the lock: this may be anybody's code.
        let waker = waker.clone();
        let mut locked = self.0.lock();
        if *id == 0 {
            locked.last_id += 1;
            *id = locked.last_id;
        }
        let _dropped_outside = locked.wakers.insert(*id, waker);
        drop(locked);
    }

    pub(super) fn leave(&self, id: u64) {
        let mut locked = self.0.lock();
        let _dropped_outside = locked.wakers.remove(&id);
        drop(locked);
    }

    pub(super) fn ring(&self) {
        let wakers: Vec<Waker> = self.0.lock().wakers.values().cloned().collect();
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ring();
    }
}
