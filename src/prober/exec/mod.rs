#[cfg(unix)]
#[path = "unix.rs"]
mod process;
#[cfg(not(unix))]
#[path = "other.rs"]
mod process;
#[cfg(unix)]
mod spawn;

use std::pin::pin;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};

use super::kind::Exec;
use super::probe::Probe;
use crate::error::{BoxError, ConfigError};
use crate::machine::probe::text::MOST_BYTES;
use crate::rt::time;

/// How long to wait for the error output of a command that has exited; a process it left behind may hold it open.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// Runs a command, without a shell, and expects it to exit with code 0.
///
/// The command inherits the environment and the working directory; its input is empty, its output is discarded, and the
/// beginning of its error output goes into the error. On Unix it has a process group of its own. When the probe is
/// cancelled, the whole group is killed and waited for, so that no zombie is left, not even in process 1 of a
/// container, and it counts among the probes that are under way until it is gone. Only processes that have left the
/// group, or were left behind by a command that had already exited, live on. On other systems only the command itself
/// is killed.
///
/// Where `posix_spawn` supports it (Linux, macOS, FreeBSD, NetBSD), the command starts with no signal blocked or
/// ignored, however the program itself was started. The program gets a handler for `SIGCHLD`, as it does from
/// `tokio::process`, because the exit of a child is lost while that signal is ignored.
#[derive(Clone, Debug)]
pub struct ExecProbe {
    exec: Exec,
}

impl ExecProbe {
    /// A probe that runs `exec`.
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
        let (mut process, errors) = process::start(program, arguments)?;
        let mut said = Said { from: errors, kept: Vec::new() };
        let status = loop {
            tokio::select! {
                status = process.wait() => break status?,
                () = said.listen(), if said.more() => {}
            }
        };
        if status.success() {
            return Ok(());
        }
        let mut enough = pin!(time::until(time::now().after(LAST_WORDS)));
        while said.more() {
            tokio::select! {
                () = said.listen() => {}
                () = &mut enough => break,
            }
        }
        let text = said.text();
        Err(if text.is_empty() { status.to_string() } else { format!("{status}: {text}") }.into())
    }
}

/// The error output of a command: the beginning is kept, and the rest is read so that the command is not blocked.
struct Said<R> {
    from: Option<R>,
    kept: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Said<R> {
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
