//! A store that is away for a moment, while jobs run and while there is nothing to do.

use std::thread;
use std::time::{Duration, Instant};

use seaworthy_faults::journal::Entry;

use super::crowd::{Crowd, LIMIT, Plan};
use super::job::Work;
use super::judges;
use super::row::{Row, seconds};
use super::setup::Setup;
use super::store::JobStore;

const RUNNING: usize = 4;
const AWAY: Duration = Duration::from_secs(3);
/// Longer than the store is away, so that nobody loses a job by it.
const VISIBILITY: &str = "--visibility=15000";
/// From when the store is back to when an idle worker has done the next job: a wait after errors, of 5 s at most, and
/// what two cores take.
const BACK: Duration = Duration::from_secs(6);

/// What happens to a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blip {
    /// Somebody keeps a transaction open in a file.
    Locked,
    #[cfg(feature = "servers")]
    Disconnected,
    #[cfg(feature = "servers")]
    Stopped,
    #[cfg(feature = "servers")]
    Killed,
}

/// DR-13, IN-06: each of them while four jobs of 4 s run, and while there is nothing to do.
pub(super) fn blips<J: JobStore>(setup: &Setup) -> Row {
    let bound = format!("1 start each, 0 dropped; idle: the next within {}", seconds(BACK));
    Row::of("DR-13, IN-06", "the store away for 3 s, its clients cut off, killed", &bound, || {
        let plan = Plan { is_killed: true, ..Plan::default() };
        let mut crowd = Crowd::<J>::new(setup, plan, &[VISIBILITY, "--concurrency=8"]);
        crowd.spawn(1);
        let name = crowd.workers()[0].name().to_owned();
        crowd.journals.wait_for(LIMIT, |line| line.worker == name && line.entry.is_note("ready"));
        let (blips, mut longest) = (blips_of(&crowd), Duration::ZERO);
        for blip in &blips {
            crowd.accept(&format!("running-{blip:?}"), RUNNING, Work::well(4_000));
            let running =
                |entry: &Entry| matches!(entry, Entry::Start { job } if job.starts_with(&format!("running-{blip:?}")));
            let until = Instant::now() + LIMIT;
            while crowd.journals.read().count(running) < RUNNING {
                assert!(Instant::now() < until, "they do not begin");
                thread::sleep(Duration::from_millis(20));
            }
            suffer(&mut crowd, *blip);
            crowd.until(LIMIT, |depth| depth.ready + depth.later + depth.running == 0);
            // Nobody does anything.
            suffer(&mut crowd, *blip);
            let back = Instant::now();
            // It may be disturbed itself, and be told so late.
            crowd.produced(crowd.produce(blip.idle(), 1, Work::well(20), Duration::from_millis(1)));
            crowd
                .journals
                .wait_for(LIMIT, |line| matches!(&line.entry, Entry::Effect { key } if key.starts_with(blip.idle())));
            println!("{blip:?}: the next job is done {:?} after the store was back", back.elapsed());
            longest = longest.max(back.elapsed());
        }
        let outcome = crowd.end(LIMIT);
        let effects = judges::effects(&outcome.journal);
        let accepted = judges::none_lost(&outcome.journal, &effects, &outcome.dead);
        assert_eq!(judges::one_start_each(&outcome.journal), accepted);
        assert_eq!(judges::each_once(&effects), accepted);
        judges::within(&[longest], BACK);
        format!("{} blips: {accepted} jobs, {accepted} starts; idle: {}", blips.len() * 2, seconds(longest))
    })
}

fn blips_of<J: JobStore>(crowd: &Crowd<J>) -> Vec<Blip> {
    #[cfg(feature = "servers")]
    if crowd.place.has_server() {
        return vec![Blip::Disconnected, Blip::Stopped, Blip::Killed];
    }
    let _one_of_a_file = crowd;
    vec![Blip::Locked]
}

fn suffer<J: JobStore>(crowd: &mut Crowd<J>, blip: Blip) {
    match blip {
        Blip::Locked => {
            let locker = crowd.lock();
            thread::sleep(AWAY);
            locker.kill9();
        }
        #[cfg(feature = "servers")]
        Blip::Disconnected => assert!(crowd.place.disconnect() > 0, "nobody was connected"),
        #[cfg(feature = "servers")]
        Blip::Stopped => {
            crowd.place.stop();
            thread::sleep(AWAY);
            crowd.place.cont();
        }
        #[cfg(feature = "servers")]
        Blip::Killed => {
            crowd.place.kill9();
            crowd.place.restart();
        }
    }
}

impl Blip {
    fn idle(self) -> &'static str {
        match self {
            Blip::Locked => "idle-locked",
            #[cfg(feature = "servers")]
            Blip::Disconnected => "idle-disconnected",
            #[cfg(feature = "servers")]
            Blip::Stopped => "idle-stopped",
            #[cfg(feature = "servers")]
            Blip::Killed => "idle-killed",
        }
    }
}

/// DR-13: a Redis without persistence is refused; who accepts that loses everything when it is killed, and here is how
/// much.
#[cfg(feature = "servers")]
pub(super) fn without_persistence() -> Row {
    use seaworthy_faults::redis::{Persistence, Redis as Server};
    use seaworthy_queue::redis::{Redis, RedisStore};
    use seaworthy_queue::{EnqueueRequest, ErrorClass, Queue};

    use super::job::QUEUE;

    const JOBS: usize = 100;
    Row::of(
        "DR-13",
        "Redis without persistence killed -9 and restarted",
        "refused; with accept_loss: all lost, and so said",
        || {
            let mut server = Server::start(Persistence::None);
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            let refused = runtime.block_on(RedisStore::connect(&server.url())).expect_err("it keeps nothing");
            assert_eq!(refused.class(), ErrorClass::Refused, "{refused}");
            let queue = runtime.block_on(async {
                let store = RedisStore::builder(&server.url()).accept_loss().connect().await.expect("accepted");
                let queue: Queue<Work, Redis> =
                    Queue::with_store(QUEUE, Redis::new(QUEUE, &store)).build().expect("defaults");
                queue.enqueue_many((0..JOBS).map(|_| EnqueueRequest::new(Work::well(1)))).await.expect("up");
                assert_eq!(queue.depth().await.expect("up").ready, JOBS as u64);
                queue
            });
            server.kill9();
            server.restart();
            let until = Instant::now() + LIMIT;
            let left = loop {
                match runtime.block_on(queue.depth()) {
                    Ok(depth) => break depth.ready,
                    Err(error) => assert!(error.is_unavailable() && Instant::now() < until, "{error:?}"),
                }
            };
            assert_eq!(left, 0, "it had kept what it does not keep");
            println!("{refused}");
            format!("refused; with accept_loss: {JOBS} accepted, {} lost", JOBS as u64 - left)
        },
    )
}
