//! Where the jobs are. Another kind of store is one more here, and nowhere else.

use std::path::{Path, PathBuf};
use std::time::Duration;

use seaworthy::BoxError;
#[cfg(feature = "postgres")]
use seaworthy_queue::postgres::{PgStore, migrate};
#[cfg(feature = "redis")]
use seaworthy_queue::redis::RedisStore;
use seaworthy_queue::sqlite::SqliteStore;
use seaworthy_queue::{JobId, Queue, QueueBuilder};

use super::Role;
use super::job::Provision;

pub const USAGE: &str = "\
usage: jobs                    on a SQLite file of its own, which goes when it ends
       jobs --sqlite FILE      on that file
       jobs --postgres URL     needs --features postgres, and a server:
                               docker run -e POSTGRES_PASSWORD=pw -p 5432:5432 postgres
                               jobs --postgres postgres://postgres:pw@localhost/postgres
       jobs --redis URL        needs --features redis, and a server that keeps what it was told:
                               redis-server --appendonly yes
                               jobs --redis redis://localhost/";

/// How a process of this program is told where the jobs are.
pub struct Place {
    engine: Engine,
    /// A file's name, or a URL; none for a file of its own.
    address: Option<String>,
    /// A new one for each run, so that what an earlier one has left is not counted.
    queue: String,
}

#[derive(Clone, Copy)]
enum Engine {
    Sqlite,
    Postgres,
    Redis,
}

impl Engine {
    fn option(self) -> &'static str {
        match self {
            Engine::Sqlite => "--sqlite",
            Engine::Postgres => "--postgres",
            Engine::Redis => "--redis",
        }
    }
}

impl Place {
    /// As [`USAGE`] says; a worker is told `--worker QUEUE`, too. A URL is not shown: it can have a password.
    pub fn from_arguments(arguments: &[String]) -> Result<(Place, Role), BoxError> {
        let mut place = Place { engine: Engine::Sqlite, address: None, queue: format!("jobs-{}", JobId::unique()) };
        let mut role = Role::Parent;
        for pair in arguments.chunks(2) {
            let (name, value) = match pair {
                [name] => return Err(format!("{name} is followed by nothing\n\n{USAGE}").into()),
                [name, value] => (name.as_str(), value),
                _ => break,
            };
            let engines = [Engine::Sqlite, Engine::Postgres, Engine::Redis];
            match engines.into_iter().find(|engine| engine.option() == name) {
                Some(engine) => (place.engine, place.address) = (engine, Some(value.clone())),
                None if name == "--worker" => (place.queue, role) = (value.clone(), Role::Worker),
                None => return Err(format!("there is no option {name}\n\n{USAGE}").into()),
            }
        }
        Ok((place, role))
    }

    /// What a worker is started with.
    pub fn arguments(&self) -> Result<[String; 4], BoxError> {
        let address = match &self.address {
            Some(address) => address.clone(),
            None => self.own_file().to_str().ok_or("a file whose name is no text")?.to_owned(),
        };
        Ok([self.engine.option().to_owned(), address, "--worker".to_owned(), self.queue.clone()])
    }

    fn own_file(&self) -> PathBuf {
        std::env::temp_dir().join(format!("seaworthy-{}", self.queue)).join("jobs.db")
    }

    pub async fn run(&self, role: Role) -> Result<(), BoxError> {
        match (self.engine, &self.address) {
            (Engine::Sqlite, Some(file)) => self.on_file(role, file.as_ref()).await,
            (Engine::Sqlite, None) => {
                let file = self.own_file();
                let directory = Directory(file.parent().ok_or("no directory for temporary files")?.to_owned());
                std::fs::create_dir(&directory.0)?;
                self.on_file(role, &file).await
            }
            #[cfg(feature = "postgres")]
            (Engine::Postgres, Some(url)) => {
                let store = PgStore::connect(url).await?;
                migrate(&store).await?;
                let ended = role.run(settings(Queue::postgres(self.queue.clone(), &store)).build()?, self).await;
                store.close().await;
                ended
            }
            #[cfg(feature = "redis")]
            (Engine::Redis, Some(url)) => {
                let store = RedisStore::connect(url).await?;
                role.run(settings(Queue::redis(self.queue.clone(), &store)).build()?, self).await
            }
            (engine, _) => Err(format!("{} needs the feature of its store\n\n{USAGE}", engine.option()).into()),
        }
    }

    async fn on_file(&self, role: Role, file: &Path) -> Result<(), BoxError> {
        let store = SqliteStore::open(file).await?;
        let ended = role.run(settings(Queue::sqlite(self.queue.clone(), &store)).build()?, self).await;
        store.close().await;
        ended
    }
}

/// A short time, so that a short visibility will do.
fn settings<S>(queue: QueueBuilder<Provision, S>) -> QueueBuilder<Provision, S> {
    queue.request_timeout(Duration::from_millis(600))
}

/// It goes with this value.
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}
