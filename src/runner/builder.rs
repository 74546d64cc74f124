use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use super::error::BuildError;
use super::handle::Runner;
use super::shared::{Owner, Shared};
use super::signal::{Signal, SignalListener};
use crate::error::check::Subject;
use crate::health::handle::Health;
use crate::observe::notifier::Notifier;
use crate::observe::observer::Observer;
use crate::rt::random::Random;
use crate::shutdown::Shutdown;

/// The settings of a runner. Made by [`Runner::builder`]; nothing is checked before [`build`](Self::build).
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct RunnerBuilder {
    times: Times,
    hook_timeout: Duration,
    signals: Vec<Signal>,
    health: Health,
    parents: Vec<Shutdown>,
    notifier: Notifier,
    random: Random,
}

/// The time limits of a shutdown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// If none, it depends on why the shutdown began.
    pub(super) drain_delay: Option<Duration>,
    pub(super) grace_period: Duration,
}

impl RunnerBuilder {
    pub(super) fn new() -> RunnerBuilder {
        RunnerBuilder {
            times: Times { drain_delay: None, grace_period: Duration::from_secs(30) },
            hook_timeout: Duration::from_secs(5),
            signals: Signal::usual(),
            health: Health::new(),
            parents: Vec::new(),
            notifier: Notifier::default(),
            random: Random::default(),
        }
    }

    /// How long tasks, requests in flight and `on_stop` hooks have to finish, counted from when the tasks are told to.
    /// 30 s if not set. At zero nothing is waited for: hooks are polled once, and every task that still runs is aborted
    /// and named. A duration that the clock cannot represent means no limit.
    pub fn grace_period(mut self, time: Duration) -> RunnerBuilder {
        self.times.grace_period = time;
        self
    }

    /// How long to wait, once the service is marked as draining, before the tasks are told to finish. Servers go on
    /// serving meanwhile, so that load balancers notice that the service is not ready and send no more; requests that
    /// still arrive are served, unless a readiness layer is set to
    /// [`refuse_while_draining`](crate::health::ReadinessLayer::refuse_while_draining).
    ///
    /// If not set, it is 5 s after SIGTERM, because the orchestrator that sent it has yet to update its routing, and
    /// none after anything else: Ctrl-C, [`stop`](crate::RunnerHandle::stop), a failed task. If set, it applies to all
    /// of them. A service that has not served yet does not wait.
    pub fn drain_delay(mut self, time: Duration) -> RunnerBuilder {
        self.times.drain_delay = Some(time);
        self
    }

    /// The time limit of each hook that has none of its own. More than zero; 5 s if not set.
    pub fn hook_timeout(mut self, time: Duration) -> RunnerBuilder {
        self.hook_timeout = time;
        self
    }

    /// Listens to these signals only, or to none if the list is empty. SIGINT and SIGTERM if not set; Ctrl-C on
    /// systems other than Unix.
    pub fn signals(mut self, signals: impl IntoIterator<Item = Signal>) -> RunnerBuilder {
        self.signals = signals.into_iter().collect();
        self
    }

    /// Keeps the phase of the service in this health, and waits for the requests counted in it. The runner has a health
    /// of its own if not set.
    pub fn health(mut self, health: Health) -> RunnerBuilder {
        self.health = health;
        self
    }

    /// Ends the run when `parent` is requested. Can be set more than once; any of them ends the run.
    pub fn parent(mut self, parent: Shutdown) -> RunnerBuilder {
        self.parents.push(parent);
        self
    }

    /// Notifies `observer` of tasks that fail, instead of the [default](crate::observe). Events of the run itself go to
    /// `tracing` only.
    pub fn observer(mut self, observer: impl Observer + 'static) -> RunnerBuilder {
        self.notifier = Notifier::new(observer);
        self
    }

    /// Draws jitter from a generator with this seed, so that a test is repeatable.
    pub fn random_seed(mut self, seed: u64) -> RunnerBuilder {
        self.random = Random::seeded(seed);
        self
    }

    /// Checks the settings, and listens to signals from here on. The tasks will run on the runtime in which this is
    /// called.
    ///
    /// # Errors
    /// The first setting that breaks a rule, and the rule; no runtime to run tasks on; or a signal that cannot be
    /// listened to.
    ///
    /// # Panics
    /// If there are signals to listen to, tokio panics on a runtime built without I/O. On one without time,
    /// [`run`](Runner::run) panics when it has to wait: use `enable_all`.
    pub fn build(self) -> Result<Runner, BuildError> {
        Subject::of("runner").time("hook_timeout", self.hook_timeout)?;
        let runtime = Handle::try_current().map_err(|_| BuildError::NoRuntime)?;
        let signals = SignalListener::new(self.signals)?;
        let shared = Shared::new(runtime, self.health, self.notifier.or_default(), self.random, self.hook_timeout);
        Ok(Runner { owner: Owner(Arc::new(shared)), signals, parents: self.parents, times: self.times })
    }
}
