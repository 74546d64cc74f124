use std::convert::Infallible;
use std::task::Waker;

use crate::machine::bulkhead::permits::Permits;
use crate::machine::bulkhead::queue::WaitQueue;
use crate::rt::panic::wake_all;
use crate::rt::sync::{AtomicU64, Mutex, MutexGuard, Ordering};

/// Makes one step of the permit counts, or none where it cannot be made.
#[inline]
pub(super) fn advance<T, E>(permits: &AtomicU64, step: impl Fn(Permits) -> Result<(Permits, T), E>) -> Result<T, E> {
    let mut seen = permits.load(Ordering::Acquire);
    loop {
        let (next, answer) = step(Permits::from_bits(seen))?;
        match permits.compare_exchange_weak(seen, next.bits(), Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return Ok(answer),
            Err(now) => seen = now,
        }
    }
}

/// The permit counts, seen by the holder of the queue's lock, who alone changes how many wait.
pub(super) struct LockedQueue<'a> {
    permits: &'a AtomicU64,
    queue: MutexGuard<'a, WaitQueue<Waker>>,
    // Usually there is one, which needs no allocation.
    first_awake: Option<Waker>,
    awake: Vec<Waker>,
    granted: u32,
}

impl<'a> LockedQueue<'a> {
    pub(super) fn new(permits: &'a AtomicU64, queue: &'a Mutex<WaitQueue<Waker>>) -> LockedQueue<'a> {
        LockedQueue { permits, queue: queue.lock(), first_awake: None, awake: Vec::new(), granted: 0 }
    }

    pub(super) fn queue(&mut self) -> &mut WaitQueue<Waker> {
        &mut self.queue
    }

    /// Makes one step, at a moment when every free permit has been handed to a waiter.
    pub(super) fn step<T, E>(&mut self, step: impl Fn(Permits) -> Result<(Permits, T), E>) -> Result<T, E> {
        loop {
            let stepped = advance(self.permits, |permits| match permits.settled() {
                (_, 0) => step(permits).map(|(next, answer)| (next, Ok(answer))),
                (settled, granted) => Ok((settled, Err(granted))),
            });
            match stepped? {
                Ok(answer) => return Ok(answer),
                Err(granted) => self.serve(granted),
            }
        }
    }

    /// Hands free permits to waiters.
    pub(super) fn settle(&mut self) {
        let _nothing_else = self.step(|_| Err::<(Permits, ()), ()>(()));
    }

    /// Removes the waiter with this number; `None` if a permit was granted to it, even at the last moment.
    pub(super) fn leave(&mut self, number: u64) -> Option<Waker> {
        loop {
            self.queue.find(number)?;
            let Ok(granted) = advance(self.permits, |permits| match permits.settled() {
                (_, 0) => Ok::<_, Infallible>((permits.leave(), 0)),
                settled_and_granted => Ok(settled_and_granted),
            });
            if granted == 0 {
                return self.queue.leave(number);
            }
            self.serve(granted);
        }
    }

    fn serve(&mut self, granted: u32) {
        self.granted += granted;
        for _ in 0..granted {
            let waker = self.queue.serve();
            debug_assert!(waker.is_some(), "the queue is as long as the counts say");
            if self.first_awake.is_none() {
                self.first_awake = waker;
            } else {
                self.awake.extend(waker);
            }
        }
    }

    /// Releases the lock, then wakes those that were given a permit, because a waker may run any code. Returns how many
    /// there were.
    pub(super) fn unlock(self) -> u32 {
        let LockedQueue { queue, first_awake, awake, granted, .. } = self;
        drop(queue);
        wake_all(first_awake.into_iter().chain(awake));
        granted
    }
}
