//! Whoever starts a process or makes a directory gives it to a guard, which outlives it in every way of dying.

use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::table;

/// What ends the process when its time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Postgres stops at once, ends its children and gives back its shared memory.
    Quit,
    /// Redis and PgBouncer stop.
    Term,
    /// It has nothing to put in order.
    Kill,
}

impl Ending {
    fn name(self) -> &'static str {
        match self {
            Ending::Quit => "QUIT",
            Ending::Term => "TERM",
            Ending::Kill => "KILL",
        }
    }
}

/// A small shell that waits for the end of this value, or of this whole process, and then ends the process that it was
/// told of and removes the directory.
///
/// It is not asked to: it reads from a pipe whose other end is here, and the system closes that, whatever happens. A
/// signal at the death of a parent (`PR_SET_PDEATHSIG`) would come when the *thread* ends that started the process,
/// which is that of one test, and could remove no directory.
#[derive(Debug)]
pub(crate) struct Guard {
    directory: Option<PathBuf>,
    shell: Child,
    /// None once it was let go.
    pipe: Option<ChildStdin>,
}

impl Guard {
    /// Makes a directory that only this user can read.
    pub(crate) fn of_directory(kind: &str) -> Guard {
        let random = RandomState::new().hash_one(std::process::id());
        let directory = std::env::temp_dir().join(format!("seaworthy-{kind}-{random:016x}"));
        // The shell comes first, so that there is no moment at which nobody would remove the directory.
        let guard = Guard::start(Some(directory.clone()));
        let made = std::fs::DirBuilder::new().mode(0o700).create(&directory);
        made.unwrap_or_else(|error| panic!("no directory {}: {error}", directory.display()));
        guard
    }

    /// Guards a process only.
    pub(crate) fn of_process() -> Guard {
        Guard::start(None)
    }

    fn start(directory: Option<PathBuf>) -> Guard {
        let mut command = Command::new("sh");
        // In the environment, so that a list of processes stays readable.
        command.env("SEAWORTHY_WATCHER", include_str!("watcher.sh"));
        command.args(["-c", "eval \"$SEAWORTHY_WATCHER\"", "seaworthy-watcher"]);
        command.arg(directory.as_deref().unwrap_or(Path::new("")));
        // A group of its own: what interrupts or kills the tests' group must not kill who cleans up after them. And no
        // output of theirs, which somebody may be reading to its end.
        command.current_dir("/").process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut shell = command.spawn().unwrap_or_else(|error| panic!("sh does not start: {error}"));
        let pipe = shell.stdin.take();
        Guard { directory, shell, pipe }
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.as_deref().expect("it was made with a directory")
    }

    /// Starts what [`waiting`] made. It is ended with this guard, and there is no moment at which it runs and nobody
    /// would end it, because the line that it waits for comes after its number was told.
    pub(crate) fn spawn(&mut self, mut waiting: Command, ending: Ending) -> Child {
        let mut child = waiting.spawn().unwrap_or_else(|error| panic!("sh does not start: {error}"));
        let began = table::look(child.id()).map_or(0, |row| row.began);
        let told = self.tell(&format!("watch {} {began} {}\n", child.id(), ending.name()));
        told.unwrap_or_else(|error| panic!("the watching shell has died: {error}"));
        let mut go = child.stdin.take().expect("it was made with a pipe");
        // If it has died already, whoever waits for it will see that.
        let _ = go.write_all(b"\n");
        child
    }

    /// The process has ended and was waited for: its number may become somebody else's.
    pub(crate) fn forget(&mut self) {
        // Without the shell nobody remembers it anyway.
        let _ = self.tell("forget\n");
    }

    fn tell(&mut self, line: &str) -> io::Result<()> {
        let pipe = self.pipe.as_mut().expect("it was not let go");
        pipe.write_all(line.as_bytes())
    }

    /// Lets go, and waits for the process if there is one, then for the shell: after this neither is left, nor is the
    /// directory.
    pub(crate) fn end(&mut self, child: Option<&mut Child>) {
        if self.pipe.take().is_none() {
            return;
        }
        if let Some(child) = child {
            let _ = child.wait();
        }
        let _ = self.shell.wait();
    }
}

/// The same command behind a shell that waits for a line before it becomes that program, and ends if none comes.
pub(crate) fn waiting(command: &Command) -> Command {
    let mut waiting = Command::new("sh");
    waiting.args(["-c", "read -r _ && exec \"$@\" </dev/null", "sh"]);
    waiting.arg(command.get_program()).args(command.get_args()).process_group(0).stdin(Stdio::piped());
    if let Some(directory) = command.get_current_dir() {
        waiting.current_dir(directory);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => waiting.env(name, value),
            None => waiting.env_remove(name),
        };
    }
    waiting
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.end(None);
    }
}
