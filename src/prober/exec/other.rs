use std::io;
use std::process::{ExitStatus, Stdio};

use tokio::process::{Child, ChildStderr, Command};

use crate::error::BoxError;

/// A running command. Dropping it kills it.
pub(super) struct Process(Child);

/// Starts a command, and returns it with its error output.
pub(super) fn start(program: &str, arguments: &[String]) -> Result<(Process, Option<ChildStderr>), BoxError> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| io::Error::new(error.kind(), format!("{program}: {error}")))?;
    let errors = child.stderr.take();
    Ok((Process(child), errors))
}

impl Process {
    pub(super) async fn wait(&mut self) -> Result<ExitStatus, BoxError> {
        Ok(self.0.wait().await?)
    }
}
