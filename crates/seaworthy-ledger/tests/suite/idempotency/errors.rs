use std::time::Duration;

use seaworthy::{BoxError, Rejected, Timeout};
use seaworthy_ledger::IdempotencyError;
use seaworthy_ledger::{Claimed, EntryState};
use tower::{Layer, ServiceBuilder, ServiceExt};

use super::given::{Request, idempotency, inner, key, layer, ledger, row};

/// LG-53: an error of the inner service reaches the caller untouched; its text is kept as the reason, and the key is
/// free, so that the work is done again, once.
#[tokio::test(start_paused = true)]
async fn an_error_frees_the_key() {
    #[derive(Debug, PartialEq)]
    struct Declined(u32);
    impl std::fmt::Display for Declined {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "declined with {}", self.0)
        }
    }
    impl std::error::Error for Declined {}

    let (ledger, _) = ledger();
    let inner = inner(|_: Request, call| async move {
        if call == 1 { Err::<String, BoxError>(Declined(51).into()) } else { Ok("paid".to_owned()) }
    });
    let count = inner.count.clone();
    let service = layer(&ledger).layer(inner);
    let error = service.clone().oneshot("a").await.unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Declined(51)));
    assert_eq!(row(&ledger, "a").await, (EntryState::Failed, 1, Some("declined with 51".into())));
    assert_eq!(service.clone().oneshot("a").await.unwrap(), "paid");
    assert_eq!(row(&ledger, "a").await, (EntryState::Done, 2, None));
    assert_eq!(service.oneshot("a").await.unwrap(), "paid");
    assert_eq!(count.called(), 2);
}

/// LG-53: the text of a call that was given up says which limit it was, although the error leaves that to its source.
#[tokio::test(start_paused = true)]
async fn the_text_has_the_rejection() {
    let (ledger, _) = ledger();
    let wrapped = seaworthy::WrapErrorLayer::new();
    let timeout = Timeout::new(Duration::from_secs(3));
    let service = ServiceBuilder::new()
        .map_err(BoxError::from)
        .layer(timeout.layer())
        .layer(wrapped)
        .service(inner(|_: Request, _| std::future::pending::<Result<String, std::io::Error>>()));
    let error = layer(&ledger).layer(service).oneshot("a").await.unwrap_err();
    assert_eq!(error.to_string(), "call rejected");
    let reason = row(&ledger, "a").await.2.unwrap();
    assert_eq!(&*reason, "call rejected: timed out after 3s");
}

/// LG-53: `final_if` makes an error final: its text is replayed, and the work is not done again. An answer that is not
/// final is given to its caller, and frees the key.
#[tokio::test(start_paused = true)]
async fn final_outcomes() {
    let (ledger, _) = ledger();
    let inner = inner(|request: Request, call| async move {
        match (request, call) {
            ("bad", _) => Err(BoxError::from("no such account")),
            ("late", 2) => Ok("come back".to_owned()),
            _ => Ok("paid".to_owned()),
        }
    });
    let count = inner.count.clone();
    let service = layer(&ledger)
        .final_if(|outcome: &Result<String, BoxError>| match outcome {
            Ok(answer) => answer != "come back",
            Err(error) => error.to_string().contains("account"),
        })
        .layer(inner);
    assert_eq!(service.clone().oneshot("bad").await.unwrap_err().to_string(), "no such account");
    assert_eq!(row(&ledger, "bad").await, (EntryState::Done, 1, Some("no such account".into())));
    for _ in 0..2 {
        let error = service.clone().oneshot("bad").await.unwrap_err();
        let IdempotencyError::FailedBefore { reason } = idempotency(&error) else { panic!("{error:?}") };
        assert_eq!(&**reason, "no such account");
    }
    assert_eq!(count.called(), 1);

    assert_eq!(service.clone().oneshot("late").await.unwrap(), "come back");
    assert_eq!(row(&ledger, "late").await, (EntryState::Failed, 1, Some("the answer was not final".into())));
    assert_eq!(service.clone().oneshot("late").await.unwrap(), "paid");
    assert_eq!(service.oneshot("late").await.unwrap(), "paid");
    assert_eq!((row(&ledger, "late").await, count.called()), ((EntryState::Done, 2, None), 3));
}

/// LG-54: a rejection that says that the service was not called gives the key back: no grant is spent and no reason
/// kept, even if every outcome is final; the next claim is the first. One that says that it was called is an error.
#[tokio::test(start_paused = true)]
async fn rejections_before_the_call() {
    let (ledger, _) = ledger();
    let inner = inner(|_: Request, call| async move {
        Err::<String, BoxError>(match call {
            1 => Rejected::BulkheadFull { name: "ship".into(), retry_after: None.into() }.into(),
            2 => Rejected::NotReady { reason: "start".into(), retry_after: None.into() }.into(),
            _ => Rejected::Withdrawn { name: "leader".into() }.into(),
        })
    });
    let count = inner.count.clone();
    let service = layer(&ledger).final_if(|_: &Result<String, BoxError>| true).layer(inner);
    for _ in 0..2 {
        let error = service.clone().oneshot("a").await.unwrap_err();
        assert!(error.downcast_ref::<Rejected>().is_some(), "{error:?}");
        assert_eq!(row(&ledger, "a").await, (EntryState::Failed, 0, None));
    }
    let Claimed::Mine(claim) = ledger.claim(&key("a")).await.unwrap() else { panic!("not mine") };
    assert!(claim.is_first());
    assert!(claim.release().await.unwrap().is_yes());
    let error = service.oneshot("a").await.unwrap_err();
    assert!(error.downcast_ref::<Rejected>().is_some(), "{error:?}");
    let (state, grants, reason) = row(&ledger, "a").await;
    assert_eq!((state, grants, count.called()), (EntryState::Done, 1, 3));
    assert!(reason.unwrap().contains("withdrawn"));
}
