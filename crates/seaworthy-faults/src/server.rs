//! What the three servers have in common: they are started, killed, stopped and ended alike.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::guard::{self, Ending, Guard};
use crate::port::{Port, Taken};
use crate::table::{self, Row};
use crate::user::{self, User};

/// A server is up within this time, or there is something wrong with it.
const START_LIMIT: Duration = Duration::from_secs(20);

/// One server: a directory, a port, and a process if it runs.
#[derive(Debug)]
pub(crate) struct Server {
    name: &'static str,
    ending: Ending,
    guard: Guard,
    pub port: Port,
    pub user: Option<User>,
    /// The process, and its row of the system's table.
    running: Option<(Child, Row)>,
    starts: usize,
}

impl Server {
    /// A server that has a directory and does not run yet.
    pub(crate) fn new(name: &'static str, ending: Ending, port: Port, user: Option<User>) -> Server {
        let guard = Guard::of_directory(name);
        user::give(guard.directory(), user);
        Server { name, ending, guard, port, user, running: None, starts: 0 }
    }

    pub(crate) fn directory(&self) -> &Path {
        self.guard.directory()
    }

    /// Writes a file that the server can read.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory().join(name);
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        user::give(&path, self.user);
        path
    }

    fn log(&self) -> PathBuf {
        self.directory().join(format!("log-{}", self.starts))
    }

    fn said(&self) -> String {
        let log = fs::read(self.log()).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    fn spawn(&mut self, command: &mut Command, ending: Ending) -> Child {
        self.starts += 1;
        let path = self.log();
        let log = File::create(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let copy = log.try_clone().expect("a file can be had twice");
        command.current_dir(self.directory()).env("LC_ALL", "C");
        let mut waiting = guard::waiting(command);
        waiting.stdout(log).stderr(copy);
        if let Some(user) = self.user {
            // As root, std gives up all other groups, too.
            waiting.uid(user.uid).gid(user.gid);
        }
        self.guard.spawn(waiting, ending)
    }

    /// Runs a program to its end that prepares the directory.
    pub(crate) fn prepare(&mut self, command: &mut Command) {
        // initdb starts servers, which give back their shared memory if they are let.
        let mut child = self.spawn(command, Ending::Term);
        let ended = child.wait().unwrap_or_else(|error| panic!("{}: {error}", self.name));
        self.guard.forget();
        assert!(ended.success(), "{:?} of {}: {ended}\n{}", command.get_program(), self.name, self.said());
    }

    /// Starts the process and waits until it is up.
    pub(crate) fn start(&mut self, command: &mut Command, is_up: impl Fn() -> bool) -> Result<(), Taken> {
        assert!(self.running.is_none(), "{} runs already", self.name);
        let child = self.spawn(command, self.ending);
        let row = table::look(child.id()).unwrap_or(Row { pid: child.id(), parent: 0, state: 'S', began: 0 });
        self.running = Some((child, row));
        let until = Instant::now() + START_LIMIT;
        while !is_up() {
            let (child, _) = self.running.as_mut().expect("it was started above");
            if let Some(ended) = child.try_wait().ok().flatten() {
                self.guard.forget();
                self.running = None;
                let said = self.said();
                if said.contains("Address already in use") {
                    return Err(Taken);
                }
                panic!("{} ended before it was up: {ended}\n{said}", self.name);
            }
            assert!(Instant::now() < until, "{} is not up after {START_LIMIT:?}\n{}", self.name, self.said());
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.row().pid
    }

    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    fn row(&self) -> Row {
        self.running.as_ref().unwrap_or_else(|| panic!("{} does not run: it was killed, or ended", self.name)).1
    }

    /// The processes that it has started, which are ours, too.
    pub(crate) fn children(&self) -> Vec<Row> {
        table::children(self.pid())
    }

    /// Kills it and its children, and waits until all are gone.
    pub(crate) fn kill9(&mut self) {
        let row = self.row();
        // First of all it is stopped, so that it starts no more of them, and learns nothing of their deaths.
        table::signal(&row, Signal::STOP);
        table::wait_until("it is stopped", || table::is_stopped(&row));
        let children = self.children();
        table::signal(&row, Signal::KILL);
        for child in &children {
            table::signal(child, Signal::KILL);
        }
        self.reap();
        table::wait_until("its children are gone", || !children.iter().any(table::is_alive));
    }

    /// Stops it and its children, and waits until all are.
    pub(crate) fn stop(&mut self) {
        let row = self.row();
        table::signal(&row, Signal::STOP);
        table::wait_until("it is stopped", || table::is_stopped(&row));
        let children = self.children();
        for child in &children {
            table::signal(child, Signal::STOP);
        }
        table::wait_until("its children are stopped", || children.iter().all(table::is_stopped));
    }

    /// Lets it and its children go on, those too that were stopped one by one.
    pub(crate) fn cont(&mut self) {
        let row = self.row();
        let children = self.children();
        for one in children.iter().chain([&row]) {
            table::signal(one, Signal::CONT);
        }
        table::wait_until("they go on", || {
            children.iter().chain([&row]).all(|one| !table::is_stopped(one) || !table::is_alive(one))
        });
    }

    /// Asks it to end in its own time, and waits until it has.
    pub(crate) fn end(&mut self, signal: Signal) {
        self.cont();
        let row = self.row();
        table::signal(&row, signal);
        table::wait_until(&format!("{} has ended", self.name), || !table::is_alive(&row));
        self.reap();
    }

    fn reap(&mut self) {
        if let Some((mut child, _)) = self.running.take() {
            let _ = child.wait();
            self.guard.forget();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut running = self.running.take();
        self.guard.end(running.as_mut().map(|(child, _)| child));
    }
}
