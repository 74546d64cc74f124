use seaworthy_leader::postgres::{Postgres, migrate};
use seaworthy_leader::store::{Acquired, Bid, LeaseStore};
use seaworthy_leader::{Epoch, ErrorClass};
use seaworthy_store::TableNames;
use seaworthy_store::postgres::Statement;

use super::support::{LONG, Space, Told, WHENEVER, acquire, bid, candidate, taken};

/// The statements by their names, as they stand in their files, and what they are run with.
const FILES: [(&str, &str, &str); 5] = [
    (
        "acquire",
        include_str!("../../../../seaworthy-leader/src/postgres/acquire.sql"),
        "('{a,b}', '{\"\\\\x01\",\"\\\\x02\"}', '{0,7}', 'holder', 'hint', 60000000, 9223372036854775807, '500', false)",
    ),
    ("guard", include_str!("../../../../seaworthy-leader/src/postgres/guard.sql"), "('a', 1, 'mark')"),
    ("read", include_str!("../../../../seaworthy-leader/src/postgres/read.sql"), "('{a,c}')"),
    ("release", include_str!("../../../../seaworthy-leader/src/postgres/release.sql"), "('b', '\\x02')"),
    (
        "renew",
        include_str!("../../../../seaworthy-leader/src/postgres/renew.sql"),
        "('{a}', '{\"\\\\x01\"}', '{1}', 90000000, 9223372036854775807)",
    ),
];
const LIMITS: &str = include_str!("../../../../seaworthy-leader/src/postgres/guard_limits.sql");

/// CO-08c: each statement begins with what it does and under which lock, is one statement, and runs alone.
#[tokio::test]
async fn each_statement_runs_alone() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../seaworthy-leader/src/postgres");
    let mut there: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_string_lossy().strip_suffix(".sql").map(str::to_owned))
        .filter(|name| !name.starts_with("step_") && name != "guard_limits")
        .collect();
    there.sort();
    assert_eq!(there, FILES.map(|(name, ..)| name), "each file is run here");
    let space = Space::of_leases().await;
    let mut session = space.session().await;
    let names = TableNames::default().schema(space.name()).unwrap();
    for (name, text, parameters) in FILES {
        assert!(text.starts_with("-- ") && text.to_lowercase().contains("lock"), "{name} says what it does");
        // More than one could not be prepared.
        session.run(&format!("PREPARE {name} AS {}", Statement::new(&names, text).as_str())).await;
        session.run(&format!("EXECUTE {name}{parameters}")).await;
    }
    let rows = "SELECT concat_ws(' ', name, epoch, holder, hint, expires_at > now()) FROM seaworthy_lease ORDER BY 1";
    assert_eq!(session.text(rows).await, "a 1 holder hint t\nb 8  f\n");
    assert!(LIMITS.starts_with("-- ") && LIMITS.contains("no statement of it"));
    let limits = Statement::new(&names, LIMITS).as_str().replace("{limit}", "900").replace("{mark}", "0a");
    session.run(&format!("BEGIN; PREPARE limits AS {limits}; EXECUTE limits")).await;
    assert_eq!(session.text("SHOW statement_timeout").await, "900ms\n");
    session.run("ROLLBACK").await;
}

/// LE-07: docs/schema-postgres.sql makes what `migrate` makes, which is this.
#[tokio::test]
async fn the_documented_schema_is_the_one_that_is_made() {
    let (by_hand, by_us) = (Space::empty().await, Space::of_leases().await);
    let script = include_str!("../../../../seaworthy-leader/docs/schema-postgres.sql");
    by_hand.session().await.run(script).await;
    let columns = "SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default)
        FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY table_name, ordinal_position";
    let keys = "SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = current_schema()::regnamespace ORDER BY 1";
    let versions = "SELECT concat_ws(' ', package, major, version) FROM seaworthy_schema ORDER BY 1";
    let made = "seaworthy_epoch name text NO
seaworthy_epoch epoch bigint NO
seaworthy_lease name text NO
seaworthy_lease epoch bigint NO
seaworthy_lease holder text NO
seaworthy_lease term bytea NO
seaworthy_lease expires_at timestamp with time zone NO
seaworthy_lease granted_at timestamp with time zone NO
seaworthy_lease hint text YES
seaworthy_schema package text NO
seaworthy_schema major integer NO
seaworthy_schema version integer NO
";
    for space in [&by_hand, &by_us] {
        let mut session = space.session().await;
        assert_eq!(session.text(columns).await, made);
        let keys = session.text(keys).await;
        let made = ["epoch", "lease"].map(|table| format!("seaworthy_{table}_pkey PRIMARY KEY (name)\n")).concat();
        assert_eq!(keys, made + "seaworthy_schema_pkey PRIMARY KEY (package)\n");
        assert_eq!(session.text(versions).await, "leader 1 1\n");
    }
    migrate(&by_hand.store().await).await.unwrap();
    assert_eq!(taken(&by_hand.leases().await, "a", LONG).await.epoch, 1);
}

