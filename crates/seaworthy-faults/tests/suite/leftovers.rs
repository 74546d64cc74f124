//! That nothing is left, in each way in which a test can end.

use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use seaworthy_faults::seed::{Seed, drill_time};
use seaworthy_faults::worker::Journals;

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
        command
            .args(["hold", what, then])
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
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

    fn nothing_is_left(mut self) {
        let _ = self.child.wait();
        let until = Instant::now() + Duration::from_secs(15);
        while self.is_there() != [false; 3] || !processes(&self.directory).is_empty() {
            assert!(Instant::now() < until, "{:?} is left, and {:?}", self.is_there(), processes(&self.directory));
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// All that is of this directory: its watching shell, its server, the server's children.
fn processes(directory: &Path) -> Vec<String> {
    let own = directory.to_str().expect("it is text");
    let entries = std::fs::read_dir("/proc").expect("it can be read").flatten();
    let commands = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    let commands = commands.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    commands.filter(|command| command.contains(own)).collect()
}

fn killed(what: &str) {
    let mut holder = Holder::start(what, "wait");
    let [is_alive, listens, has_directory] = holder.is_there();
    assert!(is_alive && has_directory && (listens || holder.port == 0));
    holder.child.kill().expect("it runs");
    holder.nothing_is_left();
}

/// RG-14: its whole process group was killed with -9, or interrupted, as by a terminal or a runner that lost its patience.
#[test]
fn of_a_worker_when_its_group_was_killed_or_interrupted() {
    for signal in ["-KILL", "-INT", "-HUP"] {
        let holder = Holder::start("worker", "wait");
        let group = format!("-{}", holder.child.id());
        let sent = Command::new("kill").args([signal, "--", &group]).status().expect("it starts");
        assert!(sent.success());
        holder.nothing_is_left();
    }
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

/// Kills a test with -9 while it starts something, again and again, for this part of a random test's time.
fn killed_at_any_moment(what: &str, within: Duration, part: u32) {
    let mut rng = Seed::from_env().rng(what);
    // A place of its own, so that all that is in it is of these. A server of another user has to get to its own below it.
    let journals = Journals::new();
    let place = journals.directory().join("temporary");
    std::fs::create_dir(&place).expect("it is new");
    for path in [journals.directory(), &place] {
        std::fs::set_permissions(path, Permissions::from_mode(0o711)).expect("it is ours");
    }
    let (begun, mut times) = (Instant::now(), 0);
    while times < 5 || begun.elapsed() < drill_time() / part {
        times += 1;
        let mut command = Command::new(env!("CARGO_BIN_EXE_fault-worker"));
        command.args(["hold", what, "wait"]).env("TMPDIR", &place);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("it starts");
        let moment = rng.duration(Duration::ZERO..within);
        thread::sleep(moment);
        child.kill().expect("it was not waited for");
        child.wait().expect("it is a child");
        let entries = || std::fs::read_dir(&place).expect("it is there").count();
        let until = Instant::now() + Duration::from_secs(15);
        while entries() > 0 || !processes(&place).is_empty() {
            let left = processes(&place);
            assert!(Instant::now() < until, "killed after {moment:?}: {} directories and {left:?} are left", entries());
            thread::sleep(Duration::from_millis(10));
        }
    }
    println!("killed {times} times while it started {what}");
}

/// RG-14: a test was killed with -9 at any moment while it started a worker.
#[test]
fn of_a_worker_at_any_moment() {
    killed_at_any_moment("worker", Duration::from_millis(30), 10);
}

#[cfg(feature = "servers")]
mod servers {
    use std::time::Duration;

    use super::{Holder, killed, killed_at_any_moment};

    /// RG-14: a test was killed with -9 at any moment while it started a server, its preparation included.
    #[test]
    fn of_servers_at_any_moment() {
        killed_at_any_moment("redis", Duration::from_millis(150), 5);
        killed_at_any_moment("postgres", Duration::from_millis(1_800), 1);
    }

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
        for (what, end) in [("redis", "abort"), ("postgres", "panic"), ("shared", "panic"), ("shared", "end")] {
            Holder::start(what, end).nothing_is_left();
        }
    }
}
