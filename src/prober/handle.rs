use std::fmt;
use std::future::Future;
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::builder::ProberBuilder;
use super::exec::ExecProbe;
use super::http::HttpProbe;
use super::policy::ProbePolicy;
use super::probe::{AnyProbe, Probe};
use super::run::run;
use super::shared::{Shared, patience};
use super::spec::{ProbeKind, ProbeSpec};
use super::status::ProbeStatus;
use super::target::Target;
use super::tcp::TcpProbe;
use crate::error::ConfigError;
use crate::error::check::Subject;
use crate::name::Name;
use crate::rt::time;

/// Probes targets, and knows how they are.
///
/// # Clone
/// Costs a reference count; all clones are the same prober.
#[derive(Clone)]
pub struct Prober(Arc<Shared>);

impl Prober {
    /// Sets up a prober.
    pub fn builder() -> ProberBuilder {
        ProberBuilder::new()
    }

    pub(super) fn new(shared: Shared) -> Prober {
        Prober(Arc::new(shared))
    }

    /// Adds a target that runs, and is probed from now on; with `None` for a policy it is disabled. Nothing is probed
    /// before somebody [runs](Prober::run) the prober.
    ///
    /// # Errors
    /// If the name is empty or another target's.
    pub fn add(
        &self,
        name: impl Into<Name>,
        policy: impl Into<Option<ProbePolicy>>,
        probe: impl Probe,
    ) -> Result<Target, ConfigError> {
        self.add_any(name.into(), policy.into(), Arc::new(probe))
    }

    /// As [`add`](Prober::add), for settings from data. HTTP is spoken with the ready-made client.
    ///
    /// # Errors
    /// As [`add`](Prober::add), or as those of the probe.
    pub fn add_spec(&self, name: impl Into<Name>, spec: ProbeSpec) -> Result<Target, ConfigError> {
        let probe: Arc<dyn AnyProbe> = match spec.kind {
            ProbeKind::Http(get) => Arc::new(HttpProbe::new(get)?),
            ProbeKind::Tcp(connect) => Arc::new(TcpProbe::new(connect)?),
            ProbeKind::Exec(exec) => Arc::new(ExecProbe::new(exec)?),
        };
        self.add_any(name.into(), Some(spec.policy), probe)
    }

    fn add_any(
        &self,
        name: Name,
        policy: Option<ProbePolicy>,
        probe: Arc<dyn AnyProbe>,
    ) -> Result<Target, ConfigError> {
        Subject::checked("probe", &name)?;
        let now = time::now();
        let first = self.0.first(policy.as_ref(), now);
        let (id, face, state) = self.0.with_table(|table| {
            // A probe that is not taken must not be dropped under the lock.
            let (id, face) = table.add(name.clone(), policy, probe.clone(), now)?;
            table.schedule.set(id, first, patience(policy.as_ref()));
            let state = face.state();
            Ok::<_, ConfigError>((id, face, state))
        })?;
        self.0.notify_added(&name, state);
        self.0.stirred.notify_one();
        Ok(Target::new(self.0.clone(), id, name, face))
    }

    /// A target, by its name.
    #[must_use]
    pub fn target(&self, name: &str) -> Option<Target> {
        let (id, name, face) = self.0.with_table(|table| {
            let id = table.id(name)?;
            let entry = table.targets.get(&id)?;
            Some((id, entry.name.clone(), entry.face.clone()))
        })?;
        Some(Target::new(self.0.clone(), id, name, face))
    }

    /// Removes a target: see [`Target::remove`]. False if there is none of this name.
    pub fn remove(&self, name: &str) -> bool {
        let id = self.0.with_table(|table| table.id(name));
        id.is_some_and(|id| self.0.remove(id))
    }

    /// What is known of a target.
    #[must_use]
    pub fn status(&self, name: &str) -> Option<ProbeStatus> {
        self.target(name)?.status()
    }

    /// What is known of each target as of one moment, in the order in which they were added.
    #[must_use]
    pub fn statuses(&self) -> Vec<(Name, ProbeStatus)> {
        let now = time::now();
        self.0.with_table(|table| {
            let all = table.targets.values();
            all.map(|entry| (entry.name.clone(), ProbeStatus::new(&entry.track, now))).collect()
        })
    }

    /// Probes the targets until `stop` ends, then gives up what is under way and waits until it is gone. Has to run in a
    /// tokio runtime, with its timers and its I/O. Each probe under way is a task.
    ///
    /// Only one runs at a time: another one waits until it is its turn. After it has stopped, what is known stays as it
    /// was. What cannot be taken back is waited for 250 ms: see [`ProberTask::stop`].
    ///
    /// # Cancellation
    /// Dropping it gives up what is under way without waiting.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        drop(run(&self.0, stop).await);
    }

    /// [Runs](Prober::run) in a task of its own.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use = "it stops when the handle is dropped"]
    pub fn spawn(&self) -> ProberTask {
        let (stop, stopped) = oneshot::channel::<()>();
        let prober = self.clone();
        let task = tokio::spawn(async move { run(&prober.0, async { drop(stopped.await) }).await });
        ProberTask { stop, task }
    }
}

impl fmt::Debug for Prober {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let targets = self.0.with_table(|table| table.targets.len());
        f.debug_struct("Prober").field("targets", &targets).finish_non_exhaustive()
    }
}

/// A prober that runs, as [`Prober::spawn`] gives it. Dropping it stops the prober without waiting.
#[derive(Debug)]
pub struct ProberTask {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Vec<Name>>,
}

impl ProberTask {
    /// Stops the prober, and waits until what is under way is gone: the names of the targets of which something is left
    /// after 250 ms all the same, because it cannot be taken back. That is a look-up that has not returned, or a command
    /// that does not die though it was killed. It counts as a probe of its target until it is gone, in the next run, too,
    /// and does not keep the process from ending.
    pub async fn stop(self) -> Vec<Name> {
        drop(self.stop);
        // It fails only with the runtime, and then nothing is under way.
        self.task.await.unwrap_or_default()
    }
}
