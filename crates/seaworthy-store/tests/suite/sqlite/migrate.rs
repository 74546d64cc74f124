use seaworthy_store::ErrorClass;
use seaworthy_store::schema::PackageSchema;
use seaworthy_store::sqlite::SqliteStore;
use sqlx::{Executor, query_as};

use super::{Directory, stranger};

const ONE: PackageSchema = PackageSchema { package: "test", major: 1, steps: &["CREATE TABLE {p}one (n integer)"] };
const TWO: PackageSchema =
    PackageSchema { steps: &[ONE.steps[0], "CREATE TABLE {p}two (n integer); INSERT INTO {p}one VALUES (1)"], ..ONE };

async fn tables(store: &SqliteStore) -> Vec<String> {
    let mut other = stranger(store.path()).await;
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let names: Vec<(String,)> = query_as(names).fetch_all(&mut other).await.expect("there are some");
    names.into_iter().map(|(name,)| name).collect()
}

/// CO-18: a file gets the steps that it lacks, once; a newer schema of the same major version is accepted as it is, and
/// one of another is refused, in which case nothing is changed.
#[tokio::test]
async fn steps_are_taken_once() {
    let directory = Directory::new();
    let store = SqliteStore::open(directory.file()).await.expect("a new file");
    for _ in 0..3 {
        store.migrate(&ONE).await.expect("installed");
    }
    assert_eq!(tables(&store).await, ["seaworthy_one", "seaworthy_schema"]);
    for _ in 0..3 {
        store.migrate(&TWO).await.expect("upgraded");
    }
    assert_eq!(tables(&store).await, ["seaworthy_one", "seaworthy_schema", "seaworthy_two"]);
    let mut other = stranger(store.path()).await;
    let rows: (i64,) = query_as("SELECT count(*) FROM seaworthy_one").fetch_one(&mut other).await.expect("it is there");
    assert_eq!(rows, (1,), "each step once");

    store.migrate(&ONE).await.expect("an older program uses the newer tables");
    let schema = "SELECT major, version FROM seaworthy_schema WHERE package = 'test'";
    let recorded: (i64, i64) = query_as(schema).fetch_one(&mut other).await.expect("recorded");
    assert_eq!(recorded, (1, 2), "and leaves them what they are");

    let next = PackageSchema { major: 2, steps: &["DROP TABLE {p}one"], ..ONE };
    let error = store.migrate(&next).await.expect_err("another major version");
    assert_eq!(error.class(), ErrorClass::Refused);
    assert!(error.to_string().contains("major version 1"), "{error}");
    assert_eq!(tables(&store).await, ["seaworthy_one", "seaworthy_schema", "seaworthy_two"]);

    // Another package, and another prefix, are beside it.
    store
        .migrate(&PackageSchema { package: "other", steps: &["CREATE TABLE {p}other (n)"], ..ONE })
        .await
        .expect("beside");
    let builder = SqliteStore::builder(directory.file()).prefix("my_");
    builder.open().await.expect("the same file").migrate(&ONE).await.expect("beside");
    let all = ["my_one", "my_schema", "seaworthy_one", "seaworthy_other", "seaworthy_schema", "seaworthy_two"];
    assert_eq!(tables(&store).await, all);
}

/// CO-18: a step that fails leaves nothing of itself or of those before it, and the next migration begins where the
/// file was.
#[tokio::test]
async fn a_step_that_fails_leaves_nothing() {
    let directory = Directory::new();
    let store = SqliteStore::open(directory.file()).await.expect("a new file");
    let mut other = stranger(store.path()).await;
    other.execute("CREATE TABLE seaworthy_two (theirs integer)").await.expect("made");
    let error = store.migrate(&TWO).await.expect_err("a table of this name is there");
    assert_eq!(error.class(), ErrorClass::Refused);
    assert_eq!(tables(&store).await, ["seaworthy_two"]);
    other.execute("DROP TABLE seaworthy_two").await.expect("dropped");
    store.migrate(&TWO).await.expect("installed");
    assert_eq!(tables(&store).await, ["seaworthy_one", "seaworthy_schema", "seaworthy_two"]);
}
