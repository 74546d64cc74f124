use bytes::Bytes;
use seaworthy::BoxError;
use seaworthy_ledger::IdempotencyError;
use seaworthy_ledger::idempotency::{Raw, Unit};
use seaworthy_ledger::{Claimed, Codec, Completion, EntryState, Ledger};
use tower::{Layer, ServiceExt};

use super::given::{Request, entry, guarded, idempotency, inner, key, layer, ledger, row};

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Receipt {
    number: u64,
    lines: Vec<String>,
}

/// LG-52: `Json` keeps what serde makes of the answer, and gives an equal one.
#[tokio::test(start_paused = true)]
async fn json() {
    let (ledger, _) = ledger();
    let inner = inner(|_: Request, call| async move {
        Ok::<_, BoxError>(Receipt { number: call as u64, lines: vec!["a".into(), "b".into()] })
    });
    let count = inner.count.clone();
    let service = layer(&ledger).layer(inner);
    let first = service.clone().oneshot("a").await.unwrap();
    assert_eq!((first.number, count.called()), (1, 1));
    assert_eq!(service.oneshot("a").await.unwrap(), first);
    assert_eq!(count.called(), 1);
    let Claimed::Done(record) = ledger.claim(&key("a")).await.unwrap() else { panic!("not done") };
    assert_eq!(record.result().unwrap(), &br#"{"number":1,"lines":["a","b"]}"#[..]);
    assert!(format!("{record:?}").contains("application/json"), "{record:?}");
}

/// LG-52: `Raw` keeps bytes as they are, none too.
#[tokio::test(start_paused = true)]
async fn raw() {
    let (ledger, _) = ledger();
    let bytes = [Bytes::new(), Bytes::from_static(&[0, 255, 10])];
    for (key, bytes) in ["a", "b"].into_iter().zip(bytes) {
        let answer = bytes.clone();
        let service = layer(&ledger).codec(Raw).layer(inner(move |_: Request, _| {
            let answer = answer.clone();
            async move { Ok::<_, BoxError>(answer) }
        }));
        assert_eq!(service.clone().oneshot(key).await.unwrap(), bytes);
        assert_eq!(service.oneshot(key).await.unwrap(), bytes);
        let vecs = layer(&ledger).codec(Raw).layer(inner(|_: Request, _| async { Ok::<Vec<u8>, BoxError>(vec![1]) }));
        assert_eq!(vecs.oneshot(key).await.unwrap(), bytes);
    }
}

/// LG-52: `Unit` keeps nothing but that it was done, and answers for what was done and not kept, too.
#[tokio::test(start_paused = true)]
async fn unit() {
    let (ledger, _) = ledger();
    let inner = inner(|_: Request, _| async { Ok::<(), BoxError>(()) });
    let count = inner.count.clone();
    let service = layer(&ledger).codec(Unit).layer(inner);
    service.clone().oneshot("a").await.unwrap();
    service.clone().oneshot("a").await.unwrap();
    assert_eq!((count.called(), entry(&ledger, "a").await.unwrap().result_len), (1, Some(0)));
    let Claimed::Mine(claim) = ledger.claim(&key("b")).await.unwrap() else { panic!("not mine") };
    assert!(claim.complete(Completion::not_kept()).await.unwrap().is_yes());
    service.oneshot("b").await.unwrap();
    assert_eq!(count.called(), 1);
}

#[derive(Clone, Copy)]
enum Cannot {
    Encode,
    EncodePanics,
}

impl Codec<String> for Cannot {
    fn encode(&self, _: &String) -> Result<Bytes, BoxError> {
        match self {
            Cannot::Encode => Err("no bytes for it".into()),
            Cannot::EncodePanics => panic!("no bytes for it"),
        }
    }

    fn decode(&self, _: &Bytes) -> Result<String, BoxError> {
        Err("never encoded".into())
    }
}

/// LG-52: an answer that cannot be encoded, for which the codec has an error or a panic, is given to its caller; the
/// work is done, not kept, and not done again. An answer that is too large is the same.
#[tokio::test(start_paused = true)]
async fn not_encoded() {
    let (ledger, store) = ledger();
    let answer = |_: Request, _: usize| async { Ok::<_, BoxError>("x".repeat(1_000)) };
    for (key, codec) in [("a", Cannot::Encode), ("b", Cannot::EncodePanics)] {
        let inner = inner(answer);
        let count = inner.count.clone();
        let service = layer(&ledger).codec(codec).layer(inner);
        assert_eq!(service.clone().oneshot(key).await.unwrap().len(), 1_000);
        assert_eq!(row(&ledger, key).await, (EntryState::Done, 1, None));
        let error = service.oneshot(key).await.unwrap_err();
        assert!(matches!(idempotency(&error), IdempotencyError::NotKept), "{error:?}");
        assert_eq!(count.called(), 1);
    }
    let small = Ledger::with_store("small", store).max_result(1_001).build().unwrap();
    let inner = inner(answer);
    let count = inner.count.clone();
    let service = layer(&small).layer(inner);
    // In JSON it has two quotes.
    assert_eq!(service.clone().oneshot("c").await.unwrap().len(), 1_000);
    assert_eq!(row(&ledger, "c").await, (EntryState::Done, 1, None));
    let error = service.oneshot("c").await.unwrap_err();
    assert!(matches!(idempotency(&error), IdempotencyError::NotKept), "{error:?}");
    assert_eq!(count.called(), 1);
}

/// LG-52: what is kept and cannot be decoded is `Corrupt`; the inner service is not called, the row stays, and nothing
/// of what is kept is in the error.
#[tokio::test(start_paused = true)]
async fn corrupt() {
    let (ledger, _) = ledger();
    let (service, count) = guarded(&ledger);
    for (name, kept) in [("a", "not json: secret"), ("b", "17"), ("c", r#"{"secret":1}"#), ("d", ""), ("e", "[1")] {
        let Claimed::Mine(claim) = ledger.claim(&key(name)).await.unwrap() else { panic!("not mine") };
        assert!(claim.complete(kept).await.unwrap().is_yes());
        let error = service.clone().oneshot(name).await.unwrap_err();
        assert!(matches!(idempotency(&error), IdempotencyError::Corrupt { .. }), "{error:?}");
        let texts = format!("{error} {error:?} {:?}", error.source().map(ToString::to_string));
        assert!(!texts.contains("secret") && !texts.contains("17"), "{texts}");
        assert_eq!(row(&ledger, name).await, (EntryState::Done, 1, None));
    }
    assert_eq!(count.touched(), (0, 0));
}
