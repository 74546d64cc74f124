use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use seaworthy_faults::pgbouncer::{Mode, PgBouncer};
use seaworthy_faults::postgres::Postgres as Server;
use seaworthy_ledger::ErrorClass;
use seaworthy_ledger::conformance::{self, Subject};
use seaworthy_ledger::postgres::{Postgres, migrate};
use seaworthy_store::postgres::PgStore;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::task::spawn_blocking;

use super::support::Space;

/// Tables of its own for each store, in one schema.
#[derive(Clone)]
struct InPostgres {
    /// Who owns the tables, and who uses them.
    owner: String,
    user: String,
    /// Who is granted what is needed, if that is not the owner.
    role: Option<String>,
    made: Arc<AtomicUsize>,
}

impl InPostgres {
    fn new(owner: &str, user: &str, role: Option<&str>) -> InPostgres {
        let role = role.map(str::to_owned);
        InPostgres { owner: owner.to_owned(), user: user.to_owned(), role, made: Arc::default() }
    }

    fn of(space: &Space) -> InPostgres {
        InPostgres::new(&space.url(), &space.url(), None)
    }
}

impl Subject for InPostgres {
    type Store = Postgres;

    async fn fresh(&self) -> Postgres {
        let prefix = format!("t{}_", self.made.fetch_add(1, Ordering::Relaxed));
        let owner = PgStore::builder(&self.owner).prefix(&prefix).connections(1).connect().await.unwrap();
        migrate(&owner).await.unwrap();
        owner.close().await;
        if let Some(role) = &self.role {
            let mut connection = PgConnection::connect(&self.owner).await.unwrap();
            let grants = format!(
                "GRANT SELECT ON {prefix}schema TO {role};
                GRANT SELECT, INSERT, UPDATE, DELETE ON {prefix}ledger, {prefix}ledger_step TO {role}"
            );
            connection.execute(AssertSqlSafe(grants)).await.unwrap();
        }
        let store = PgStore::builder(&self.user).prefix(&prefix).connections(8);
        Postgres::new(&store.request_timeout(Duration::from_secs(30)).connect().await.unwrap())
    }

    async fn pass(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }
}

/// LG-21: Postgres passes the suite that every store is held to.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_conforms() {
    let space = Space::empty().await;
    conformance::run(&InPostgres::of(&space)).await;
}

/// IN-07: 64 claimers of 200 keys, fresh, stale and failed: 200 winners each time, no fence twice.
#[tokio::test(flavor = "multi_thread")]
async fn one_winner_in_postgres() {
    let space = Space::empty().await;
    conformance::one_winner(&InPostgres::of(&space), 200).await;
}

/// IN-08: 200 histories of 40 steps go as the model says.
#[tokio::test(flavor = "multi_thread")]
async fn histories_in_postgres() {
    let space = Space::empty().await;
    conformance::history(&InPostgres::of(&space), 20_261_130, 200).await;
}

/// SE-04: SELECT, INSERT, UPDATE and DELETE on its tables, and SELECT on the table of versions, are all that is needed.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_with_few_rights_conforms() {
    let space = Space::empty().await;
    let mut session = space.session().await;
    let (name, role) = (space.name(), format!("{}_role", space.name()));
    session.run(&format!("CREATE ROLE {role} LOGIN PASSWORD 'few'; GRANT USAGE ON SCHEMA {name} TO {role}")).await;
    let (_, server) = space.url().split_once('@').map(|(user, server)| (user.to_owned(), server.to_owned())).unwrap();
    let user = format!("postgres://{role}:few@{server}");
    let conforms = tokio::spawn({
        let subject = InPostgres::new(&space.url(), &user, Some(&role));
        async move { conformance::run(&subject).await }
    })
    .await;
    // It has no right to more.
    let refused = migrate(&PgStore::builder(&user).prefix("mine_").connect().await.unwrap()).await;
    session.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    conforms.unwrap();
    assert_eq!(refused.unwrap_err().class(), ErrorClass::Refused);
}

/// CO-20, LG-21: through a pooler in transaction mode it is the same.
#[tokio::test(flavor = "multi_thread")]
async fn through_a_pooler_it_conforms() {
    let server = Arc::new(spawn_blocking(Server::start).await.unwrap());
    let pooler = spawn_blocking({
        let server = server.clone();
        move || PgBouncer::start_with(&server, Mode::Transaction, &[("default_pool_size", "4")])
    })
    .await
    .unwrap();
    conformance::run(&InPostgres::new(&server.url(), &pooler.url(), None)).await;
}
