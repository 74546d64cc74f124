use std::fmt;
use std::future::Future;
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::builder::ProberBuilder;
use super::exec::ExecProbe;
#[cfg(feature = "grpc")]
use super::grpc::GrpcProbe;
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

/// Probes its targets, and keeps their state.
///
/// # Clone
/// Costs a reference count; all clones are the same prober.
#[derive(Clone)]
pub struct Prober(Arc<Shared>);

impl Prober {
    /// Starts a builder.
    pub fn builder() -> ProberBuilder {
        ProberBuilder::new()
    }

    pub(super) fn new(shared: Shared) -> Prober {
        Prober(Arc::new(shared))
    }

    /// Adds a target in the running phase, probed from now on; without a policy it is disabled. Nothing is probed
    /// before the prober [runs](Prober::run).
    ///
    /// # Errors
    /// If the name is empty, or taken by another target.
    pub fn add(
        &self,
        name: impl Into<Name>,
        policy: impl Into<Option<ProbePolicy>>,
        probe: impl Probe,
    ) -> Result<Target, ConfigError> {
        self.add_any(name.into(), policy.into(), Arc::new(probe))
    }

    /// Like [`add`](Prober::add), for settings from data. HTTP probes use the ready-made client.
    ///
    /// # Errors
    /// Like [`add`](Prober::add), and those of the probe.
    pub fn add_spec(&self, name: impl Into<Name>, spec: ProbeSpec) -> Result<Target, ConfigError> {
        let probe: Arc<dyn AnyProbe> = match spec.kind {
            ProbeKind::Http(get) => Arc::new(HttpProbe::new(get)?),
            ProbeKind::Tcp(connect) => Arc::new(TcpProbe::new(connect)?),
            ProbeKind::Exec(exec) => Arc::new(ExecProbe::new(exec)?),
            #[cfg(feature = "grpc")]
            ProbeKind::Grpc(health) => Arc::new(GrpcProbe::new(health)?),
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
            // A probe that is refused must not be dropped under the lock.
            let (id, face) = table.add(name.clone(), policy, probe.clone(), now)?;
            table.schedule.set(id, first, patience(policy.as_ref()));
            let state = face.state();
            Ok::<_, ConfigError>((id, face, state))
        })?;
        self.0.notify_added(&name, state);
        self.0.stirred.notify_one();
        Ok(Target::new(self.0.clone(), id, name, face))
    }

    /// The target of this name, if there is one.
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

    /// The status of a target, if there is one of this name.
    #[must_use]
    pub fn status(&self, name: &str) -> Option<ProbeStatus> {
        self.target(name)?.status()
    }

    /// The status of every target at the same moment, in the order in which they were added.
    #[must_use]
    pub fn statuses(&self) -> Vec<(Name, ProbeStatus)> {
        let now = time::now();
        self.0.with_table(|table| {
            let all = table.targets.values();
            all.map(|entry| (entry.name.clone(), ProbeStatus::new(&entry.track, now))).collect()
        })
    }

    /// Probes the targets until `stop` ends, then cancels the probes under way and waits until they are gone. Needs a
    /// tokio runtime with timers and I/O. Each probe under way is a task.
    ///
    /// Only one `run` is active at a time: another waits its turn. After it has stopped, statuses stay as they were.
    /// What cannot be cancelled is waited for up to 250 ms: see [`ProberTask::stop`].
    ///
    /// # Cancellation
    /// Dropping it cancels the probes under way without waiting.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        drop(run(&self.0, stop).await);
    }

    /// [Runs](Prober::run) in a task of its own.
    ///
    /// # Panics
    /// Outside a tokio runtime.
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

/// A running prober, made by [`Prober::spawn`]. Dropping it stops the prober without waiting.
#[derive(Debug)]
pub struct ProberTask {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Vec<Name>>,
}

impl ProberTask {
    /// Stops the prober, and waits until the probes under way are gone. Returns the names of the targets of which
    /// something is still left after 250 ms, because it cannot be cancelled: a look-up that has not returned, or a
    /// command that was killed but does not die. It counts as a probe of its target until it is gone, even in the next
    /// run, and does not keep the process from ending.
    pub async fn stop(self) -> Vec<Name> {
        drop(self.stop);
        // Fails only if the runtime is gone, and then nothing is under way.
        self.task.await.unwrap_or_default()
    }
}
