use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::time::Sleep;

use super::handle::Circuit;
use crate::machine::moment::Moment;
use crate::time;

/// A service's place among those that wait for a circuit to let calls pass; given up when it is dropped.
#[derive(Debug)]
pub(super) struct Waiting {
    circuit: Circuit,
    /// 0 before there is one.
    id: u64,
    until: Moment,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Waiting {
    pub(super) fn new(circuit: Circuit) -> Waiting {
        Waiting { circuit, id: 0, until: Moment::NEVER, timer: None }
    }

    /// Ready when a call might pass; the caller looks again then.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let Some(until) = self.circuit.core().wait(&mut self.id, cx.waker()) else {
                return Poll::Ready(());
            };
            if until != self.until {
                self.until = until;
                self.timer = time::sleep_until(until).map(Box::pin);
            }
            match &mut self.timer {
                None => return Poll::Pending,
                Some(timer) => ready!(timer.as_mut().poll(cx)),
            }
            // The time is over: look again, and do not keep a timer that has ended.
            self.until = Moment::NEVER;
            self.timer = None;
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.id != 0 {
            self.circuit.core().forget_waiter(self.id);
        }
    }
}
