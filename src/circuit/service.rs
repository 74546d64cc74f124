use std::task::{Context, Poll, ready};

use tower_service::Service;

use super::classify::{Classify, ErrorClassifier};
use super::future::ResponseFuture;
use super::handle::Circuit;
use super::held::{FailOnUnwindOfCall, Held};
use super::ticket::{Refusal, Ticket};
use super::waiting::Waiting;
use crate::StackError;

/// Fails requests at once while its circuit is open, and tells the circuit how the others went.
///
/// `poll_ready` is the inner service's while calls pass. While they do not, it is ready without asking the inner
/// service, and the call that follows is rejected, even if the circuit closed in between; see
/// [`CircuitBreakerLayer::wait`](super::CircuitBreakerLayer::wait) for the other way. It never takes a probe's slot, so
/// that a ready service may stand idle; what the inner service reserved in its own `poll_ready` stays reserved until the
/// next call or the drop of this service, also when the circuit opens in between. An error of the inner service's `poll_ready` is passed on and counts as a
/// failed call.
///
/// # Clone
/// A clone shares the circuit; it is not ready because the original is.
#[derive(Debug)]
pub struct CircuitBreaker<S, C = ErrorClassifier> {
    inner: S,
    circuit: Circuit,
    classifier: C,
    manner: Manner,
}

/// What `poll_ready` does while calls do not pass, and what it has done.
#[derive(Debug)]
enum Manner {
    /// It is ready, and this is what the call will be told.
    Reject(Option<Refusal>),
    /// It is pending, and this is its place among those who wait.
    Wait(Option<Box<Waiting>>),
}

impl Manner {
    fn new(waits: bool) -> Manner {
        if waits { Manner::Wait(None) } else { Manner::Reject(None) }
    }

    /// The same, with nothing done yet.
    fn anew(&self) -> Manner {
        Manner::new(matches!(self, Manner::Wait(_)))
    }
}

impl<S, C> CircuitBreaker<S, C> {
    pub(super) fn new(inner: S, circuit: Circuit, classifier: C, waits: bool) -> CircuitBreaker<S, C> {
        CircuitBreaker { inner, circuit, classifier, manner: Manner::new(waits) }
    }

    /// The circuit that this service shares.
    pub fn circuit(&self) -> &Circuit {
        &self.circuit
    }

    /// The inner service.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The inner service. What is called on it directly is not counted.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The inner service, alone.
    pub fn into_inner(self) -> S {
        self.inner
    }

    /// What the circuit says before the inner service is asked, if calls do not pass at first sight or somebody waits:
    /// the generation under which a call would pass. None if it would be rejected, which is noted.
    #[cold]
    fn poll_passage(&mut self, cx: &mut Context<'_>) -> Poll<Option<u64>> {
        loop {
            let passage = self.circuit.core().look();
            match (&mut self.manner, passage) {
                (Manner::Wait(waiting), Err(_)) => {
                    let circuit = &self.circuit;
                    let waiting = waiting.get_or_insert_with(|| Box::new(Waiting::new(circuit.clone())));
                    ready!(waiting.poll(cx));
                }
                (Manner::Reject(refusal), passage) => {
                    *refusal = passage.err();
                    return Poll::Ready(passage.ok());
                }
                (Manner::Wait(waiting), Ok(generation)) => {
                    *waiting = None;
                    return Poll::Ready(Some(generation));
                }
            }
        }
    }
}

impl<S: Clone, C: Clone> Clone for CircuitBreaker<S, C> {
    fn clone(&self) -> CircuitBreaker<S, C> {
        CircuitBreaker {
            inner: self.inner.clone(),
            circuit: self.circuit.clone(),
            classifier: self.classifier.clone(),
            manner: self.manner.anew(),
        }
    }
}

impl<S, C, Request> Service<Request> for CircuitBreaker<S, C>
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
        let passage = match (self.circuit.core().passes(), &mut self.manner) {
            (Some(word), Manner::Reject(refusal)) => {
                *refusal = None;
                Some(word.generation())
            }
            (Some(word), Manner::Wait(None)) => Some(word.generation()),
            _ => ready!(self.poll_passage(cx)),
        };
        match passage {
            Some(generation) => self.inner.poll_ready(cx).map_err(|error| {
                self.circuit.core().ready_failed(generation);
                error
            }),
            None => Poll::Ready(Ok(())),
        }
    }

    #[inline]
    fn call(&mut self, request: Request) -> Self::Future {
        let refusal = match &mut self.manner {
            Manner::Reject(refusal) => refusal.take(),
            Manner::Wait(_) => None,
        };
        if refusal.is_none() {
            if let Some(word) = self.circuit.core().passes() {
                return self.call_inner(Ticket::new(word), request);
            }
        }
        let admission = match refusal {
            Some(refusal) => Err(refusal),
            None => self.circuit.core().admit_if_open(),
        };
        match admission {
            Ok(ticket) => self.call_inner(ticket, request),
            Err(refusal) => ResponseFuture::rejected(self.circuit.reject(refusal)),
        }
    }
}

impl<S, C: Clone> CircuitBreaker<S, C> {
    #[inline]
    fn call_inner<Request>(&mut self, ticket: Ticket, request: Request) -> ResponseFuture<S::Future, C>
    where
        S: Service<Request>,
    {
        let fuse = FailOnUnwindOfCall { core: self.circuit.core(), ticket };
        let (inner, classifier) = (self.inner.call(request), self.classifier.clone());
        fuse.disarm();
        ResponseFuture::admitted(Held::new(self.circuit.clone(), ticket), inner, classifier)
    }
}

/// A call of a service that was made ready, through a circuit that was found for this very call.
#[inline]
pub(crate) fn call_through<S, C, Request>(
    circuit: Circuit,
    inner: &mut S,
    request: Request,
    classifier: &C,
) -> ResponseFuture<S::Future, C>
where
    S: Service<Request>,
    C: Clone,
{
    let ticket = match circuit.core().admit() {
        Ok(ticket) => ticket,
        Err(refusal) => return ResponseFuture::rejected(circuit.reject(refusal)),
    };
    let fuse = FailOnUnwindOfCall { core: circuit.core(), ticket };
    let (inner, classifier) = (inner.call(request), classifier.clone());
    fuse.disarm();
    ResponseFuture::admitted(Held::new(circuit, ticket), inner, classifier)
}
