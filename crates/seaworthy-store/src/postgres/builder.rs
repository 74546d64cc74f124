use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use seaworthy::ConfigError;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection, PgPool};

use crate::error::{ErrorClass, StoreError};
use crate::limit::within;
use crate::postgres::classify::{refuses_options, store_error};
use crate::postgres::connections::{Connections, Own};
use crate::postgres::request::{Limits, Mode};
use crate::postgres::store::PgStore;
use crate::postgres::{probe, url};
use crate::random;
use crate::table_names::TableNames;

const CONNECTIONS: u32 = 4;
const MOST_CONNECTIONS: u32 = 100;
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
const LOCK_TIMEOUT: Duration = Duration::from_millis(500);
const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// Settings of a [`PgStore`]; checked by [`connect`](PgStoreBuilder::connect).
///
/// ```no_run
/// use std::time::Duration;
///
/// use seaworthy_store::postgres::PgStore;
///
/// # async fn start() -> Result<(), seaworthy_store::StoreError> {
/// let store = PgStore::builder("postgres://app@db.example/app")
///     .schema("jobs")
///     .connections(8)
///     .request_timeout(Duration::from_secs(2))
///     .connect()
///     .await?;
/// # store.close().await;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is connected before `connect`"]
pub struct PgStoreBuilder {
    from: From,
    connections: Option<u32>,
    pooled: bool,
    limits: Limits,
    names: Result<TableNames, ConfigError>,
}

enum From {
    Url(String),
    Pool(PgPool),
}

impl PgStoreBuilder {
    pub(super) fn url(url: &str) -> PgStoreBuilder {
        PgStoreBuilder::new(From::Url(url.to_owned()))
    }

    pub(super) fn pool(pool: PgPool) -> PgStoreBuilder {
        PgStoreBuilder::new(From::Pool(pool))
    }

    fn new(from: From) -> PgStoreBuilder {
        let limits = Limits { request: REQUEST_TIMEOUT, lock: LOCK_TIMEOUT };
        PgStoreBuilder { from, connections: None, pooled: false, limits, names: Ok(TableNames::default()) }
    }

    /// Keeps at most this many connections (4; 1 to 100). A caller's pool has a number of its own.
    pub fn connections(mut self, most: u32) -> PgStoreBuilder {
        self.connections = Some(most);
        self
    }

    /// There is a pooler in between, such as PgBouncer. It is usually found without being told of.
    pub fn pooled(mut self) -> PgStoreBuilder {
        self.pooled = true;
        self
    }

    /// Takes tables in this schema, and not in the first of the connection's search path: 1 to 40 bytes of `a-z`, `0-9`
    /// and `_`.
    pub fn schema(mut self, schema: &str) -> PgStoreBuilder {
        self.names = self.names.and_then(|names| names.schema(schema));
        self
    }

    /// Takes tables whose names begin with this (`seaworthy_`): 1 to 40 bytes of `a-z`, `0-9` and `_`.
    pub fn prefix(mut self, prefix: &str) -> PgStoreBuilder {
        self.names = self.names.and_then(|names| names.prefix(prefix));
        self
    }

    /// Gives each request up after this (5 s; 50 ms to 1 h), the wait for a connection included; the server ends its
    /// statement then, too.
    pub fn request_timeout(mut self, limit: Duration) -> PgStoreBuilder {
        self.limits.request = limit;
        self
    }

    /// Waits for a locked row for at most this long (500 ms; 50 ms to `request_timeout`).
    pub fn lock_timeout(mut self, limit: Duration) -> PgStoreBuilder {
        self.limits.lock = limit;
        self
    }

