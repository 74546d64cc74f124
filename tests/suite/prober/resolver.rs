//! Look-ups that do not return. Time is real: they block threads.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use seaworthy::ProbeState;
use seaworthy::prober::{Probe, Prober, Resolver, TcpConnect, TcpProbe};
use tokio::net::TcpListener;

use super::{error, quick, until};
use crate::support::{MS, SECOND, now};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A name server that is silent until it is released.
#[derive(Clone)]
struct Silent {
    asked: Arc<Mutex<Vec<String>>>,
    waiting: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    released: Arc<Mutex<mpsc::Receiver<()>>>,
}

impl Silent {
    fn new() -> (mpsc::Sender<()>, Silent) {
        let (release, released) = mpsc::channel();
        let released = Arc::new(Mutex::new(released));
        let (asked, waiting, most) = (Arc::default(), Arc::default(), Arc::default());
        (release, Silent { asked, waiting, most, released })
    }

    fn resolver(&self) -> Resolver {
        let this = self.clone();
        Resolver::blocking(move |host: &str| {
            this.asked.lock().unwrap().push(host.to_owned());
            let waiting = this.waiting.fetch_add(1, Ordering::SeqCst) + 1;
            this.most.fetch_max(waiting, Ordering::SeqCst);
            // Ends with an error once the other side is gone.
            let _ = this.released.lock().unwrap().recv();
            this.waiting.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, std::io::Error>([HERE])
        })
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn tcp(host: &str, port: u16) -> TcpProbe {
    TcpProbe::new(TcpConnect::new(port).host(host)).unwrap()
}

/// PB-01: with a silent name server there is one look-up per target and no more than the limit on probes; other
/// blocking work is served at once, targets that need no look-up are probed, and `stop` returns what is left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_name_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (release, silent) = Silent::new();
    let prober = Prober::builder().resolver(silent.resolver()).max_concurrent(33).build().unwrap();
    let policy = quick().interval(100 * MS).timeout(100 * MS).build().unwrap();
    let targets: Vec<_> =
        (0..32).map(|n| prober.add(format!("t{n}"), policy, tcp(&format!("host-{n}"), port))).collect();
    let literal = prober.add("literal", policy, tcp("127.0.0.1", port)).unwrap();
    let task = prober.spawn();
    until("each is asked for", || silent.asked() == 32).await;
    for target in &targets {
        let target = target.as_ref().unwrap();
        until("a failure", || error(target).as_deref() == Some("timed out after 100ms")).await;
    }
    let before = now();
    tokio::task::spawn_blocking(|| {}).await.unwrap();
    assert!(now() - before < SECOND, "{:?}", now() - before);
    let successes = literal.status().unwrap().successes;
    until("the others go on", || literal.status().unwrap().successes > successes + 3).await;
    assert_eq!((silent.asked(), silent.most.load(Ordering::SeqCst)), (32, 32), "one for each, and none again");

    let before = now();
    let left = task.stop().await;
    assert!(now() - before < 2 * SECOND, "nobody waits for them: {:?}", now() - before);
    let mut left: Vec<_> = left.iter().map(ToString::to_string).collect();
    let mut expected: Vec<_> = (0..32).map(|n| format!("t{n}")).collect();
    left.sort();
    expected.sort();
    assert_eq!(left, expected);

    // They count in the next run, too.
    let task = prober.spawn();
    let successes = literal.status().unwrap().successes;
    until("another run", || literal.status().unwrap().successes > successes + 2).await;
    assert_eq!(silent.asked(), 32);
    drop(release);
    for target in &targets {
        until("healthy", || target.as_ref().unwrap().state() == ProbeState::Healthy).await;
    }
    assert_eq!(task.stop().await, Vec::<seaworthy::Name>::new());
}

/// PB-01: beyond the limit nothing is looked up, and a removed target counts until its look-up has returned.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn removed_targets_count_until_their_look_ups_return() {
    let (release, silent) = Silent::new();
    let prober = Prober::builder().resolver(silent.resolver()).max_concurrent(4).build().unwrap();
    let policy = quick().interval(20 * MS).timeout(20 * MS).build().unwrap();
    let task = prober.spawn();
    for round in 0..10 {
        for n in 0..4 {
            prober.add(format!("{round}-{n}"), policy, tcp("nobody", 1)).unwrap();
        }
        super::sleep(30 * MS).await;
        for n in 0..4 {
            assert!(prober.remove(&format!("{round}-{n}")));
        }
    }
    assert_eq!((silent.asked(), silent.most.load(Ordering::SeqCst)), (4, 4));
    assert_eq!(task.stop().await.len(), 4);
    drop(release);
}

/// PB-01: a look-up that does not return keeps neither the runtime nor the process from ending.
#[test]
fn a_look_up_keeps_nobody_from_ending() {
    let (release, silent) = Silent::new();
    let before = now();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let prober = Prober::builder().resolver(silent.resolver()).build().unwrap();
        prober.add("a", quick().build().unwrap(), tcp("nobody", 1)).unwrap();
        let _task = prober.spawn();
        until("it is asked for", || silent.asked() == 1).await;
    });
    drop(runtime);
    assert!(now() - before < 4 * SECOND, "{:?}", now() - before);
    drop(release);
}

/// PB-01: the probe connects to what the resolver returns; the resolver's error is the probe's, its panic one failure,
/// and an address is not looked up.
#[tokio::test]
async fn a_resolver_of_ones_own() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let note = asked.clone();
    let resolver = Resolver::new(move |host: String| {
        note.lock().unwrap().push(host.clone());
        async move {
            match &*host {
                "here" => Ok(vec![HERE]),
                "nowhere" => Ok(vec![]),
                _ => Err("no such host"),
            }
        }
    });
    let prober = Prober::builder().resolver(resolver).build().unwrap();
    let policy = quick().interval(60 * SECOND).build().unwrap();
    let add = |host: &str| prober.add(host.to_owned(), policy, tcp(host, port)).unwrap();
    let (here, nowhere, other, literal) = (add("here"), add("nowhere"), add("other"), add("127.0.0.1"));
    let task = prober.spawn();
    until("all are probed", || prober.statuses().iter().all(|(_, status)| status.since_probe().is_some())).await;
    assert_eq!((here.state(), literal.state()), (ProbeState::Healthy, ProbeState::Healthy));
    assert_eq!(error(&nowhere).as_deref(), Some("nowhere has no address"));
    assert_eq!(error(&other).as_deref(), Some("no such host"));
    let mut hosts = asked.lock().unwrap().clone();
    hosts.sort();
    assert_eq!(hosts, ["here", "nowhere", "other"]);
    assert!(task.stop().await.is_empty());

    let panics = Resolver::blocking(|_: &str| -> Result<Vec<IpAddr>, std::io::Error> { panic!("at the disco") });
    let prober = Prober::builder().resolver(panics).build().unwrap();
    let target = prober.add("a", policy, tcp("here", port)).unwrap();
    let task = prober.spawn();
    until("a failure", || target.status().unwrap().failures == 1).await;
    assert_eq!(error(&target).as_deref(), Some("panicked on a thread of its own"));
    assert!(task.stop().await.is_empty());
}

/// PB-01: what a system's resolver finds is found.
#[tokio::test]
async fn the_system_is_asked() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tcp("localhost", port).probe().await.unwrap();
    let (stream, _) = tokio::time::timeout(Duration::from_secs(5), listener.accept()).await.unwrap().unwrap();
    drop(stream);
}
