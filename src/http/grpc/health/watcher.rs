use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::message::ServingStatus;
use super::services::{CheckVerdict, ServiceChecks, Services, WatcherPlace};
use crate::health::RunChecks;
use crate::machine::timestamp::Timestamp;
use crate::rt::time::{self, Alarm};

/// The stream of a `Watch`: each poll drives it, and nothing else does.
pub(super) struct Watcher {
    services: Arc<Services>,
    /// The service that is watched, whether or not there is one of this name.
    service: String,
    check_interval: Duration,
    /// Among those that the health wakes.
    id: u64,
    sent: Option<ServingStatus>,
    under_way: Option<UnderWay>,
    next_check: NextCheck,
    _place: WatcherPlace,
}

/// The checks are being asked.
struct UnderWay {
    run: RunChecks,
    checks: ServiceChecks,
    version: u64,
}

struct NextCheck {
    at: Timestamp,
    alarm: Alarm,
}

/// What a watcher sends next.
pub(super) enum WatchStep {
    Send(ServingStatus),
    /// The service finishes, and everything before that has been sent.
    End,
}

impl Watcher {
    pub(super) fn new(
        services: &Arc<Services>,
        place: WatcherPlace,
        service: String,
        check_interval: Duration,
    ) -> Watcher {
        Watcher {
            services: Arc::clone(services),
            service,
            check_interval,
            id: 0,
            sent: None,
            under_way: None,
            next_check: NextCheck::default(),
            _place: place,
        }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<WatchStep> {
        // Before anything is looked at, so that a change in between is not missed.
        self.services.health.watch(&mut self.id, cx.waker());
        let ends = self.services.health.streams_have_to_end();
        match self.present(cx, ends) {
            Poll::Ready(status) if self.sent != Some(status) => {
                self.sent = Some(status);
                Poll::Ready(WatchStep::Send(status))
            }
            _ if ends => Poll::Ready(WatchStep::End),
            _ => Poll::Pending,
        }
    }

    /// The present state; pending while the checks are asked. At the end of the stream they no longer are.
    fn present(&mut self, cx: &mut Context<'_>, ends: bool) -> Poll<ServingStatus> {
        let Some((checks, verdict)) = self.services.find(&self.service) else {
            self.ask_nothing();
            return Poll::Ready(ServingStatus::ServiceUnknown);
        };
        if !self.services.is_serving() {
            self.ask_nothing();
            return Poll::Ready(ServingStatus::NotServing);
        }
        if ends {
            return Poll::Pending;
        }
        self.ask(cx, checks, verdict).map(ServingStatus::of)
    }

    /// The state depends on no check, so time alone cannot change it.
    fn ask_nothing(&mut self) {
        self.under_way = None;
        self.next_check = NextCheck::default();
    }

    /// What the checks say, or said less than an interval ago.
    fn ask(&mut self, cx: &mut Context<'_>, checks: ServiceChecks, verdict: Option<CheckVerdict>) -> Poll<bool> {
        let version = self.services.health.version();
        if self.under_way.as_ref().is_some_and(|run| run.version != version || !run.checks.is(&checks)) {
            // They are no longer the checks that count.
            self.under_way = None;
        }
        if self.under_way.is_none() {
            if let Some(verdict) = verdict.filter(|verdict| verdict.version == version) {
                if self.next_check.is_to_come(cx, verdict.at.after(self.check_interval)) {
                    return Poll::Ready(verdict.is_up);
                }
            }
            let Some(run) = self.services.ask(&checks) else {
                self.ask_nothing();
                return Poll::Ready(true);
            };
            self.under_way = Some(UnderWay { run, checks: checks.clone(), version });
        }
        let Some(under_way) = &mut self.under_way else { return Poll::Pending };
        let Poll::Ready(report) = Pin::new(&mut under_way.run).poll(cx) else { return Poll::Pending };
        self.under_way = None;
        let is_up = report.checks.iter().all(|check| check.status.is_up());
        let verdict = CheckVerdict { is_up, version, at: time::now() };
        self.services.keep(&self.service, &checks, verdict);
        if !self.next_check.is_to_come(cx, verdict.at.after(self.check_interval)) {
            // In the next poll, because an interval may be over as soon as it has begun.
            cx.waker().wake_by_ref();
        }
        Poll::Ready(is_up)
    }
}

impl Default for NextCheck {
    fn default() -> NextCheck {
        NextCheck { at: Timestamp::NEVER, alarm: Alarm::default() }
    }
}

impl NextCheck {
    /// Whether `at` is to come; if so, the task is woken then.
    fn is_to_come(&mut self, cx: &mut Context<'_>, at: Timestamp) -> bool {
        if self.at != at {
            self.at = at;
            self.alarm.set(at);
        }
        self.alarm.poll(cx).is_pending()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        if self.id != 0 {
            self.services.health.forget_watcher(self.id);
        }
    }
}
