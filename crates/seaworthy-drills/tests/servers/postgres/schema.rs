use std::process::Command;

use seaworthy_ledger::postgres::{Postgres, migrate};
use seaworthy_ledger::store::LedgerStore;
use seaworthy_ledger::{ErrorClass, Key};
use seaworthy_store::postgres::PgStore;
use seaworthy_store::schema::PackageSchema;
use tokio::task::JoinSet;

use super::support::{Session, Space, attempt, claimed, fence, key};

const CALL: &str = "seaworthy_ledger::postgres::migrate";
/// Names the child's schema.
const CHILD: &str = "SEAWORTHY_MIGRATE_URL";

async fn tables(session: &mut Session) -> String {
    session
        .text("SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema() ORDER BY 1")
        .await
}

const ALL: &str = "seaworthy_ledger\nseaworthy_ledger_step\nseaworthy_schema\n";

/// CO-18: without its tables the ledger is refused, and says what to call; nothing is made by itself.
#[tokio::test]
async fn missing_tables_are_refused_and_never_made_by_themselves() {
    let space = Space::empty().await;
    let ledger = space.ledger().await;
    let claim = ledger.claim(&attempt(&key("a"))).await.unwrap_err();
    let check = ledger.check().await.unwrap_err();
    for error in [claim, check] {
        assert_eq!(error.class(), ErrorClass::Refused);
        assert!(error.to_string().contains(CALL), "{error}");
    }
    let mut session = space.session().await;
    assert_eq!(tables(&mut session).await, "");
    // Other packages' are not the ledger's.
    session.run("CREATE TABLE seaworthy_schema (package text PRIMARY KEY, major integer, version integer)").await;
    session.run("INSERT INTO seaworthy_schema VALUES ('queue', 1, 1)").await;
    assert!(ledger.check().await.unwrap_err().to_string().contains(CALL));
    // The same handle works as soon as they are there.
    migrate(&space.store().await).await.unwrap();
    assert_eq!(fence(&ledger.claim(&attempt(&key("a"))).await.unwrap()), 1);
}

/// CO-18: an older version is refused, a newer one of the same major version is accepted, another major version is not, and
/// `migrate` leaves both as they are.
#[tokio::test]
async fn versions_are_compared() {
    let space = Space::new().await;
    let mut session = space.session().await;
    let store = space.store().await;
    for (major, version, accepted) in [(1, 0, false), (1, 1, true), (1, 99, true), (0, 1, false), (2, 1, false)] {
        session.run(&format!("UPDATE seaworthy_schema SET major = {major}, version = {version}")).await;
        let checked = Postgres::new(&store).check().await;
        assert_eq!(checked.is_ok(), accepted, "{major}.{version}");
        if let Err(error) = checked {
            assert_eq!(error.class(), ErrorClass::Refused);
            assert_eq!(error.to_string().contains(CALL), major == 1, "{error}");
        }
        if version != 0 {
            let migrated = migrate(&store).await;
            assert_eq!(migrated.is_ok(), major == 1, "{major}.{version}");
            let there = session.text("SELECT major || '.' || version FROM seaworthy_schema").await;
            assert_eq!(there, format!("{major}.{version}\n"));
        }
    }
}

/// CO-18: `migrate` is idempotent: what is there stays.
#[tokio::test]
async fn migrating_again_changes_nothing() {
    let space = Space::new().await;
    let store = space.store().await;
    let ledger = Postgres::new(&store);
    claimed(&ledger, "a").await;
    for _ in 0..3 {
        migrate(&store).await.unwrap();
    }
    assert_eq!(ledger.lookup(&key("a")).await.unwrap().unwrap().fence, 1);
}

const STEPS: [&str; 3] = [
    "CREATE TABLE {p}thing (n int); CREATE INDEX {i}thing_n ON {p}thing (n)",
    "ALTER TABLE {p}thing ADD COLUMN m int NOT NULL DEFAULT 7",
    "ALTER TABLE {p}thing ADD COLUMN broken nonsense",
];

fn things(steps: &'static [&'static str]) -> PackageSchema {
    PackageSchema { package: "thing", major: 1, steps }
}

/// CO-18: an upgrade runs the steps that are missing, and keeps what is there; one that fails leaves all as it was.
#[tokio::test]
async fn an_upgrade_runs_what_is_missing() {
    let space = Space::empty().await;
    let store = space.store().await;
    let mut session = space.session().await;
    store.migrate(&things(&STEPS[..1])).await.unwrap();
    session.run("INSERT INTO seaworthy_thing VALUES (1)").await;
    assert_eq!(
        store.check_schema(&things(&STEPS[..2]), "thing::migrate", "use").await.unwrap_err().class(),
        ErrorClass::Refused
    );
    assert!(store.migrate(&things(&STEPS)).await.is_err());
    assert_eq!(session.text("SELECT version::text FROM seaworthy_schema").await, "1\n");
    store.migrate(&things(&STEPS[..2])).await.unwrap();
    assert_eq!(session.number("SELECT n * 10 + m FROM seaworthy_thing").await, 17);
    store.check_schema(&things(&STEPS[..2]), "thing::migrate", "use").await.unwrap();
    // A program of the older version goes on.
    store.check_schema(&things(&STEPS[..1]), "thing::migrate", "use").await.unwrap();
}

