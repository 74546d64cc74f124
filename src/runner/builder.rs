use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use super::Runner;
use super::error::BuildError;
use super::shared::{Owner, Shared};
use super::signal::{Signal, SignalListener};
use crate::error::check::Subject;
use crate::health::Health;
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

/// The times of the end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// As the reason of the end says, if none.
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

    /// Tasks, requests in flight and `on_stop` hooks have so long to finish, counted from when the tasks are told to.
    /// 30 s if not set. At zero nobody is waited for: hooks are polled once, and every task that still runs is aborted
    /// and named. A time too long to be told is without end.
    pub fn grace_period(mut self, time: Duration) -> RunnerBuilder {
        self.times.grace_period = time;
        self
    }

    /// Waits for so long after the service was marked as draining before the tasks are told to finish. Servers still
    /// serve meanwhile, so that those who balance load see that it is not ready and send no more; what they still send
    /// is served, unless a readiness layer is told to
    /// [`refuse_while_draining`](crate::health::ReadinessLayer::refuse_while_draining).
    ///
    /// If not set, it is 5 s where SIGTERM began the end, because an orchestrator that sends it has yet to notice, and
    /// none where anything else did: Ctrl-C, [`stop`](super::RunnerHandle::stop), a task that failed. Set, it holds for
    /// all. A service that has not served yet does not wait.
    pub fn drain_delay(mut self, time: Duration) -> RunnerBuilder {
        self.times.drain_delay = Some(time);
        self
    }

    /// Hooks have so long, each, where they have no limit of their own. More than zero; 5 s if not set.
    pub fn hook_timeout(mut self, time: Duration) -> RunnerBuilder {
        self.hook_timeout = time;
        self
    }

    /// Listens to these signals and no others; to none, if there are none. SIGINT and SIGTERM if not set, and elsewhere
    /// than on Unix, Ctrl-C.
    pub fn signals(mut self, signals: impl IntoIterator<Item = Signal>) -> RunnerBuilder {
        self.signals = signals.into_iter().collect();
        self
    }

    /// Keeps the phase of the service here, and waits for the requests that are counted in it. A health of its own if
    /// not set.
    pub fn health(mut self, health: Health) -> RunnerBuilder {
        self.health = health;
        self
    }

    /// Ends the run when this is requested. It can be set more than once; any of them does.
    pub fn parent(mut self, parent: Shutdown) -> RunnerBuilder {
        self.parents.push(parent);
        self
    }

    /// Tells `observer` of tasks that fail, in place of the [default](crate::observe). What the run itself
    /// does is told to `tracing` only.
    pub fn observer(mut self, observer: impl Observer + 'static) -> RunnerBuilder {
        self.notifier = Notifier::new(Arc::new(observer));
        self
    }

    /// Draws jitter from a generator with this seed, so that a test can repeat it.
    pub fn random_seed(mut self, seed: u64) -> RunnerBuilder {
        self.random = Random::seeded(seed);
        self
    }

    /// Checks the settings, and listens to the signals from here on. The runtime that it is called in is the one that
    /// the tasks will run on.
    ///
    /// # Errors
    /// The first setting that breaks a rule, and the rule; no runtime to run tasks on; or a signal that cannot be
    /// listened to.
    ///
    /// # Panics
    /// If there are signals to listen to, tokio panics on a runtime that was built without I/O. On one without time,
    /// [`run`](Runner::run) does when it has to wait: use `enable_all`.
    pub fn build(self) -> Result<Runner, BuildError> {
        Subject::of("runner").time("hook_timeout", self.hook_timeout)?;
        let runtime = Handle::try_current().map_err(|_| BuildError::NoRuntime)?;
        let signals = SignalListener::new(self.signals)?;
        let shared = Shared::new(runtime, self.health, self.notifier.or_default(), self.random, self.hook_timeout);
        Ok(Runner { owner: Owner(Arc::new(shared)), signals, parents: self.parents, times: self.times })
    }
}
