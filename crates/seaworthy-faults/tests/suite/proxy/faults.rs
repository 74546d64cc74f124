//! What a proxy does to bytes and connections that it does not just forward.

use std::io::{self, Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use seaworthy_faults::proxy::Direction;

use super::{Pair, connect, is_reset, nothing_arrives, receive};

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
    const DELAY: Duration = Duration::from_millis(300);
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
    assert!(up >= DELAY && up < 5 * DELAY, "{up:?}");
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
