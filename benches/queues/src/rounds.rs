//! Rounds of everybody by turns, A B A B .., and their medians.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::load::{Sight, Work};
use crate::queues::Contender;

const LIMIT: Duration = Duration::from_secs(120);
/// Enqueued by one request.
const AT_ONCE: usize = 100;

/// How much is done.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) rounds: usize,
    /// As fast as they can be enqueued and done.
    pub(crate) jobs: usize,
    /// One after the other, each so long after the one before.
    pub(crate) paced: usize,
    pub(crate) pause: Duration,
}

/// The medians of its rounds.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) per_second: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Of the jobs a second to those of the second contender in the same round.
    pub(crate) ratio: f64,
}

/// What one round came to.
struct Round {
    per_second: f64,
    p50: f64,
    p99: f64,
}

pub(crate) async fn measure(contenders: &[&dyn Contender], size: Size) -> Vec<Row> {
    let mut rounds: Vec<Vec<Round>> = contenders.iter().map(|_| Vec::new()).collect();
    for number in 0..size.rounds {
        for (contender, rounds) in contenders.iter().zip(&mut rounds) {
            let per_second = as_fast_as_it_goes(*contender, 2 * number, size.jobs).await;
            let (p50, p99) = paced(*contender, 2 * number + 1, size).await;
            eprintln!("  {}: {per_second:.0} a second, waits {p50:.2} and {p99:.2} ms", contender.name());
            rounds.push(Round { per_second, p50, p99 });
        }
    }
    let rounds_of = &rounds;
    let row = |(contender, rounds): (&&dyn Contender, &Vec<Round>)| Row {
        name: contender.name(),
        per_second: median(rounds.iter().map(|round| round.per_second)),
        p50: median(rounds.iter().map(|round| round.p50)),
        p99: median(rounds.iter().map(|round| round.p99)),
        ratio: median(rounds.iter().zip(&rounds_of[1]).map(|(round, other)| round.per_second / other.per_second)),
    };
    contenders.iter().zip(&rounds).map(row).collect()
}

/// From the first that is enqueued to the last that is begun.
async fn as_fast_as_it_goes(contender: &dyn Contender, round: usize, jobs: usize) -> f64 {
    let sight = Arc::new(Sight::new(jobs));
    let mut running = contender.start(round, &sight).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let began = Instant::now();
    let mut next = 0;
    while next < jobs {
        let upto = (next + AT_ONCE).min(jobs);
        running.producer.push((next..upto).map(Work::new).collect()).await;
        next = upto;
    }
    sight.all(LIMIT).await;
    let took = began.elapsed();
    drop(running.workers);
    jobs as f64 / took.as_secs_f64()
}

/// How long they wait when there is always room.
async fn paced(contender: &dyn Contender, round: usize, size: Size) -> (f64, f64) {
    let sight = Arc::new(Sight::new(size.paced));
    let mut running = contender.start(round, &sight).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut ticks = tokio::time::interval(size.pause);
    for number in 0..size.paced {
        ticks.tick().await;
        running.producer.push(vec![Work::new(number)]).await;
    }
    sight.all(LIMIT).await;
    drop(running.workers);
    (sight.wait(0.5), sight.wait(0.99))
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
