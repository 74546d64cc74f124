//! What a fallback allocates: nothing, needed or not, as long as its answer allocates nothing.

use std::future::{Future, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use seaworthy::{Error, Event, Fallback, Rejected};
use tower::{Layer, Service, service_fn};

use super::allocations;

type Answer = Result<u32, Error<&'static str>>;

fn ask<S>(service: &mut S, request: u32) -> Answer
where
    S: Service<u32, Response = u32, Error = Error<&'static str>>,
{
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(service.poll_ready(cx).is_ready());
    match pin!(service.call(request)).poll(cx) {
        Poll::Ready(answer) => answer,
        Poll::Pending => unreachable!("it answers at once"),
    }
}

/// FB-03: of each kind.
#[test]
fn fb_03_nothing() {
    let inner = service_fn(|request: u32| {
        ready(match request {
            7 => Answer::Err(Rejected::NotReady { reason: "fixed".into(), retry_after: None.into() }.into()),
            8 => Err(Error::Inner("broken")),
            _ => Ok(request),
        })
    });
    let observer = |_: &Event<'_>| ();
    let value = Fallback::value("spare", 1).observer(observer).build().unwrap();
    let function = Fallback::function("spare", |_: Error<&'static str>| Ok(1)).observer(observer);
    let other = service_fn(|_: u32| ready(Answer::Ok(1)));
    let other = Fallback::service("spare", other).observer(observer).build().unwrap();
    let (mut value, mut function, mut other) =
        (value.layer().layer(inner), function.build().unwrap().layer().layer(inner), other.layer().layer(inner));
    let count = allocations(|| {
        for _ in 0..100 {
            assert_eq!((ask(&mut value, 3), ask(&mut function, 3), ask(&mut other, 3)), (Ok(3), Ok(3), Ok(3)));
            assert_eq!((ask(&mut value, 7), ask(&mut function, 7), ask(&mut other, 7)), (Ok(1), Ok(1), Ok(1)));
            assert_eq!(ask(&mut value, 8), Err(Error::Inner("broken")));
        }
    });
    assert_eq!(count, 0);
}
