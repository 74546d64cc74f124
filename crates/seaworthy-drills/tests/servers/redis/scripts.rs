//! Each script alone: what it answers, and what it leaves in which key.

use std::path::Path;

use seaworthy_faults::redis::Reply;

use super::support::Space;

const OWNER: &str = "0000000000000000000000000000000a";
const OTHER: &str = "0000000000000000000000000000000b";

/// Sends a script as its file has it, with the queue's keys and its group.
fn eval(space: &Space, script: &str, arguments: &[&str]) -> Reply {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../seaworthy-queue/src/redis/lua");
    let read = |name: &str| std::fs::read_to_string(folder.join(format!("{name}.lua"))).unwrap();
    let text = read("common") + &read(script);
    let beside = ["later", "bodies", "dlq", "ids", "done", "first"].map(|what| space.beside(what));
    let stream = space.stream();
    let keys = [&stream].into_iter().chain(&beside).map(String::as_str);
    let words = ["EVAL", &text, "7"].into_iter().chain(keys).chain(["seaworthy"]).chain(arguments.iter().copied());
    space.ask(&words.collect::<Vec<_>>())
}

fn numbers(reply: &Reply) -> Vec<i64> {
    reply.list().unwrap_or_else(|| panic!("{reply:?}")).iter().filter_map(Reply::number).collect()
}

/// A queue with its group, and these jobs in it, due after so many microseconds.
async fn with(jobs: &[(&str, &str)]) -> Space {
    let space = Space::new().await;
    space.ask(&["XGROUP", "CREATE", &space.stream(), "seaworthy", "0", "MKSTREAM"]);
    for (id, after) in jobs {
        let accepted = eval(&space, "enqueue", &["", "0", id, "kind", "1", "", "{}", "after", after]);
        assert_eq!(numbers(&accepted), [1], "{accepted:?}");
    }
    space
}

/// The entries that are handed out, with their counts.
fn take(space: &Space, consumer: &str, room: &str, most: &str) -> (usize, Vec<(String, i64)>) {
    let answer = eval(space, "take", &[consumer, room, "60000", most, "0", "1", "0"]);
    let Some([_, _, died, jobs, _has_more]) = answer.list() else { panic!("{answer:?}") };
    let job = |job: &Reply| {
        let parts = job.list().unwrap();
        (parts[0].text().unwrap().to_owned(), parts[1].number().unwrap())
    };
    (died.list().unwrap().len(), jobs.list().unwrap().iter().map(job).collect())
}

fn consumer(owner: &str) -> String {
    format!("{owner}:60000")
}

/// QU-02, QU-04: `enqueue` adds the id and the entry, or the body and its due time; or it changes nothing.
#[tokio::test]
async fn enqueue() {
    let space = with(&[("a", "0"), ("b", "60000000")]).await;
    assert_eq!(numbers(&eval(&space, "enqueue", &["", "0", "a", "k", "1", "", "other", "now", "0"])), [0]);
    let full = eval(&space, "enqueue", &["2", "0", "c", "k", "1", "", "", "now", "0"]);
    assert_eq!(full, Reply::Nil);
    assert_eq!(space.number(&["XLEN", &space.stream()]), 1);
    assert_eq!(space.number(&["ZCARD", &space.beside("later")]), 1);
    assert_eq!(space.number(&["HLEN", &space.beside("bodies")]), 1);
    assert_eq!(space.number(&["HLEN", &space.beside("ids")]), 2);
}

/// QU-67: what is due goes from the sorted set into the stream, with its body; one whose body is gone is skipped.
#[tokio::test]
async fn take_promotes() {
    let space = with(&[("a", "1"), ("b", "1"), ("c", "60000000")]).await;
    space.ask(&["HDEL", &space.beside("bodies"), "b"]);
    let (died, jobs) = take(&space, &consumer(OWNER), "9", "5");
    assert_eq!((died, jobs.len()), (0, 1));
    assert_eq!(space.number(&["ZCARD", &space.beside("later")]), 1);
    assert_eq!(space.number(&["HLEN", &space.beside("ids")]), 2, "the id of the lost body is free again");
    assert_eq!(space.pending(), 1);
}

