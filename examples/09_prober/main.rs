//! A prober and three real targets on loopback: an HTTP server that becomes unhealthy and recovers, a TCP port that
//! closes and opens again, and a command whose file comes and goes. The server's target drives the circuit breaker, so
//! no call has to find out. Nothing has to be installed:
//!
//! ```sh
//! cargo run --release --all-features --example 09_prober
//! ```
//!
//! On a terminal the table is redrawn as it changes. It ends on its own, and fails if what it claims did not happen.

mod story;
mod table;
mod targets;

use std::error::Error;
use std::time::Duration;

use seaworthy::observe::ProbeEvent;
use seaworthy::prober::{Exec, ExecProbe, HttpGet, HttpProbe, ProbePolicy, Prober, TcpConnect, TcpProbe};
use seaworthy::{CircuitBreaker, Event};
use story::{Story, Turn};
use targets::{Server, TcpPort, Toggle};
use tokio::sync::mpsc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (mut server, mut port, mut toggle) = (Server::start().await?, TcpPort::open().await?, Toggle::new()?);

    // Every change is sent to the story and the table.
    let (turns, told) = mpsc::unbounded_channel();
    let prober = Prober::builder()
        .observer(move |event: &Event<'_>| {
            if let Event::Probe(ProbeEvent::Transition { name, to, .. }) = event {
                // The receiver is gone once the story has ended.
                let _ = turns.send(Turn { name: (*name).clone(), to: *to });
            }
        })
        .build()?;

    let policy = ProbePolicy::builder()
        .interval(Duration::from_millis(300))
        .start_period(Duration::ZERO)
        .failure_threshold(2)
        .build()?;
    let http = HttpProbe::new(HttpGet::new(server.port()).path("/health?full=1"))?;
    let web = prober.add("web", policy, http)?;
    prober.add("database", policy, TcpProbe::new(TcpConnect::new(port.port()))?)?;
    prober.add("job", policy, ExecProbe::new(Exec::new(toggle.command()))?)?;

    // Calls to the web server go through this circuit breaker. It would open at the first failed call, for a minute.
    let circuit_breaker =
        CircuitBreaker::builder("web").consecutive_failures(1).open_for(Duration::from_secs(60)).build()?;
    web.drive(&circuit_breaker);

    let task = prober.spawn();
    let mut story = Story::new(prober, circuit_breaker, told);
    let outcome = story.play(&mut server, &mut port, &mut toggle).await;
    let left = task.stop().await;
    outcome?;
    assert!(left.is_empty(), "still under way: {left:?}");
    println!("\nEvery claim held.");
    Ok(())
}
