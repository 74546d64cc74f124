//! Redis: it comes, suffers, and goes.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use seaworthy_faults::proxy::Proxy;
use seaworthy_faults::redis::{Persistence, Redis, Reply};

use crate::support::why;

fn text(text: &str) -> Reply {
    Reply::Text(text.to_owned())
}

/// FK-01: it is up when the call returns, with settings of its own, and gone with its value.
#[test]
fn it_comes_and_goes() {
    let redis = Redis::start_with(Persistence::None, &[("maxmemory", "3mb")]);
    assert_eq!(redis.ask(&["SET", "a", "1"]), text("OK"));
    assert_eq!(redis.ask(&["GET", "a"]), text("1"));
    assert_eq!(redis.ask(&["GET", "b"]), Reply::Nil);
    assert_eq!(redis.ask(&["CONFIG", "GET", "maxmemory"]).list().expect("two")[1], text("3145728"));
    assert!(matches!(redis.ask(&["NONSENSE"]), Reply::Error(_)));
    let (addr, directory) = (redis.addr(), redis.directory());
    drop(redis);
    assert!(!directory.exists() && TcpStream::connect(addr).is_err());
    assert!(why(|| Redis::start_with(Persistence::None, &[("no-such-setting", "1")])).contains("no-such-setting"));
}

/// FK-05: killed with -9 and restarted it has what its persistence promises, and nothing without one.
#[test]
fn what_is_left_after_a_kill() {
    for (persistence, of_last_save, of_last_write) in [
        (Persistence::None, false, false),
        (Persistence::Rdb, true, false),
        (Persistence::EverySec, true, true),
        (Persistence::Always, true, true),
    ] {
        let mut redis = Redis::start(persistence);
        let (addr, pid) = (redis.addr(), redis.pid());
        redis.ask(&["SET", "saved", "1"]);
        if persistence == Persistence::Rdb {
            assert_eq!(redis.ask(&["SAVE"]), text("OK"));
        }
        redis.ask(&["SET", "written", "1"]);
        redis.kill9();
        assert!(TcpStream::connect(addr).is_err());
        redis.restart();
        assert_eq!(redis.addr(), addr);
        assert_ne!(redis.pid(), pid);
        let has = |key| redis.ask(&["EXISTS", key]) == Reply::Number(1);
        assert_eq!((has("saved"), has("written")), (of_last_save, of_last_write), "{persistence:?}");
    }
}

/// FK-05: ended in order it has saved if it saves at all; restarted empty it has nothing, whatever it had promised.
#[test]
fn in_order_and_empty() {
    let mut redis = Redis::start(Persistence::Rdb);
    redis.ask(&["SET", "a", "1"]);
    redis.restart();
    assert_eq!(redis.ask(&["GET", "a"]), text("1"));
    redis.restart_empty();
    assert_eq!(redis.ask(&["GET", "a"]), Reply::Nil);

    let mut redis = Redis::start(Persistence::Always);
    redis.ask(&["SET", "a", "1"]);
    redis.kill9();
    redis.restart_empty();
    assert_eq!(redis.ask(&["DBSIZE"]), Reply::Number(0));
    redis.ask(&["SET", "b", "1"]);
    redis.shut_down();
    assert!(redis.try_ask(&["PING"]).is_err());
    redis.restart();
    assert_eq!(redis.ask(&["GET", "b"]), text("1"));
}

/// FK-05: stopped it accepts and answers nothing; continued it answers what was asked meanwhile.
#[test]
fn it_is_stopped_and_continued() {
    let mut redis = Redis::start(Persistence::None);
    redis.stop();
    let mut client = TcpStream::connect(redis.addr()).expect("the system accepts");
    client.write_all(b"PING\r\n").expect("it is open");
    client.set_read_timeout(Some(Duration::from_millis(200))).expect("it has a socket");
    let mut lines = BufReader::new(client.try_clone().expect("it can be had twice"));
    let mut line = String::new();
    assert!(lines.read_line(&mut line).is_err());
    redis.cont();
    client.set_read_timeout(Some(Duration::from_secs(10))).expect("it has a socket");
    lines.read_line(&mut line).expect("it answers");
    assert_eq!(line, "+PONG\r\n");
    // One that is stopped goes as well as another.
    redis.stop();
    let begun = Instant::now();
    drop(redis);
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

/// FK-05: all clients lose their connections, those that subscribe, too; new ones are served.
#[test]
fn clients_are_killed() {
    let mut redis = Redis::start(Persistence::None);
    assert_eq!(redis.client_kill(), 0);
    let connect = |first: &[u8]| {
        let mut client = TcpStream::connect(redis.addr()).expect("it listens");
        client.write_all(first).expect("it is open");
        let mut client = BufReader::new(client);
        let mut line = String::new();
        client.read_line(&mut line).expect("it answers");
        client
    };
    let mut clients = [connect(b"PING\r\n"), connect(b"SUBSCRIBE news\r\n"), connect(b"PING\r\n")];
    assert_eq!(redis.client_kill(), 3);
    for client in &mut clients {
        let mut rest = Vec::new();
        let _ = client.read_until(0, &mut rest);
        assert_eq!(client.get_ref().take_error().expect("it has a socket").map(|error| error.kind()), None);
        assert!(client.read_until(0, &mut rest).is_ok_and(|length| length == 0));
    }
    assert_eq!(redis.ask(&["PING"]), text("PONG"));
}

/// FK-06: by way of a proxy the answer can be lost, and what was asked for is done all the same.
#[test]
fn an_answer_is_lost_by_a_proxy() {
    let redis = Redis::start(Persistence::None);
    let proxy = Proxy::to(redis.addr());
    assert_eq!(redis.url_through(&proxy), format!("redis://{}/", proxy.addr()));
    let mut client = TcpStream::connect(proxy.addr()).expect("it listens");
    proxy.drop_next(seaworthy_faults::proxy::Direction::Down, 1);
    client.write_all(b"INCR a\r\n").expect("it is open");
    let mut line = String::new();
    assert!(BufReader::new(client).read_line(&mut line).is_err());
    assert_eq!(redis.ask(&["GET", "a"]), text("1"));
}
