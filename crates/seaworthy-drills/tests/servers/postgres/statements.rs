use std::collections::BTreeMap;

use seaworthy_store::TableNames;
use seaworthy_store::postgres::Statement;

use super::support::Space;

/// Each of the ledger's statements by its name, as it stands in its file.
const FILES: [(&str, &str); 12] = [
    ("claim", include_str!("../../../../seaworthy-ledger/src/postgres/claim.sql")),
    ("claim_in", include_str!("../../../../seaworthy-ledger/src/postgres/claim_in.sql")),
    ("completion", include_str!("../../../../seaworthy-ledger/src/postgres/completion.sql")),
    ("keep_step", include_str!("../../../../seaworthy-ledger/src/postgres/keep_step.sql")),
    ("lookup", include_str!("../../../../seaworthy-ledger/src/postgres/lookup.sql")),
    ("renew", include_str!("../../../../seaworthy-ledger/src/postgres/renew.sql")),
    ("settle", include_str!("../../../../seaworthy-ledger/src/postgres/settle.sql")),
    ("settle_in", include_str!("../../../../seaworthy-ledger/src/postgres/settle_in.sql")),
    ("stale", include_str!("../../../../seaworthy-ledger/src/postgres/stale.sql")),
    ("step", include_str!("../../../../seaworthy-ledger/src/postgres/step.sql")),
    ("store_in", include_str!("../../../../seaworthy-ledger/src/postgres/store_in.sql")),
    ("sweep", include_str!("../../../../seaworthy-ledger/src/postgres/sweep.sql")),
];

/// With the names of the space's tables.
pub(super) fn filled(space: &Space) -> BTreeMap<&'static str, String> {
    let names = TableNames::default().schema(space.name()).unwrap();
    FILES.into_iter().map(|(name, text)| (name, Statement::new(&names, text).as_str().to_owned())).collect()
}

/// CO-08c: the statements that all packages share, too.
#[tokio::test]
async fn each_statement_of_the_store_runs_alone() {
    let space = Space::empty().await;
    let mut session = space.session().await;
    let names = TableNames::default().schema(space.name()).unwrap();
    for (text, parameters) in [
        (include_str!("../../../../seaworthy-store/src/postgres/probe.sql"), ""),
        (include_str!("../../../../seaworthy-store/src/postgres/migrate_lock.sql"), ""),
        (include_str!("../../../../seaworthy-store/src/postgres/migrate_needs_schema.sql"), "('a')"),
        (include_str!("../../../../seaworthy-store/src/postgres/migrate_table.sql"), ""),
        (include_str!("../../../../seaworthy-store/src/postgres/migrate_record.sql"), "('ledger', 1, 1)"),
        (include_str!("../../../../seaworthy-store/src/postgres/installed.sql"), "('ledger')"),
    ] {
        assert!(text.starts_with("-- ") && text.to_lowercase().contains("lock"), "{text}");
        let filled = Statement::new(&names, text).as_str().to_owned();
        if filled.starts_with("CREATE") {
            session.run(&filled).await;
        } else {
            session.run(&format!("PREPARE one AS {filled}")).await;
            session.run(&format!("EXECUTE one{parameters}")).await;
            session.run("DEALLOCATE one").await;
        }
    }
    assert_eq!(session.number("SELECT count(*) FROM seaworthy_schema").await, 1);
}

/// CO-08c: each statement begins with what it does and under which lock, is one statement, and runs alone.
#[tokio::test]
async fn each_statement_runs_alone() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../seaworthy-ledger/src/postgres");
    let mut there: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_string_lossy().strip_suffix(".sql").map(str::to_owned))
        .filter(|name| !name.starts_with("step_"))
        .collect();
    there.sort();
    assert_eq!(there, FILES.map(|(name, _)| name), "each file is run here");
    for (name, text) in FILES {
        assert!(text.starts_with("-- "), "{name} says what it does");
        assert!(text.to_lowercase().contains("lock"), "{name} says under which lock");
    }
    let space = Space::new().await;
    let mut session = space.session().await;
    let texts = filled(&space);
    for (name, parameters) in [
        ("claim", "('s', 'k', '\\x01', 60000000, '\\x02', 5)"),
        ("keep_step", "('s', 'k', 1, '\\x01', 'one', '\\x03')"),
        ("step", "('s', 'k', 'one')"),
        ("renew", "('{s}', '{k}', '{1}', '{\"\\\\x01\"}', '{60000000}')"),
        ("lookup", "('s', 'k')"),
        ("stale", ""),
        ("settle", "('s', 'k', 1, '\\x01', 2::smallint, NULL, NULL, 'no', 0, 0)"),
        ("claim_in", "('s', 'k', '\\x01', NULL, '\\x02')"),
        ("store_in", "('s', 'k', 2, '\\x01', '\\x00', 'none')"),
        ("settle_in", "('s', 'k', 2, '\\x01', 1::smallint, NULL, NULL, NULL, 0, 0)"),
        ("completion", "('s', 'k', 2, '\\x01', '\\x00', 'none', 0)"),
        ("sweep", "(10)"),
    ] {
        // More than one could not be prepared.
        session.run(&format!("PREPARE {name} AS {}", texts[name])).await;
        session.run(&format!("EXECUTE {name}{parameters}")).await;
    }
    assert_eq!(session.number("SELECT fence FROM seaworthy_ledger").await, 2);
    assert_eq!(session.number("SELECT state FROM seaworthy_ledger").await, 1);
    assert_eq!(session.number("SELECT count(*) FROM seaworthy_ledger_step").await, 1);
}