/// QU-63: a consumer is an asking, and goes with the last of its jobs, or at once if there were none.
#[tokio::test]
async fn take_leaves_no_consumer() {
    let space = with(&[("a", "0")]).await;
    take(&space, &consumer(OWNER), "1", "5");
    take(&space, &consumer(OTHER), "1", "5");
    assert_eq!(space.consumers(), 1);
    assert_eq!(numbers(&eval(&space, "ack", &["a", OWNER, "1", ""])), [1]);
    assert_eq!(space.consumers(), 0);
}

/// QU-24, QU-68: `ack` removes the job of its owner, with its id, and of nobody else.
#[tokio::test]
async fn ack() {
    let space = with(&[("a", "0"), ("b", "0")]).await;
    take(&space, &consumer(OWNER), "2", "5");
    for (owner, fence) in [(OTHER, "1"), (OWNER, "0"), (OWNER, "2")] {
        assert_eq!(numbers(&eval(&space, "ack", &["a", owner, fence, ""])), [0]);
    }
    let both = ["a", OWNER, "1", "", "a", OTHER, "1", "", "b", OWNER, "1", "60000000"];
    assert_eq!(numbers(&eval(&space, "ack", &both)), [1, 0, 1], "each by itself");
    assert_eq!(space.number(&["XLEN", &space.stream()]), 0);
    assert_eq!((space.pending(), space.number(&["HLEN", &space.beside("ids")])), (0, 1), "`b` is remembered");
    assert_eq!(space.number(&["ZCARD", &space.beside("done")]), 1);
}

/// QU-63: deliveries of one owner that were extended apart are of two consumers, and none of them is left.
#[tokio::test]
async fn ack_leaves_no_consumer() {
    let space = with(&[("a", "0"), ("b", "0")]).await;
    take(&space, &consumer(OWNER), "2", "5");
    assert_eq!(numbers(&eval(&space, "extend", &["90000", "b", OWNER, "1"])), [1]);
    assert_eq!(space.consumers(), 2);
    assert_eq!(numbers(&eval(&space, "ack", &["a", OWNER, "1", "", "b", OWNER, "1", ""])), [1, 1]);
    assert_eq!((space.consumers(), space.pending()), (0, 0));
}

/// QU-66: `extend` sets the idle time of its owner's delivery to 0, and leaves its count.
#[tokio::test]
async fn extend() {
    let space = with(&[("a", "0")]).await;
    take(&space, &consumer(OWNER), "1", "5");
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let of = |space: &Space| {
        let pending = space.ask(&["XPENDING", &space.stream(), "seaworthy", "-", "+", "1"]);
        let parts = pending.list().unwrap()[0].list().unwrap().to_vec();
        (parts[2].number().unwrap(), parts[3].number().unwrap())
    };
    assert!(of(&space).0 >= 50);
    assert_eq!(numbers(&eval(&space, "extend", &["60000", "a", OTHER, "1", "a", OWNER, "2"])), [0, 0]);
    assert!(of(&space).0 >= 50);
    assert_eq!(numbers(&eval(&space, "extend", &["60000", "a", OWNER, "1"])), [1]);
    let (idle, count) = of(&space);
    assert!(idle < 50 && count == 1, "{idle} {count}");
}

/// QU-67: `later` takes the job out of the stream and keeps what it carries.
#[tokio::test]
async fn later() {
    let space = with(&[("a", "0")]).await;
    take(&space, &consumer(OWNER), "1", "5");
    let retry = |owner: &str| eval(&space, "later", &["a", owner, "1", "retry", "60000000", "no luck"]);
    assert_eq!((retry(OTHER), retry(OWNER), retry(OWNER)), (Reply::Number(0), Reply::Number(1), Reply::Number(0)));
    assert_eq!((space.number(&["XLEN", &space.stream()]), space.pending()), (0, 0));
    assert_eq!(space.number(&["ZCARD", &space.beside("later")]), 1);
    assert_eq!(eval(&space, "cancel", &["a"]), Reply::Text("removed".to_owned()));
    let left = ["later", "bodies", "ids"].map(|what| space.number(&["EXISTS", &space.beside(what)]));
    assert_eq!(left, [0, 0, 0]);
}

/// QU-07: `cancel` removes what is not pending.
#[tokio::test]
async fn cancel() {
    let space = with(&[("a", "0"), ("b", "0")]).await;
    take(&space, &consumer(OWNER), "1", "5");
    let cancel = |id| eval(&space, "cancel", &[id]).text().unwrap().to_owned();
    assert_eq!((cancel("a"), cancel("b"), cancel("b")), ("running".into(), "removed".into(), "unknown".into()));
    assert_eq!(space.number(&["XLEN", &space.stream()]), 1);
}

