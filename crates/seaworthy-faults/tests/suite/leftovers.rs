//! That nothing is left, in each way in which a test can end.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Another process that holds something.
struct Holder {
    child: Child,
    pid: u32,
    port: u16,
    directory: PathBuf,
}

impl Holder {
    fn start(what: &str, then: &str) -> Holder {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fault-worker"));
        command.args(["hold", what, then]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it has a pipe")).lines();
        let line = lines.find_map(|line| line.expect("it is text").strip_prefix("held ").map(str::to_owned));
        let line = line.expect("it holds something");
        let mut words = line.splitn(3, ' ');
        let mut word = || words.next().expect("three words");
        let (pid, port) = (word().parse().expect("a number"), word().parse().expect("a port"));
        Holder { child, pid, port, directory: word().into() }
    }

    fn is_there(&self) -> [bool; 3] {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
        let is_alive = stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'));
        let listens = self.port != 0 && TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok();
        [is_alive, listens, self.directory.exists()]
    }

    /// All that is of this directory: its watching shell, its server, the server's children.
    fn processes(&self) -> Vec<String> {
        let own = self.directory.to_str().expect("it is text");
        let entries = std::fs::read_dir("/proc").expect("it can be read").flatten();
        let command = |path: &Path| {
            std::fs::read(path.join("cmdline")).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        };
        entries.filter_map(|entry| command(&entry.path())).filter(|command| command.contains(own)).collect()
    }

    fn nothing_is_left(mut self) {
        let _ = self.child.wait();
        let until = Instant::now() + Duration::from_secs(15);
        while self.is_there() != [false; 3] || !self.processes().is_empty() {
            assert!(Instant::now() < until, "{:?} is left, and {:?}", self.is_there(), self.processes());
            thread::sleep(Duration::from_millis(10));
        }
    }
}

fn killed(what: &str) {
    let mut holder = Holder::start(what, "wait");
    let [is_alive, listens, has_directory] = holder.is_there();
    assert!(is_alive && has_directory && (listens || holder.port == 0));
    holder.child.kill().expect("it runs");
    holder.nothing_is_left();
}

/// RG-14: whoever held a worker and its journals was killed with -9.
#[test]
fn of_a_worker_when_the_test_was_killed() {
    killed("worker");
}

/// RG-14: it panicked, aborted, or came to its end.
#[test]
fn of_a_worker_when_the_test_panicked_aborted_or_ended() {
    for end in ["panic", "abort", "end"] {
        Holder::start("worker", end).nothing_is_left();
    }
}

#[cfg(feature = "servers")]
mod servers {
    use super::{Holder, killed};

    /// RG-14: whoever held a server was killed with -9.
    #[test]
    fn of_servers_when_the_test_was_killed() {
        for what in ["redis", "postgres", "shared"] {
            killed(what);
        }
    }

    /// RG-14: whoever held a server was killed with -9 while that server was stopped.
    #[test]
    fn of_a_stopped_server_when_the_test_was_killed() {
        killed("postgres-stopped");
    }

    /// RG-14: it panicked, aborted, or came to its end.
    #[test]
    fn of_servers_when_the_test_panicked_aborted_or_ended() {
        for end in ["panic", "abort", "end"] {
            for what in ["redis", "postgres", "shared"] {
                Holder::start(what, end).nothing_is_left();
            }
        }
    }
}
