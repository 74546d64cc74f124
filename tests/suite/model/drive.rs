use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use seaworthy::circuit_breaker::{OpenGuard, Permit};
use seaworthy::{CircuitBreaker, Rejected, RetryAfter, State, Verdict};

use super::ops::{END, Op, Step, Watch};
use super::told::{Observed, same, tally};
use super::{Call, Config, Model, Picture};

/// Applies all of `ops` to a circuit breaker and to its model, or says where the two differ.
pub fn drive(config: &Config, ops: &[Op], watch: Watch) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let mut run = Run::new(config, watch);
        for (place, op) in ops.iter().enumerate() {
            let done = run.step(op).await;
            done.map_err(|error| format!("at operation {place}, {op:?}: {error}\n{}", run.model))?;
        }
        let done = run.heals(config).await;
        done.map_err(|error| format!("after all operations: {error}\n{}", run.model))
    })
}

struct Run {
    circuit_breaker: CircuitBreaker,
    observed: Observed,
    permits: Vec<(Call, Permit)>,
    holds: Vec<(usize, OpenGuard)>,
    calls: usize,
    model: Model,
    watch: Watch,
    /// From the last snapshot: how often the model had changed, and the generation.
    generation: Option<(usize, u64)>,
}

impl Run {
    fn new(config: &Config, watch: Watch) -> Run {
        let observed = Observed::default();
        let circuit_breaker = config.circuit_breaker(|builder| observed.by(builder));
        let model = Model::new(config.clone());
        Run {
            circuit_breaker,
            observed,
            permits: Vec::new(),
            holds: Vec::new(),
            calls: 0,
            model,
            watch,
            generation: None,
        }
    }

    async fn step(&mut self, op: &Op) -> Result<(), String> {
        match *op {
            Op::Admit => self.admit()?,
            Op::Burst(verdict, count) => {
                for _ in 0..count {
                    let before = self.permits.len();
                    self.admit()?;
                    if self.permits.len() > before {
                        self.settle(before, verdict)?;
                    }
                }
            }
            Op::Settle(..) | Op::Drop(_) | Op::Unwind(_) if self.permits.is_empty() => {}
            Op::Settle(place, verdict) => self.settle(place, verdict)?,
            Op::Drop(place) => {
                let (call, permit) = self.take(place);
                drop(permit);
                self.hint();
                self.model.drop_call(call);
            }
            Op::Unwind(place) => {
                let (call, permit) = self.take(place);
                // A panic that prints nothing on the terminal.
                let unwound = catch_unwind(AssertUnwindSafe(move || {
                    let _permit = permit;
                    resume_unwind(Box::new(()));
                }));
                assert!(unwound.is_err());
                self.hint();
                self.model.settle(call, Verdict::Failure);
            }
            Op::Step(ref step) => self.advance(step).await,
            Op::ForceOpen => {
                self.circuit_breaker.force_open();
                self.hint();
                self.model.force_open();
            }
            Op::ForceClosed => {
                self.circuit_breaker.force_closed();
                self.hint();
                self.model.force_closed();
            }
            Op::Reset => {
                self.circuit_breaker.reset();
                self.hint();
                self.model.reset();
            }
            Op::Hold => self.hold()?,
            Op::Release(..) if self.holds.is_empty() => {}
            Op::Release(place, well) => self.release(place, well)?,
            Op::TryProbe => self.try_probe()?,
            Op::Look => self.look()?,
        }
        self.compare()?;
        if self.in_doubt() { self.look() } else { Ok(()) }
    }

    fn take(&mut self, place: usize) -> (Call, Permit) {
        self.permits.remove(place % self.permits.len())
    }

    fn admit(&mut self) -> Result<(), String> {
        let call = self.calls;
        self.calls += 1;
        let answer = self.circuit_breaker.admit();
        self.hint();
        let expected = self.model.admit(call).map_err(RetryAfter::from);
        let got = match &answer {
            Ok(_) => Ok(()),
            Err(Rejected::CircuitOpen { name, retry_after }) if name == "model" => Err(*retry_after),
            Err(other) => return Err(format!("rejected as {other:?}")),
        };
        same("the answer to a call", &expected, &got)?;
        if let Ok(permit) = answer {
            same("whether the call is a probe", &self.model.is_probe(), &permit.is_probe())?;
            self.permits.push((call, permit));
        }
        self.compare()
    }

