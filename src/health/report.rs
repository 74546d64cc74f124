use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use arcstr::literal;

use super::async_check::CheckRun;
use super::check::Status;
use super::handle::Health;
use super::registry::CheckEntry;
use crate::machine::lifecycle::phase::Phase;
use crate::name::Name;

/// The state of a service, with all of its checks. Made by [`Health::run_checks`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The phase of the service once all checks had answered.
    pub phase: Phase,
    /// The checks, in the order of their names.
    pub checks: Vec<CheckReport>,
}

/// One check of a [`Report`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckReport {
    /// The name it was registered with.
    pub name: Name,
    /// Whether the service is out of rotation while it is down.
    pub required: bool,
    /// Its answer. The reason is not meant for clients.
    pub status: Status,
}

impl Report {
    /// Whether the service is serving and all required checks are up.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.phase == Phase::Serving && self.is_sound()
    }

    /// Whether all required checks are up.
    pub(crate) fn is_sound(&self) -> bool {
        self.checks.iter().all(|check| check.status.is_up() || !check.required)
    }
}

/// Asks all checks. Made by [`Health::run_checks`].
///
/// # Cancellation
/// Dropping it leaves the checks that are still running to others that wait for them, and drops those that nothing else
/// waits for.
#[must_use = "futures do nothing unless polled"]
pub struct RunChecks {
    health: Health,
    /// Made at the first poll.
    checks: Option<Vec<Asked>>,
}

struct Asked {
    entry: Arc<CheckEntry>,
    answer: CheckAnswer,
}

enum CheckAnswer {
    Running(CheckRun),
    Here(Status),
}

impl RunChecks {
    pub(super) fn new(health: Health) -> RunChecks {
        RunChecks { health, checks: None }
    }

    /// Asks these at once; runs begin with the first poll.
    pub(super) fn of(health: Health, entries: &[&Arc<CheckEntry>]) -> RunChecks {
        let checks = entries.iter().copied().map(Asked::new).collect();
        RunChecks { health, checks: Some(checks) }
    }
}

impl Asked {
    fn new(entry: &Arc<CheckEntry>) -> Asked {
        let answer = match entry.run() {
            Some(run) => CheckAnswer::Running(run),
            None => CheckAnswer::Here(entry.status()),
        };
        Asked { entry: Arc::clone(entry), answer }
    }

    fn is_here(&mut self, cx: &mut Context<'_>) -> bool {
        if let CheckAnswer::Running(run) = &mut self.answer {
            let Poll::Ready(status) = Pin::new(run).poll(cx) else { return false };
            self.answer = CheckAnswer::Here(status);
        }
        true
    }

    fn report(&self) -> CheckReport {
        let status = match &self.answer {
            CheckAnswer::Here(status) => status.clone(),
            CheckAnswer::Running(_) => Status::Down(Name::literal(literal!("has not answered"))),
        };
        CheckReport { name: self.entry.name.clone(), required: self.entry.is_required, status }
    }
}

impl Future for RunChecks {
    type Output = Report;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Report> {
        let RunChecks { health, checks } = &mut *self;
        let asked = checks.get_or_insert_with(|| health.list().all.iter().map(Asked::new).collect());
        // Every one is polled, so that all of them run at the same time.
        let missing = asked.iter_mut().map(|asked| usize::from(!asked.is_here(cx))).sum::<usize>();
        if missing > 0 {
            return Poll::Pending;
        }
        let checks: Vec<_> = asked.iter().map(Asked::report).collect();
        for (asked, check) in asked.iter().zip(&checks) {
            asked.entry.note(&check.status, health.notifier());
        }
        Poll::Ready(Report { phase: health.phase(), checks })
    }
}

impl fmt::Debug for RunChecks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunChecks").field("health", &self.health).finish_non_exhaustive()
    }
}
