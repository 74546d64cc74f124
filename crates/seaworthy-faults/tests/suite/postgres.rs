//! Postgres: it comes, suffers, and goes.

use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use seaworthy_faults::postgres::Postgres;
use seaworthy_faults::proxy::Proxy;

use crate::support::why;

const SOON: Duration = Duration::from_secs(20);

fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + SOON;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "not yet: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A session that waits in a statement of a minute, and who serves it.
struct Session {
    psql: Child,
    backend: u32,
}

impl Session {
    fn start(postgres: &Postgres, name: &str) -> Session {
        let url = format!("{}?application_name={name}", postgres.url());
        let mut psql = Command::new("psql");
        psql.args(["-XAtqd", &url, "-c", "select pg_sleep(60)"]);
        let psql = psql.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        let filter = format!("application_name = '{name}' and state = 'active'");
        let backend = eventually("it has a backend", || postgres.backends(&filter).first().copied());
        Session { psql, backend }
    }

    fn has_ended(&mut self) -> bool {
        self.psql.try_wait().expect("it is a child").is_some()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.psql.kill();
        let _ = self.psql.wait();
    }
}

fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

fn segments() -> Vec<String> {
    let table = std::fs::read_to_string("/proc/sysvipc/shm").expect("it can be read");
    table.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1).map(str::to_owned)).collect()
}

/// The segment of shared memory of the server in this directory.
fn segment(directory: &Path) -> String {
    let lock = std::fs::read_to_string(directory.join("data/postmaster.pid")).expect("it runs");
    lock.lines().nth(6).and_then(|line| line.split_whitespace().nth(1)).expect("the seventh line").to_owned()
}

/// FK-01: it is a process of its own with a directory and a port, up when the call returns, and gone with its value.
#[test]
fn it_comes_and_goes() {
    let begun = Instant::now();
    let postgres = Postgres::start();
    println!("up after {:?}", begun.elapsed());
    assert!(begun.elapsed() < SOON);
    assert_eq!(postgres.psql("select 1, 'a'; select 2"), "1|a\n2");
    assert_eq!(postgres.psql("show fsync"), "on");
    assert!(postgres.try_psql("select nonsense").expect_err("it is").contains("nonsense"));
    assert!(why(|| postgres.psql("select nonsense")).contains("select nonsense"));
    let (pid, addr, directory) = (postgres.pid(), postgres.addr(), postgres.directory());
    let shared_memory = segment(&directory);
    assert!(segments().contains(&shared_memory));
    drop(postgres);
    assert!(!is_alive(pid) && !directory.exists() && TcpStream::connect(addr).is_err());
    assert!(!segments().contains(&shared_memory));
}

/// FK-01: two at once have ports and data of their own, and one with settings of its own has these.
#[test]
fn two_do_not_know_of_each_other() {
    let (one, other) = (Postgres::start(), Postgres::start_with(&[("max_connections", "17"), ("fsync", "off")]));
    assert_ne!(one.addr(), other.addr());
    one.psql("create table only_here ()");
    assert!(other.try_psql("table only_here").is_err());
    assert_eq!(other.psql("show max_connections"), "17");
    assert_eq!(other.psql("show fsync"), "off");
    assert!(why(|| Postgres::start_with(&[("no_such_setting", "1")])).contains("no_such_setting"));
}

/// FK-03: as root it is somebody else's process; otherwise it is ours.
#[test]
fn it_does_not_run_as_root() {
    let postgres = Postgres::start();
    let owner = |path: PathBuf| std::fs::metadata(path).expect("it is there").uid();
    let server = owner(format!("/proc/{}", postgres.pid()).into());
    assert_ne!(server, 0);
    assert_eq!(server, owner(postgres.directory()));
    let own = owner("/proc/self".into());
    assert!(own == 0 || server == own);
    let groups = std::fs::read_to_string(format!("/proc/{}/status", postgres.pid())).expect("it runs");
    let groups = groups.lines().find_map(|line| line.strip_prefix("Groups:")).expect("there is a line");
    assert!(own != 0 || groups.trim().is_empty(), "{groups}");
}

/// FK-05: killed with -9 all of it is gone, a backend at work, too; restarted it has what was committed, at the same
/// address.
#[test]
fn it_is_killed_and_restarted() {
    let mut postgres = Postgres::start();
    postgres.psql("create table kept (id int); insert into kept values (1), (2)");
    let mut session = Session::start(&postgres, "at-work");
    let (pid, addr) = (postgres.pid(), postgres.addr());
    postgres.kill9();
    assert!(!is_alive(pid) && !is_alive(session.backend));
    assert_eq!(TcpStream::connect(addr).expect_err("refused").kind(), std::io::ErrorKind::ConnectionRefused);
    eventually("its client knows", || session.has_ended().then_some(()));
    assert!(why(|| postgres.pid()).contains("does not run"));
    postgres.restart();
    assert_eq!(postgres.addr(), addr);
    assert_eq!(postgres.psql("select count(*) from kept"), "2");
    // Dropped in this state, it leaves nothing either.
    let (directory, shared_memory) = (postgres.directory(), segment(&postgres.directory()));
    postgres.kill9();
    assert!(segments().contains(&shared_memory));
    drop(postgres);
    assert!(!directory.exists() && !segments().contains(&shared_memory));
}

