use std::time::{Duration, SystemTime};

use bytes::Bytes;
use seaworthy_ledger::store::{Answer, Holder, LedgerStore, Renewal, Settlement, StepKept};
use seaworthy_ledger::{EntryState, Kept};

use super::support::{LEASE, Session, Space, attempt, claimed, done, key};

const PLENTY: &str = "INSERT INTO seaworthy_ledger (scope, key, fence, state, owner, lease_until, first_at, started_at,
    finished_at, grants, expires_at)
    SELECT 'plenty', n::text, 1, n % 3, '\\x00', clock_timestamp() + interval '1 hour', now(), now(), now(), 1,
        now() + n * interval '1 second'
    FROM generate_series(1, 20000) AS n";

async fn plan(session: &mut Session, statement: &str) -> String {
    session.text(&format!("EXPLAIN {statement}")).await
}

/// LG-15: the columns and their types, and the two partial indexes.
#[tokio::test]
async fn the_table_has_its_columns_and_indexes() {
    let space = Space::new().await;
    let mut session = space.session().await;
    let columns = session
        .text(
            "SELECT column_name || ' ' || data_type FROM information_schema.columns
            WHERE table_name = 'seaworthy_ledger' AND table_schema = current_schema() ORDER BY ordinal_position",
        )
        .await;
    let expected =
        "scope text\nkey text\nfence bigint\nstate smallint\nowner bytea\nlease_until timestamp with time zone
first_at timestamp with time zone\nstarted_at timestamp with time zone\nfinished_at timestamp with time zone
grants integer\nrank bigint\nfingerprint bytea\nresult bytea\ncontent_type text\nreason text
expires_at timestamp with time zone\n";
    assert_eq!(columns, expected);
    let indexes = session
        .text(
            "SELECT regexp_replace(indexdef, '.* USING', 'USING') FROM pg_indexes
            WHERE tablename = 'seaworthy_ledger' AND schemaname = current_schema() ORDER BY indexname",
        )
        .await;
    let expected = "USING btree (expires_at) WHERE (state = ANY (ARRAY[1, 2]))
USING btree (lease_until) WHERE (state = 0)\nUSING btree (scope, key)\n";
    assert_eq!(indexes, expected);
}

/// LG-15: with 20,000 rows each statement finds its rows by an index: the plan is pinned.
#[tokio::test]
async fn no_statement_reads_the_whole_table() {
    let space = Space::new().await;
    let mut session = space.session().await;
    session.run(PLENTY).await;
    session.run("ANALYZE seaworthy_ledger").await;
    let texts = super::statements::filled(&space);
    for (name, parameters, index) in [
        ("claim", "('a', 'b', '\\x00', 1, NULL, NULL)", "seaworthy_ledger_pkey"),
        ("claim_in", "('a', 'b', '\\x00', 1, NULL)", "seaworthy_ledger_pkey"),
        ("completion", "('a', 'b', 1, '\\x00', '\\x00', '', 1)", "seaworthy_ledger_pkey"),
        ("lookup", "('a', 'b')", "seaworthy_ledger_pkey"),
        ("renew", "('{a,b}', '{a,b}', '{1,2}', '{\"\\\\x00\",\"\\\\x00\"}', '{1,2}')", "seaworthy_ledger_pkey"),
        ("settle", "('a', 'b', 1, '\\x00', 1::smallint, NULL, NULL, NULL, NULL, 0)", "seaworthy_ledger_pkey"),
        ("settle_in", "('a', 'b', 1, '\\x00', 1::smallint, NULL, NULL, NULL, NULL, 0)", "seaworthy_ledger_pkey"),
        ("sweep", "(1000)", "seaworthy_ledger_expires"),
        ("stale", "", "seaworthy_ledger_lease"),
    ] {
        session.run(&format!("PREPARE {name} AS {}", texts[name])).await;
        // The plan for any parameters, which a prepared statement gets in the end.
        session.run("SET plan_cache_mode = force_generic_plan").await;
        let plan = plan(&mut session, &format!("EXECUTE {name}{parameters}")).await;
        assert!(plan.contains(&format!("using {index}")), "{name}:\n{plan}");
        assert!(!plan.contains("Seq Scan on seaworthy_ledger "), "{name}:\n{plan}");
    }
}

