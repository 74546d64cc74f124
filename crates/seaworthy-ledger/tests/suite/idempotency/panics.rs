use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::task::{Context, Poll};

use seaworthy::BoxError;
use seaworthy::observe::panic_text;
use seaworthy_ledger::EntryState;
use tokio_test::task;
use tower::{Layer, Service};

use super::given::{Request, inner, layer, ledger, row};

/// LG-57: a panic of the inner future, or of its `call`, fails the claim with its message, and goes on with the same
/// payload; the key is free at once, whoever keeps the future.
#[tokio::test(start_paused = true)]
async fn a_panic_frees_the_key() {
    let (ledger, _) = ledger();
    let mut in_future = layer(&ledger).layer(inner(|request: Request, _| async move {
        match request {
            "fixed" => panic!("out of paper"),
            "made" => panic!("out of {}", 2),
            "odd" => panic_any(7_u32),
            _ => Ok::<String, BoxError>(String::new()),
        }
    }));
    for (key, reason) in [("fixed", "panicked: out of paper"), ("made", "panicked: out of 2"), ("odd", "panicked")] {
        let mut call = task::spawn(in_future.call(key));
        let panic = catch_unwind(AssertUnwindSafe(|| call.poll())).unwrap_err();
        assert_eq!(row(&ledger, key).await, (EntryState::Failed, 1, Some(reason.into())));
        if key == "odd" {
            assert_eq!(panic.downcast_ref(), Some(&7_u32));
        }
        drop(call);
        assert_eq!(ledger.held(), 0);
    }
    let mut in_call = layer(&ledger).layer(inner(|_: Request, call| {
        if call > 0 {
            panic!("no call");
        }
        std::future::ready(Ok::<String, BoxError>(String::new()))
    }));
    let mut call = task::spawn(in_call.call("call"));
    let panic = catch_unwind(AssertUnwindSafe(|| call.poll())).unwrap_err();
    assert_eq!(panic_text(panic), "no call");
    drop(call);
    assert_eq!(row(&ledger, "call").await, (EntryState::Failed, 1, Some("panicked: no call".into())));
}

/// LG-57: a panic in `poll_ready` comes before the call, so the key is given back. One in `final_if` comes after it, and
/// fails the claim.
#[tokio::test(start_paused = true)]
async fn a_panic_before_and_after_the_call() {
    #[derive(Clone)]
    struct Unready;
    impl Service<Request> for Unready {
        type Response = String;
        type Error = BoxError;
        type Future = std::future::Ready<Result<String, BoxError>>;
        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
            panic!("not even ready")
        }
        fn call(&mut self, _: Request) -> Self::Future {
            unreachable!()
        }
    }
    let (ledger, _) = ledger();
    let mut service = layer(&ledger).layer(Unready);
    let mut call = task::spawn(service.call("a"));
    let panic = catch_unwind(AssertUnwindSafe(|| call.poll())).unwrap_err();
    assert_eq!(panic_text(panic), "not even ready");
    assert_eq!(row(&ledger, "a").await, (EntryState::Failed, 0, None));

    let judge = |outcome: &Result<String, BoxError>| -> bool { panic!("cannot judge {}", outcome.is_ok()) };
    let mut service =
        layer(&ledger).final_if(judge).layer(inner(|_: Request, _| async { Ok::<_, BoxError>(String::new()) }));
    let mut call = task::spawn(service.call("b"));
    let panic = catch_unwind(AssertUnwindSafe(|| call.poll())).unwrap_err();
    assert_eq!(panic_text(panic), "cannot judge true");
    assert_eq!(row(&ledger, "b").await, (EntryState::Failed, 1, Some("panicked: cannot judge true".into())));
}