/// FK-05: restarted in order, whether it runs or not, or is stopped.
#[test]
fn it_is_restarted() {
    let mut postgres = Postgres::start();
    postgres.psql("create table kept ()");
    let before = postgres.pid();
    postgres.restart();
    assert!(!is_alive(before));
    postgres.stop();
    postgres.restart();
    postgres.shut_down();
    assert!(TcpStream::connect(postgres.addr()).is_err());
    postgres.shut_down();
    postgres.restart();
    assert_eq!(postgres.psql("select count(*) from kept"), "0");
}

/// FK-05: stopped it accepts and answers nothing, a session that was there included; continued it answers.
#[test]
fn it_is_stopped_and_continued() {
    let mut postgres = Postgres::start();
    let mut session = Session::start(&postgres, "waiting");
    postgres.stop();
    drop(TcpStream::connect(postgres.addr()).expect("the system accepts"));
    let asked = Instant::now();
    assert!(postgres.try_psql("select 1").is_err());
    assert!(asked.elapsed() >= Duration::from_secs(4), "it did answer, after {:?}", asked.elapsed());
    assert!(!session.has_ended());
    postgres.cont();
    assert_eq!(postgres.psql("select 1"), "1");
    assert_eq!(postgres.backends("application_name = 'waiting'"), [session.backend]);
}

/// FK-05: one backend is stopped alone; only those of this server can be.
#[test]
fn one_backend_is_stopped() {
    let mut postgres = Postgres::start();
    let one = Session::start(&postgres, "one");
    let other = Session::start(&postgres, "other");
    let state = |session: &Session| {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", session.backend)).expect("it runs");
        stat.rsplit_once(") ").expect("it is like that").1.chars().next().expect("a letter")
    };
    postgres.stop_backend(one.backend);
    assert_eq!(state(&one), 'T');
    assert_ne!(state(&other), 'T');
    assert_eq!(postgres.psql("select 1"), "1");
    postgres.cont_backend(one.backend);
    assert_ne!(state(&one), 'T');

    assert!(why(|| postgres.stop_backend(std::process::id())).contains("no process of this server"));
    let stranger = one.psql.id();
    assert!(why(|| postgres.stop_backend(stranger)).contains("no process of this server"));
    // A server goes at once, also when one of its backends is stopped.
    postgres.stop_backend(one.backend);
    let begun = Instant::now();
    drop(postgres);
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

/// FK-05: the sessions of which a condition is true are ended, and no others; gone when the call returns.
#[test]
fn sessions_are_terminated() {
    let mut postgres = Postgres::start();
    let (one, other) = (Session::start(&postgres, "one"), Session::start(&postgres, "other"));
    assert_eq!(postgres.terminate("application_name = 'nobody'"), 0);
    assert_eq!(postgres.terminate("application_name = 'one'"), 1);
    assert!(!is_alive(one.backend) && is_alive(other.backend));
    let _third = Session::start(&postgres, "third");
    assert_eq!(postgres.terminate("true"), 2);
    assert!(postgres.backends("true").is_empty());
    assert!(why(|| postgres.terminate("nonsense")).contains("nonsense"));
}

/// FK-06: by way of a proxy it can be cut off, and is none the worse.
#[test]
fn it_is_cut_off_by_a_proxy() {
    let mut postgres = Postgres::start();
    let proxy = Proxy::to(postgres.addr());
    let ask = || {
        let url = postgres.url_through(&proxy);
        Command::new("psql")
            .env("PGCONNECT_TIMEOUT", "2")
            .args(["-XAtqd", &url, "-c", "select 7"])
            .output()
            .expect("it runs")
    };
    assert_eq!(ask().stdout, b"7\n");
    proxy.stall();
    assert!(!ask().status.success());
    assert_eq!(postgres.psql("select 1"), "1");
    proxy.heal();
    assert_eq!(ask().stdout, b"7\n");
    postgres.kill9();
    postgres.restart();
    let url = postgres.url_through(&proxy);
    let again = Command::new("psql").args(["-XAtqd", &url, "-c", "select 8"]).output().expect("it runs");
    assert_eq!(again.stdout, b"8\n");
}