/// CO-18: eight processes that start at once.
#[tokio::test(flavor = "multi_thread")]
async fn eight_processes_migrate_at_once() {
    for _ in 0..3 {
        let space = Space::empty().await;
        let mut children: Vec<_> = (0..8)
            .map(|_| {
                Command::new(std::env::current_exe().unwrap())
                    .args(["--exact", "postgres::schema::a_process_that_migrates", "--ignored"])
                    .env(CHILD, space.url())
                    .stdout(std::process::Stdio::null())
                    .spawn()
                    .unwrap()
            })
            .collect();
        for child in &mut children {
            assert!(child.wait().unwrap().success());
        }
        assert_eq!(tables(&mut space.session().await).await, ALL);
    }
}

/// CO-18: what `eight_processes_migrate_at_once` starts.
#[tokio::test]
#[ignore = "is started by another test"]
async fn a_process_that_migrates() {
    let store = PgStore::connect(&std::env::var(CHILD).unwrap()).await.unwrap();
    migrate(&store).await.unwrap();
    Postgres::new(&store).check().await.unwrap();
}

/// CO-18: eight handles of one process, which meet more closely; and the schema is made, too, if it is not there.
#[tokio::test(flavor = "multi_thread")]
async fn eight_handles_migrate_at_once() {
    let space = Space::empty().await;
    let mut session = space.session().await;
    for round in 0..5 {
        let name = format!("{}_{round}", space.name());
        let mut stores = Vec::new();
        for _ in 0..8 {
            stores.push(space.builder().schema(&name).prefix("own_").connections(1).connect().await.unwrap());
        }
        let mut migrations = JoinSet::new();
        for store in stores.clone() {
            migrations.spawn(async move { migrate(&store).await });
        }
        let migrated = migrations.join_all().await;
        assert!(migrated.iter().all(Result::is_ok), "{migrated:?}");
        assert_eq!(claimed(&Postgres::new(&stores[0]), "a").await.fence, 1);
        assert_eq!(session.number(&format!("SELECT count(*) FROM {name}.own_ledger")).await, 1);
        session.run(&format!("DROP SCHEMA {name} CASCADE")).await;
    }
    assert_eq!(tables(&mut session).await, "", "nothing was put elsewhere");
}

/// CO-18: docs/schema-postgres.sql makes what `migrate` makes.
#[tokio::test]
async fn the_documented_schema_is_the_one_that_is_made() {
    let (by_hand, by_us) = (Space::empty().await, Space::new().await);
    let mut session = by_hand.session().await;
    session.run(include_str!("../../../../seaworthy-ledger/docs/schema-postgres.sql")).await;
    assert_eq!(described(&by_hand).await, described(&by_us).await);
    let store = by_hand.store().await;
    let ledger = Postgres::new(&store);
    ledger.check().await.unwrap();
    migrate(&store).await.unwrap();
    assert_eq!(claimed(&ledger, "a").await.fence, 1);
}

async fn described(space: &Space) -> String {
    let mut session = space.session().await;
    let mut all = String::new();
    for query in [
        "SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default)
            FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position",
        "SELECT replace(indexdef, current_schema(), '') FROM pg_indexes WHERE schemaname = current_schema() ORDER BY 1",
        "SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
            WHERE connamespace = current_schema()::regnamespace ORDER BY 1",
        "SELECT concat_ws(' ', package, major, version) FROM seaworthy_schema ORDER BY 1",
    ] {
        all += &session.text(query).await;
    }
    assert!(all.lines().count() > 20, "{all}");
    all
}

/// CO-19: names of the schema and the prefix are checked, and nothing is connected if one is wrong.
#[tokio::test]
async fn names_are_checked() {
    let nowhere = "postgres://127.0.0.1:1/none";
    for bad in ["", "A", "a-b", "a b", "a\"", "ü", "1a", &"a".repeat(41)] {
        for error in [
            PgStore::builder(nowhere).schema(bad).connect().await.unwrap_err(),
            PgStore::builder(nowhere).prefix(bad).connect().await.unwrap_err(),
        ] {
            assert_eq!(error.class(), ErrorClass::Refused, "{bad:?}");
        }
    }
    let fine = PgStore::builder(nowhere).schema("a_1").prefix(&"a".repeat(40)).connect().await.unwrap_err();
    assert_eq!(fine.class(), ErrorClass::Unavailable, "the names are in order");
}

/// CO-19: values are bound, never spliced.
#[tokio::test]
async fn a_key_can_say_anything() {
    let space = Space::new().await;
    let ledger = space.ledger().await;
    for value in ["'; DROP TABLE seaworthy_ledger; --", "$1", "{p}", "\\'", "ключ"] {
        let named = Key::new(value, value).unwrap();
        assert_eq!(fence(&ledger.claim(&attempt(&named)).await.unwrap()), 1, "{value}");
        assert_eq!(ledger.lookup(&named).await.unwrap().unwrap().fence, 1, "{value}");
    }
}
