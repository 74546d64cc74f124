//! Servers that several tests use, each in a place of its own.

use std::process::Command;

use seaworthy_faults::postgres::{Postgres, Schema};
use seaworthy_faults::redis::{Persistence, Prefix, Redis, Reply};

use crate::support::why;

/// FK-04: each test has a schema of its own, in which its tables are, and which is dropped at the end with all in it.
#[test]
fn a_schema_of_ones_own() {
    let postgres = Postgres::start();
    let schemas = || postgres.psql("select count(*) from pg_namespace where nspname like 'seaworthy%'");
    {
        let (one, other) = (Schema::on(postgres.url()), Schema::on(postgres.url()));
        one.psql("create table jobs (id int); insert into jobs values (1)");
        other.psql("create table jobs (id int)");
        assert_eq!(
            (one.psql("select count(*) from jobs"), other.psql("select count(*) from jobs")),
            ("1".into(), "0".into())
        );
        assert_eq!(postgres.psql(&format!("select count(*) from {}.jobs", one.name())), "1");
        // For any client: the URL is enough.
        let psql = Command::new("psql").args(["-XAtqd", &one.url(), "-c", "table jobs"]).output().expect("it runs");
        assert_eq!(psql.stdout, b"1\n");
        assert_eq!(schemas(), "2");
    }
    assert_eq!(schemas(), "0");
    // Also when the test panics.
    why(|| {
        let schema = Schema::on(postgres.url());
        schema.psql("create table jobs (id int)");
        assert_eq!(schemas(), "1");
        panic!("as a test does")
    });
    assert_eq!(schemas(), "0");
}

/// FK-04: a server that asks for a password gets it, and nobody else sees it.
#[test]
fn a_password_is_used_and_not_shown() {
    let postgres = Postgres::start();
    postgres.psql("create role ann superuser login password 's@fe'");
    let hba = postgres.directory().join("data/pg_hba.conf");
    std::fs::write(hba, "local all all trust\nhost all ann all scram-sha-256\nhost all postgres all trust\n")
        .expect("it can");
    postgres.psql("select pg_reload_conf()");
    let url = |password: &str| format!("postgres://ann{password}@{}/postgres", postgres.addr());
    let schema = Schema::on(url(":s%40fe"));
    assert_eq!(schema.psql("select current_user"), "ann");
    assert!(!format!("{schema:?}").contains("fe@") && !format!("{schema:?}").contains("s%40fe"));
    let refused = why(|| Schema::on(url(":wrong-word")));
    assert!(refused.contains("ann") && !refused.contains("wrong-word"), "{refused}");
}

/// FK-04: each test has keys of its own, which are removed at the end, and no others.
#[test]
fn keys_of_ones_own() {
    let redis = Redis::start_with(Persistence::None, &[("requirepass", "s3cret")]);
    let url = format!("redis://:s3cret@{}/2", redis.addr());
    let outside = Prefix::on(url.clone());
    outside.ask(&["SET", "foreign", "1"]);
    {
        let (one, other) = (Prefix::on(url.clone()), Prefix::on(url.clone()));
        for number in 0..2_500 {
            one.ask(&["SET", &one.key(&number.to_string()), "1"]);
        }
        other.ask(&["SET", &other.key("0"), "2"]);
        assert_eq!(one.ask(&["GET", &one.key("0")]), Reply::Text("1".into()));
        assert!(!format!("{one:?}").contains("s3cret"));
        assert_eq!(outside.ask(&["DBSIZE"]), Reply::Number(2_502));
    }
    assert_eq!(outside.ask(&["DBSIZE"]), Reply::Number(1));
}

/// FK-02: the version of a server is printed once, however often it is started.
#[test]
fn versions_are_printed_once() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fault-worker"));
    let output = command.args(["hold", "two-redis", "end"]).output().expect("it starts");
    let said = String::from_utf8(output.stdout).expect("it is text");
    assert_eq!(said.matches(" v=").count(), 1, "{said}");
    assert_eq!(said.matches("held ").count(), 1, "{said}");
}

/// FK-04: without the variables it is one server for the process, which nobody can harm: its faults need it alone.
#[test]
fn one_server_for_all() {
    let of = |variable| std::env::var(variable).ok();
    let (one, other) = (Schema::new(), Schema::new());
    let expected = of("SEAWORTHY_PG_URL").unwrap_or_else(|| Postgres::shared().url());
    assert!(one.url().starts_with(&expected) && other.url().starts_with(&expected));
    assert_ne!(one.name(), other.name());
    let prefix = Prefix::new();
    assert_eq!(prefix.url(), of("SEAWORTHY_REDIS_URL").unwrap_or_else(|| Redis::shared().url()));
    assert!(std::ptr::eq(Postgres::shared(), Postgres::shared()));
}
