use std::any::Any;
use std::error::Error as StdError;
use std::fmt::Write;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::bell::Bell;
use crate::audience::log_guarded;
use crate::health::Status;
use crate::sync::Mutex;
use crate::time::Countdown;
use crate::{BoxError, Name};

type BoxFuture = Pin<Box<dyn Future<Output = Status> + Send>>;

pub(super) type Maker = Box<dyn Fn() -> BoxFuture + Send + Sync>;

pub(super) fn maker<F, Fut, E>(check: F) -> Maker
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<BoxError>,
{
    Box::new(move || {
        let future = check();
        Box::pin(async move {
            match future.await {
                Ok(()) => Status::Up,
                Err(error) => Status::Down(Name::from(in_words(&*error.into()))),
            }
        })
    })
}

/// An error and what it stems from.
fn in_words(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    if text.is_empty() {
        // Some errors print as nothing.
        return format!("{error:?}");
    }
    let mut source = error.source();
    while let Some(error) = source {
        // Writing to a string does not fail.
        let _always_ok = write!(text, ": {error}");
        source = error.source();
    }
    text
}

/// One run, which anybody who waits for it may drive.
pub(super) struct Attempt {
    pub(super) bell: Arc<Bell>,
    work: Mutex<Work>,
}

enum Work {
    Here(Box<Job>),
    /// Somebody is polling it.
    Out,
    Done(Status),
    /// Nobody waited for it any more.
    Abandoned,
}

/// What an attempt to drive a run led to.
pub(super) enum Drive {
    Pending,
    /// It ended here.
    Ended(Status),
    /// It had ended.
    Done(Status),
}

impl Attempt {
    pub(super) fn new() -> Attempt {
        Attempt { bell: Arc::default(), work: Mutex::new(Work::Here(Box::default())) }
    }

    /// Drives it on, unless somebody else does; whoever is in the bell is woken when there is more to do.
    pub(super) fn drive(&self, make: &Maker, limit: Duration) -> Drive {
        let mut work = self.work.lock();
        let mut job = match std::mem::replace(&mut *work, Work::Out) {
            Work::Here(job) => job,
            Work::Done(status) => {
                *work = Work::Done(status.clone());
                return Drive::Done(status);
            }
            other => {
                *work = other;
                return Drive::Pending;
            }
        };
        drop(work);
        // Foreign code, so outside of the lock.
        let waker = Waker::from(Arc::clone(&self.bell));
        match job.poll(make, limit, &mut Context::from_waker(&waker)) {
            Poll::Pending => {
                *self.work.lock() = Work::Here(job);
                Drive::Pending
            }
            Poll::Ready(status) => {
                *self.work.lock() = Work::Done(status.clone());
                Drive::Ended(status)
            }
        }
    }

    /// Drops what is left to do.
    pub(super) fn abandon(&self) {
        let work = std::mem::replace(&mut *self.work.lock(), Work::Abandoned);
        if let Work::Here(mut job) = work {
            job.end();
        }
    }
}

#[derive(Default)]
struct Job {
    future: Option<BoxFuture>,
    countdown: Option<Pin<Box<Countdown>>>,
}

impl Job {
    /// Never unwinds: others wait for it, too.
    fn poll(&mut self, make: &Maker, limit: Duration, cx: &mut Context<'_>) -> Poll<Status> {
        let poll = catch_unwind(AssertUnwindSafe(|| self.poll_inside(make, limit, cx)));
        let status = match poll {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(status)) => status,
            Err(payload) => Status::Down(Name::from(format!("panicked: {}", message(&*payload)))),
        };
        self.end();
        Poll::Ready(status)
    }

    fn poll_inside(&mut self, make: &Maker, limit: Duration, cx: &mut Context<'_>) -> Poll<Status> {
        let starts = self.future.is_none();
        // An answer that is there is never lost to the clock.
        if let Poll::Ready(status) = self.future.get_or_insert_with(make).as_mut().poll(cx) {
            return Poll::Ready(status);
        }
        if starts {
            self.countdown = Countdown::boxed(limit);
        }
        match self.countdown.as_mut().map(|countdown| countdown.as_mut().poll(cx)) {
            Some(Poll::Ready(limit)) => Poll::Ready(Status::Down(Name::from(format!("timed out after {limit:?}")))),
            Some(Poll::Pending) | None => Poll::Pending,
        }
    }

    fn end(&mut self) {
        self.countdown = None;
        let future = self.future.take();
        if catch_unwind(AssertUnwindSafe(|| drop(future))).is_err() {
            log_guarded(|| tracing::error!(target: "seaworthy::health", "a check panicked when it was dropped"));
        }
    }
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&'static str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("with something that is no text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("no connection")]
    struct Outer(#[source] std::num::ParseIntError);

    #[derive(Debug, thiserror::Error)]
    #[error("")]
    struct Silent;

    /// HE-02: the reason in the log says all there is to say.
    #[test]
    fn errors_in_words() {
        let cause = "x".parse::<u8>().unwrap_err();
        assert_eq!(in_words(&Outer(cause)), "no connection: invalid digit found in string");
        assert_eq!(in_words(&Silent), "Silent");
    }
}
