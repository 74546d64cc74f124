//! A Redis of one's own.

mod faults;
mod prefix;
mod resp;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use crate::find;
use crate::guard::Ending;
use crate::port::{self, Port, Taken};
use crate::proxy::Proxy;
use crate::server::Server;
use resp::Connection;

pub use prefix::{Prefix, REDIS_URL};
pub use resp::Reply;

/// What a Redis has again after it was killed and restarted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Persistence {
    /// Nothing.
    None,
    /// What it had when it last saved: on `SAVE`, every 60 s with a change, or when it was ended in order.
    Rdb,
    /// All but the last second (`appendfsync everysec`). That is about power cuts; after a kill it has everything.
    EverySec,
    /// All that it has answered (`appendfsync always`).
    Always,
}

impl Persistence {
    fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Persistence::None => &[("save", ""), ("appendonly", "no")],
            Persistence::Rdb => &[("save", "60 1"), ("appendonly", "no")],
            Persistence::EverySec => &[("save", ""), ("appendonly", "yes"), ("appendfsync", "everysec")],
            Persistence::Always => &[("save", ""), ("appendonly", "yes"), ("appendfsync", "always")],
        }
    }
}

/// A Redis server that was started for one test, and is gone with this value: its process, its port, its directory.
///
/// As with [`Postgres`](crate::postgres::Postgres), methods block, and fail by a panic that says what the server said.
///
/// ```no_run
/// use seaworthy_faults::redis::{Persistence, Redis, Reply};
///
/// let mut redis = Redis::start(Persistence::Always);
/// redis.ask(&["SET", "a", "1"]);
/// redis.kill9();
/// redis.restart();
/// assert_eq!(redis.ask(&["GET", "a"]), Reply::Text("1".to_owned()));
/// ```
#[derive(Debug)]
pub struct Redis {
    server: Server,
    program: PathBuf,
    settings: Vec<(String, String)>,
}

impl Redis {
    /// Starts a server and waits until it has answered a PING.
    ///
    /// # Panics
    ///
    /// If there is no Redis on this machine, or it is not up within 20 s.
    pub fn start(persistence: Persistence) -> Redis {
        Redis::start_with(persistence, &[])
    }

    /// The same with settings of its own, as in `redis.conf`: `[("maxmemory", "2mb")]`.
    ///
    /// # Panics
    ///
    /// As [`Redis::start`].
    pub fn start_with(persistence: Persistence, settings: &[(&str, &str)]) -> Redis {
        let program = find::redis();
        port::start_on_free_port("Redis", |port| Redis::start_on(port, program.clone(), persistence, settings))
    }

    fn start_on(
        port: Port,
        program: PathBuf,
        persistence: Persistence,
        settings: &[(&str, &str)],
    ) -> Result<Redis, Taken> {
        let server = Server::new("redis", Ending::Term, port, None);
        let all = persistence.settings().iter().chain(settings);
        let settings = all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut redis = Redis { server, program, settings };
        redis.launch()?;
        Ok(redis)
    }

    fn launch(&mut self) -> Result<(), Taken> {
        let mut command = Command::new(&self.program);
        command.args(["--bind", "127.0.0.1", "--port", &self.server.port.addr().port().to_string()]);
        command.arg("--dir").arg(self.server.directory());
        for (name, value) in &self.settings {
            command.arg(format!("--{name}")).args(words_of(name, value));
        }
        let url = self.url();
        let is_up = |reply: &Reply| match reply {
            Reply::Text(text) => text == "PONG",
            // It answers, and was started with a password.
            Reply::Error(error) => error.starts_with("NOAUTH"),
            _ => false,
        };
        self.server.start(&mut command, || ask(&url, &["PING"]).is_ok_and(|reply| is_up(&reply)))
    }

    /// One server for all the tests of a process that do it no harm, without persistence. It ends with the process.
    ///
    /// # Panics
    ///
    /// As [`Redis::start`].
    pub fn shared() -> &'static Redis {
        static SHARED: OnceLock<Redis> = OnceLock::new();
        SHARED.get_or_init(|| Redis::start(Persistence::None))
    }

    /// The URL of its database 0; there is no password.
    pub fn url(&self) -> String {
        url(self.addr())
    }

    /// The same by way of a proxy to [`Redis::addr`].
    pub fn url_through(&self, proxy: &Proxy) -> String {
        url(proxy.addr())
    }

    /// Where it listens: on the loopback interface, and the same after a restart.
    pub fn addr(&self) -> SocketAddr {
        self.server.port.addr()
    }

    /// Its directory, in which are its files and its logs.
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

    /// What it answers to a command, on a connection of its own.
    ///
    /// # Panics
    ///
    /// If it does not answer within 5 s. An error that it answers with is a [`Reply::Error`].
    pub fn ask(&self, words: &[&str]) -> Reply {
        self.try_ask(words).unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    /// The same, for what may fail.
    ///
    /// # Errors
    ///
    /// If it does not answer within 5 s.
    pub fn try_ask(&self, words: &[&str]) -> io::Result<Reply> {
        ask(&self.url(), words)
    }
}

/// `save 60 1` is two words, and `save ""` is one that is empty.
fn words_of<'a>(name: &str, value: &'a str) -> Vec<&'a str> {
    if name == "save" && !value.is_empty() { value.split(' ').collect() } else { vec![value] }
}

fn url(addr: SocketAddr) -> String {
    format!("redis://{addr}/")
}

fn ask(url: &str, words: &[&str]) -> io::Result<Reply> {
    Connection::open(url)?.ask(words)
}
