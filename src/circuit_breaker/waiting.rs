use std::task::{Context, Poll, ready};

use super::handle::CircuitBreaker;
use crate::machine::timestamp::Timestamp;
use crate::rt::time::Alarm;

/// A service's place in the queue of those that wait until the circuit breaker lets calls pass; given up on drop.
#[derive(Debug)]
pub(crate) struct WaitUntilAdmitted {
    circuit_breaker: CircuitBreaker,
    /// 0 until it has one.
    id: u64,
    /// What the alarm is set to.
    timer: Timestamp,
    alarm: Alarm,
}

impl WaitUntilAdmitted {
    pub(super) fn new(circuit_breaker: CircuitBreaker) -> WaitUntilAdmitted {
        WaitUntilAdmitted { circuit_breaker, id: 0, timer: Timestamp::NEVER, alarm: Alarm::default() }
    }

    /// Ready when a call might pass; the caller then checks again.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let Some(timer) = self.circuit_breaker.shared().wait(&mut self.id, cx.waker()) else {
                return Poll::Ready(());
            };
            if timer != self.timer {
                self.timer = timer;
                self.alarm.set(timer);
            }
            ready!(self.alarm.poll(cx));
            // The time is over: check again, and do not keep a timer that has fired.
            self.timer = Timestamp::NEVER;
            self.alarm = Alarm::default();
        }
    }
}

impl Drop for WaitUntilAdmitted {
    fn drop(&mut self) {
        if self.id != 0 {
            self.circuit_breaker.shared().forget_waiter(self.id);
        }
    }
}
