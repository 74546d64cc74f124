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

/// A command and everything in its process group, which a thread of its own waits for: neither the runtime nor `SIGCHLD`
/// has a part in it. Dropping it kills the group, and the thread sees to the rest.
pub(super) struct Process {
    stage: Arc<Mutex<ProcessStage>>,
    exit: oneshot::Receiver<io::Result<ExitStatus>>,
}

/// How far a command is. As long as it runs by this, nobody has waited for it, and nothing else can have its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ProcessStage {
    NotYet,
    Runs(Pid),
    GivenUp,
    Ended,
}

/// Starts a command: it, and its error output.
pub(super) fn start(program: &str, arguments: &[String]) -> Result<(Process, Option<pipe::Receiver>), BoxError> {
    // While SIGCHLD is ignored, as a program may find it when it is started, the system forgets children that exit. With
    // a handler it does not.
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
        Ok(exit.map_err(|_| "nobody waited for the command")??)
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
    // It fails if nothing is left in the group, and then there is nothing to do.
    let _ = rustix::process::kill_process_group(group, Signal::KILL);
}

/// A command from its start until nothing is left of it.
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
    // It stays a zombie for now, so that its number is still its own.
    let exited = again(|| rustix::process::waitid(WaitId::Pid(group), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT));
    if ends(stage) {
        let status = again(|| rustix::process::waitpid(Some(group), WaitOptions::empty()));
        let status = match (exited, status) {
            (Ok(_), Ok(Some((_, status)))) => Ok(ExitStatus::from_raw(status.as_raw())),
            (Err(error), _) | (_, Err(error)) => Err(error.into()),
            (_, Ok(None)) => Err(io::ErrorKind::NotFound.into()),
        };
        // Nobody may wait for it any more.
        let _ = notify.send(status);
        // What it has left behind is let live, and counts no more; but if it comes to be a child of this process, as it
        // does with process 1, somebody has to wait for it.
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

/// Whether somebody waits for how it ended. After this nobody kills it.
fn ends(stage: &Mutex<ProcessStage>) -> bool {
    let mut stage = stage.lock();
    let wanted = *stage != ProcessStage::GivenUp;
    *stage = ProcessStage::Ended;
    wanted
}

/// A signal may come in between.
fn again<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}
