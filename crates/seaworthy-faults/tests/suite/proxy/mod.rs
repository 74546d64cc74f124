//! A proxy, seen from both of its ends: what it forwards, and what is there to see it by.

mod faults;

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use seaworthy_faults::proxy::{Direction, Proxy};
use seaworthy_faults::seed::Seed;

/// As long as something is awaited that is to come.
const SOON: Duration = Duration::from_secs(10);
/// As long as something is awaited that is not to come.
const A_WHILE: Duration = Duration::from_millis(100);

struct Pair {
    proxy: Proxy,
    listener: TcpListener,
}

impl Pair {
    fn new() -> Pair {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let proxy = Proxy::to(listener.local_addr().expect("it is bound"));
        Pair { proxy, listener }
    }

    /// Both ends of a connection.
    fn connect(&self) -> (TcpStream, TcpStream) {
        let client = connect(self.proxy.addr()).expect("it accepts");
        let (server, _) = self.listener.accept().expect("the client comes");
        server.set_read_timeout(Some(SOON)).expect("it has a socket");
        (client, server)
    }
}

fn connect(addr: SocketAddr) -> io::Result<TcpStream> {
    let client = TcpStream::connect(addr)?;
    client.set_read_timeout(Some(SOON))?;
    client.set_nodelay(true)?;
    Ok(client)
}

fn receive(from: &mut TcpStream, length: usize) -> String {
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes).expect("it arrives");
    String::from_utf8(bytes).expect("it is text")
}

/// That nothing arrives, neither bytes nor an end.
fn nothing_arrives(at: &mut TcpStream) {
    at.set_read_timeout(Some(A_WHILE)).expect("it has a socket");
    let error = at.read(&mut [0; 64]).expect_err("nothing is to arrive");
    assert!(matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut), "{error}");
    at.set_read_timeout(Some(SOON)).expect("it has a socket");
}

fn is_reset(at: &mut TcpStream) {
    let error = at.read(&mut [0; 64]).expect_err("it is reset");
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + SOON;
    while !is_so() {
        assert!(Instant::now() < until, "not yet: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// FK-06: without a fault every byte goes through, both ways, closing too, and connections and bytes are counted.
#[test]
fn it_forwards_and_counts() {
    let pair = Pair::new();
    let (mut client, mut server) = pair.connect();
    client.write_all(b"question").expect("it is open");
    assert_eq!(receive(&mut server, 8), "question");
    server.write_all(b"answer").expect("it is open");
    assert_eq!(receive(&mut client, 6), "answer");
    assert_eq!((pair.proxy.connections(), pair.proxy.open()), (1, 1));
    assert_eq!((pair.proxy.bytes(Direction::Up), pair.proxy.bytes(Direction::Down)), (8, 6));

    // Half closed: the answer still comes.
    client.shutdown(Shutdown::Write).expect("it is open");
    assert_eq!(server.read(&mut [0; 8]).expect("an end"), 0);
    server.write_all(b"late").expect("it is open");
    assert_eq!(receive(&mut client, 4), "late");
    drop(server);
    assert_eq!(client.read(&mut [0; 8]).expect("an end"), 0);
    eventually("it is closed", || pair.proxy.open() == 0);
    let (_client, _server) = pair.connect();
    assert_eq!((pair.proxy.connections(), pair.proxy.open()), (2, 1));
}

/// FK-06: much, in pieces of any size, arrives whole and in order, also when the receiver is slow and through stalls.
#[test]
fn much_arrives_whole() {
    let seed = Seed::from_env();
    let pair = Pair::new();
    let (mut client, mut server) = pair.connect();
    let mut rng = seed.rng("bytes");
    let sent: Vec<u8> = (0..3_000_000).map(|_| rng.next_u64().to_le_bytes()[0]).collect();
    let mut pieces = seed.rng("pieces");
    let copy = sent.clone();
    let writer = thread::spawn(move || {
        let mut rest = copy.as_slice();
        while !rest.is_empty() {
            let length = usize::try_from(pieces.below(100_000)).expect("small").clamp(1, rest.len());
            client.write_all(&rest[..length]).expect("it is open");
            rest = &rest[length..];
        }
        client.shutdown(Shutdown::Write).expect("it is open");
        client
    });
    let mut received = Vec::new();
    let mut faults = seed.rng("faults");
    let mut buffer = vec![0; 70_000];
    loop {
        if faults.one_in(10) {
            pair.proxy.stall();
            pair.proxy.heal();
        }
        match server.read(&mut buffer).expect("it is open") {
            0 => break,
            length => received.extend_from_slice(&buffer[..length]),
        }
    }
    drop(writer.join().expect("all was written"));
    assert!(received == sent, "{} of {} bytes, or others", received.len(), sent.len());
    assert_eq!(pair.proxy.bytes(Direction::Up), 3_000_000);
}

/// FK-06: a server that is down is a reset for the client, and one that is back is forwarded to again.
#[test]
fn a_server_that_is_down_is_seen() {
    let pair = Pair::new();
    let addr = pair.listener.local_addr().expect("it is bound");
    drop(pair.listener);
    is_reset(&mut connect(pair.proxy.addr()).expect("the proxy is up"));
    let listener = TcpListener::bind(addr).expect("it is free again");
    let pair = Pair { proxy: pair.proxy, listener };
    let (mut client, server) = pair.connect();
    // One end is reset: so is the other.
    client.write_all(b"unread").expect("it is open");
    eventually("it is forwarded", || pair.proxy.bytes(Direction::Up) == 6);
    drop(server);
    is_reset(&mut client);
}

/// FK-06: its faults are in force when the call returns, under load, on a runtime of one thread, with a paused clock.
#[tokio::test(start_paused = true)]
async fn it_works_in_a_paused_runtime_of_one_thread() {
    let pair = Pair::new();
    let (mut client, mut server) = pair.connect();
    let flood = thread::spawn(move || while client.write_all(&[0; 1000]).is_ok() {});
    let mut sink = [0; 100_000];
    for _ in 0..200 {
        assert!(server.read(&mut sink).expect("it flows") > 0);
        pair.proxy.stall();
        let before = pair.proxy.bytes(Direction::Up);
        thread::sleep(Duration::from_millis(1));
        assert_eq!(pair.proxy.bytes(Direction::Up), before);
        pair.proxy.heal();
    }
    pair.proxy.cut();
    flood.join().expect("it ends with its connection");
}

/// FK-06: dropped, its port is closed and so are its connections.
#[test]
fn nothing_is_left_of_it() {
    let pair = Pair::new();
    let (mut client, mut server) = pair.connect();
    let addr = pair.proxy.addr();
    drop(pair.proxy);
    assert_eq!(connect(addr).expect_err("refused").kind(), io::ErrorKind::ConnectionRefused);
    assert!(matches!(client.read(&mut [0; 8]), Ok(0) | Err(_)));
    assert!(matches!(server.read(&mut [0; 8]), Ok(0) | Err(_)));
}
