//! What a proxy does to bytes and connections, seen from both of its ends.

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

/// FK-06: a cut resets what there is, on both sides, and nothing else: who connects again gets through.
#[test]
fn a_cut_resets_both_sides() {
    let pair = Pair::new();
    let mut pairs: Vec<_> = (0..5).map(|_| pair.connect()).collect();
    pair.proxy.cut();
    assert_eq!(pair.proxy.open(), 0);
    for (client, server) in &mut pairs {
        is_reset(client);
        is_reset(server);
    }
    let (mut client, mut server) = pair.connect();
    client.write_all(b"again").expect("it is open");
    assert_eq!(receive(&mut server, 5), "again");
    // A cut reaches what is stalled, too.
    pair.proxy.stall();
    pair.proxy.cut();
    is_reset(&mut client);
    is_reset(&mut server);
}

/// FK-06: stalled, it accepts and forwards nothing, not even an end; healed, it forwards what has waited.
#[test]
fn a_stall_forwards_nothing_until_it_is_healed() {
    let pair = Pair::new();
    let (mut client, mut server) = pair.connect();
    let (leaver, mut left) = pair.connect();
    pair.proxy.stall();
    client.write_all(b"up").expect("it is open");
    server.write_all(b"down").expect("it is open");
    drop(leaver);
    let mut late = connect(pair.proxy.addr()).expect("it accepts");
    late.write_all(b"late").expect("it is open");
    nothing_arrives(&mut server);
    nothing_arrives(&mut client);
    nothing_arrives(&mut left);
    // The server has not heard of the one that came late.
    pair.listener.set_nonblocking(true).expect("it has a socket");
    assert_eq!(pair.listener.accept().expect_err("nobody comes").kind(), io::ErrorKind::WouldBlock);
    assert_eq!((pair.proxy.bytes(Direction::Up), pair.proxy.bytes(Direction::Down)), (0, 0));

    pair.proxy.heal();
    assert_eq!(receive(&mut server, 2), "up");
    assert_eq!(receive(&mut client, 4), "down");
    assert_eq!(left.read(&mut [0; 8]).expect("an end"), 0);
    pair.listener.set_nonblocking(false).expect("it has a socket");
    let (mut server, _) = pair.listener.accept().expect("it comes");
    assert_eq!(receive(&mut server, 4), "late");
}

/// FK-06: either direction is stalled alone, and the other goes on.
#[test]
fn one_direction_is_stalled_alone() {
    for direction in [Direction::Up, Direction::Down] {
        let pair = Pair::new();
        let (mut client, mut server) = pair.connect();
        pair.proxy.stall_only(direction);
        client.write_all(b"up").expect("it is open");
        server.write_all(b"down").expect("it is open");
        match direction {
            Direction::Up => {
                assert_eq!(receive(&mut client, 4), "down");
                nothing_arrives(&mut server);
            }
            Direction::Down => {
                assert_eq!(receive(&mut server, 2), "up");
                nothing_arrives(&mut client);
            }
        }
        pair.proxy.heal();
        match direction {
            Direction::Up => assert_eq!(receive(&mut server, 2), "up"),
            Direction::Down => assert_eq!(receive(&mut client, 4), "down"),
        }
    }
}

/// FK-06: the next answer is lost after the server has done what it was asked for, and its connection with it; another
/// connection is not touched.
#[test]
fn the_next_answer_is_lost() {
    let pair = Pair::new();
    let (mut client, mut server) = pair.connect();
    let (mut other_client, mut other_server) = pair.connect();
    pair.proxy.drop_next(Direction::Down, 1);
    client.write_all(b"do it").expect("it is open");
    assert_eq!(receive(&mut server, 5), "do it");
    server.write_all(b"done").expect("it is open");
    is_reset(&mut client);
    is_reset(&mut server);
    other_server.write_all(b"fine").expect("it is open");
    assert_eq!(receive(&mut other_client, 4), "fine");
    assert_eq!(pair.proxy.bytes(Direction::Down), 4);
}

/// FK-06: who has lost bytes gets nothing more that way until enough are lost; the other way goes on.
#[test]
fn after_a_hole_nothing_is_delivered() {
    let pair = Pair::new();
    let (mut client, mut server) = pair.connect();
    pair.proxy.drop_next(Direction::Down, 10);
    for _ in 0..3 {
        server.write_all(b"abc").expect("it is open");
        nothing_arrives(&mut client);
        client.write_all(b"x").expect("it is open");
        assert_eq!(receive(&mut server, 1), "x");
    }
    server.write_all(b"d").expect("it is open");
    is_reset(&mut client);
    assert_eq!(pair.proxy.bytes(Direction::Down), 0);

    // Healed before that, it is cut all the same: what is lost does not come back.
    let (mut client, mut server) = pair.connect();
    pair.proxy.drop_next(Direction::Up, 10);
    client.write_all(b"abc").expect("it is open");
    nothing_arrives(&mut server);
    pair.proxy.heal();
    is_reset(&mut server);
    let (mut client, mut server) = pair.connect();
    client.write_all(b"abc").expect("it is open");
    assert_eq!(receive(&mut server, 3), "abc");
}

/// FK-06: a delay delays every byte once, each way: what was sent in between does not wait in turn.
#[test]
fn a_delay_delays_each_byte_once() {
    const DELAY: Duration = Duration::from_millis(150);
    let pair = Pair::new();
    let (mut client, mut server) = pair.connect();
    pair.proxy.delay(DELAY);
    let begun = Instant::now();
    for _ in 0..10 {
        client.write_all(b"x").expect("it is open");
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(receive(&mut server, 10), "x".repeat(10));
    let up = begun.elapsed();
    assert!(up >= DELAY && up < 4 * DELAY, "{up:?}");
    server.write_all(b"y").expect("it is open");
    assert_eq!(receive(&mut client, 1), "y");
    let both = begun.elapsed();
    assert!(both >= up + DELAY, "{both:?}");
    pair.proxy.heal();
    let begun = Instant::now();
    client.write_all(b"z").expect("it is open");
    assert_eq!(receive(&mut server, 1), "z");
    assert!(begun.elapsed() < DELAY, "{:?}", begun.elapsed());
}

/// FK-06: it refuses who is new, and leaves who is there; healed, it is where it was.
#[test]
fn it_refuses_and_comes_back() {
    let pair = Pair::new();
    let (mut client, mut server) = pair.connect();
    for _ in 0..3 {
        pair.proxy.refuse();
        assert_eq!(connect(pair.proxy.addr()).expect_err("refused").kind(), io::ErrorKind::ConnectionRefused);
        client.write_all(b"on").expect("it is open");
        assert_eq!(receive(&mut server, 2), "on");
        pair.proxy.heal();
        pair.connect();
    }
    assert_eq!(pair.proxy.connections(), 4);
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
