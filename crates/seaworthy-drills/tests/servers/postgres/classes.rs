use seaworthy_ledger::postgres::Postgres;
use seaworthy_ledger::store::LedgerStore;
use seaworthy_ledger::{ErrorClass, StoreError};
use seaworthy_store::postgres::{PgStore, Statement, sqlstate};
use sqlx::Arguments;

use super::support::{Session, Space, all_of, attempt, claimed, done, key};

const RAISE: &str = "CREATE FUNCTION raise(code text, after bigint) RETURNS bigint LANGUAGE plpgsql AS $$
    BEGIN
        IF nextval('asked') < after THEN RAISE EXCEPTION 'as asked' USING ERRCODE = code; END IF;
        RETURN currval('asked');
    END $$";

async fn raising() -> (Space, PgStore, Session) {
    let space = Space::empty().await;
    let mut session = space.session().await;
    session.run("CREATE SEQUENCE asked").await;
    session.run(RAISE).await;
    let store = space.store().await;
    (space, store, session)
}

async fn raise(store: &PgStore, code: &str, after: i64) -> Result<(), StoreError> {
    let statement = Statement::new(store.names(), "SELECT raise($1, $2)");
    let code = code.to_owned();
    let rows = store
        .rows("raise", &statement, move |arguments| {
            arguments.add(&code)?;
            arguments.add(after)
        })
        .await?;
    assert_eq!(rows.len(), 1);
    Ok(())
}

/// CO-14: the class of each SQLSTATE; only what the server says did nothing is repeated, three times.
#[tokio::test]
async fn each_sqlstate_has_its_class() {
    let (_space, store, mut session) = raising().await;
    for (code, class, asked) in [
        ("08006", ErrorClass::Unavailable, 1),
        ("57P01", ErrorClass::Unavailable, 1),
        ("57P03", ErrorClass::Unavailable, 1),
        ("57014", ErrorClass::Unavailable, 1),
        ("53300", ErrorClass::Unavailable, 1),
        ("53100", ErrorClass::Full, 1),
        ("25006", ErrorClass::Unavailable, 1),
        ("55P03", ErrorClass::Unavailable, 1),
        ("58030", ErrorClass::Unavailable, 1),
        ("XX000", ErrorClass::Unavailable, 1),
        ("XX001", ErrorClass::Corrupt, 1),
        ("42501", ErrorClass::Refused, 1),
        ("42P01", ErrorClass::Refused, 1),
        ("3D000", ErrorClass::Refused, 1),
        ("28P01", ErrorClass::Refused, 1),
        ("23505", ErrorClass::Refused, 1),
        ("40001", ErrorClass::Unavailable, 4),
        ("40P01", ErrorClass::Unavailable, 4),
    ] {
        session.run("ALTER SEQUENCE asked RESTART").await;
        let error = raise(&store, code, i64::MAX).await.unwrap_err();
        assert_eq!(error.class(), class, "{code}");
        assert!(error.to_string().contains(code) && error.to_string().starts_with("raise: "), "{error}");
        assert_eq!(session.number("SELECT last_value FROM asked").await, asked, "{code}");
        if code != "23505" {
            assert_eq!(sqlstate(&error).as_deref(), Some(code));
            assert!(std::error::Error::source(&error).is_some(), "{code}: the driver's error is behind it");
        }
    }
    // What succeeds in the end is no error.
    for code in ["40001", "40P01"] {
        session.run("ALTER SEQUENCE asked RESTART").await;
        raise(&store, code, 4).await.unwrap();
    }
    // None of it has left a connection in a bad state.
    raise(&store, "42501", 0).await.unwrap();
}

