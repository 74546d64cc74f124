use std::time::Duration;

use seaworthy::ConfigError;
use seaworthy::prober::{Exec, ExecProbe, HttpGet, HttpProbe, ProbePolicy, Scheme, TcpConnect, TcpProbe};

use crate::support::{MS, SECOND};

/// The field and the rule.
fn in_short(error: &ConfigError) -> String {
    format!("{}: {}", error.field(), error.rule())
}

/// PR-02: what is left out, and the bounds from code.
#[test]
fn policies_from_code() {
    let policy = ProbePolicy::builder().build().unwrap();
    assert_eq!(policy, ProbePolicy::default());
    assert_eq!((policy.interval(), policy.timeout(), policy.jitter()), (10 * SECOND, 2 * SECOND, Duration::ZERO));
    assert_eq!((policy.start_period(), policy.failure_threshold(), policy.success_threshold()), (30 * SECOND, 3, 1));
    let short = ProbePolicy::builder().interval(500 * MS).build().unwrap();
    assert_eq!(short.timeout(), 500 * MS);
    let new = ProbePolicy::builder;
    for (builder, text) in [
        (new().interval(Duration::ZERO), "interval: must be more than zero"),
        (new().timeout(Duration::ZERO), "timeout: must be more than zero"),
        (new().failure_threshold(0), "failure_threshold: must be at least 1"),
        (new().success_threshold(0), "success_threshold: must be at least 1"),
    ] {
        assert_eq!(in_short(&builder.build().unwrap_err()), text);
    }
    for fine in [
        new().interval(Duration::from_nanos(1)),
        new().interval(SECOND).timeout(SECOND),
        new().interval(SECOND).timeout(SECOND + Duration::from_nanos(1)),
        new().interval(Duration::MAX).timeout(Duration::MAX).jitter(Duration::MAX).start_period(Duration::MAX),
        new().start_period(Duration::ZERO).failure_threshold(u32::MAX).success_threshold(u32::MAX),
    ] {
        fine.build().unwrap();
    }
}

/// PR-02: ports, paths, statuses, hosts and commands from code.
#[test]
fn kinds_from_code() {
    let get = || HttpGet::new(80);
    for (get, text) in [
        (HttpGet::new(0), "port: must be from 1 to 65535"),
        (get().host(""), "host: must not be empty"),
        (get().host("a b"), "host: must be a name or an address"),
        (get().host("localhost:8080"), "host: must be a name or an address"),
        (get().host("user@localhost"), "host: must be a name or an address"),
        (get().host("[localhost]"), "host: must be a name or an address"),
        (get().path("health"), "path: must begin with `/`"),
        (get().path(""), "path: must begin with `/`"),
        (get().path("/a b"), "path: must be a valid path and query, without a fragment"),
        (get().path("/a#b"), "path: must be a valid path and query, without a fragment"),
        (get().status(99), "status: must be from 100 to 599"),
        (get().status(600), "status: must be from 100 to 599"),
        (get().scheme(Scheme::Https), "scheme: must be `http` for the ready-made client"),
    ] {
        assert_eq!(in_short(&HttpProbe::new(get).unwrap_err()), text);
    }
    for fine in [get().status(100), get().status(599), get().path("/?q=a%20b"), get().host("::1"), get().host("[::1]")]
    {
        HttpProbe::new(fine).unwrap();
    }
    assert_eq!(in_short(&TcpProbe::new(TcpConnect::new(0)).unwrap_err()), "port: must be from 1 to 65535");
    assert_eq!(in_short(&TcpProbe::new(TcpConnect::new(1).host("")).unwrap_err()), "host: must not be empty");
    let with_a_port = TcpProbe::new(TcpConnect::new(1).host("localhost:1")).unwrap_err();
    assert_eq!(in_short(&with_a_port), "host: must be a name or an address");
    for fine in ["localhost", "db-1.example_zone", "10.0.0.1", "::1", "fe80::1%eth0", "bücher.example"] {
        TcpProbe::new(TcpConnect::new(1).host(fine)).unwrap();
    }
    TcpProbe::new(TcpConnect::new(65_535)).unwrap();
    for empty in [vec![], vec![""], vec!["", "a"]] {
        assert_eq!(in_short(&ExecProbe::new(Exec::new(empty)).unwrap_err()), "command: must not be empty");
    }
    ExecProbe::new(Exec::new(["true"])).unwrap();
}

#[cfg(feature = "serde")]
mod data {
    use seaworthy::prober::{ProbeKind, ProbeSpec, Prober};

    use super::*;

