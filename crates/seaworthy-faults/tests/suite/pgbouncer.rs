//! PgBouncer: it pools as it was told, suffers, and goes.

use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;

use seaworthy_faults::pgbouncer::{Mode, PgBouncer};
use seaworthy_faults::postgres::Postgres;

/// FK-01: it is up when the call returns, in the mode that was asked for, and gone with its value.
#[test]
fn it_pools_as_it_was_told() {
    let postgres = Postgres::start();
    for (mode, name) in [(Mode::Transaction, "transaction"), (Mode::Session, "session")] {
        let pooler = PgBouncer::start(&postgres, mode);
        assert_eq!(pooler.psql("select 1"), "1");
        // It talks to this Postgres, which can tell.
        pooler.psql(&format!("create table by_{name} ()"));
        assert_eq!(postgres.psql(&format!("select count(*) from by_{name}")), "0");
        let pools = std::fs::read_to_string(pooler.directory().join("pgbouncer.ini")).expect("it is there");
        assert!(pools.contains(&format!("pool_mode = {name}\n")));
        assert_ne!(std::fs::metadata(format!("/proc/{}", pooler.pid())).expect("it runs").uid(), 0);
        let (addr, directory) = (pooler.addr(), pooler.directory());
        drop(pooler);
        assert!(!directory.exists() && TcpStream::connect(addr).is_err());
    }
}

/// FK-01: with settings of its own: version 1.18 refuses `options` unless it is told to ignore them.
#[test]
fn it_ignores_what_it_was_told_to() {
    let postgres = Postgres::start();
    let ask = |pooler: &PgBouncer| {
        let url = format!("{}?options=-csearch_path%3Dpg_temp", pooler.url());
        let psql = std::process::Command::new("psql").args(["-XAtqd", &url, "-c", "select 1"]).output();
        psql.expect("it runs").status.success()
    };
    let lenient = PgBouncer::start_with(&postgres, Mode::Session, &[("ignore_startup_parameters", "options")]);
    assert!(ask(&lenient));
    assert!(!ask(&PgBouncer::start(&postgres, Mode::Session)));
}

/// FK-05: it is killed, restarted, stopped and continued, and survives a restart of its Postgres.
#[test]
fn it_suffers() {
    let mut postgres = Postgres::start();
    let mut pooler = PgBouncer::start(&postgres, Mode::Transaction);
    let addr = pooler.addr();
    pooler.kill9();
    assert!(TcpStream::connect(addr).is_err());
    pooler.restart();
    assert_eq!(pooler.addr(), addr);
    pooler.restart();
    pooler.stop();
    drop(TcpStream::connect(addr).expect("the system accepts"));
    assert!(pooler.try_psql("select 1").is_err());
    pooler.cont();
    assert_eq!(pooler.psql("select 1"), "1");
    postgres.kill9();
    postgres.restart();
    let again = (0..10).any(|_| pooler.try_psql("select 1").is_ok());
    assert!(again, "it does not find its Postgres again");
}
