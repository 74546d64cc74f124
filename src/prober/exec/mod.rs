#[cfg(unix)]
#[path = "unix.rs"]
mod process;
#[cfg(not(unix))]
#[path = "other.rs"]
mod process;
#[cfg(unix)]
mod spawn;

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};

use super::kind::Exec;
use super::probe::Probe;
use crate::error::{BoxError, ConfigError};
use crate::machine::probe::text::MOST_BYTES;
use crate::rt::time;

/// How long the error output of a command that has exited is waited for; something that it left behind may hold it open.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// Runs a command, without a shell, and wants it to exit with code 0.
///
/// It inherits the environment and the working directory, reads nothing and prints to nowhere; the first of what it
/// writes to its error output stands in the error. On Unix it has a process group of its own. When the probe is given up
/// the whole group is killed and waited for, so that no zombie is left, in process 1 of a container either, and it counts
/// among the probes that are under way until it is gone. Only what has left the group, or was left behind by a command
/// that had already exited, lives on. Elsewhere the command alone is killed.
///
/// Where `posix_spawn` can say so (Linux, macOS, FreeBSD, NetBSD), it begins with no signal blocked and none ignored,
/// whatever the program was started with. The program itself gets a handler for `SIGCHLD`, as it does from
/// `tokio::process`, because the exit of a child is lost while that signal is ignored.
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

/// What a command writes to its error output: the beginning is kept, the rest is read so that the command can go on.
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
