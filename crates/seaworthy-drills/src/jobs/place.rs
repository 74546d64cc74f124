use std::path::PathBuf;

#[cfg(feature = "servers")]
use seaworthy_faults::postgres::{Postgres, Schema};
#[cfg(feature = "servers")]
use seaworthy_faults::redis::{Persistence, Redis};
#[cfg(feature = "servers")]
use seaworthy_faults::worker::Journals;

/// A place of a drill's own, which goes with this value.
pub(super) enum Place {
    File(PathBuf),
    #[cfg(feature = "servers")]
    Postgres {
        /// It goes before its server.
        schema: Schema,
        /// None: it is one that others use, too.
        server: Option<Postgres>,
    },
    /// With the file of the ledger beside it.
    #[cfg(feature = "servers")]
    Redis {
        server: Redis,
        ledger: PathBuf,
    },
}

impl Place {
    #[cfg(feature = "servers")]
    pub(super) fn in_postgres(is_own: bool) -> Place {
        let server = is_own.then(Postgres::start);
        let url = server.as_ref().map_or_else(|| Postgres::shared().url(), Postgres::url);
        Place::Postgres { schema: Schema::on(url), server }
    }

    #[cfg(feature = "servers")]
    pub(super) fn in_redis(journals: &Journals) -> Place {
        Place::Redis { server: Redis::start(Persistence::Always), ledger: journals.directory().join("ledger.db") }
    }

    /// Where the jobs are.
    pub(super) fn url(&self) -> String {
        match self {
            Place::File(path) => format!("sqlite:{}", path.display()),
            #[cfg(feature = "servers")]
            Place::Postgres { schema, .. } => schema.url(),
            #[cfg(feature = "servers")]
            Place::Redis { server, .. } => server.url(),
        }
    }

    /// Where their ledger is.
    pub(super) fn ledger(&self) -> String {
        match self {
            #[cfg(feature = "servers")]
            Place::Redis { ledger, .. } => format!("sqlite:{}", ledger.display()),
            _ => self.url(),
        }
    }

    /// Whether there is a server that can be killed.
    pub(super) fn has_server(&self) -> bool {
        match self {
            Place::File(_) => false,
            #[cfg(feature = "servers")]
            Place::Postgres { server, .. } => server.is_some(),
            #[cfg(feature = "servers")]
            Place::Redis { .. } => true,
        }
    }

    /// Kills the server, if there is one.
    pub(super) fn kill9(&mut self) {
        match self {
            Place::File(_) => {}
            #[cfg(feature = "servers")]
            Place::Postgres { server, .. } => own(server).kill9(),
            #[cfg(feature = "servers")]
            Place::Redis { server, .. } => server.kill9(),
        }
    }

    /// Starts it again.
    pub(super) fn restart(&mut self) {
        match self {
            Place::File(_) => {}
            #[cfg(feature = "servers")]
            Place::Postgres { server, .. } => own(server).restart(),
            #[cfg(feature = "servers")]
            Place::Redis { server, .. } => server.restart(),
        }
    }

    /// Ends all connections. How many there were.
    #[cfg(feature = "servers")]
    pub(super) fn disconnect(&mut self) -> usize {
        match self {
            Place::File(_) => 0,
            Place::Postgres { server, .. } => own(server).terminate("true"),
            Place::Redis { server, .. } => server.client_kill(),
        }
    }

    /// From now on it answers nothing.
    #[cfg(feature = "servers")]
    pub(super) fn stop(&mut self) {
        match self {
            Place::File(_) => {}
            Place::Postgres { server, .. } => own(server).stop(),
            Place::Redis { server, .. } => server.stop(),
        }
    }

    /// From now on it does.
    #[cfg(feature = "servers")]
    pub(super) fn cont(&mut self) {
        match self {
            Place::File(_) => {}
            Place::Postgres { server, .. } => own(server).cont(),
            Place::Redis { server, .. } => server.cont(),
        }
    }
}

#[cfg(feature = "servers")]
fn own(server: &mut Option<Postgres>) -> &mut Postgres {
    server.as_mut().expect("a drill that harms a server has one of its own")
}
