use std::convert::Infallible;
use std::task::Waker;

use crate::machine::queue::Queue;
use crate::machine::tally::Tally;
use crate::panic::wake_all;
use crate::sync::{AtomicU64, Mutex, MutexGuard, Ordering};

/// Makes one step of the tally, or none where it cannot be made.
#[inline]
pub(super) fn advance<T, E>(tally: &AtomicU64, step: impl Fn(Tally) -> Result<(Tally, T), E>) -> Result<T, E> {
    let mut seen = tally.load(Ordering::Acquire);
    loop {
        let (next, answer) = step(Tally::from_bits(seen))?;
        match tally.compare_exchange_weak(seen, next.bits(), Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return Ok(answer),
            Err(now) => seen = now,
        }
    }
}

/// The tally in the hands of the holder of the queue's lock, who alone changes how many wait.
pub(super) struct Locked<'a> {
    tally: &'a AtomicU64,
    queue: MutexGuard<'a, Queue<Waker>>,
    // Mostly it is one, and no need to allocate.
    first_awake: Option<Waker>,
    awake: Vec<Waker>,
    granted: u32,
}

impl<'a> Locked<'a> {
    pub(super) fn new(tally: &'a AtomicU64, queue: &'a Mutex<Queue<Waker>>) -> Locked<'a> {
        Locked { tally, queue: queue.lock(), first_awake: None, awake: Vec::new(), granted: 0 }
    }

    pub(super) fn queue(&mut self) -> &mut Queue<Waker> {
        &mut self.queue
    }

    /// Makes one step, at a moment at which no slot is free that somebody waits for.
    pub(super) fn step<T, E>(&mut self, step: impl Fn(Tally) -> Result<(Tally, T), E>) -> Result<T, E> {
        loop {
            let stepped = advance(self.tally, |tally| match tally.settled() {
                (_, 0) => step(tally).map(|(next, answer)| (next, Ok(answer))),
                (settled, granted) => Ok((settled, Err(granted))),
            });
            match stepped? {
                Ok(answer) => return Ok(answer),
                Err(granted) => self.serve(granted),
            }
        }
    }

    /// Hands free slots to those who wait.
    pub(super) fn settle(&mut self) {
        let _nothing_else = self.step(|_| Err::<(Tally, ()), ()>(()));
    }

    /// Takes one out who waits under this number; none if a slot was granted to it, even at the last moment.
    pub(super) fn leave(&mut self, number: u64) -> Option<Waker> {
        loop {
            self.queue.find(number)?;
            let Ok(granted) = advance(self.tally, |tally| match tally.settled() {
                (_, 0) => Ok::<_, Infallible>((tally.leave(), 0)),
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
            debug_assert!(waker.is_some(), "the queue is as long as the tally says");
            if self.first_awake.is_none() {
                self.first_awake = waker;
            } else {
                self.awake.extend(waker);
            }
        }
    }

    /// Lets go of the lock, then wakes whoever was given a slot: a waker may be anybody's code. Gives how many these are.
    pub(super) fn unlock(self) -> u32 {
        let Locked { queue, first_awake, awake, granted, .. } = self;
        drop(queue);
        wake_all(first_awake.into_iter().chain(awake));
        granted
    }
}
