//! What a timeout allocates: nothing for a response on the first poll and nothing to time out; one box for a call that
//! waits.

use std::future::{Future, Ready, pending, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use seaworthy::{Error, Event, Timeout};
use tower::{Layer, Service, service_fn};

use crate::allocations;

type Answer = Result<u32, Error<&'static str>>;

fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// TO-03: a response on the first poll allocates nothing, with or without a name and an observer. TO-04: nor does a
/// call with no time left. TO-01: a call that waits gets one box.
#[test]
fn only_who_waits_allocates() {
    let plain = Timeout::new(Duration::from_secs(1));
    let named =
        Timeout::builder(Duration::from_secs(1)).name(String::from("made")).observer(|_: &Event<'_>| ()).build();
    for layer in [plain.clone(), named.unwrap()] {
        let mut service = layer.layer().layer(service_fn(|request: u32| -> Ready<Answer> { ready(Ok(request)) }));
        assert_eq!(allocations(|| assert_eq!(poll_once(service.call(7)), Poll::Ready(Ok(7)))), 0);
        assert_eq!(allocations(|| assert_eq!(poll_once(layer.run(ready(Answer::Ok(7)))), Poll::Ready(Ok(7)))), 0);
    }

    let no_time = Timeout::per_request(|_: &u32| Some(Duration::ZERO)).build().unwrap();
    let mut service = no_time.layer().layer(service_fn(|_| pending::<Answer>()));
    let is_rejected = |poll| matches!(poll, Poll::Ready(Err(Error::Rejected(_))));
    assert_eq!(allocations(|| assert!(is_rejected(poll_once(service.call(7))))), 0);

    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = runtime.enter();
    assert_eq!(allocations(|| assert!(poll_once(plain.run(pending::<Answer>())).is_pending())), 1);
}
