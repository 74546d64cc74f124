use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use seaworthy_faults::pgbouncer::{Mode, PgBouncer};
use seaworthy_faults::postgres::Postgres as Server;
use seaworthy_queue::ErrorClass;
use seaworthy_queue::conformance::{self, Subject};
use seaworthy_queue::postgres::{Postgres, migrate};
use seaworthy_store::postgres::PgStore;
use tokio::task::spawn_blocking;

use crate::space::Space;

/// A queue of its own each time, in the tables that all share.
#[derive(Clone)]
struct InPostgres {
    store: PgStore,
    made: Arc<AtomicUsize>,
}

impl InPostgres {
    /// The tables are `owner`'s, and used by `user`.
    async fn new(owner: &str, user: &str) -> InPostgres {
        let owner = PgStore::builder(owner).connections(1).connect().await.unwrap();
        migrate(&owner).await.unwrap();
        owner.close().await;
        let store = PgStore::builder(user).connections(8).request_timeout(Duration::from_secs(30));
        InPostgres { store: store.connect().await.unwrap(), made: Arc::default() }
    }
}

impl Subject for InPostgres {
    type Store = Postgres;

    async fn fresh(&self) -> Postgres {
        Postgres::new(format!("q{}", self.made.fetch_add(1, Ordering::Relaxed)), &self.store)
    }

    async fn pass(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }
}

/// QU-90: jobs in Postgres pass the suite that every store is held to; QU-50: any number of queues are in one table.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_conforms() {
    let space = Space::empty().await;
    let subject = InPostgres::new(&space.url(), &space.url()).await;
    conformance::run(&subject).await;
    conformance::each_to_one(&subject, 32, 2_000).await;
}

/// QU-90: through a pooler in transaction mode it is the same.
#[tokio::test(flavor = "multi_thread")]
async fn through_a_pooler_it_conforms() {
    let server = Arc::new(spawn_blocking(Server::start).await.unwrap());
    let pooler = spawn_blocking({
        let server = server.clone();
        move || PgBouncer::start_with(&server, Mode::Transaction, &[("default_pool_size", "16")])
    });
    let pooler = pooler.await.unwrap();
    let subject = InPostgres::new(&server.url(), &pooler.url()).await;
    assert!(subject.store.is_pooled());
    conformance::run(&subject).await;
}

/// SE-04: SELECT, INSERT, UPDATE and DELETE on the tables, and SELECT on that of versions, are all that is needed.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_with_few_rights_conforms() {
    let space = Space::of_jobs().await;
    let mut session = space.session().await;
    let (name, role) = (space.name(), format!("{}_role", space.name()));
    session
        .run(&format!(
            "CREATE ROLE {role} LOGIN PASSWORD 'few'; GRANT USAGE ON SCHEMA {name} TO {role};
            GRANT SELECT ON seaworthy_schema TO {role};
            GRANT SELECT, INSERT, UPDATE, DELETE ON seaworthy_job, seaworthy_dead_job, seaworthy_done_job TO {role}"
        ))
        .await;
    let (_, server) = space.url().split_once('@').map(|(user, server)| (user.to_owned(), server.to_owned())).unwrap();
    let user = format!("postgres://{role}:few@{server}");
    let conforms = tokio::spawn({
        let (owner, user) = (space.url(), user.clone());
        async move { conformance::run(&InPostgres::new(&owner, &user).await).await }
    })
    .await;
    // It has no right to more.
    let refused = migrate(&PgStore::builder(&user).prefix("mine_").connect().await.unwrap()).await;
    session.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    conforms.unwrap();
    assert_eq!(refused.unwrap_err().class(), ErrorClass::Refused);
}