/// QU-40, QU-41: `bury`, `dead`, `redrive`, `discard` and `sweep`: a job is dead, or live, or gone.
#[tokio::test]
async fn the_dead() {
    let space = with(&[("a", "0"), ("b", "0"), ("c", "0")]).await;
    take(&space, &consumer(OWNER), "3", "5");
    assert_eq!(eval(&space, "bury", &["a", OTHER, "1", "never"]), Reply::Number(0));
    for id in ["a", "b", "c"] {
        assert_eq!(eval(&space, "bury", &[id, OWNER, "1", "never"]), Reply::Number(1));
    }
    assert_eq!((space.number(&["XLEN", &space.stream()]), space.number(&["XLEN", &space.beside("dlq")])), (0, 3));
    assert_eq!(numbers(&eval(&space, "enqueue", &["", "0", "a", "k", "1", "", "", "now", "0"])), [0], "it is known");
    let list = |after: &str, most: &str| eval(&space, "dead", &[after, most]).list().unwrap().len();
    assert_eq!((list("", "9"), list("a", "9"), list("", "1"), list("gone", "9"), list("b", "")), (3, 2, 1, 3, 1));
    let times = |script: &str, id: &str| [0; 2].map(|_| eval(&space, script, &[id]).number().unwrap());
    assert_eq!((times("redrive", "a"), times("discard", "b")), ([1, 0], [1, 0]));
    assert_eq!((space.number(&["XLEN", &space.stream()]), space.number(&["XLEN", &space.beside("dlq")])), (1, 1));
    assert_eq!(eval(&space, "sweep", &["60000000", "1"]), Reply::Number(0));
    assert_eq!(eval(&space, "sweep", &["0", ""]), Reply::Number(1));
    assert_eq!(space.number(&["HLEN", &space.beside("ids")]), 1, "only that of `a`");
}

/// QU-92: `depth` counts, and tells for how long the oldest has waited.
#[tokio::test]
async fn depth() {
    let space = with(&[("a", "0"), ("b", "0"), ("c", "60000000"), ("d", "1")]).await;
    take(&space, &consumer(OWNER), "1", "5");
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    let answer = eval(&space, "depth", &[]);
    assert_eq!(numbers(&answer), [2, 1, 1, 0]);
    let oldest: u64 = answer.list().unwrap()[4].text().unwrap().parse().unwrap();
    assert!((20_000..5_000_000).contains(&oldest), "{oldest}");
}

/// QU-63: `tidy` removes consumers that were idle for long, and none with something pending, whose jobs would go with it.
#[tokio::test]
async fn tidy() {
    let space = with(&[("a", "0")]).await;
    take(&space, &consumer(OWNER), "1", "5");
    space.ask(&["XGROUP", "CREATECONSUMER", &space.stream(), "seaworthy", "left"]);
    assert_eq!(eval(&space, "tidy", &["3600000"]), Reply::Number(0), "not yet");
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    assert_eq!(eval(&space, "tidy", &["10"]), Reply::Number(1));
    assert_eq!((space.consumers(), space.pending()), (1, 1));
}

/// QU-95: a key of another type is met before anything was written.
#[tokio::test]
async fn nothing_is_half_done() {
    let space = with(&[("a", "0")]).await;
    take(&space, &consumer(OWNER), "1", "5");
    space.ask(&["SET", &space.beside("dlq"), "a text"]);
    space.ask(&["SET", &space.beside("done"), "a text"]);
    let cases: [(&str, &[&str]); 4] = [
        ("bury", &["a", OWNER, "1", "never"]),
        ("ack", &["a", OWNER, "1", "1000"]),
        ("later", &["a", OWNER, "1", "retry", "1000", ""]),
        ("enqueue", &["", "0", "z", "k", "1", "", "", "now", "0"]),
    ];
    for (script, arguments) in cases {
        let answer = eval(&space, script, arguments);
        assert!(matches!(&answer, Reply::Error(error) if error.contains("WRONGTYPE")), "{script}: {answer:?}");
        assert_eq!((space.number(&["XLEN", &space.stream()]), space.pending()), (1, 1), "{script}");
    }
}
