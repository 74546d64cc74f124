//! Services around one circuit breaker and their model, under the same operations.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use seaworthy::circuit_breaker::{CircuitBreakerService, ResponseFuture};
use seaworthy::{CircuitBreaker, Error, Rejected, State, Verdict};
use tokio_test::task::{Spawn, spawn};
use tower::{Layer, Service};

use super::backend::{Answer, Backend, End, Inner, Panic, Response, Script};
use crate::model::{Call, Config, Model, Observed, Step, Watch, same};
use crate::support::MS;

#[derive(Clone, Debug)]
pub enum Op {
    /// Polls a service; with the inner service's answer, if it is asked.
    Ready(usize, Inner),
    /// Calls a service, if it is ready; its inner service may panic.
    Call(usize, Option<Panic>),
    /// Polls all that are woken, and those that are woken by that.
    Listen,
    /// Replaces one service with a clone of another.
    Clone(usize, usize),
    /// Ends a call.
    End(usize, End),
    /// Drops the future of a call.
    Drop(usize),
    Step(Step),
    ForceOpen,
    ForceClosed,
    Reset,
}

type Breaker = CircuitBreakerService<Backend, fn(&Response) -> Verdict>;
type Future = ResponseFuture<Answer, fn(&Response) -> Verdict>;

fn classify(response: &Response) -> Verdict {
    response.clone().unwrap_or(Verdict::Failure)
}

/// Applies all of `ops` to services and to their circuit breaker's model, or says where the two differ. Half of the
/// services wait.
pub fn drive(config: &Config, ops: &[Op]) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut run = Run::new(config);
        for (place, op) in ops.iter().enumerate() {
            let done = run.step(op).await;
            done.map_err(|error| format!("at operation {place}, {op:?}: {error}\n{}", run.model))?;
        }
        run.step(&Op::Listen).await.map_err(|error| format!("at the end: {error}\n{}", run.model))
    })
}

struct Run {
    circuit_breaker: CircuitBreaker,
    observed: Observed,
    model: Model,
    script: Rc<RefCell<Script>>,
    services: Vec<Client>,
    calls: usize,
    running: Vec<(Call, Spawn<Future>, Answer)>,
    /// How often the inner service should have been polled and called.
    touched: (usize, usize),
}

struct Client {
    service: Spawn<Breaker>,
    waits: bool,
    passage: Passage,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Passage {
    /// It has to be polled.
    None,
    /// The circuit will wake it.
    Waiting,
    Ready,
    /// It is ready to reject.
    Refused(Option<Duration>),
}

impl Run {
    fn new(config: &Config) -> Run {
        let observed = Observed::default();
        let circuit_breaker = config.circuit_breaker(|builder| observed.by(builder));
        let backend = Backend::default();
        let script = Rc::clone(&backend.0);
        let layer = circuit_breaker.layer().classify(classify as fn(&Response) -> Verdict);
        let client = |waits| {
            let layer = if waits { layer.clone().wait() } else { layer.clone() };
            Client { service: spawn(layer.layer(backend.clone())), waits, passage: Passage::None }
        };
        let services = [false, true, false, true].map(client).into();
        let model = Model::new(config.clone());
        Run { circuit_breaker, observed, model, script, services, calls: 0, running: Vec::new(), touched: (0, 0) }
    }

    async fn step(&mut self, op: &Op) -> Result<(), String> {
        let refused = self.model.clone().refuses().is_some();
        match *op {
            Op::Ready(place, inner) => self.poll_ready(place % self.services.len(), inner)?,
            Op::Call(place, panic) => self.call(place % self.services.len(), panic.is_some())?,
            Op::Clone(from, to) => {
                let Client { service, waits, .. } = &self.services[from % self.services.len()];
                let clone = Client { service: spawn((**service).clone()), waits: *waits, passage: Passage::None };
                let to = to % self.services.len();
                self.services[to] = clone;
            }
            Op::End(..) | Op::Drop(_) if self.running.is_empty() => {}
            Op::End(place, end) => self.end(place, end)?,
            Op::Drop(place) => {
                let (call, future, _) = self.running.remove(place % self.running.len());
                drop(future);
                self.model.drop_call(call);
            }
            Op::Step(ref step) => return self.advance(step).await,
            Op::Listen => return self.listen().await,
            Op::ForceOpen => {
                self.circuit_breaker.force_open();
                self.model.force_open();
            }
            Op::ForceClosed => {
                self.circuit_breaker.force_closed();
                self.model.force_closed();
            }
            Op::Reset => {
                self.circuit_breaker.reset();
                self.model.reset();
            }
        }
        self.observed.agrees(&mut self.model, &self.circuit_breaker)?;
        let touched = (self.script.borrow().polled, self.script.borrow().called);
        same("how often the inner service was polled and called", &self.touched, &touched)?;
        if refused { self.enough_are_woken() } else { Ok(()) }
    }

