//! A PgBouncer of one's own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use crate::find;
use crate::guard::Ending;
use crate::port::{self, Port, Taken};
use crate::postgres::{Postgres, Target};
use crate::server::Server;
use crate::user;

/// For how long a client has a connection to Postgres.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// For one transaction: what belongs to a session (advisory locks, LISTEN, prepared statements) is another's next.
    Transaction,
    /// Until it goes.
    Session,
}

impl Mode {
    fn name(self) -> &'static str {
        match self {
            Mode::Transaction => "transaction",
            Mode::Session => "session",
        }
    }
}

/// A PgBouncer in front of a Postgres, that was started for one test, and is gone with this value: its process, its
/// port, its directory.
///
/// As with [`Postgres`], methods block, and fail by a panic that says what the server said.
///
/// ```no_run
/// use seaworthy_faults::pgbouncer::{Mode, PgBouncer};
/// use seaworthy_faults::postgres::Postgres;
///
/// let postgres = Postgres::start();
/// let pooler = PgBouncer::start(&postgres, Mode::Transaction);
/// assert_eq!(pooler.psql("select 1"), "1");
/// ```
#[derive(Debug)]
pub struct PgBouncer {
    server: Server,
    program: PathBuf,
    psql: PathBuf,
}

impl PgBouncer {
    /// Starts a pooler and waits until it has had a query answered.
    ///
    /// # Panics
    ///
    /// If there is no PgBouncer on this machine, or it is not up within 20 s, which needs its Postgres to be up.
    pub fn start(postgres: &Postgres, mode: Mode) -> PgBouncer {
        PgBouncer::start_with(postgres, mode, &[])
    }

    /// The same with settings of its own, as in `pgbouncer.ini`: `[("ignore_startup_parameters", "options")]`.
    ///
    /// # Panics
    ///
    /// As [`PgBouncer::start`].
    pub fn start_with(postgres: &Postgres, mode: Mode, settings: &[(&str, &str)]) -> PgBouncer {
        let program = find::pgbouncer();
        let psql = postgres.psql_program();
        port::start_on_free_port("PgBouncer", |port| {
            let configuration = configuration(&port, postgres.addr(), mode, settings);
            PgBouncer::start_on(port, program.clone(), psql.clone(), &configuration)
        })
    }

    fn start_on(port: Port, program: PathBuf, psql: PathBuf, configuration: &str) -> Result<PgBouncer, Taken> {
        let server = Server::new("pgbouncer", Ending::Term, port, user::for_servers());
        server.write("pgbouncer.ini", configuration);
        server.write("users.txt", "\"postgres\" \"\"\n");
        let mut pooler = PgBouncer { server, program, psql };
        pooler.launch()?;
        Ok(pooler)
    }

    fn launch(&mut self) -> Result<(), Taken> {
        let mut command = Command::new(&self.program);
        command.arg(self.server.directory().join("pgbouncer.ini"));
        let asked = self.target();
        self.server.start(&mut command, || asked.query("select 1", Duration::from_secs(5)).is_ok())
    }

    /// The URL of Postgres' database by way of the pooler.
    pub fn url(&self) -> String {
        format!("postgres://postgres@{}/postgres", self.addr())
    }

    /// Where it listens: on the loopback interface, and the same after a restart.
    pub fn addr(&self) -> SocketAddr {
        self.server.port.addr()
    }

    /// Its directory, in which are its configuration and its logs.
    pub fn directory(&self) -> PathBuf {
        self.server.directory().to_owned()
    }

    /// The number of its process.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// As [`Postgres::psql`], by way of the pooler.
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

    fn target(&self) -> Target {
        Target::new(self.psql.clone(), &self.url())
    }

    /// Kills it, and waits until it is gone.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn kill9(&mut self) {
        self.server.kill9();
    }

    /// Stops it: it accepts connections, because the system does, and forwards nothing.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn stop(&mut self) {
        self.server.stop();
    }

    /// Lets it go on, and waits until it does.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn cont(&mut self) {
        self.server.cont();
    }

    /// Ends it with all connections if it runs, and starts it again on the same port. Returns when it has had a query
    /// answered.
    ///
    /// # Panics
    ///
    /// If it is not up within 20 s, which needs its Postgres to be up.
    pub fn restart(&mut self) {
        if self.server.is_running() {
            self.server.end(Signal::TERM);
        }
        self.launch().expect("its port is kept for it");
    }
}

fn configuration(port: &Port, postgres: SocketAddr, mode: Mode, settings: &[(&str, &str)]) -> String {
    let mut text = format!(
        "[databases]\n* = host={} port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {}\npool_mode = {}\n",
        postgres.ip(),
        postgres.port(),
        port.addr().port(),
        mode.name()
    );
    // It looks for a Postgres that was away every second, and not every fifteen.
    for (name, value) in [
        ("unix_socket_dir", ""),
        ("auth_type", "trust"),
        ("auth_file", "users.txt"),
        ("admin_users", "postgres"),
        ("max_client_conn", "200"),
        ("server_login_retry", "1"),
    ]
    .iter()
    .chain(settings)
    {
        text += &format!("{name} = {value}\n");
    }
    text
}
