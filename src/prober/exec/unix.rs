use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitOptions};
use tokio::net::unix::pipe;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use super::spawn;
use crate::error::BoxError;
use crate::prober::under_way;
use crate::prober::under_way::LeftRunning;
use crate::rt::sync::Mutex;

/// A command and everything in its process group, waited for by a dedicated thread that needs neither the runtime nor
/// `SIGCHLD`. Dropping it kills the group, and the thread does the rest.
pub(super) struct Process {
    stage: Arc<Mutex<ProcessStage>>,
    exit: oneshot::Receiver<io::Result<ExitStatus>>,
}

/// The stage of a command. While it is running here, it has not been waited for, so nothing else can have its process
/// id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ProcessStage {
    NotYet,
    Runs(Pid),
    GivenUp,
    Ended,
}

/// Starts a command, and returns it with its error output.
pub(super) fn start(program: &str, arguments: &[String]) -> Result<(Process, Option<pipe::Receiver>), BoxError> {
    // If SIGCHLD is ignored, which a program may inherit, the system forgets children that exit. With a handler it does
    // not.
    drop(signal(SignalKind::child())?);
    let (theirs, ours) = pipe::pipe()?;
    let theirs = theirs.into_blocking_fd()?;
    let stage = Arc::new(Mutex::new(ProcessStage::NotYet));
    let (notify, exit) = oneshot::channel();
    let remains = LeftRunning::of_this_probe();
    let (program, arguments, shared) = (program.to_owned(), arguments.to_vec(), stage.clone());
    under_way::spawn("exec", move || mind(&program, &arguments, theirs, &shared, notify, remains))?;
    Ok((Process { stage, exit }, Some(ours)))
}

impl Process {
    /// Dropping it loses nothing.
    pub(super) async fn wait(&mut self) -> Result<ExitStatus, BoxError> {
        let exit = (&mut self.exit).await;
        Ok(exit.map_err(|_| "the command was not waited for")??)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let mut stage = self.stage.lock();
        if let ProcessStage::Runs(group) = *stage {
            kill(group);
        }
        if *stage != ProcessStage::Ended {
            *stage = ProcessStage::GivenUp;
        }
    }
}

fn kill(group: Pid) {
    // Fails only if the group is empty, and then there is nothing to kill.
    let _ = rustix::process::kill_process_group(group, Signal::KILL);
}

/// Looks after a command from its start until nothing is left of it.
fn mind(
    program: &str,
    arguments: &[String],
    errors: OwnedFd,
    stage: &Mutex<ProcessStage>,
    notify: oneshot::Sender<io::Result<ExitStatus>>,
    remains: LeftRunning,
) {
    if *stage.lock() == ProcessStage::GivenUp {
        return;
    }
    let group = match spawn::spawn(program, arguments, errors) {
        Ok(group) => group,
        Err(error) => {
            let _ = notify.send(Err(io::Error::new(error.kind(), format!("{program}: {error}"))));
            return;
        }
    };
    begins(stage, group);
    // It stays a zombie for now, so that its process id is not reused.
    let exited = again(|| rustix::process::waitid(WaitId::Pid(group), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT));
    if ends(stage) {
        let status = again(|| rustix::process::waitpid(Some(group), WaitOptions::empty()));
        let status = match (exited, status) {
            (Ok(_), Ok(Some((_, status)))) => Ok(ExitStatus::from_raw(status.as_raw())),
            (Err(error), _) | (_, Err(error)) => Err(error.into()),
            (_, Ok(None)) => Err(io::ErrorKind::NotFound.into()),
        };
        // The receiver may be gone.
        let _ = notify.send(status);
        // What it left behind lives on and no longer counts; but if it becomes a child of this process, as happens with
        // process 1, it has to be waited for.
        drop(remains);
    }
    while again(|| rustix::process::waitpgid(group, WaitOptions::empty())).is_ok_and(|found| found.is_some()) {}
}

fn begins(stage: &Mutex<ProcessStage>, group: Pid) {
    let mut stage = stage.lock();
    match *stage {
        ProcessStage::NotYet => *stage = ProcessStage::Runs(group),
        _ => kill(group),
    }
}

/// Whether the exit status is still wanted. After this the command is not killed any more.
fn ends(stage: &Mutex<ProcessStage>) -> bool {
    let mut stage = stage.lock();
    let wanted = *stage != ProcessStage::GivenUp;
    *stage = ProcessStage::Ended;
    wanted
}

/// Retries when a signal interrupts the call.
fn again<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}