    fn poll_ready(&mut self, place: usize, inner: Inner) -> Result<(), String> {
        let client = &mut self.services[place];
        self.script.borrow_mut().ready = Some(inner);
        let answer = client.service.enter(|cx, mut service| service.poll_ready(cx));
        let expected = match self.model.refuses() {
            Some(_) if client.waits => {
                client.passage = Passage::Waiting;
                Poll::Pending
            }
            Some(retry_after) => {
                client.passage = Passage::Refused(retry_after);
                Poll::Ready(Ok(()))
            }
            None => {
                self.touched.0 += 1;
                client.passage = if inner == Inner::Ready { Passage::Ready } else { Passage::None };
                match inner {
                    Inner::Ready => Poll::Ready(Ok(())),
                    Inner::Pending => Poll::Pending,
                    Inner::Failed => {
                        // Like a call that fails at once.
                        let call = self.calls;
                        self.calls += 1;
                        self.model.admit(call).unwrap();
                        self.model.settle(call, Verdict::Failure);
                        Poll::Ready(Err(Error::Inner(())))
                    }
                }
            }
        };
        same("the answer of `poll_ready`", &expected, &answer)
    }

    fn call(&mut self, place: usize, panics: bool) -> Result<(), String> {
        let client = &mut self.services[place];
        let call = self.calls;
        self.calls += 1;
        let admitted = match std::mem::replace(&mut client.passage, Passage::None) {
            Passage::Refused(retry_after) => {
                self.model.reject(retry_after);
                Err(retry_after)
            }
            Passage::Ready => self.model.admit(call),
            passage @ (Passage::None | Passage::Waiting) => {
                client.passage = passage;
                return Ok(());
            }
        };
        self.script.borrow_mut().panics = panics;
        let future = catch_unwind(AssertUnwindSafe(|| client.service.call(())));
        self.touched.1 += usize::from(admitted.is_ok());
        same("whether the call panicked", &(panics && admitted.is_ok()), &future.is_err())?;
        let Ok(future) = future else {
            self.model.settle(call, Verdict::Failure);
            return Ok(());
        };
        let mut future = spawn(future);
        let expected = match admitted {
            Ok(()) => Poll::Pending,
            Err(retry_after) => Poll::Ready(Err(Error::Rejected(Rejected::CircuitOpen {
                name: "model".into(),
                retry_after: retry_after.into(),
            }))),
        };
        same("the first poll of the response", &expected, &future.poll())?;
        if admitted.is_ok() {
            let answer = self.script.borrow().answer.clone();
            self.running.push((call, future, answer));
        }
        Ok(())
    }

    fn end(&mut self, place: usize, end: End) -> Result<(), String> {
        let (call, mut future, answer) = self.running.remove(place % self.running.len());
        *answer.0.borrow_mut() = Some(end);
        let response = catch_unwind(AssertUnwindSafe(|| future.poll())).ok();
        let below = Rejected::BulkheadFull { name: "below".into(), retry_after: None.into() };
        let (verdict, expected) = match end {
            End::Answer(verdict) => (verdict, Some(Ok(verdict))),
            End::Failed => (Verdict::Failure, Some(Err(Error::Inner(())))),
            End::Rejected => (Verdict::Ignored, Some(Err(Error::Rejected(below)))),
            End::TimedOut => {
                (Verdict::Failure, Some(Err(Rejected::TimedOut { after: Duration::ZERO.into(), timeout: None }.into())))
            }
            End::Panic => (Verdict::Failure, None),
        };
        self.model.settle(call, verdict);
        same("the response", &expected.map(Poll::Ready), &response)
    }

    /// Advances the clock. Returns the model of a millisecond ago: tokio's timers end at the next whole millisecond.
    async fn clock(&mut self, step: &Step) -> Option<Option<Model>> {
        let running: Vec<_> = self.running.iter().map(|(call, ..)| *call).collect();
        let span = step.span(&self.model, &running, Watch::Exactly)?;
        let due = span.checked_sub(MS).map(|span| {
            let mut model = self.model.clone();
            model.advance(span);
            model
        });
        tokio::time::advance(span).await;
        self.model.advance(span);
        Some(due)
    }

    async fn advance(&mut self, step: &Step) -> Result<(), String> {
        let Some(due) = self.clock(step).await else { return Ok(()) };
        let passes = due.is_some_and(|mut due| due.refuses().is_none());
        if passes { self.enough_are_woken() } else { Ok(()) }
    }

    /// CB-20, CB-31: if a call may pass, one of those that wait knows, and all do if all may pass.
    fn enough_are_woken(&mut self) -> Result<(), String> {
        let mut model = self.model.clone();
        let waiting = || self.services.iter().filter(|client| client.passage == Passage::Waiting);
        let woken = waiting().filter(|client| client.service.is_woken()).count();
        let enough = match model.refuses() {
            Some(_) => 0,
            None if model.state() == State::Closed => waiting().count(),
            None => waiting().count().min(1),
        };
        same("whether enough are woken", &true, &(woken >= enough))
    }

    /// CB-31: if each that is woken asks again, though none of them calls, all that wait come to know of it.
    async fn listen(&mut self) -> Result<(), String> {
        let Some(due) = self.clock(&Step::By(2 * MS)).await else { return Ok(()) };
        let is_woken = |client: &Client| client.passage == Passage::Waiting && client.service.is_woken();
        while let Some(place) = self.services.iter().position(is_woken) {
            self.poll_ready(place, Inner::Ready)?;
        }
        let passes = due.is_some_and(|mut due| due.refuses().is_none());
        if passes && self.model.clone().refuses().is_none() {
            let waiting = self.services.iter().filter(|client| client.passage == Passage::Waiting).count();
            same("how many wait for nothing", &0, &waiting)?;
        }
        Ok(())
    }
}
