use std::future::Ready;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tower_service::Service;

use super::{ResponseFuture, RetryBuilder, RetryService};
use crate::error::Error;
use crate::machine::retry::backoff::Backoff;
use crate::retry::policy::RetryPolicy;
use crate::rt::time::readings;

/// Returns at once what the request says.
#[derive(Clone)]
struct Echo;

type Answer = Result<(), Error<&'static str>>;

impl Service<Answer> for Echo {
    type Response = ();
    type Error = Error<&'static str>;
    type Future = Ready<Answer>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Answer> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, answer: Answer) -> Ready<Answer> {
        std::future::ready(answer)
    }
}

fn builder() -> RetryBuilder {
    RetryPolicy::builder("test").backoff(Backoff::constant(Duration::ZERO))
}

fn readings(builder: RetryBuilder, answer: Answer) -> u64 {
    let policy = builder.build().expect("fine");
    let mut service = RetryService::new(Echo, policy, super::ByResult::new(super::RetryErrors), super::CloneReplay);
    let (poll, readings) = readings::during(|| {
        let mut call = pin!(service.call(answer));
        call.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    });
    assert!(poll.is_ready());
    readings
}

#[test]
fn the_clock_is_read_for_the_budget_and_the_deadline_only() {
    let minute = Duration::from_secs(60);
    assert_eq!(readings(builder(), Ok(())), 1);
    assert_eq!(readings(builder().deadline(minute), Ok(())), 1);
    assert_eq!(readings(builder().no_budget().deadline(minute), Ok(())), 1);
    assert_eq!(readings(builder().no_budget(), Ok(())), 0);
    // Once for each of the two retries as well.
    assert_eq!(readings(builder(), Err(Error::Inner("no"))), 3);
    assert_eq!(readings(builder().deadline(minute), Err(Error::Inner("no"))), 3);
    assert_eq!(readings(builder().no_budget(), Err(Error::Inner("no"))), 0);
}

/// The future is as large as what it has to hold, plus 32 bytes: the call, or the next request and the wait for it; a
/// service; and a request.
#[test]
fn the_future_is_small() {
    let between = size_of::<Option<Answer>>() + size_of::<super::pause::Pause>();
    let holds = size_of::<Ready<Answer>>().max(between) + size_of::<Echo>() + size_of::<Option<Answer>>();
    let future = size_of::<ResponseFuture<Echo, Answer, super::RetryErrors, super::CloneReplay>>();
    assert!(future <= holds + 32, "{future} for {holds}");
}
