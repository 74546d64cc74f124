use seaworthy_queue::ErrorClass;
use seaworthy_queue::postgres::{Postgres, migrate};
use seaworthy_queue::store::{DeadLetters, Producer};

use super::support::{Space, id, job};

/// CO-18: without its tables the queue is refused, and says what to call; the same handle works as soon as they are there.
#[tokio::test]
async fn missing_tables_are_refused() {
    let space = Space::empty().await;
    let jobs = space.jobs().await;
    for error in [
        jobs.enqueue(&[job("a")], None).await.unwrap_err(),
        jobs.redrive(&id("a")).await.unwrap_err(),
        jobs.check().await.unwrap_err(),
    ] {
        assert_eq!(error.class(), ErrorClass::Refused);
        assert!(error.to_string().contains("seaworthy_queue::postgres::migrate"), "{error}");
    }
    assert_eq!(
        space.session().await.number("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()").await,
        0
    );
    migrate(&space.store().await).await.unwrap();
    migrate(&space.store().await).await.unwrap();
    jobs.enqueue(&[job("a")], None).await.unwrap();
}

/// CO-18: docs/schema-postgres.sql makes what `migrate` makes.
#[tokio::test]
async fn the_documented_schema_is_the_one_that_is_made() {
    let (by_hand, by_us) = (Space::empty().await, Space::of_jobs().await);
    let mut session = by_hand.session().await;
    session.run(include_str!("../../../../seaworthy-queue/docs/schema-postgres.sql")).await;
    assert_eq!(described(&by_hand).await, described(&by_us).await);
    Postgres::new("q", &by_hand.store().await).check().await.unwrap();
}

async fn described(space: &Space) -> String {
    let mut session = space.session().await;
    let mut all = String::new();
    for query in [
        "SELECT concat_ws(' ', table_name, column_name, data_type, collation_name, is_nullable, is_identity, column_default)
            FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position",
        "SELECT replace(indexdef, current_schema(), '') FROM pg_indexes WHERE schemaname = current_schema() ORDER BY 1",
        "SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
            WHERE connamespace = current_schema()::regnamespace ORDER BY 1",
        "SELECT concat_ws(' ', package, major, version) FROM seaworthy_schema ORDER BY 1",
    ] {
        all += &session.text(query).await;
    }
    assert!(all.lines().count() > 30, "{all}");
    all
}
