//! One error type through all four layers.

use std::num::ParseIntError;

use seaworthy::{Error, WrapErrorLayer};

use super::*;

/// Every possible outcome, one after another: a response, the backend's own error, and each of the rejections.
async fn outcomes<S>(parts: &Parts, service: S) -> [Result<&'static str, S::Error>; 5]
where
    S: Service<Do, Response = &'static str> + Clone,
{
    let call = async |request| service.clone().oneshot(request).await;
    let first = [call(Do::Answer).await, call(Do::Fail).await, call(Do::Hang).await];
    let permit = parts.bulkhead.try_acquire().unwrap();
    let full = call(Do::Answer).await;
    drop(permit);
    parts.circuit_breaker.force_open();
    let [answer, failure, timed_out] = first;
    let open = call(Do::Answer).await;
    [answer, failure, timed_out, full, open]
}

fn forced_open() -> Option<Rejected> {
    Some(Rejected::CircuitOpen { name: "circuit".into(), retry_after: None.into() })
}

fn assert_rejections<E: StackError>(outcomes: &[Result<&'static str, E>; 5]) {
    let rejections = outcomes.each_ref().map(|outcome| outcome.as_ref().err().and_then(E::rejected).cloned());
    assert_eq!(rejections, [None, None, timed_out(), full(), forced_open()]);
    assert_eq!(outcomes[0].as_ref().ok(), Some(&"fine"));
}

/// A boxed error needs nothing.
#[tokio::test(start_paused = true)]
async fn boxed() {
    let parts = Parts::new(1, None);
    let outcomes: [Result<_, BoxError>; 5] = outcomes(&parts, parts.around(Backend::new())).await;
    assert_rejections(&outcomes);
    assert_eq!(outcomes[1].as_ref().unwrap_err().to_string(), "broken");
}

/// A user's own enum goes in and comes out.
#[tokio::test(start_paused = true)]
async fn an_enum_of_ones_own() {
    #[derive(Debug, PartialEq, thiserror::Error)]
    enum ShopError {
        #[error("sold out")]
        SoldOut,
        #[error("{0}")]
        Rejected(#[from] Rejected),
    }

    impl StackError for ShopError {
        fn rejected(&self) -> Option<&Rejected> {
            match self {
                ShopError::Rejected(rejected) => Some(rejected),
                ShopError::SoldOut => None,
            }
        }
    }

    let parts = Parts::new(1, None);
    let outcomes: [Result<_, ShopError>; 5] =
        outcomes(&parts, parts.around(Backend::with(|| ShopError::SoldOut))).await;
    assert_rejections(&outcomes);
    assert_eq!(outcomes[1], Err(ShopError::SoldOut));
}

/// A foreign error is wrapped once, at the bottom.
#[tokio::test(start_paused = true)]
async fn lifted() {
    let parts = Parts::new(1, None);
    let foreign = Backend::with(|| "7½".parse::<u8>().unwrap_err());
    let inner = ServiceBuilder::new().layer(WrapErrorLayer::new()).service(foreign);
    let outcomes: [Result<_, Error<ParseIntError>>; 5] = outcomes(&parts, parts.around(inner)).await;
    assert_rejections(&outcomes);
    assert!(matches!(outcomes[1], Err(Error::Inner(_))));
}
