//! What can happen to a Redis. Each of these returns when it has happened.

use std::collections::BTreeSet;
use std::fs;

use rustix::process::Signal;

use super::resp::Connection;
use super::{Redis, Reply};
use crate::table;

impl Redis {
    /// Kills it, and waits until it is gone. What it has on its disk stays for [`Redis::restart`].
    ///
    /// # Panics
    ///
    /// If it does not run.
    pub fn kill9(&mut self) {
        self.server.kill9();
    }

    /// Stops it: it accepts connections, because the system does, and answers nothing.
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

    /// Ends it in order if it runs, and starts it again on the same port, with what its persistence has kept. Returns
    /// when it has answered a PING.
    ///
    /// # Panics
    ///
    /// If it is not up within 20 s.
    pub fn restart(&mut self) {
        self.shut_down();
        self.launch().expect("its port is kept for it");
    }

    /// Ends it in order if it runs: clients are refused until [`Redis::restart`].
    pub fn shut_down(&mut self) {
        if self.server.is_running() {
            self.server.end(Signal::TERM);
        }
    }

    /// Kills it if it runs, and starts it again on the same port without its files: a machine that lost its disk, or a
    /// failover to a replica that had nothing yet.
    ///
    /// # Panics
    ///
    /// If it is not up within 20 s.
    pub fn restart_empty(&mut self) {
        if self.server.is_running() {
            self.server.kill9();
        }
        let entries = fs::read_dir(self.server.directory()).unwrap_or_else(|error| panic!("its directory: {error}"));
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with("log-") {
                continue;
            }
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
        self.launch().expect("its port is kept for it");
    }

    /// Ends the connections of all its clients, those that subscribe, too, and waits until they are gone. Returns how
    /// many there were.
    ///
    /// # Panics
    ///
    /// If the server does not answer.
    pub fn client_kill(&mut self) -> usize {
        let mut connection = Connection::open(&self.url()).unwrap_or_else(|error| panic!("no connection: {error}"));
        let mut ask = |words: &[&str]| match connection.ask(words) {
            Ok(Reply::Error(error)) => panic!("{words:?}: {error}"),
            Ok(reply) => reply,
            Err(error) => panic!("{words:?}: {error}"),
        };
        let own = ask(&["CLIENT", "ID"]).number().expect("an id is a number");
        let before = clients(&ask(&["CLIENT", "LIST"]), own);
        for client in &before {
            ask(&["CLIENT", "KILL", "ID", &client.to_string()]);
        }
        table::wait_until("its clients are gone", || clients(&ask(&["CLIENT", "LIST"]), own).is_disjoint(&before));
        before.len()
    }
}

/// The ids in `id=3 addr=… laddr=… …`, a line for each client.
fn clients(list: &Reply, own: i64) -> BTreeSet<i64> {
    let lines = list.text().unwrap_or_default().lines();
    let ids = lines.filter_map(|line| line.strip_prefix("id=")?.split(' ').next()?.parse().ok());
    ids.filter(|id| *id != own).collect()
}