    fn try_probe(&mut self) -> Result<(), String> {
        let call = self.calls;
        self.calls += 1;
        let answer = self.circuit_breaker.try_probe();
        self.hint();
        same("whether a probe is let in", &self.model.try_probe(call), &answer.is_some())?;
        if let Some(permit) = answer {
            same("whether it is a probe", &true, &permit.is_probe())?;
            self.permits.push((call, permit));
        }
        Ok(())
    }

    fn hold(&mut self) -> Result<(), String> {
        let hold = self.circuit_breaker.hold_open();
        self.hint();
        let held = self.model.hold();
        same("whether it can be held", &held.is_some(), &hold.is_some())?;
        self.holds.extend(held.zip(hold));
        Ok(())
    }

    fn release(&mut self, place: usize, well: bool) -> Result<(), String> {
        let (held, hold) = self.holds.remove(place % self.holds.len());
        same("whether a hold is in force", &(held == self.model.changes()), &hold.is_in_force())?;
        if well {
            hold.close();
        } else {
            drop(hold);
        }
        self.hint();
        self.model.release(held, well);
        Ok(())
    }

    fn settle(&mut self, place: usize, verdict: Verdict) -> Result<(), String> {
        let (call, permit) = self.take(place);
        permit.settle(verdict);
        self.hint();
        self.model.settle(call, verdict);
        self.compare()
    }

    async fn advance(&mut self, step: &Step) {
        let running: Vec<_> = self.permits.iter().map(|(call, _)| *call).collect();
        if let Some(span) = step.span(&self.model, &running, self.watch) {
            tokio::time::advance(span).await;
            self.model.advance(span);
        }
    }

    fn in_doubt(&self) -> bool {
        self.watch == Watch::Closely && self.model.without_doubt(Duration::ZERO).is_err()
    }

    /// Tells the model what the circuit breaker found in its window, if that is in doubt.
    fn hint(&mut self) {
        self.model.hint = self.in_doubt().then(|| {
            let calls = self.observed.calls_when_left();
            calls.unwrap_or_else(|| tally(self.circuit_breaker.snapshot().counts).calls)
        });
    }

    fn compare(&mut self) -> Result<(), String> {
        self.observed.agrees(&mut self.model, &self.circuit_breaker)
    }

    fn look(&mut self) -> Result<(), String> {
        let snapshot = self.circuit_breaker.snapshot();
        self.hint();
        let expected = self.model.picture();
        let got = Picture {
            state: snapshot.state,
            forced: snapshot.forced,
            held: snapshot.held,
            changes: expected.changes,
            tally: tally(snapshot.counts),
            rejected: snapshot.rejected as usize,
            time_in_state: snapshot.time_in_state,
            retry_after: snapshot.retry_after,
        };
        same("a snapshot", &expected, &got)?;
        let rate = |part: usize| (got.tally.calls > 0).then(|| part as f64 / got.tally.calls as f64);
        same("the failure rate", &rate(got.tally.failures), &snapshot.counts.failure_rate())?;
        same("the slow rate", &rate(got.tally.slow), &snapshot.counts.slow_rate())?;
        let generation = (expected.changes, snapshot.generation);
        let before = self.generation.replace(generation).unwrap_or(generation);
        same("whether the generation is another", &(before.0 < generation.0), &(before.1 < generation.1))?;
        same("whether the generation is the same", &(before.0 == generation.0), &(before.1 == generation.1))
    }

    /// CB-17: whatever happened to earlier calls, a circuit breaker whose times end lets a healthy backend back in.
    async fn heals(&mut self, config: &Config) -> Result<(), String> {
        while !self.holds.is_empty() {
            self.release(0, false)?;
            self.compare()?;
        }
        let times =
            (0..20).map(|failed| config.open_time(failed)).chain([config.probe_timeout.or(Some(Duration::ZERO))]);
        let Some(longest) = times.collect::<Option<Vec<_>>>().and_then(|times| times.into_iter().max()) else {
            return Ok(());
        };
        if longest > END || self.circuit_breaker.snapshot().forced {
            return Ok(());
        }
        for _ in 0..2 * config.trials() + 2 {
            if self.circuit_breaker.state() == State::Closed {
                return Ok(());
            }
            tokio::time::advance(longest).await;
            if let Ok(permit) = self.circuit_breaker.admit() {
                permit.settle(Verdict::Success);
            }
        }
        same("the state for a healthy backend", &State::Closed, &self.circuit_breaker.state())
    }
}
