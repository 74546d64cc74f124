//! One of the processes: a guard whose work ticks.

use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use seaworthy::{BoxError, Shutdown};
use seaworthy_leader::sqlite::{Sqlite, SqliteElector, SqliteStore};
use seaworthy_leader::{ElectorBuilder, FENCE_SQL, LeaderGuard, Term};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Executor, query};

const TICK: Duration = Duration::from_millis(100);

/// Short ones, so that a run is short.
pub fn settings(store: &SqliteStore) -> ElectorBuilder<Sqlite> {
    SqliteElector::on(store)
        .ttl(Duration::from_secs(3))
        .renew_every(Duration::from_secs(1))
        .request_timeout(Duration::from_millis(500))
        .stop_time(Duration::from_millis(500))
        .margin(Duration::from_millis(200))
        .poll(Duration::from_millis(500))
}

pub async fn connect(file: &Path) -> Result<SqliteConnection, BoxError> {
    Ok(SqliteConnectOptions::new().filename(file).connect().await?)
}

/// Until its input ends, which it does when the parent is gone, however that went.
pub async fn run(file: &Path, worker: &str) -> Result<(), BoxError> {
    let (trigger, shutdown) = Shutdown::new();
    thread::spawn(move || {
        let _ended = io::copy(&mut io::stdin(), &mut io::sink());
        trigger.fire();
        thread::sleep(Duration::from_secs(5));
        std::process::exit(1);
    });
    let store = SqliteStore::open(file).await?;
    let (file, worker) = (file.to_owned(), worker.to_owned());
    let guard = LeaderGuard::new(settings(&store).build()?, "ticker", move |term| {
        let worker = Worker { term, file: file.clone(), name: worker.clone() };
        worker.lead()
    });
    Ok(guard.run(shutdown).await?)
}

struct Worker {
    term: Term<Sqlite>,
    file: PathBuf,
    name: String,
}

impl Worker {
    async fn lead(self) -> Result<(), BoxError> {
        let connection = &mut connect(&self.file).await?;
        self.note(connection, "INSERT INTO term VALUES ($1, $2, now_ms)").await?;
        let ended = self.term.ended();
        loop {
            // It writes once more whatever it sees, as one does that was stopped between its look and its write.
            let is_last = ended.is_requested();
            let writes = [self.guarded(connection).await?, self.fenced(connection).await?];
            if writes.contains(&false) {
                self.note(connection, "INSERT INTO refused VALUES ($1, $2, now_ms)").await?;
            }
            if is_last || writes.contains(&false) {
                return Ok(());
            }
            ended.until(tokio::time::sleep(TICK)).await;
        }
    }

    fn epoch(&self) -> Result<i64, BoxError> {
        Ok(self.term.epoch().get().try_into()?)
    }

    async fn note(&self, connection: &mut SqliteConnection, statement: &str) -> Result<(), BoxError> {
        let statement = sqlx::AssertSqlSafe(statement.replace("now_ms", NOW_MS));
        query(statement).bind(self.epoch()?).bind(&self.name).execute(connection).await?;
        Ok(())
    }

    /// The file keeps the lease, too: the transaction is fenced by that. Whether it was written.
    async fn guarded(&self, connection: &mut SqliteConnection) -> Result<bool, BoxError> {
        connection.execute("BEGIN IMMEDIATE").await?;
        match self.term.guard(connection).await {
            Ok(()) => {
                let write = "UPDATE my_table SET data = $1, epoch = $2 WHERE id = 'guarded'";
                query(write).bind(&self.name).bind(self.epoch()?).execute(&mut *connection).await?;
                connection.execute("COMMIT").await?;
                Ok(true)
            }
            Err(error) => {
                connection.execute("ROLLBACK").await?;
                if error.is_over() { Ok(false) } else { Err(error.into()) }
            }
        }
    }

    /// As if the table were in another database, which knows nothing of leases. Whether it was written.
    async fn fenced(&self, connection: &mut SqliteConnection) -> Result<bool, BoxError> {
        let write = query(FENCE_SQL).bind(&self.name).bind(self.epoch()?).bind("fenced");
        Ok(write.execute(connection).await?.rows_affected() == 1)
    }
}

/// Milliseconds since 1970, by the clock of all who have the file open.
pub const NOW_MS: &str = "CAST(round((julianday('now') - 2440587.5) * 86400000.0) AS integer)";
