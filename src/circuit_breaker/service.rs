use std::task::{Context, Poll, ready};

use tower_service::Service;

use super::classify::{Classify, ErrorClassifier};
use super::future::ResponseFuture;
use super::handle::CircuitBreaker;
use super::held::{FailOnUnwindOfCall, HeldTicket};
use super::ticket::{Refusal, Ticket};
use super::waiting::WaitUntilAdmitted;
use crate::error::StackError;

/// Fails requests at once while the circuit is open, and reports to the circuit breaker how the others went.
///
/// While calls pass, `poll_ready` is the inner service's. While they do not, it is ready without polling the inner
/// service, and the call that follows is rejected, even if the circuit closed in between; for the alternative, see
/// [`CircuitBreakerLayer::wait`](super::CircuitBreakerLayer::wait). It never takes a probe's permit, so a ready service
/// may sit idle; whatever the inner service reserved in its own `poll_ready` stays reserved until the next call or
/// until this service is dropped, even if the circuit opens in between. An error of the inner service's `poll_ready` is
/// passed on and counts as a failed call.
///
/// # Clone
/// A clone shares the circuit breaker; it is not ready just because the original is.
#[derive(Debug)]
pub struct CircuitBreakerService<S, C = ErrorClassifier> {
    inner: S,
    circuit_breaker: CircuitBreaker,
    classifier: C,
    ready_mode: ReadyMode,
}

/// What `poll_ready` does while calls do not pass, and how far it has got.
#[derive(Debug)]
enum ReadyMode {
    /// It is ready, and this is what the next call will get.
    Reject(Option<Refusal>),
    /// It is pending, and this is its place in the queue of waiters.
    Wait(Option<Box<WaitUntilAdmitted>>),
}

impl ReadyMode {
    fn new(waits: bool) -> ReadyMode {
        if waits { ReadyMode::Wait(None) } else { ReadyMode::Reject(None) }
    }

    /// The same mode, at its beginning.
    fn anew(&self) -> ReadyMode {
        ReadyMode::new(matches!(self, ReadyMode::Wait(_)))
    }
}

impl<S, C> CircuitBreakerService<S, C> {
    pub(super) fn new(
        inner: S,
        circuit_breaker: CircuitBreaker,
        classifier: C,
        waits: bool,
    ) -> CircuitBreakerService<S, C> {
        CircuitBreakerService { inner, circuit_breaker, classifier, ready_mode: ReadyMode::new(waits) }
    }

    /// The circuit breaker that this service shares.
    pub fn circuit_breaker(&self) -> &CircuitBreaker {
        &self.circuit_breaker
    }

    accessors!(self.inner, "Calls made on it directly are not counted.");

    /// Asks the circuit breaker before the inner service, when the fast check does not let calls pass or the service is
    /// waiting. Returns the generation under which a call would pass, or `None`, and remembers the refusal, if it would
    /// be rejected.
    #[cold]
    fn poll_passage(&mut self, cx: &mut Context<'_>) -> Poll<Option<u64>> {
        loop {
            let passage = self.circuit_breaker.shared().peek();
            match (&mut self.ready_mode, passage) {
                (ReadyMode::Wait(waiting), Err(_)) => {
                    let circuit_breaker = &self.circuit_breaker;
                    let waiting =
                        waiting.get_or_insert_with(|| Box::new(WaitUntilAdmitted::new(circuit_breaker.clone())));
                    ready!(waiting.poll(cx));
                }
                (ReadyMode::Reject(refusal), passage) => {
                    *refusal = passage.err();
                    return Poll::Ready(passage.ok());
                }
                (ReadyMode::Wait(waiting), Ok(generation)) => {
                    *waiting = None;
                    return Poll::Ready(Some(generation));
                }
            }
        }
    }
}

impl<S: Clone, C: Clone> Clone for CircuitBreakerService<S, C> {
    fn clone(&self) -> CircuitBreakerService<S, C> {
        CircuitBreakerService {
            inner: self.inner.clone(),
            circuit_breaker: self.circuit_breaker.clone(),
            classifier: self.classifier.clone(),
            ready_mode: self.ready_mode.anew(),
        }
    }
}

impl<S, C, Request> Service<Request> for CircuitBreakerService<S, C>
where
    S: Service<Request>,
    S::Error: StackError,
    C: Classify<S::Response, S::Error> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, C>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        let passage = match (self.circuit_breaker.shared().passes(), &mut self.ready_mode) {
            (Some(word), ReadyMode::Reject(refusal)) => {
                *refusal = None;
                Some(word.generation())
            }
            (Some(word), ReadyMode::Wait(None)) => Some(word.generation()),
            _ => ready!(self.poll_passage(cx)),
        };
        match passage {
            Some(generation) => self.inner.poll_ready(cx).map_err(|error| {
                self.circuit_breaker.shared().ready_failed(generation);
                error
            }),
            None => Poll::Ready(Ok(())),
        }
    }

    #[inline]
    fn call(&mut self, request: Request) -> Self::Future {
        let refusal = match &mut self.ready_mode {
            ReadyMode::Reject(refusal) => refusal.take(),
            ReadyMode::Wait(_) => None,
        };
        if refusal.is_none() {
            if let Some(word) = self.circuit_breaker.shared().passes() {
                return self.call_inner(Ticket::new(word), request);
            }
        }
        let admission = match refusal {
            Some(refusal) => Err(refusal),
            None => self.circuit_breaker.shared().admit_if_open(),
        };
        match admission {
            Ok(ticket) => self.call_inner(ticket, request),
            Err(refusal) => ResponseFuture::rejected(self.circuit_breaker.reject(refusal)),
        }
    }
}

impl<S, C: Clone> CircuitBreakerService<S, C> {
    #[inline]
    fn call_inner<Request>(&mut self, ticket: Ticket, request: Request) -> ResponseFuture<S::Future, C>
    where
        S: Service<Request>,
    {
        let fuse = FailOnUnwindOfCall { shared: self.circuit_breaker.shared(), ticket };
        let (inner, classifier) = (self.inner.call(request), self.classifier.clone());
        fuse.disarm();
        ResponseFuture::admitted(HeldTicket::new(self.circuit_breaker.clone(), ticket), inner, classifier)
    }
}

/// Makes a call on a service that was made ready, with a circuit breaker picked for this call.
#[inline]
pub(crate) fn call_through<S, C, Request>(
    circuit_breaker: CircuitBreaker,
    inner: &mut S,
    request: Request,
    classifier: &C,
) -> ResponseFuture<S::Future, C>
where
    S: Service<Request>,
    C: Clone,
{
    let ticket = match circuit_breaker.shared().admit() {
        Ok(ticket) => ticket,
        Err(refusal) => return ResponseFuture::rejected(circuit_breaker.reject(refusal)),
    };
    let fuse = FailOnUnwindOfCall { shared: circuit_breaker.shared(), ticket };
    let (inner, classifier) = (inner.call(request), classifier.clone());
    fuse.disarm();
    ResponseFuture::admitted(HeldTicket::new(circuit_breaker, ticket), inner, classifier)
}
