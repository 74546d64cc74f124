//! Where the jobs are.

use std::io::Write;

use seaworthy::BoxError;
use seaworthy_queue::postgres::PgStore;
use seaworthy_queue::redis::RedisStore;
use seaworthy_queue::sqlite::SqliteStore;
use seaworthy_queue::{Job, Queue};

use super::Code;
use super::act::act;
use super::arguments::Asked;

/// Any job: dead letters are not decoded, so that a queue of whatever jobs has them.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct AnyJob;

impl Job for AnyJob {
    const KIND: &str = "any";
}

/// How the tool is told of it.
pub struct Place {
    engine: Engine,
    /// A file's name, or a URL.
    address: String,
}

enum Engine {
    Sqlite,
    Postgres,
    Redis,
}

impl Place {
    /// The URL is not shown in the error: it can have a password.
    pub fn from_url(url: &str) -> Result<Place, String> {
        let (engine, address) = match url.split_once(':') {
            Some(("sqlite", file)) => (Engine::Sqlite, file.strip_prefix("//").unwrap_or(file)),
            Some(("postgres" | "postgresql", _)) => (Engine::Postgres, url),
            Some(("redis" | "rediss" | "redis+unix" | "unix", _)) => (Engine::Redis, url),
            _ => return Err("a store begins with sqlite:, postgres:// or redis://".to_owned()),
        };
        if address.is_empty() {
            return Err("sqlite: is followed by the name of a file".to_owned());
        }
        Ok(Place { engine, address: address.to_owned() })
    }
}

pub async fn run(asked: &Asked, out: &mut dyn Write, errors: &mut dyn Write) -> Result<Code, BoxError> {
    let (name, command, address) = (asked.queue.clone(), &asked.command, &asked.place.address);
    match asked.place.engine {
        Engine::Sqlite => {
            // Which would be made otherwise.
            if !std::fs::exists(address)? {
                return Err(format!("there is no file {address}").into());
            }
            let store = SqliteStore::open(address).await?;
            let code = act(&Queue::<AnyJob, _>::sqlite(name, &store).build()?, command, out, errors).await;
            store.close().await;
            code
        }
        Engine::Postgres => {
            let store = PgStore::connect(address).await?;
            let code = act(&Queue::<AnyJob, _>::postgres(name, &store).build()?, command, out, errors).await;
            store.close().await;
            code
        }
        Engine::Redis => {
            // Whoever enqueues has to know what the server loses; who looks at what is left there need not.
            let store = RedisStore::builder(address).accept_loss().connect().await?;
            act(&Queue::<AnyJob, _>::redis(name, &store).build()?, command, out, errors).await
        }
    }
}
