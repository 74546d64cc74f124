use std::time::{Duration, Instant};

use seaworthy_faults::proxy::{Direction, Proxy};
use seaworthy_queue::Queue;
use seaworthy_queue::postgres::Postgres;
use seaworthy_queue::store::{DeadLetters, Due, NewJob, Producer, Settlement, Source, Take};
use seaworthy_store::postgres::PgStore;

use super::support::{Number, Session, Space, holder, id, ids, job, millis, received, take, until};

const SECOND: Duration = Duration::from_secs(1);
/// Nothing is found by asking.
const RARELY: Duration = Duration::from_secs(30);
/// Longer than it takes to be woken, and shorter than anything else.
const AT_ONCE: Duration = Duration::from_millis(100);

/// The queue `q` of a process of its own, whose connections have the schema's name.
pub(super) async fn rarely(space: &Space) -> Postgres {
    let url = format!("{}&application_name={}", space.url(), space.name());
    let store = PgStore::connect(&url).await.unwrap();
    Queue::<Number, _>::postgres("q", &store).poll(RARELY).build().unwrap().store().clone()
}

fn listeners(space: &Space) -> String {
    let name = space.name();
    format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}' AND query LIKE 'LISTEN%'")
}

/// Waits for a job for a long time; what came, and how long after `began` that was.
fn waits(jobs: &Postgres) -> tokio::task::JoinHandle<(Vec<String>, Instant)> {
    let jobs = jobs.clone();
    tokio::spawn(async move {
        let received = jobs.receive(&Take { room: 9, ..take() }, RARELY).await.unwrap();
        (ids(&received).into_iter().map(str::to_owned).collect(), Instant::now())
    })
}

pub(super) async fn listens(space: &Space, session: &mut Session) {
    let listeners = listeners(space);
    until("one connection listens", async || session.number(&listeners).await == 1).await;
    // What may have been missed was asked for.
    tokio::time::sleep(millis(200)).await;
}

/// QU-52: a job that another process enqueues, or redrives, begins within 100 ms, although this one asks every 30 s.
#[tokio::test(flavor = "multi_thread")]
async fn others_are_woken_at_once() {
    let space = Space::of_jobs().await;
    let (ours, theirs) = (rarely(&space).await, space.jobs().await);
    let mut session = space.session().await;
    let waiting = waits(&ours);
    listens(&space, &mut session).await;
    let began = Instant::now();
    theirs.enqueue(&[job("a")], None).await.unwrap();
    let (came, at) = waiting.await.unwrap();
    assert_eq!(came, ["a"]);
    assert!(at - began < AT_ONCE, "{:?}", at - began);
    // One that is due later: whoever waits knows until when.
    let waiting = waits(&ours);
    tokio::time::sleep(millis(200)).await;
    let began = Instant::now();
    theirs.enqueue(&[NewJob { due: Due::After(millis(300)), ..job("b") }], None).await.unwrap();
    let (came, at) = waiting.await.unwrap();
    assert_eq!(came, ["b"]);
    assert!((millis(300)..millis(300) + AT_ONCE).contains(&(at - began)), "{:?}", at - began);
    // One that is dead, and given another chance.
    theirs.enqueue(&[job("c")], None).await.unwrap();
    let asked = take();
    let taken = received(&theirs, &asked).await.jobs.remove(0);
    let dead = Settlement::Dead { reason: "x".into() };
    assert!(theirs.settle(&holder(&asked, &taken), &dead).await.unwrap().is_yes());
    let waiting = waits(&ours);
    tokio::time::sleep(millis(200)).await;
    let began = Instant::now();
    assert!(theirs.redrive(&id("c")).await.unwrap());
    let (came, at) = waiting.await.unwrap();
    assert_eq!(came, ["c"]);
    assert!(at - began < AT_ONCE, "{:?}", at - began);
    // Another queue of the same tables wakes nobody.
    let waiting = waits(&ours);
    Postgres::new("other", &space.store().await).enqueue(&[job("d")], None).await.unwrap();
    tokio::time::sleep(millis(300)).await;
    assert!(!waiting.is_finished());
    waiting.abort();
}

