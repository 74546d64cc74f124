//! What can happen to a Postgres. Each of these returns when it has happened.

use rustix::process::Signal;

use super::Postgres;
use super::psql::OWN_NAME;
use crate::table::{self, Row};

impl Postgres {
    /// Kills it with all its backends, as a power cut would, and waits until all are gone. Its data stay for
    /// [`Postgres::restart`].
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn kill9(&mut self) {
        self.server.kill9();
    }

    /// Stops all its processes: it accepts connections, because the system does, and answers nothing.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn stop(&mut self) {
        self.server.stop();
    }

    /// Lets it go on after [`Postgres::stop`] or [`Postgres::stop_backend`], and waits until it does.
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn cont(&mut self) {
        self.server.cont();
    }

    /// Ends it in order, with all connections, if it runs, and starts it again where it was: same port, same data.
    /// Returns when it has answered a query.
    ///
    /// # Panics
    ///
    /// If it is not up within 20 s.
    pub fn restart(&mut self) {
        self.shut_down();
        self.launch().expect("its port is kept for it");
    }

    /// Ends it in order, with all connections, if it runs: clients are refused until [`Postgres::restart`].
    pub fn shut_down(&mut self) {
        if self.server.is_running() {
            self.server.end(Signal::INT);
        }
    }

    /// The numbers of the client backends of which a condition on `pg_stat_activity` is true, such as
    /// `application_name = 'worker-1'`; `true` is all of them.
    ///
    /// # Panics
    ///
    /// If the condition is wrong, or the server does not answer.
    pub fn backends(&self, filter: &str) -> Vec<u32> {
        let pids = self.look(&format!(
            "select pid from pg_stat_activity
             where backend_type = 'client backend' and application_name <> '{OWN_NAME}' and ({filter})"
        ));
        pids.lines().map(|pid| pid.parse().unwrap_or_else(|_| panic!("a number of a process, not {pid}"))).collect()
    }

    /// Stops one backend: its client waits, the others do not.
    ///
    /// # Panics
    ///
    /// If there is no such process of this server.
    pub fn stop_backend(&mut self, pid: u32) {
        let backend = self.backend(pid);
        table::signal(&backend, Signal::STOP);
        table::wait_until("the backend is stopped", || table::is_stopped(&backend));
    }

    /// Lets a backend go on.
    ///
    /// # Panics
    ///
    /// If there is no such process of this server.
    pub fn cont_backend(&mut self, pid: u32) {
        let backend = self.backend(pid);
        table::signal(&backend, Signal::CONT);
        table::wait_until("the backend goes on", || !table::is_stopped(&backend) || !table::is_alive(&backend));
    }

    /// No process is signalled that is not the server's own child.
    fn backend(&self, pid: u32) -> Row {
        let found = self.server.children().into_iter().find(|child| child.pid == pid);
        found.unwrap_or_else(|| panic!("{pid} is no process of this server"))
    }

    /// Ends the connections of these client backends (see [`Postgres::backends`]) and waits until they are gone.
    /// Returns how many there were.
    ///
    /// # Panics
    ///
    /// If the condition is wrong, or the server does not answer.
    pub fn terminate(&mut self, filter: &str) -> usize {
        let pids = self.backends(filter);
        let children = self.server.children();
        if !pids.is_empty() {
            let list = pids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            self.look(&format!("select pg_terminate_backend(pid) from pg_stat_activity where pid in ({list})"));
        }
        let ended: Vec<&Row> = children.iter().filter(|child| pids.contains(&child.pid)).collect();
        table::wait_until("the backends are gone", || !ended.iter().any(|child| table::is_alive(child)));
        pids.len()
    }
}