    fn parse(text: &str) -> Result<ProbeSpec, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// PR-01, PR-02: settings from data that say nothing or everything.
    #[test]
    fn from_data() {
        let spec = parse(r#"{"tcp":{"port":5432}}"#).unwrap();
        let expected = ProbeSpec { kind: ProbeKind::Tcp(TcpConnect::new(5432)), policy: ProbePolicy::default() };
        assert_eq!(spec, expected);
        let spec = parse(
            r#"{"interval":"1m 5s","timeout":"1500ms","jitter":"2s","start_period":"0s","failure_threshold":2,
                "success_threshold":4,"http":{"scheme":"https","host":"db","port":1,"path":"/a?b=c","status":204}}"#,
        )
        .unwrap();
        let policy = ProbePolicy::builder().interval(65 * SECOND).timeout(1_500 * MS).jitter(2 * SECOND);
        let policy = policy.start_period(Duration::ZERO).failure_threshold(2).success_threshold(4).build().unwrap();
        let get = HttpGet::new(1).scheme(Scheme::Https).host("db").path("/a?b=c").status(204);
        assert_eq!(spec, ProbeSpec { kind: ProbeKind::Http(get), policy });
        let spec = parse(r#"{"exec":{"command":["ls","-l"]},"interval":"1s"}"#).unwrap();
        assert_eq!((spec.kind, spec.policy.timeout()), (ProbeKind::Exec(Exec::new(["ls", "-l"])), SECOND));
        assert_eq!(parse(r#"{"http":{"port":8080}}"#).unwrap().kind, ProbeKind::Http(HttpGet::new(8080)));
    }

    /// PR-01, PR-02: what is wrong is refused, and named.
    #[test]
    fn bad_data() {
        for (text, expected) in [
            ("{}", "http, tcp, exec: there must be one of them"),
            (r#"{"tcp":{"port":1},"exec":{"command":["a"]}}"#, "http, tcp, exec: there must be only one of them"),
            (r#"{"tcp":{"port":1},"intervall":"1s"}"#, "unknown field `intervall`"),
            (r#"{"tcp":{"port":1,"path":"/"}}"#, "unknown field `path`"),
            (r#"{"http":{"port":1,"paht":"/"}}"#, "unknown field `paht`"),
            (r#"{"exec":{"command":["a"],"shell":true}}"#, "unknown field `shell`"),
            (r#"{"udp":{"port":1}}"#, "unknown field `udp`"),
            (r#"{"http":{}}"#, "missing field `port`"),
            (r#"{"http":{"port":0}}"#, "port: must be from 1 to 65535"),
            (r#"{"http":{"port":65536}}"#, "port: must be from 1 to 65535"),
            (r#"{"tcp":{"port":-1}}"#, "port: must be from 1 to 65535"),
            (r#"{"tcp":{"port":1,"host":""}}"#, "host: must not be empty"),
            (r#"{"http":{"port":1,"path":"health"}}"#, "path: must begin with `/`"),
            (r#"{"http":{"port":1,"status":99}}"#, "status: must be from 100 to 599"),
            (r#"{"http":{"port":1,"status":600}}"#, "status: must be from 100 to 599"),
            (r#"{"http":{"port":1,"status":-200}}"#, "status: must be from 100 to 599"),
            (r#"{"http":{"port":1,"scheme":"ftp"}}"#, "unknown variant `ftp`, expected `http` or `https`"),
            (r#"{"exec":{"command":[]}}"#, "command: must not be empty"),
            (r#"{"exec":{"command":[""]}}"#, "command: must not be empty"),
            (r#"{"exec":{"command":"rm -rf /"}}"#, "invalid type: string"),
            (r#"{"tcp":{"port":1},"interval":"0s"}"#, "interval: must be more than zero"),
            (r#"{"tcp":{"port":1},"timeout":"0s"}"#, "timeout: must be more than zero"),
            (r#"{"tcp":{"port":1},"interval":10}"#, "invalid type: integer `10`"),
            (r#"{"tcp":{"port":1},"interval":"soon"}"#, "\"soon\" is no duration"),
            (r#"{"tcp":{"port":1},"interval":"18446744073709551615s 1000000000ns"}"#, "is no duration"),
            (r#"{"tcp":{"port":1},"failure_threshold":0}"#, "failure_threshold: must be at least 1"),
            (r#"{"tcp":{"port":1},"success_threshold":-3}"#, "success_threshold: must be at least 1"),
            (
                r#"{"tcp":{"port":1},"success_threshold":4294967296}"#,
                "success_threshold: must not be greater than 4,294,967,295",
            ),
        ] {
            let error = parse(text).unwrap_err();
            // Between the field and the rule stands the value.
            let (field, rule) = expected.split_once(": ").unwrap_or((expected, ""));
            assert!(error.contains(field) && error.contains(rule), "{text}: {error}");
        }
    }

    /// A scheme that the ready-made client does not speak is refused where it would have to.
    #[test]
    fn https_needs_a_client() {
        let prober = Prober::builder().build().unwrap();
        let spec = parse(r#"{"http":{"port":443,"scheme":"https"}}"#).unwrap();
        let error = prober.add_spec("a", spec).unwrap_err();
        assert_eq!((error.field(), prober.statuses().len()), ("scheme", 0));
        prober.add_spec("a", parse(r#"{"http":{"port":80}}"#).unwrap()).unwrap();
        prober.add_spec("b", parse(r#"{"tcp":{"port":80}}"#).unwrap()).unwrap();
        prober.add_spec("c", parse(r#"{"exec":{"command":["true"]}}"#).unwrap()).unwrap();
    }
}
