use std::time::Duration;

use seaworthy_ledger::{ClaimRequest, Key, Ledger, LedgerError};

use super::{key, ledger};

/// LG-25, CO-10: what cannot work is refused when the ledger is built, by the setting's name, its value and the rule.
#[test]
fn lg_25_built_or_refused() {
    let refused = |ledger: seaworthy_ledger::LedgerBuilder<_>| ledger.build().unwrap_err().to_string();
    let memory = || Ledger::memory("jobs");
    let (second, day) = (Duration::from_secs(1), Duration::from_secs(24 * 60 * 60));
    let cases = [
        (memory().lease(second - Duration::from_nanos(1)), "ledger `jobs`: lease is 999.999999ms, must be 1 s to 24 h"),
        (
            memory().lease(day + Duration::from_nanos(1)),
            "ledger `jobs`: lease is 86400.000000001s, must be 1 s to 24 h",
        ),
        (
            memory().request_timeout(Duration::from_millis(49)),
            "ledger `jobs`: request_timeout is 49ms, must be at least 50 ms",
        ),
        (
            memory().lease(Duration::from_secs(15)),
            "ledger `jobs`: request_timeout is 5s, must be shorter than a third of the lease",
        ),
        (
            memory().keep(Duration::from_secs(60)),
            "ledger `jobs`: keep is 60s, must be longer than the lease and at most 10 years",
        ),
        (
            memory().keep(Duration::MAX),
            "ledger `jobs`: keep is 18446744073709551615.999999999s, must be longer than the lease and at most 10 years",
        ),
        (memory().max_result(0), "ledger `jobs`: max_result is 0, must be 1 byte to 16 MiB"),
        (memory().max_result((16 << 20) + 1), "ledger `jobs`: max_result is 16777217, must be 1 byte to 16 MiB"),
        (memory().max(0), "ledger `jobs`: max is 0, must be at least 1"),
        (Ledger::memory(""), "ledger: name is \"\", must not be empty"),
    ];
    for (builder, text) in cases {
        assert_eq!(refused(builder), text);
    }
    let fine = [
        memory().lease(second).request_timeout(Duration::from_millis(50)),
        memory().lease(day).keep(day + Duration::from_nanos(1)),
        memory().keep_forever().max_result(16 << 20).max(1),
    ];
    for builder in fine {
        builder.build().unwrap();
    }
}

/// LG-25: a claim's own settings are held to the same, before the store is asked.
#[tokio::test(start_paused = true)]
async fn lg_25_of_one_claim() {
    let (ledger, store) = ledger();
    let request = || ClaimRequest::new(key("a"));
    let cases = [
        (request().lease(Duration::from_secs(15)), "request_timeout"),
        (request().lease(Duration::ZERO), "lease"),
        (request().keep(Duration::from_secs(60)), "keep"),
        (request().fingerprint(vec![0; 65]), "fingerprint"),
    ];
    for (request, field) in cases {
        match ledger.claim(request).await {
            Err(LedgerError::Request(error)) => assert_eq!(error.field(), field),
            other => panic!("{other:?}"),
        }
    }
    assert!(store.take_calls().is_empty());
    let _ =
        ledger.claim(request().lease(Duration::from_secs(16)).fingerprint(vec![0; 64]).keep_forever()).await.unwrap();
}

/// LG-16: scope and key have bounds, and no control characters; what is refused is shown in part only.
#[test]
fn lg_16_keys() {
    assert!(Key::new(&"s".repeat(100), &"k".repeat(255)).is_ok());
    let text = |scope: &str, value: &str| Key::new(scope, value).unwrap_err().to_string();
    assert_eq!(text("", "k"), "ledger key: scope is \"\", must be 1 to 100 bytes");
    assert_eq!(text("s", ""), "ledger key: key is \"\", must be 1 to 255 bytes");
    assert_eq!(text(&"s".repeat(101), "k"), "ledger key: scope is \"ssssssssssssssss…\", must be 1 to 100 bytes");
    assert_eq!(text("s", &"é".repeat(128)), "ledger key: key is \"éééééééé…\", must be 1 to 255 bytes");
    assert_eq!(text("s", "a\u{7f}"), "ledger key: key is \"a\\u{7f}\", must not have control characters");
}

/// LG-19: a key that is built from an operation refuses to do without the part that is new for each request.
#[test]
fn lg_19_operations() {
    let built = Key::operation("upgrade", "cluster-7", "req-1").unwrap();
    assert_eq!((built.scope(), built.value()), ("upgrade", "cluster-7:req-1"));
    assert_ne!(built, Key::operation("upgrade", "cluster-7", "req-2").unwrap());
    assert_eq!(Key::operation("upgrade", "cluster-7", "").unwrap_err().field(), "request");
    assert_eq!(Key::operation("upgrade", "", "req-1").unwrap_err().field(), "resource");
    assert_eq!(Key::operation("upgrade", &"c".repeat(250), "req-1").unwrap_err().field(), "key");
}

/// LG-41: the key for remotes is 32 hex digits, the same for every fence, and tells apart what is written the same.
#[tokio::test(start_paused = true)]
async fn lg_41_for_remotes() {
    let (ledger, _) = ledger();
    let mut seen = Vec::new();
    for _ in 0..2 {
        let claim = super::mine(&ledger, &key("a")).await;
        seen.push((claim.fence(), claim.idempotency_key()));
        assert!(claim.fail("again").await.unwrap().is_yes());
    }
    assert_eq!((seen[0].0, seen[1].0), (1, 2));
    assert_eq!(seen[0].1, seen[1].1);
    assert!(seen[0].1.len() == 32 && seen[0].1.bytes().all(|byte| byte.is_ascii_hexdigit()));
    // A known value: it must be the same in every version, or remotes would do the work again.
    assert_eq!(Key::new("charge", "invoice-17").unwrap().idempotency_key(), "2eef2d85f23b467467aad27f510b4762");
    let apart = [("a", "bc"), ("ab", "c"), ("abc", "d")].map(|(scope, key)| Key::new(scope, key).unwrap());
    assert_ne!(apart[0].idempotency_key(), apart[1].idempotency_key());
    assert_ne!(apart[0], apart[1]);
}