    /// Connects, looks what is at the other end, and finds out whether a pooler is in between.
    ///
    /// # Errors
    /// [`Refused`](ErrorClass::Refused) if a setting is out of its range, the URL is not understood, the server is
    /// older than 14 or in recovery, or it does not let us in; [`Unavailable`](ErrorClass::Unavailable) if it is not
    /// reached within `request_timeout`.
    ///
    /// # Cancellation
    /// Dropping it closes the connection that was being opened.
    pub async fn connect(self) -> Result<PgStore, StoreError> {
        let names = self.check().map_err(refused)?;
        let limits = self.limits;
        let connecting = async {
            match self.from {
                From::Url(url) => own(&url, self.connections.unwrap_or(CONNECTIONS), self.pooled, limits).await,
                From::Pool(pool) => callers(pool).await,
            }
        };
        let (connections, mode) = within(limits.request, "connect", connecting).await?;
        Ok(PgStore::new(connections, mode, limits, names))
    }

    fn check(&self) -> Result<TableNames, ConfigError> {
        let names = self.names.clone()?;
        let wrong = |field, value: &dyn fmt::Debug, rule| Err(ConfigError::new("store", field, value, rule));
        match (&self.from, self.connections) {
            (From::Pool(_), Some(most)) => {
                return wrong("connections", &most, "must not be set for a pool that was given");
            }
            (_, Some(most)) if !(1..=MOST_CONNECTIONS).contains(&most) => {
                return wrong("connections", &most, "must be 1 to 100");
            }
            _ => {}
        }
        let Limits { request, lock } = self.limits;
        if !(SHORTEST..=LONGEST).contains(&request) {
            return wrong("request_timeout", &request, "must be 50 ms to 1 h");
        }
        if !(SHORTEST..=request).contains(&lock) {
            return wrong("lock_timeout", &lock, "must be 50 ms to request_timeout");
        }
        Ok(names)
    }
}

impl fmt::Debug for PgStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither the URL nor the pool's options, which have a password.
        f.debug_struct("PgStoreBuilder")
            .field("connections", &self.connections)
            .field("pooled", &self.pooled)
            .field("limits", &self.limits)
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

fn refused(error: ConfigError) -> StoreError {
    StoreError::new(ErrorClass::Refused, "connect", error.to_string()).caused_by(error)
}

async fn callers(pool: PgPool) -> Result<(Connections, Mode), StoreError> {
    let connections = Connections::Caller(pool);
    let mut lent = connections.lend("connect").await?;
    if let Some(connection) = lent.connection() {
        probe::refuse_standby(&probe::ask(connection).await?, ErrorClass::Refused)?;
    }
    lent.give_back();
    Ok((connections, Mode::InTransaction))
}

async fn own(url: &str, most: u32, pooled: bool, limits: Limits) -> Result<(Connections, Mode), StoreError> {
    let plain = url::options(url)?;
    if !pooled && let Some((connection, options, nonce)) = direct(&plain, limits).await? {
        let own = Own::new(options, Some(nonce), most, connection);
        return Ok((Connections::Own(Arc::new(own)), Mode::Direct));
    }
    let options = plain.statement_cache_capacity(0);
    let mut connection = options.connect().await.map_err(|error| store_error("connect", error))?;
    probe::refuse_standby(&probe::ask(&mut connection).await?, ErrorClass::Refused)?;
    Ok((Connections::Own(Arc::new(Own::new(options, None, most, connection))), Mode::InTransaction))
}

/// A connection with our startup options; none if a pooler is in between, which refuses them or keeps them to itself.
async fn direct(
    plain: &PgConnectOptions,
    limits: Limits,
) -> Result<Option<(PgConnection, PgConnectOptions, String)>, StoreError> {
    let nonce = format!("{:032x}", random::unique());
    let options = plain.clone().options([
        ("lock_timeout", limits.lock_ms().to_string()),
        ("statement_timeout", limits.request_ms().to_string()),
        ("default_transaction_isolation", "read committed".to_owned()),
        ("seaworthy.nonce", nonce.clone()),
    ]);
    let mut connection = match options.connect().await {
        Ok(connection) => connection,
        Err(error) if refuses_options(&error) => return Ok(None),
        Err(error) => return Err(store_error("connect", error)),
    };
    let found = probe::ask(&mut connection).await?;
    if found.nonce.as_ref() != Some(&nonce) {
        return Ok(None);
    }
    probe::refuse_standby(&found, ErrorClass::Refused)?;
    Ok(Some((connection, options, nonce)))
}
