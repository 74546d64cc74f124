use std::io;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::{Child, ChildStderr, Command};

use super::kind::Exec;
use super::probe::Probe;
use crate::machine::probe::text::MOST_BYTES;
use crate::{BoxError, ConfigError, time};

/// How long the error output of a command that has exited is waited for; something that it left behind may hold it open.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// Runs a command, without a shell, and wants it to exit with code 0.
///
/// It inherits the environment and the working directory, reads nothing and prints to nowhere; the first of what it
/// writes to its error output stands in the error. On Unix it has a process group of its own. When the probe is given up
/// the whole group is killed; only what has left the group, or was left behind by a command that had already exited,
/// lives on. Elsewhere the command alone is killed.
#[derive(Clone, Debug)]
pub struct ExecProbe {
    exec: Exec,
}

impl ExecProbe {
    /// A probe of this kind.
    ///
    /// # Errors
    /// The first setting that breaks a rule, and the rule.
    pub fn new(exec: Exec) -> Result<ExecProbe, ConfigError> {
        exec.check()?;
        Ok(ExecProbe { exec })
    }
}

impl Probe for ExecProbe {
    async fn probe(&self) -> Result<(), BoxError> {
        let (program, arguments) = self.exec.check()?;
        let mut command = std::process::Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = Command::from(command)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("{program}: {error}")))?;
        let mut group = Group(child);
        let mut said = Said::new(group.0.stderr.take());
        let status = loop {
            tokio::select! {
                status = group.0.wait() => break status?,
                () = said.listen(), if said.more() => {}
            }
        };
        if status.success() {
            return Ok(());
        }
        if let Some(enough) = time::sleep_until(time::now().after(LAST_WORDS)) {
            tokio::pin!(enough);
            while said.more() {
                tokio::select! {
                    () = said.listen() => {}
                    () = &mut enough => break,
                }
            }
        }
        let text = said.text();
        Err(if text.is_empty() { status.to_string() } else { format!("{status}: {text}") }.into())
    }
}

/// A command and everything in its process group. Dropping it kills what is still there.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        // Until the command has been waited for, nothing else can have its number.
        #[cfg(unix)]
        if let Some(group) = self.0.id().and_then(|id| rustix::process::Pid::from_raw(id.try_into().ok()?)) {
            // It fails if nothing is left in the group, and then there is nothing to do.
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

/// What a command writes to its error output: the beginning is kept, the rest is read so that the command can go on.
struct Said {
    from: Option<ChildStderr>,
    kept: Vec<u8>,
}

impl Said {
    fn new(from: Option<ChildStderr>) -> Said {
        Said { from, kept: Vec::new() }
    }

    fn more(&self) -> bool {
        self.from.is_some()
    }

    /// Reads once. Dropping it loses nothing.
    async fn listen(&mut self) {
        let Some(from) = &mut self.from else { return };
        let mut piece = [0; 1024];
        match from.read(&mut piece).await {
            Ok(0) | Err(_) => self.from = None,
            Ok(read) => {
                let room = MOST_BYTES - self.kept.len();
                self.kept.extend_from_slice(&piece[..read.min(room)]);
            }
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.kept).trim().to_owned()
    }
}