/// CO-14: two sessions that lock each other out: the server ends one, and its statement is sent again.
#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_is_repeated() {
    let space = Space::new().await;
    let mut session = space.session().await;
    session.run("SET deadlock_timeout = '10s'").await;
    let store = space.builder().lock_timeout(std::time::Duration::from_secs(4)).connect().await.unwrap();
    let ledger = Postgres::new(&store);
    let a = claimed(&ledger, "a").await;
    session.run("CREATE SEQUENCE asked; CREATE TABLE other (n int); INSERT INTO other VALUES (1)").await;
    session
        .run(
            "CREATE FUNCTION lock_other() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN PERFORM nextval('asked'); PERFORM FROM other FOR UPDATE; RETURN NEW; END $$;
            CREATE TRIGGER lock_other BEFORE UPDATE ON seaworthy_ledger FOR EACH ROW
            EXECUTE FUNCTION lock_other()",
        )
        .await;
    session.run("BEGIN; SELECT FROM other FOR UPDATE").await;
    // It has the row `a`, by its update, and waits for the other table.
    let settling = tokio::spawn({
        let (ledger, a) = (ledger.clone(), a.clone());
        async move { ledger.settle(&a, &done("x")).await }
    });
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    // The server looks for deadlocks after a second, in the session that has waited for that long: ours.
    session.run("SELECT FROM seaworthy_ledger WHERE key = 'a' FOR UPDATE").await;
    session.run("COMMIT").await;
    assert!(settling.await.unwrap().unwrap().is_yes());
    // More often if it had the row again before the other session had woken up.
    let sent = session.number("SELECT last_value FROM asked").await;
    assert!((2..=4).contains(&sent), "it was sent {sent} times");
}

/// CO-24: a URL's password is in no error and no Debug.
#[tokio::test]
async fn a_password_is_in_no_error() {
    let space = Space::new().await;
    let (_, after) = space.url().split_once('@').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    for (url, class) in [
        ("postgres://u:hush-hush@127.0.0.1:1/db".to_owned(), ErrorClass::Unavailable),
        ("postgres://u:hush-hush@127.0.0.1:none/db".to_owned(), ErrorClass::Refused),
        ("postgres://u:hush-hush@127.0.0.1/db?sslmode=hush-hush".to_owned(), ErrorClass::Refused),
        ("hush-hush".to_owned(), ErrorClass::Refused),
        (format!("postgres://nobody:hush-hush@{after}"), ErrorClass::Refused),
        (format!("postgres://postgres:hush-hush@{}", after.replace("/postgres?", "/none?")), ErrorClass::Refused),
    ] {
        let error = PgStore::connect(&url).await.unwrap_err();
        assert_eq!(error.class(), class, "{}", all_of(&error));
        assert!(!all_of(&error).contains("hush-hush"), "{}", all_of(&error));
    }
    let store = PgStore::connect(&format!("postgres://postgres:hush-hush@{after}")).await.unwrap();
    let builder = PgStore::builder("postgres://u:hush-hush@127.0.0.1/db");
    let shown = format!("{store:?} {:?} {builder:?}", Postgres::new(&store));
    assert!(!shown.contains("hush-hush"), "{shown}");
    assert!(shown.contains("PgStore"), "{shown}");
}

/// CO-24: what the server says of a row that it refuses is not handed on: it quotes the row.
#[tokio::test]
async fn a_row_that_is_refused_is_not_shown() {
    let space = Space::new().await;
    let ledger = space.ledger().await;
    let held = claimed(&ledger, "a-secret-key").await;
    let mut session = space.session().await;
    session.run("ALTER TABLE seaworthy_ledger ADD CHECK (result IS NULL), ADD CHECK (key <> 'other-secret')").await;
    let error = ledger.settle(&held, &done("a-secret-result")).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Refused);
    let text = all_of(&error);
    assert!(text.contains("23514") && !text.contains("secret"), "{text}");
    assert!(!text.contains(&hex("a-secret-result")), "{text}");
    let error = ledger.claim(&attempt(&key("other-secret"))).await.unwrap_err();
    assert!(!all_of(&error).contains("secret"), "{}", all_of(&error));
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// CO-14: a row that cannot be understood is corrupt.
#[tokio::test]
async fn a_row_that_makes_no_sense_is_corrupt() {
    let space = Space::new().await;
    let ledger = space.ledger().await;
    let held = claimed(&ledger, "a").await;
    let mut session = space.session().await;
    for change in
        ["state = 9, finished_at = now()", "fence = -4, state = 1", "state = 1, finished_at = NULL, fence = 1"]
    {
        session.run(&format!("UPDATE seaworthy_ledger SET {change}")).await;
        let error = ledger.claim(&attempt(&held.key)).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Corrupt, "{change}: {error}");
    }
    session.run("UPDATE seaworthy_ledger SET grants = -1").await;
    assert_eq!(ledger.lookup(&held.key).await.unwrap_err().class(), ErrorClass::Corrupt);
}
