//! The demonstration: one outage after another, each from the first failure to the recovery.

use std::sync::mpsc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use seaworthy::observe::CircuitBreakerEvent;
use seaworthy::{BoxError, CircuitBreaker, Event, State};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::backend::{Backend, Mode};
use crate::caller::Caller;
use crate::gateway;
use crate::latency::{self, Latencies};
use crate::report::{self, Story, Tally};
use crate::upstream::Upstream;

const FAILURES: u32 = 5;
const OPEN: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_millis(400);
/// The number of callers that arrive at once.
const CROWD: usize = 20;

/// The title, what the backend does, and the status of the calls that reach it.
const OUTAGES: [(&str, Mode, StatusCode); 6] = [
    ("answers 500", Mode::Fail, StatusCode::INTERNAL_SERVER_ERROR),
    ("hangs", Mode::Hang, StatusCode::GATEWAY_TIMEOUT),
    ("panics", Mode::Panic, StatusCode::BAD_GATEWAY),
    ("does not talk HTTP", Mode::Babble, StatusCode::BAD_GATEWAY),
    ("breaks off in the head", Mode::BreakOffInHead, StatusCode::BAD_GATEWAY),
    ("breaks off in the body", Mode::BreakOffInBody, StatusCode::BAD_GATEWAY),
];

struct Demo {
    story: Story,
    backend: Backend,
    circuit_breaker: CircuitBreaker,
    /// The states that the circuit entered, from its observer.
    entered: mpsc::Receiver<State>,
    app: Router,
    caller: Caller,
}

pub(crate) async fn run() -> Result<(), BoxError> {
    let story = Story::begin();
    let backend = Backend::start().await?;
    let (sender, entered) = mpsc::channel();
    let circuit_breaker = CircuitBreaker::builder("backend")
        .consecutive_failures(FAILURES)
        .open_for(OPEN)
        .observer(move |event: &Event<'_>| {
            if let Event::CircuitBreaker(CircuitBreakerEvent::Transition { from, to, cause, .. }) = event {
                story.line(format_args!("  circuit: {from} -> {to} ({cause})"));
                let _ = sender.send(*to);
            }
        })
        .build()?;
    let app = gateway::app(&circuit_breaker, Upstream::new(backend.authority().clone()), TIMEOUT);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async { stopped.await.unwrap_or_default() };
    let server = tokio::spawn(gateway::serve(listener, app.clone(), stopped));

    println!("A gateway on {address} with a circuit breaker in front of a backend on {}.", backend.authority());
    println!("The circuit opens after {FAILURES} failures in a row, for {OPEN:?}; a call may take {TIMEOUT:?}.");
    println!("Each time the backend heals while the circuit is open. This takes about 7 seconds.");
    let caller = Caller::new(address)?;
    let demo = Demo { story, backend, circuit_breaker, entered, app, caller };

    let (tally, healthy) = demo.all_is_well().await?;
    let mut tallies = vec![tally];
    let mut measured = None;
    for (title, mode, status) in OUTAGES {
        let (tally, times) = demo.outage(title, mode, status, measured.is_none()).await?;
        tallies.push(tally);
        measured = measured.or(times);
    }

    // After all of that, it still shuts down gracefully.
    assert!(!server.is_finished(), "the gateway must outlive its backend");
    drop(stop);
    drop(demo.caller);
    server.await??;

    report::print_tallies(&tallies);
    let (in_process, by_socket) = measured.ok_or("nothing was measured")?;
    latency::print_latencies(&[
        ("circuit open: the gateway alone, without a socket", &in_process),
        ("circuit open: through a socket", &by_socket),
        ("all is well: through both sockets", &healthy),
    ]);
    println!("\nThe backend saw 0 calls while the circuit was open, and the gateway never went down.");
    println!("\nEvery claim held.");
    Ok(())
}

