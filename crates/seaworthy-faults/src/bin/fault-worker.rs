//! A process for this package's own tests: it works, dies at points, and holds servers until it is killed.

#[cfg(unix)]
fn main() {
    unix::main();
}

/// Without signals there is nothing to show.
#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
mod unix {
    use std::thread;
    use std::time::Duration;

    use seaworthy_faults::journal::{Entry, Writer};
    use seaworthy_faults::points::Points;
    use seaworthy_faults::postgres::Postgres;
    use seaworthy_faults::redis::{Persistence, Redis};
    use seaworthy_faults::seed::{Seed, drill_time};
    use seaworthy_faults::worker::{Journals, Worker};

    const FOREVER: Duration = Duration::from_secs(3600);

    pub(super) fn main() {
        let mut args = std::env::args().skip(1);
        let task = args.next().unwrap_or_default();
        match task.as_str() {
            "three-points" => three_points(),
            "tick" => tick(),
            "draw" => draw(),
            "hold" => hold(&args.next().unwrap_or_default(), &args.next().unwrap_or_default()),
            _ => panic!("what is `{task}`?"),
        }
    }

    fn three_points() {
        let (journal, points) = (Writer::from_args(), Points::from_args());
        for round in 0..2 {
            for point in ["first", "second", "third"] {
                journal.write(Entry::note(point).with("round", round));
                points.die_at(point);
            }
        }
        println!("all of them");
    }

    fn tick() {
        let journal = Writer::from_args();
        journal.write(Entry::begin("ticking"));
        loop {
            journal.write(Entry::note("tick"));
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn draw() {
        let seed = Seed::from_env();
        let mut rng = seed.rng("draw");
        println!("{:?} for {:?}", [rng.below(1_000_000), rng.below(1_000_000)], drill_time());
    }

    /// Starts something, says what it is in words that the test splits, and comes to an end of its own or not.
    fn hold(what: &str, then: &str) {
        let held: Box<dyn std::any::Any> = match what {
            "worker" => {
                let journals = Journals::new();
                let own = std::env::current_exe().expect("it runs");
                let worker = Worker::spawn(own, "held", ["tick"], &journals);
                println!("held {} 0 {}", worker.pid(), journals.directory().display());
                Box::new((worker, journals))
            }
            "two-redis" => {
                let (one, other) = (Redis::start(Persistence::None), Redis::start(Persistence::None));
                println!("held {} {} {}", one.pid(), one.addr().port(), one.directory().display());
                Box::new((one, other))
            }
            "redis" => {
                let redis = Redis::start(Persistence::None);
                println!("held {} {} {}", redis.pid(), redis.addr().port(), redis.directory().display());
                Box::new(redis)
            }
            "postgres" | "postgres-stopped" => {
                let mut postgres = Postgres::start();
                println!("held {} {} {}", postgres.pid(), postgres.addr().port(), postgres.directory().display());
                if what == "postgres-stopped" {
                    postgres.stop();
                }
                Box::new(postgres)
            }
            "shared" => {
                let redis = Redis::shared();
                println!("held {} {} {}", redis.pid(), redis.addr().port(), redis.directory().display());
                Box::new(())
            }
            _ => panic!("what is `{what}`?"),
        };
        match then {
            "wait" => thread::sleep(FOREVER),
            "panic" => panic!("as it was told to"),
            "abort" => std::process::abort(),
            "end" => {}
            _ => panic!("what is `{then}`?"),
        }
        drop(held);
    }
}
