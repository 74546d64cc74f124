use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};

use seaworthy::bulkhead::Permit;
use seaworthy::{BoxError, Bulkhead, Event, Fallback};
use tokio_test::task;
use tower::{Layer, Service};

use super::full;

/// How a service ends, each step after one pending poll. Anything it holds is counted.
#[derive(Clone, Debug)]
struct Steps {
    alive: Arc<()>,
    end: End,
    waited: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Answer,
    Error,
    PanicInReady,
    PanicInCall,
    PanicInPoll,
    Never,
}

const ENDS: [End; 6] = [End::Answer, End::Error, End::PanicInReady, End::PanicInCall, End::PanicInPoll, End::Never];

impl Steps {
    fn new(alive: &Arc<()>, end: End) -> Steps {
        Steps { alive: Arc::clone(alive), end, waited: false }
    }

    fn waits(&mut self, cx: &Context<'_>) -> bool {
        cx.waker().wake_by_ref();
        !std::mem::replace(&mut self.waited, true)
    }
}

impl Service<Arc<()>> for Steps {
    type Response = ();
    type Error = BoxError;
    type Future = Answer;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        if self.waits(cx) {
            return Poll::Pending;
        }
        assert!(self.end != End::PanicInReady, "on purpose");
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Arc<()>) -> Answer {
        assert!(self.end != End::PanicInCall, "on purpose");
        Answer { steps: Steps::new(&self.alive, self.end), _request: request }
    }
}

struct Answer {
    steps: Steps,
    _request: Arc<()>,
}

impl Future for Answer {
    type Output = Result<(), BoxError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.steps.waits(cx) {
            return Poll::Pending;
        }
        match self.steps.end {
            End::Error => Poll::Ready(Err(full())),
            End::PanicInPoll => panic!("on purpose"),
            End::Never => Poll::Pending,
            _ => Poll::Ready(Ok(())),
        }
    }
}

/// FB-11: however the two services end, and at whichever await point the call is dropped, nothing of it remains; and
/// while the fallback runs, nothing of the failed call does.
#[test]
fn fb_11_dropped_at_every_await_point() {
    let mut answering = 0;
    for inner_end in ENDS {
        for other_end in ENDS {
            for polls in 0..6 {
                let [inner, other, request] = [(); 3].map(|()| Arc::new(()));
                let layer = Fallback::service("spare", Steps::new(&other, other_end)).build().unwrap();
                let service = layer.layer().layer(Steps::new(&inner, inner_end));
                drop(layer);
                let mut call = task::spawn(drive(service, Arc::clone(&request)));
                for _ in 0..polls {
                    let story = (inner_end, other_end, polls);
                    match catch_unwind(AssertUnwindSafe(|| call.poll())) {
                        Ok(Poll::Pending) => {
                            // It can only answer if it has failed, and then everything that the failed call held is
                            // gone.
                            if Arc::strong_count(&inner) == 1 {
                                assert_eq!(inner_end, End::Error, "{story:?}");
                                answering += 1;
                            }
                        }
                        Ok(Poll::Ready(result)) => {
                            let last = if inner_end == End::Error { other_end } else { inner_end };
                            assert_eq!(result.is_ok(), last == End::Answer, "{story:?}");
                            break;
                        }
                        Err(_) => break,
                    }
                }
                drop(call);
                let counts = [inner, other, request].map(|alive| Arc::strong_count(&alive));
                assert_eq!(counts, [1; 3], "{inner_end:?}, {other_end:?}, {polls}");
            }
        }
    }
    assert!(answering > 0, "some were seen in the middle");
}

/// Made ready, called, and the service dropped.
async fn drive<S>(mut service: S, request: Arc<()>) -> Result<(), BoxError>
where
    S: Service<Arc<()>, Response = (), Error = BoxError>,
{
    std::future::poll_fn(|cx| service.poll_ready(cx)).await?;
    let call = service.call(request);
    drop(service);
    call.await
}

/// FB-11: the failed call releases what it holds before the observer is notified and a function is called, not only
/// before the answer is polled: a fallback may want the same permit.
#[test]
fn fb_11_let_go_before_the_fallback() {
    let bulkhead = Bulkhead::builder("ship").limit(1).build().unwrap();
    let (seen, asked) = (bulkhead.clone(), bulkhead.clone());
    let told = Arc::<AtomicU32>::default();
    let free = Arc::clone(&told);
    let layer = Fallback::function("spare", move |error: BoxError| asked.try_acquire().map(drop).map_err(|_| error))
        .observer(move |_: &Event<'_>| free.store(seen.available(), Ordering::Relaxed))
        .build()
        .unwrap();
    let permit = bulkhead.try_acquire().unwrap();
    /// Ends, but is not dropped.
    struct Holds(#[allow(dead_code, reason = "it is held")] Permit);

    impl Future for Holds {
        type Output = Result<(), BoxError>;

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
            Poll::Ready(Err(full()))
        }
    }

    let mut call = task::spawn(layer.run(Holds(permit)));
    assert!(matches!(call.poll(), Poll::Ready(Ok(()))));
    assert_eq!(told.load(Ordering::Relaxed), 1, "the permit was free when it was told");
}
