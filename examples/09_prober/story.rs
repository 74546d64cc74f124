use std::error::Error;
use std::time::Duration;

use seaworthy::prober::Prober;
use seaworthy::{CircuitBreaker, Name, ProbeState, State};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use crate::table::Table;
use crate::targets::{Server, TcpPort, Toggle};

/// A change of state, reported by the prober.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub name: Name,
    pub to: ProbeState,
}

/// What has to happen, in order.
pub(crate) struct Story {
    prober: Prober,
    circuit_breaker: CircuitBreaker,
    told: UnboundedReceiver<Turn>,
    table: Table,
}

/// No turn of the story takes longer.
const PATIENCE: Duration = Duration::from_secs(5);

type Outcome = Result<(), Box<dyn Error>>;

impl Story {
    pub(crate) fn new(prober: Prober, circuit_breaker: CircuitBreaker, told: UnboundedReceiver<Turn>) -> Story {
        Story { prober, circuit_breaker, told, table: Table::new() }
    }

    pub(crate) async fn play(&mut self, server: &mut Server, port: &mut TcpPort, toggle: &mut Toggle) -> Outcome {
        let healthy = ProbeState::Healthy;
        self.until("all are well", &[("web", healthy), ("database", healthy), ("job", healthy)]).await?;
        self.circuit_is(State::Closed).await?;

        server.turn_sick(true);
        self.until("the web server answers with 503", &[("web", ProbeState::Unhealthy)]).await?;
        // No call has failed, and none has to.
        self.circuit_is(State::Open).await?;

        port.close();
        toggle.remove()?;
        let both = [("database", ProbeState::Unhealthy), ("job", ProbeState::Unhealthy)];
        self.until("the port is closed and the file is gone", &both).await?;

        server.turn_sick(false);
        self.until("the web server has recovered", &[("web", healthy)]).await?;
        self.circuit_is(State::Closed).await?;

        port.open_again().await?;
        toggle.restore()?;
        self.until("all are well again", &[("database", healthy), ("job", healthy)]).await
    }

    /// Waits until each of `turns` was reported, in any order, and draws the table at each change. The heading is
    /// printed once it is true.
    async fn until(&mut self, heading: &str, turns: &[(&str, ProbeState)]) -> Outcome {
        let mut missing = turns.to_vec();
        while !missing.is_empty() {
            let told = timeout(PATIENCE, self.told.recv()).await;
            let Ok(Some(Turn { name, to })) = told else {
                return Err(format!("{heading}: still waiting for {missing:?}").into());
            };
            missing.retain(|turn| *turn != (name.as_str(), to));
            if !missing.is_empty() {
                self.table.draw(&self.prober, &self.circuit_breaker, &format!("waiting until {heading}"));
            }
        }
        for (name, expected) in turns {
            let is = self.prober.status(name).map(|status| status.state);
            assert_eq!(is, Some(*expected), "{heading}: {name}");
        }
        self.table.draw(&self.prober, &self.circuit_breaker, heading);
        Ok(())
    }

    /// The circuit changes right after the observer is notified.
    async fn circuit_is(&mut self, state: State) -> Outcome {
        let reached = async {
            while self.circuit_breaker.state() != state {
                tokio::task::yield_now().await;
            }
        };
        let reached = timeout(PATIENCE, reached).await;
        reached.map_err(|_| format!("the circuit is {}, not {state}", self.circuit_breaker.state()))?;
        self.table.draw(
            &self.prober,
            &self.circuit_breaker,
            &format!("the circuit is {state}, and no call had to find out"),
        );
        Ok(())
    }
}
