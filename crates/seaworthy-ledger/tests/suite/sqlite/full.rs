use std::time::Duration;

use bytes::Bytes;
use seaworthy_ledger::Held;
use seaworthy_ledger::store::{Answer, Holder, LedgerStore, Settlement};
use seaworthy_ledger::{EntryState, ErrorClass};
use sqlx::query_scalar;

use super::{Clock, Directory, attempt, done, granted, holder, key, opened, settled};

const RESULT: usize = 8 * 1024;

fn large(keep: Option<Duration>) -> Settlement {
    Settlement::Done { result: Bytes::from(vec![7; RESULT]), content_type: "x".into(), keep }
}

/// IN-19: in a file that may not grow any more a claim or a completion is `Full`, and nothing of it is half written:
/// the claim is its holder's as before. After room was made all goes on, without a restart: that completion first, and
/// 100 of 100 keys after it.
#[tokio::test]
async fn a_full_file_refuses_and_recovers() {
    let (directory, clock) = (Directory::new(), Clock::new());
    let engine = opened(clock.of(directory.builder().max_size(512 * 1024))).await;
    let keep = Duration::from_secs(3600);
    let mut filled = 0;
    let refused: Holder = loop {
        let holder = granted(&engine, &key(&format!("fill-{filled}"))).await;
        match engine.settle(&holder, &large(Some(keep))).await {
            Ok(held) => assert_eq!(held, Held::Yes),
            Err(error) => {
                assert_eq!(error.class(), ErrorClass::Full, "{error}");
                break holder;
            }
        }
        filled += 1;
        assert!(filled < 1_000, "512 KiB hold no more");
    };
    assert!(filled > 20, "{filled}");
    let entry = engine.lookup(&refused.key).await.expect("up").expect("known");
    assert!(matches!(entry.state, EntryState::Running { left } if left > Duration::ZERO), "{entry:?}");
    assert_eq!((entry.result_len, entry.finished_at), (None, None));
    let again = engine.settle(&refused, &large(Some(keep))).await.expect_err("still no room");
    assert_eq!(again.class(), ErrorClass::Full);

    // Small rows still fit for a while, until claims are refused, too; each key is granted or unknown.
    let mut small = 0;
    loop {
        let attempt = attempt(&key(&format!("{small:0>200}")));
        match engine.claim(&attempt).await {
            Ok(answer) => assert!(matches!(answer, Answer::Granted { fence: 1, .. }), "{answer:?}"),
            Err(error) => {
                assert_eq!(error.class(), ErrorClass::Full, "{error}");
                assert_eq!(engine.lookup(&attempt.key).await.expect("up"), None);
                break;
            }
        }
        small += 1;
        assert!(small < 10_000, "no more fit");
    }

    clock.forward(keep);
    assert_eq!(engine.sweep(1_000).await.expect("removing needs no room"), filled);
    assert_eq!(settled(&engine, &refused, &large(None)).await, Held::Yes);
    for number in 0..100 {
        let attempt = attempt(&key(&format!("after-{number}")));
        let answer = engine.claim(&attempt).await.expect("there is room");
        assert_eq!(answer, Answer::Granted { fence: 1, grants: 1 });
        assert_eq!(settled(&engine, &holder(&attempt, 1), &done(b"done")).await, Held::Yes);
    }
    let mut other = directory.stranger().await;
    let sound: String = query_scalar("PRAGMA integrity_check").fetch_one(&mut other).await.expect("a verdict");
    assert_eq!(sound, "ok");
}
