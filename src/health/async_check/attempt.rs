use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::context::shield;
use crate::error::BoxError;
use crate::error::chain::in_words;
use crate::error::one_line::OneLine;
use crate::health::check::Status;
use crate::name::Name;
use crate::rt::panic::{caught, log_guarded};
use crate::rt::sync::thread::ThreadId;
use crate::rt::sync::{Mutex, thread};
use crate::rt::time::{self, Alarm};
use crate::rt::waker_set::WakerSet;

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

/// One run, driven by whichever of its waiters is polled.
pub(super) struct CheckAttempt {
    pub(super) wakers: Arc<WakerSet>,
    work: Mutex<CheckWork>,
}

enum CheckWork {
    Here(Box<Job>),
    /// This thread is polling it, or, with none, a waiter is dropping it.
    Out(Option<ThreadId>),
    Done(Status),
}

/// The outcome of one attempt to drive a run.
pub(super) enum Drive {
    Pending,
    /// The question comes from the run itself, which is being polled.
    Inside,
    /// It ended during this attempt.
    Ended(Status),
    /// It had ended before.
    Done(Status),
}

impl CheckAttempt {
    pub(super) fn new() -> CheckAttempt {
        CheckAttempt { wakers: Arc::default(), work: Mutex::new(CheckWork::Here(Box::default())) }
    }

    /// Drives it on, unless another thread is doing so; everyone in `wakers` is woken when there is more to do. Its
    /// result is passed to `judge`, once.
    pub(super) fn drive(&self, make: &Maker, limit: Duration, judge: impl FnOnce(Status) -> Status) -> Drive {
        let mut work = self.work.lock();
        let here = Some(thread::current().id());
        let mut job = match std::mem::replace(&mut *work, CheckWork::Out(here)) {
            CheckWork::Here(job) => job,
            CheckWork::Done(status) => {
                *work = CheckWork::Done(status.clone());
                return Drive::Done(status);
            }
            CheckWork::Out(whose) => {
                *work = CheckWork::Out(whose);
                return if whose == here { Drive::Inside } else { Drive::Pending };
            }
        };
        drop(work);
        // Foreign code, so outside the lock.
        let waker = Waker::from(Arc::clone(&self.wakers));
        match job.poll(make, limit, &mut Context::from_waker(&waker)) {
            Poll::Pending => {
                *self.work.lock() = CheckWork::Here(job);
                Drive::Pending
            }
            Poll::Ready(status) => {
                let status = judge(status);
                *self.work.lock() = CheckWork::Done(status.clone());
                Drive::Ended(status)
            }
        }
    }

    /// Whether the caller is the run itself, which would be waiting for its own result.
    pub(super) fn is_around(&self) -> bool {
        matches!(*self.work.lock(), CheckWork::Out(Some(whose)) if whose == thread::current().id())
    }

    /// Takes the rest of the work, unless a thread has it.
    pub(super) fn take(&self) -> Option<Box<Job>> {
        let mut work = self.work.lock();
        match std::mem::replace(&mut *work, CheckWork::Out(None)) {
            CheckWork::Here(job) => Some(job),
            other => {
                *work = other;
                None
            }
        }
    }

    /// Starts over, after the rest of the work was taken.
    pub(super) fn restart(&self) {
        *self.work.lock() = CheckWork::Here(Box::default());
    }
}

#[derive(Default)]
pub(super) struct Job {
    future: Option<BoxFuture>,
    alarm: Alarm,
}

impl Job {
    /// Never unwinds: others wait for it, too.
    fn poll(&mut self, make: &Maker, limit: Duration, cx: &mut Context<'_>) -> Poll<Status> {
        // The deadline of whoever happens to drive it is not that of the others.
        let _shielded = shield();
        let status = match caught(|| self.poll_inside(make, limit, cx)) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(status)) => status,
            Err(text) => Status::panicked(text),
        };
        self.end();
        Poll::Ready(status)
    }

    fn poll_inside(&mut self, make: &Maker, limit: Duration, cx: &mut Context<'_>) -> Poll<Status> {
        let starts = self.future.is_none();
        // Polled before the clock: a result that is there is never lost to the time limit.
        if let Poll::Ready(status) = self.future.get_or_insert_with(make).as_mut().poll(cx) {
            return Poll::Ready(status);
        }
        if starts {
            self.alarm.set(time::now().after(limit));
        }
        self.alarm.poll(cx).map(|()| Status::Down(Name::from(format!("timed out after {limit:?}"))))
    }

    pub(super) fn end(&mut self) {
        let _shielded = shield();
        self.alarm = Alarm::default();
        let future = self.future.take();
        if let Err(panic) = caught(|| drop(future)) {
            log_guarded(
                || tracing::error!(target: "seaworthy::health", panic = %OneLine(&panic), "a check panicked when it was dropped"),
            );
        }
    }
}
