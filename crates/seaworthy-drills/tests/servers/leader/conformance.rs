use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use seaworthy_faults::pgbouncer::{Mode, PgBouncer};
use seaworthy_faults::postgres::Postgres as Server;
use seaworthy_leader::ErrorClass;
use seaworthy_leader::conformance::{self, ElectorSubject, Subject};
use seaworthy_leader::postgres::{Postgres, PostgresElector, migrate};
use seaworthy_store::postgres::PgStore;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::task::spawn_blocking;

use crate::space::Space;

/// A table of its own for each store, in one schema.
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

    /// Stores on the same new table.
    async fn stores(&self, number: usize, connections: u32) -> Vec<PgStore> {
        let prefix = format!("t{}_", self.made.fetch_add(1, Ordering::Relaxed));
        let owner = PgStore::builder(&self.owner).prefix(&prefix).connections(1).connect().await.unwrap();
        migrate(&owner).await.unwrap();
        owner.close().await;
        if let Some(role) = &self.role {
            let mut connection = PgConnection::connect(&self.owner).await.unwrap();
            let grants = format!(
                "GRANT SELECT ON {prefix}schema TO {role};
                GRANT SELECT, INSERT, UPDATE ON {prefix}lease TO {role}"
            );
            connection.execute(AssertSqlSafe(grants)).await.unwrap();
        }
        let mut stores = Vec::new();
        for _ in 0..number {
            let store = PgStore::builder(&self.user).prefix(&prefix).connections(connections);
            stores.push(store.request_timeout(Duration::from_secs(30)).connect().await.unwrap());
        }
        stores
    }

    async fn conforms(&self) {
        conformance::run(self).await;
        conformance::run_elector(self).await;
    }
}

impl Subject for InPostgres {
    type Store = Postgres;

    async fn fresh(&self) -> Postgres {
        Postgres::new(&self.stores(1, 8).await[0])
    }

    async fn pass(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }
}

impl ElectorSubject for InPostgres {
    type Elector = PostgresElector;

    async fn candidates(&self, number: usize) -> Vec<PostgresElector> {
        let stores = self.stores(number, 2).await;
        let poll = Duration::from_millis(100);
        stores.iter().map(|store| PostgresElector::on(store).poll(poll).build().unwrap()).collect()
    }

    async fn pass(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }
}

/// LE-01: leases in Postgres, and their elector, pass the suites that all are held to.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_conforms() {
    let space = Space::empty().await;
    InPostgres::of(&space).conforms().await;
}

/// SE-04: SELECT, INSERT and UPDATE on the table, and SELECT on that of versions, are all that is needed.
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
        async move { subject.conforms().await }
    })
    .await;
    // It has no right to more.
    let refused = migrate(&PgStore::builder(&user).prefix("mine_").connect().await.unwrap()).await;
    session.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    conforms.unwrap();
    assert_eq!(refused.unwrap_err().class(), ErrorClass::Refused);
}

/// LE-01: through a pooler in transaction mode it is the same, and its electors do in session mode as well.
#[tokio::test(flavor = "multi_thread")]
async fn through_a_pooler_it_conforms() {
    let server = Arc::new(spawn_blocking(Server::start).await.unwrap());
    for mode in [Mode::Transaction, Mode::Session] {
        let pooler = spawn_blocking({
            let server = server.clone();
            move || PgBouncer::start_with(&server, mode, &[("default_pool_size", "16")])
        })
        .await
        .unwrap();
        let subject = InPostgres::new(&server.url(), &pooler.url(), None);
        if mode == Mode::Transaction {
            conformance::run(&subject).await;
        }
        // Tables of its own: the server is the same.
        subject.made.store(1_000 * (1 + mode as usize), Ordering::Relaxed);
        conformance::run_elector(&subject).await;
    }
}
