use std::sync::{Arc, Mutex};

use bytes::Bytes;
use seaworthy::observe::Severity;
use seaworthy::{BoxError, Event};
use seaworthy_ledger::{Codec, Ledger, OnDown};
use tower::{Layer, ServiceExt};

use super::given::{Request, inner, layer, numbered};
use crate::doubles::{Fault, Faulty};

/// A ledger, and the kinds, weights and fields of what it tells of changes.
fn told() -> (Ledger<Faulty>, Faulty, Arc<Mutex<Vec<String>>>) {
    let (store, told) = (Faulty::default(), Arc::new(Mutex::new(Vec::new())));
    let lines = Arc::clone(&told);
    let observer = move |event: &Event<'_>| {
        let Event::Extension(event) = event else { return };
        let mut line =
            format!("{} {}", event.kind(), if event.severity() == Severity::Error { "error" } else { "warn" });
        event.fields(&mut |name, value| line += &format!(" {name}={value}"));
        lines.lock().unwrap().push(line);
    };
    (Ledger::with_store("test", store.clone()).observer(observer).build().unwrap(), store, told)
}

#[derive(Clone)]
struct Never;

impl Codec<String> for Never {
    fn encode(&self, _: &String) -> Result<Bytes, BoxError> {
        Err("no bytes for it".into())
    }

    fn decode(&self, _: &Bytes) -> Result<String, BoxError> {
        Err("never encoded".into())
    }
}

/// LG-52: an answer that cannot be encoded is told as an error, once; that it is asked for again is not.
#[tokio::test(start_paused = true)]
async fn not_encoded_is_told() {
    let (ledger, _, told) = told();
    let service = layer(&ledger).codec(Never).layer(numbered());
    service.clone().oneshot("secret-key-of-33-bytes-in-all").await.unwrap();
    service.oneshot("secret-key-of-33-bytes-in-all").await.unwrap_err();
    let told = told.lock().unwrap().clone();
    let told: Vec<_> = told.iter().filter(|line| !line.starts_with("single_thread")).collect();
    assert_eq!(told, ["not_encoded error key=test/secret-key-of-33… error=no bytes for it"]);
}

/// LG-58: each request that goes on without a claim is told as a warning; one that is refused is not.
#[tokio::test(start_paused = true)]
async fn proceeding_is_told() {
    let (ledger, store, told) = told();
    store.set_for("claim", Fault::Down);
    let inner = inner(|_: Request, _| async { Ok::<_, BoxError>(String::new()) });
    layer(&ledger).layer(inner.clone()).oneshot("a").await.unwrap_err();
    assert_eq!(told.lock().unwrap().len(), 0);
    let service = layer(&ledger).on_down(OnDown::Proceed).layer(inner);
    for _ in 0..3 {
        service.clone().oneshot("a").await.unwrap();
    }
    assert_eq!(*told.lock().unwrap(), ["proceeded warn"; 3]);
}