/// LG-18: sweeping removes the oldest first, no more than asked, nothing before its time and nothing that runs; steps go
/// with their rows, and rows that another sweeper has are passed over.
#[tokio::test]
async fn the_sweeper_takes_the_oldest_first() {
    let space = Space::new().await;
    let ledger = space.ledger().await;
    let mut session = space.session().await;
    for name in ["a", "b", "c", "later", "forever", "running"] {
        let held = claimed(&ledger, name).await;
        assert_eq!(ledger.keep_step(&held, "s", &Bytes::new()).await.unwrap(), StepKept::Stored(Bytes::new()));
        let keep = Some(Duration::from_secs(3_600));
        let settled = match name {
            "running" => continue,
            "forever" => Settlement::DoneNotKept { keep: None },
            "a" => Settlement::Failed { reason: "no".into(), keep },
            _ => Settlement::DoneNotKept { keep },
        };
        assert!(ledger.settle(&held, &settled).await.unwrap().is_yes());
    }
    assert_eq!(ledger.sweep(100).await.unwrap(), 0, "nothing before its time");
    for (age, name) in [(30, "c"), (20, "b"), (10, "a")] {
        let sql = format!("UPDATE seaworthy_ledger SET expires_at = now() - interval '{age} s' WHERE key = '{name}'");
        session.run(&sql).await;
    }
    let left = "SELECT string_agg(key, ' ' ORDER BY key) FROM seaworthy_ledger";
    let mut other = space.session().await;
    other.run("BEGIN; SELECT FROM seaworthy_ledger WHERE key = 'c' FOR UPDATE").await;
    assert_eq!(ledger.sweep(1).await.unwrap(), 1);
    assert_eq!(session.text(left).await, "a c forever later running\n", "c is another's, b is older than a");
    other.run("ROLLBACK").await;
    assert_eq!(ledger.sweep(100).await.unwrap(), 2);
    assert_eq!(session.text(left).await, "forever later running\n");
    assert_eq!(session.number("SELECT count(*) FROM seaworthy_ledger_step").await, 3);
    // A key that was removed begins again.
    assert_eq!(claimed(&ledger, "a").await.fence, 1);
}

/// LG-22: 500 leases are renewed in one statement and more in several, in the order asked; what is lost among them is told
/// apart.
#[tokio::test]
async fn many_leases_are_renewed_at_once() {
    let space = Space::new().await;
    let ledger = space.ledger().await;
    let mut session = space.session().await;
    session
        .run(
            "INSERT INTO seaworthy_ledger (scope, key, fence, state, owner, lease_until, first_at, started_at, grants)
            SELECT 'test', n::text, 3, 0, '\\x000000000000000000000000000000ff',
                clock_timestamp() + interval '1 second' * CASE WHEN n = 7 THEN -1 ELSE 5 END, now(), now(), 1
            FROM generate_series(1, 1200) AS n",
        )
        .await;
    let mut leases: Vec<_> =
        (1..=1200).map(|n| (Holder { key: key(&n.to_string()), fence: 3, owner: 0xff }, LEASE)).collect();
    leases[0].0.owner = 0xfe;
    leases[1].0.fence = 2;
    leases[2].0.fence = u64::MAX;
    leases[3].0.key = key("unknown");
    leases[1_199].1 = Duration::MAX;
    let renewals = ledger.renew(&leases).await.unwrap();
    assert_eq!(renewals.len(), 1_200);
    for (at, renewal) in renewals.iter().enumerate() {
        let expected = if [0, 1, 2, 3, 6].contains(&at) { Renewal::Lost } else { Renewal::Renewed };
        assert_eq!(*renewal, expected, "{at}");
    }
    let renewed = "SELECT count(*) FROM seaworthy_ledger WHERE lease_until > clock_timestamp() + interval '30 seconds'";
    assert_eq!(session.number(renewed).await, 1_195);
    assert_eq!(ledger.renew(&[]).await.unwrap(), []);
}

/// LG-17: what is read of a key, in each state.
#[tokio::test]
async fn what_is_known_of_a_key_is_read() {
    let space = Space::new().await;
    let ledger = space.ledger().await;
    assert_eq!(ledger.lookup(&key("a")).await.unwrap(), None);
    let before = SystemTime::now() - Duration::from_secs(1);
    let held = claimed(&ledger, "a").await;
    let entry = ledger.lookup(&held.key).await.unwrap().unwrap();
    assert!(matches!(entry.state, EntryState::Running { left } if left <= LEASE && left > LEASE / 2));
    assert!(entry.first_at > before && entry.started_at > before && entry.finished_at.is_none());
    assert_eq!((entry.fence, entry.grants, entry.result_len), (1, 1, None));
    assert!(ledger.settle(&held, &Settlement::Released { keep: None }).await.unwrap().is_yes());
    let entry = ledger.lookup(&held.key).await.unwrap().unwrap();
    assert_eq!((entry.state, entry.grants, entry.reason), (EntryState::Failed, 0, None));
    assert_eq!(ledger.stale().await.unwrap(), 0);
    let held = claimed(&ledger, "a").await;
    space.session().await.expire().await;
    assert_eq!(ledger.stale().await.unwrap(), 1);
    assert!(ledger.settle(&held, &done("four")).await.unwrap().is_yes());
    let entry = ledger.lookup(&held.key).await.unwrap().unwrap();
    assert_eq!((entry.state, entry.fence, entry.grants, entry.result_len), (EntryState::Done, 2, 1, Some(4)));
    assert!(entry.finished_at.unwrap() >= entry.started_at);
    let forever = claimed(&ledger, "b").await;
    let settled = Settlement::FailedForGood { reason: "never".into(), keep: Some(Duration::MAX) };
    assert!(ledger.settle(&forever, &settled).await.unwrap().is_yes());
    let Answer::Done(record) = ledger.claim(&attempt(&forever.key)).await.unwrap() else { panic!() };
    assert_eq!(record.kept, Kept::Failed("never".into()));
}