impl Demo {
    async fn all_is_well(&self) -> Result<(Tally, Latencies), BoxError> {
        self.story.chapter("The backend is well.");
        let mut tally = Tally::new("is well");
        let mut times = Vec::new();
        for _ in 0..500 {
            let answer = self.caller.call().await?;
            assert_eq!((answer.status, &answer.body[..]), (StatusCode::OK, &b"hello"[..]));
            tally.add(answer.status);
            times.push(answer.took);
        }
        tally.backend = self.backend.seen();
        assert_eq!(tally.backend, 500);
        assert!(self.entered.try_iter().next().is_none(), "no reason to open");
        self.story.line("500 calls, one after another: 200 OK");
        Ok((tally, Latencies::new(times)))
    }

    async fn outage(
        &self,
        title: &'static str,
        mode: Mode,
        expected: StatusCode,
        measure: bool,
    ) -> Result<(Tally, Option<(Latencies, Latencies)>), BoxError> {
        self.story.chapter(&format!("The backend {title}."));
        let mut tally = Tally::new(title);
        let before = self.backend.seen();

        self.backend.set(mode);
        for answer in self.caller.crowd(FAILURES as usize).await? {
            assert_eq!(answer.status, expected);
            tally.add(answer.status);
        }
        self.story.line(format_args!("{FAILURES} calls: {expected}"));
        assert_eq!(self.circuit_breaker.state(), State::Open);

        let opened = self.backend.seen();
        let times = if measure { Some(self.measure(&mut tally).await?) } else { None };
        for answer in self.caller.crowd(CROWD).await? {
            assert!(answer.is_rejection(), "{answer:?}");
            assert_eq!(answer.retry_after(), Some(1), "the rest of a second, rounded up");
            tally.add(answer.status);
        }
        self.story.line(format_args!("{CROWD} calls: 503 with Retry-After: 1; the backend sees none of them"));

        // From now on the backend keeps callers waiting, so that others arrive while the probe is in flight.
        self.backend.set(Mode::Hold);
        tokio::time::sleep(self.circuit_breaker.snapshot().retry_after.unwrap_or_default()).await;
        tally.backend_while_open = self.backend.seen() - opened;
        assert_eq!(tally.backend_while_open, 0, "an open circuit leaves the backend in peace");

        self.recovery(&mut tally).await?;
        tally.backend = self.backend.seen() - before;
        let entered: Vec<State> = self.entered.try_iter().collect();
        assert_eq!(entered, [State::Open, State::HalfOpen, State::Closed]);
        Ok((tally, times))
    }

    /// Times rejected calls. This ends well before the circuit's open time does.
    async fn measure(&self, tally: &mut Tally) -> Result<(Latencies, Latencies), BoxError> {
        let in_process = latency::in_process(&self.app, 20_000, OPEN / 10).await?;
        let by_socket = latency::by_socket(&self.caller, 5_000, OPEN / 4).await?;
        let (straight, around) = (in_process.count(), by_socket.count());
        tally.add_many(StatusCode::SERVICE_UNAVAILABLE, straight + around);
        self.story.line(format_args!("{straight} calls straight into the gateway, and {around} through a socket: 503"));
        Ok((in_process, by_socket))
    }

    /// The backend has healed, and the circuit breaker finds out with a single call.
    async fn recovery(&self, tally: &mut Tally) -> Result<(), BoxError> {
        let before = self.backend.seen();
        let mut calls = self.caller.start(CROWD);
        for _ in 1..CROWD {
            let answer = calls.join_next().await.ok_or("a call got lost")???;
            assert!(answer.is_rejection(), "{answer:?}");
            tally.add(answer.status);
        }
        assert_eq!(self.circuit_breaker.state(), State::HalfOpen);
        self.backend.set(Mode::Answer);
        let probe = calls.join_next().await.ok_or("the probe got lost")???;
        assert_eq!((probe.status, self.circuit_breaker.state()), (StatusCode::OK, State::Closed));
        tally.add(probe.status);
        assert_eq!(self.backend.seen() - before, 1, "one probe and no more");
        self.story.line(format_args!("{CROWD} calls at once: one is the probe and gets 200 OK, the others 503"));

        for answer in self.caller.crowd(CROWD).await? {
            assert_eq!(answer.status, StatusCode::OK);
            tally.add(answer.status);
        }
        self.story.line(format_args!("{CROWD} calls: 200 OK"));
        Ok(())
    }
}
