//! What a server is, and how it keeps what it has.

use redis::aio::MultiplexedConnection;
use redis::{RedisError, Value, cmd};
use seaworthy_store::{ErrorClass, StoreError};

use super::classify::{has_code, store_error};
use super::durability::Durability;
use super::reply::{list, text};

const ASKED: &str = "connect";

fn refused(why: impl Into<Box<str>>) -> StoreError {
    StoreError::new(ErrorClass::Refused, ASKED, why)
}

/// Looks whether the server can be used, and tells what it keeps.
pub(super) async fn check(connection: &mut MultiplexedConnection, accept_loss: bool) -> Result<Durability, StoreError> {
    let info: String = cmd("INFO").query_async(connection).await.map_err(|error| store_error(ASKED, &error))?;
    check_version(&info)?;
    check_eviction(&info)?;
    let durability = durability(connection).await?;
    match durability.loses() {
        Some(why) if !accept_loss => {
            return Err(refused(format!("{why}: set `appendonly yes`, or say accept_loss()")));
        }
        _ => {}
    }
    if durability == Durability::Unknown {
        tracing::warn!(target: "seaworthy::queue", "the server does not say whether it keeps jobs on its disk");
    }
    Ok(durability)
}

fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// Valkey says which Redis it is like.
fn check_version(info: &str) -> Result<(), StoreError> {
    let version = field(info, "redis_version").ok_or_else(|| refused("the server does not say its version"))?;
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let is_new_enough = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (6, 2);
    if is_new_enough {
        return Ok(());
    }
    Err(refused(format!("Redis {version} is too old: at least 6.2 is needed")))
}

/// `volatile-*` evicts keys with a time to live, and ours have none.
fn check_eviction(info: &str) -> Result<(), StoreError> {
    match field(info, "maxmemory_policy") {
        Some(policy) if policy.starts_with("allkeys") => {
            Err(refused(format!("`maxmemory-policy {policy}` may evict jobs: set `noeviction`")))
        }
        _ => Ok(()),
    }
}

async fn durability(connection: &mut MultiplexedConnection) -> Result<Durability, StoreError> {
    let mut values = Vec::with_capacity(3);
    for setting in ["appendonly", "appendfsync", "save"] {
        match cmd("CONFIG").arg("GET").arg(setting).query_async::<Value>(connection).await {
            Ok(answer) => match list(&answer).and_then(|pair| text(pair.get(1)?)) {
                Some(value) => values.push(value.into_owned()),
                None => return Ok(Durability::Unknown),
            },
            Err(error) if is_forbidden(&error) => return Ok(Durability::Unknown),
            Err(error) => return Err(store_error(ASKED, &error)),
        }
    }
    let [append_only, fsync, save] = values.as_slice() else { return Ok(Durability::Unknown) };
    Ok(Durability::of(append_only, fsync, save))
}

/// A managed server has no CONFIG, or not for everybody.
fn is_forbidden(error: &RedisError) -> bool {
    has_code(error, "NOPERM") || has_code(error, "ERR")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// QU-61: Redis 6.2 and newer, or what is like it.
    #[test]
    fn versions() {
        let check = |version: &str| check_version(&format!("# Server\r\nredis_version:{version}\r\nos:Linux\r\n"));
        for fine in ["6.2.0", "6.2", "7.0.15", "10.1.2", "255.255.255"] {
            check(fine).unwrap();
        }
        for old in ["6.0.16", "5.0.3", "2.8", "", "x"] {
            let error = check(old).unwrap_err();
            assert_eq!(error.class(), ErrorClass::Refused);
            assert!(error.to_string().contains("6.2"), "{error}");
        }
        assert_eq!(check_version("").unwrap_err().class(), ErrorClass::Refused);
    }

    /// QU-70: a policy that may evict jobs is refused, and said.
    #[test]
    fn policies() {
        let check = |policy: &str| check_eviction(&format!("maxmemory:0\r\nmaxmemory_policy:{policy}\r\n"));
        for fine in ["noeviction", "volatile-lru", "volatile-ttl"] {
            check(fine).unwrap();
        }
        for evicts in ["allkeys-lru", "allkeys-lfu", "allkeys-random"] {
            let error = check(evicts).unwrap_err();
            assert_eq!(error.class(), ErrorClass::Refused);
            assert!(error.to_string().contains(evicts), "{error}");
        }
    }
}