/// LE-07: a release keeps the row and its epoch, and empties the holder. A row that was deleted, or restored from an older
/// copy, is put right by a candidate that remembers, and told. LE-74: as after a failover to a standby that had not had
/// the last epochs yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_went_back_is_put_right() {
    let space = Space::of_leases().await;
    let mut session = space.session().await;
    let told = Told::default();
    let elector = space.elector().await.observer(told.observer()).hint("here").build().unwrap();
    let follower = space.elector().await.build().unwrap();
    for epoch in 1..=3 {
        let term = elector.campaign("a").await.unwrap();
        assert_eq!(term.epoch(), Epoch::new(epoch));
        assert!(follower.try_campaign("a").await.unwrap().is_none(), "it sees the epoch");
        term.resign().await;
    }
    let row = "SELECT concat_ws(',', epoch, holder, hint, expires_at <= clock_timestamp()) FROM seaworthy_lease";
    assert_eq!(session.text(row).await, "3,,t\n");
    assert_eq!(told.texts("epoch_went_back"), [] as [&str; 0]);
    session.run("UPDATE seaworthy_lease SET epoch = 1").await;
    let term = elector.campaign("a").await.unwrap();
    assert_eq!(term.epoch(), Epoch::new(4));
    assert_eq!(told.texts("epoch_went_back"), ["seen=3 got=1 "]);
    session.run("DELETE FROM seaworthy_lease").await;
    // Whoever only followed remembers as well.
    let next = follower.campaign("a").await.unwrap();
    assert!(next.epoch() >= Epoch::new(4), "{next:?}");
    next.resign().await;
    session.run("DELETE FROM seaworthy_lease").await;
    drop(term);
    elector.close().await;
    let term = elector.campaign("a").await.unwrap();
    assert_eq!(term.epoch(), Epoch::new(5));
    assert_eq!(told.texts("epoch_went_back")[1], "seen=4 got=0 ");
    // Nobody is left who saw it, but it stands somewhere else.
    session.run("DELETE FROM seaworthy_lease").await;
    let knows = space.elector().await.seen(Epoch::new(40)).build().unwrap();
    assert_eq!(knows.campaign("a").await.unwrap().epoch(), Epoch::new(41));
}

/// LE-03: an epoch that would not fit is an error, and never one that was given before.
#[tokio::test]
async fn the_last_epoch_is_the_last() {
    let space = Space::of_leases().await;
    let leases = space.leases().await;
    let most = u64::try_from(i64::MAX).unwrap();
    let last = Bid { seen: most - 1, ..bid("a") };
    assert_eq!(acquire(&leases, &last, LONG).await, Acquired::Granted { epoch: most, before: 0 });
    leases.release(&last.name, last.term).await.unwrap();
    for bid in [bid("a"), Bid { seen: most, ..bid("b") }, Bid { seen: u64::MAX, ..bid("b") }] {
        let error = leases.acquire(&candidate(LONG), &[bid], WHENEVER).await.unwrap_err();
        assert_eq!(error.class(), ErrorClass::Refused, "{error}");
    }
    // Beside others it holds nobody up.
    let bids = [bid("a"), Bid { seen: u64::MAX, ..bid("b") }, bid("c")];
    let answers = leases.acquire(&candidate(LONG), &bids, WHENEVER).await.unwrap().each;
    assert_eq!(answers, [Acquired::Locked, Acquired::Locked, Acquired::Granted { epoch: 1, before: 0 }]);
    assert_eq!(taken(&leases, "b", LONG).await.epoch, 1);
}

/// LE-08: a lease that somebody has made endless, so that nobody leads, is one that is live for long.
#[tokio::test]
async fn a_lease_without_an_end_is_held() {
    let space = Space::of_leases().await;
    let leases = space.leases().await;
    let held = taken(&leases, "a", LONG).await;
    space.session().await.run("UPDATE seaworthy_lease SET expires_at = 'infinity', holder = 'nobody'").await;
    let row = leases.read(std::slice::from_ref(&held.name)).await.unwrap().each.remove(0).unwrap();
    assert!(&*row.holder == "nobody" && row.left > LONG, "{row:?}");
    assert!(matches!(acquire(&leases, &bid("a"), LONG).await, Acquired::Held(row) if row.left > LONG));
    space.session().await.run("UPDATE seaworthy_lease SET expires_at = '-infinity'").await;
    assert_eq!(taken(&leases, "a", LONG).await.epoch, 2);
}

/// LE-35: a row that cannot be understood is corrupt.
#[tokio::test]
async fn a_row_that_makes_no_sense_is_corrupt() {
    let space = Space::of_leases().await;
    let leases: Postgres = space.leases().await;
    let held = taken(&leases, "a", LONG).await;
    space.session().await.run("UPDATE seaworthy_lease SET epoch = -4").await;
    let error = leases.read(std::slice::from_ref(&held.name)).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Corrupt, "{error}");
    let error = leases.acquire(&candidate(LONG), &[bid("a")], WHENEVER).await.unwrap_err();
    assert_eq!(error.class(), ErrorClass::Corrupt, "{error}");
    let answers = leases.acquire(&candidate(LONG), &[bid("a"), bid("b")], WHENEVER).await.unwrap().each;
    assert_eq!(answers, [Acquired::Locked, Acquired::Granted { epoch: 1, before: 0 }]);
    space.session().await.end_leases().await;
    assert_eq!(leases.read(&["b".into()]).await.unwrap().each, [None]);
}