/// QU-52: a process wakes itself, without the server.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_wakes_itself() {
    let space = Space::of_jobs().await;
    let url = space.url();
    // A pooler, for all that it knows: nothing listens.
    let store = PgStore::builder(&url).pooled().connect().await.unwrap();
    let ours = Queue::<Number, _>::postgres("q", &store).poll(RARELY).build().unwrap().store().clone();
    let waiting = waits(&ours);
    tokio::time::sleep(millis(200)).await;
    let began = Instant::now();
    // By another handle of the same store.
    Postgres::new("q", &store).enqueue(&[job("a")], None).await.unwrap();
    let (came, at) = waiting.await.unwrap();
    assert_eq!(came, ["a"]);
    assert!(at - began < AT_ONCE, "{:?}", at - began);
    // Behind a pooler another's are found by asking alone.
    let often = Queue::<Number, _>::postgres("q", &store).poll(millis(300)).build().unwrap().store().clone();
    let waiting = waits(&often);
    tokio::time::sleep(millis(50)).await;
    space.jobs().await.enqueue(&[job("b")], None).await.unwrap();
    assert_eq!(waiting.await.unwrap().0, ["b"]);
    assert_eq!(space.session().await.number(&listeners(&space)).await, 0);
}

/// QU-52: the connection that listens is lost: another listens soon, what came meanwhile is found, and so is what comes
/// after.
#[tokio::test(flavor = "multi_thread")]
async fn the_listener_may_be_lost() {
    let space = Space::of_jobs().await;
    let (ours, theirs) = (rarely(&space).await, space.jobs().await);
    let mut session = space.session().await;
    let terminate = listeners(&space).replace("count(*)", "count(pg_terminate_backend(pid))");
    let waiting = waits(&ours);
    listens(&space, &mut session).await;
    assert_eq!(session.number(&terminate).await, 1);
    // Nobody hears this.
    let began = Instant::now();
    theirs.enqueue(&[job("a")], None).await.unwrap();
    let (came, at) = waiting.await.unwrap();
    assert_eq!(came, ["a"]);
    assert!(at - began < SECOND, "{:?}", at - began);
    let waiting = waits(&ours);
    listens(&space, &mut session).await;
    let began = Instant::now();
    theirs.enqueue(&[job("b")], None).await.unwrap();
    let (came, at) = waiting.await.unwrap();
    assert_eq!(came, ["b"]);
    assert!(at - began < AT_ONCE, "{:?}", at - began);
    // With the store it is gone.
    ours.receive(&take(), millis(1)).await.unwrap();
    drop(ours);
    let listeners = listeners(&space);
    until("nobody listens", async || session.number(&listeners).await == 0).await;
}

/// QU-52: what cannot be is refused.
#[tokio::test]
async fn polls_are_checked() {
    let store = Space::empty().await.store().await;
    let build = |poll| Queue::<Number, _>::postgres("q", &store).poll(poll).build();
    for (poll, is_fine) in [(millis(9), false), (millis(10), true), (SECOND * 60, true), (millis(60_001), false)] {
        let field = build(poll).err().map(|error| error.field());
        assert_eq!(field, if is_fine { None } else { Some("poll") });
    }
}

/// QU-52: idle, it is one statement a poll, however many wait, and however short they wait at a time.
#[tokio::test(flavor = "multi_thread")]
async fn one_statement_a_poll() {
    let space = Space::of_jobs().await;
    let url = space.url();
    let server = url.split_once('@').and_then(|(_, rest)| rest.split_once('/')).unwrap().0.to_owned();
    let proxy = Proxy::to(&*server);
    let store = PgStore::builder(&url.replace(&server, &proxy.addr().to_string())).connections(1);
    let store = store.connect().await.unwrap();
    let poll = millis(500);
    // Queues of this name in other schemas are heard, too.
    let queue = Queue::<Number, _>::postgres(space.name().to_owned(), &store).poll(poll);
    let jobs = queue.build().unwrap().store().clone();
    let block = millis(120);
    let mut bytes = 0;
    for _ in 0..2 {
        jobs.receive(&take(), block).await.unwrap();
        tokio::time::sleep(millis(200)).await;
        // The first prepares it; the second is as all are.
        let before = proxy.bytes(Direction::Up);
        received(&jobs, &take()).await;
        bytes = proxy.bytes(Direction::Up) - before;
    }
    let (before, began) = (proxy.bytes(Direction::Up), Instant::now());
    let waiting = (0..4).map(|_| {
        let jobs = jobs.clone();
        tokio::spawn(async move {
            while began.elapsed() < poll * 6 {
                assert!(jobs.receive(&take(), block).await.unwrap().jobs.is_empty());
            }
        })
    });
    for waiting in waiting.collect::<Vec<_>>() {
        waiting.await.unwrap();
    }
    let statements = (proxy.bytes(Direction::Up) - before) as f64 / bytes as f64;
    assert!((4.5..=8.5).contains(&statements), "{statements} statements of {bytes} bytes in six polls");
}
