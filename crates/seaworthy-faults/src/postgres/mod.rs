//! A Postgres of one's own.

mod faults;
mod psql;
mod schema;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::find;
use crate::guard::Ending;
use crate::port::{self, Port, Taken};
use crate::proxy::Proxy;
use crate::server::Server;
use crate::user;

pub(crate) use psql::Target;
pub use schema::{PG_URL, Schema};

/// Small, and safe: what is committed is on the disk.
const SETTINGS: [(&str, &str); 10] = [
    ("shared_buffers", "16MB"),
    ("max_connections", "200"),
    ("max_wal_senders", "0"),
    ("wal_level", "minimal"),
    ("max_wal_size", "128MB"),
    // In the directory, which is removed, and not in /dev/shm.
    ("dynamic_shared_memory_type", "mmap"),
    ("listen_addresses", "127.0.0.1"),
    ("fsync", "on"),
    ("jit", "off"),
    ("log_min_messages", "warning"),
];

/// A Postgres server that was started for one test, and is gone with this value: its processes, its port, its
/// directory.
///
/// Its methods block: a start takes about two seconds, a `kill9` or `stop` milliseconds. That is meant for tests; in
/// one whose load runs on the same thread, call them in `tokio::task::spawn_blocking`. Everything fails by a panic that
/// says what the server said.
///
/// Whoever can change it has it alone: faults take `&mut self`, and [`Postgres::shared`] is a server that nobody can
/// kill.
///
/// ```no_run
/// use seaworthy_faults::postgres::Postgres;
///
/// let mut postgres = Postgres::start();
/// postgres.psql("create table jobs (id int)");
/// postgres.kill9();
/// postgres.restart();
/// assert_eq!(postgres.psql("select count(*) from jobs"), "0");
/// ```
#[derive(Debug)]
pub struct Postgres {
    server: Server,
    programs: PathBuf,
    settings: Vec<(String, String)>,
}

impl Postgres {
    /// Starts a server and waits until it has answered a query.
    ///
    /// # Panics
    ///
    /// If there is no Postgres on this machine, or it is not up within 20 s.
    pub fn start() -> Postgres {
        Postgres::start_with(&[])
    }

    /// The same with settings of its own, as in `postgresql.conf`: `[("max_connections", "20")]`.
    ///
    /// # Panics
    ///
    /// As [`Postgres::start`].
    pub fn start_with(settings: &[(&str, &str)]) -> Postgres {
        let programs = find::postgres();
        port::start_on_free_port("Postgres", |port| Postgres::start_on(port, programs.clone(), settings))
    }

    fn start_on(port: Port, programs: PathBuf, settings: &[(&str, &str)]) -> Result<Postgres, Taken> {
        let server = Server::new("pg", Ending::Quit, port, user::for_servers());
        let all = SETTINGS.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut postgres = Postgres { server, programs, settings: all.collect() };
        let mut initdb = Command::new(postgres.programs.join("initdb"));
        initdb.args([
            "--username=postgres",
            "--auth=trust",
            "--locale=C",
            "--encoding=UTF8",
            "--no-sync",
            "-D",
            "data",
        ]);
        postgres.server.prepare(without_defaults(&mut initdb));
        postgres.launch()?;
        Ok(postgres)
    }

    fn launch(&mut self) -> Result<(), Taken> {
        let mut command = Command::new(self.programs.join("postgres"));
        let directory = self.server.directory();
        command.arg("-D").arg(directory.join("data")).arg("-k").arg(directory);
        command.arg("-p").arg(self.server.port.addr().port().to_string());
        for (name, value) in &self.settings {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        let asked = self.target();
        self.server.start(without_defaults(&mut command), || asked.look("select 1", Duration::from_secs(5)).is_ok())
    }

    /// One server for all the tests of a process that do it no harm. It ends with the process.
    ///
    /// # Panics
    ///
    /// As [`Postgres::start`].
    pub fn shared() -> &'static Postgres {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(Postgres::start)
    }

    /// The URL of its database `postgres`, as the user of that name, who needs no password.
    pub fn url(&self) -> String {
        url(self.addr())
    }

    /// The same by way of a proxy to [`Postgres::addr`].
    pub fn url_through(&self, proxy: &Proxy) -> String {
        url(proxy.addr())
    }

    /// Where it listens: on the loopback interface, and the same after a restart.
    pub fn addr(&self) -> SocketAddr {
        self.server.port.addr()
    }

    /// Its directory, in which are its data, its logs and its Unix socket.
    pub fn directory(&self) -> PathBuf {
        self.server.directory().to_owned()
    }

    /// The number of its first process, the postmaster.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// What `psql` answers to a statement: fields separated by `|`, rows by line ends, without a last one.
    ///
    /// # Panics
    ///
    /// If the statement fails, or takes more than 20 s.
    pub fn psql(&self, sql: &str) -> String {
        self.try_psql(sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// The same, for what may fail.
    ///
    /// # Errors
    ///
    /// What `psql` complained of, or that it took more than 20 s.
    pub fn try_psql(&self, sql: &str) -> Result<String, String> {
        self.target().query(sql, Duration::from_secs(20))
    }

    /// As [`Postgres::psql`], in a session that [`Postgres::backends`] does not count.
    fn look(&self, sql: &str) -> String {
        self.target().look(sql, Duration::from_secs(20)).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    pub(crate) fn psql_program(&self) -> PathBuf {
        self.programs.join("psql")
    }

    fn target(&self) -> Target {
        Target::new(self.psql_program(), &self.url())
    }
}

fn url(addr: SocketAddr) -> String {
    format!("postgres://postgres@{addr}/postgres")
}

/// PGHOST and its kin of whoever runs the tests are not for this server.
fn without_defaults(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
        command.env_remove(name);
    }
    command
}
