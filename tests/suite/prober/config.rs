use std::time::Duration;

use seaworthy::ConfigError;
use seaworthy::prober::{Exec, ExecProbe, HttpGet, HttpProbe, ProbePolicy, Scheme, TcpConnect, TcpProbe};

use crate::support::{MS, SECOND};

/// The field and the rule.
fn in_short(error: &ConfigError) -> String {
    format!("{}: {}", error.field(), error.rule())
}

/// PR-02: defaults, and the bounds from code.
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
        (get().statuses([]), "status: must not be empty"),
        (get().statuses([200..=200, 300..=600]), "status: must be from 100 to 599"),
        (
            get().statuses([std::ops::RangeInclusive::new(300, 200)]),
            "status: must be ranges that do not end before they begin",
        ),
        (get().method("GET /"), "method: must be a method of HTTP, and not CONNECT"),
        (get().method(""), "method: must be a method of HTTP, and not CONNECT"),
        (get().method("CONNECT"), "method: must be a method of HTTP, and not CONNECT"),
        (get().header("a b", "c"), "headers: must be names of headers"),
        (get().header("a", "b\r\nc: d"), "headers: must have values without control characters"),
        (get().header("Content-Length", "5"), "headers: must not be about the connection or the body"),
        (get().header("connection", "keep-alive"), "headers: must not be about the connection or the body"),
        (get().header("host", "a").header("Host", "b"), "headers: must have one `host` at most"),
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

    /// PR-01, PR-02: settings from data, minimal and complete.
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

    /// SO-04, PR-01, PR-02: a mistake is refused, with the path of its key, the rule and the value.
    #[test]
    fn bad_data() {
        for (text, expected) in [
            ("{}", "http, tcp, exec: there must be one of them"),
            (r#"{"tcp":{"port":1},"exec":{"command":["a"]}}"#, "http, tcp, exec: there must be only one of them"),
            (r#"{"tcp":{"port":1},"intervall":"1s"}"#, "intervall: there is no such key; did you mean interval?"),
            (r#"{"tcp":{"port":1,"path":"/"}}"#, "tcp.path: there is no such key; there are host, port"),
            (r#"{"http":{"port":1,"paht":"/"}}"#, "http.paht: there is no such key; did you mean path?"),
            (r#"{"exec":{"command":["a"],"shell":true}}"#, "exec.shell: there is no such key"),
            (r#"{"udp":{"port":1}}"#, "udp: there is no such key"),
            (r#"{"tcp":{"port":1,"port":2}}"#, "tcp.port: it is there twice"),
            (r#"{"http":{}}"#, "http.port: has to be set"),
            (r#"{"http":{"port":"http"}}"#, "http.port: must be a number from 1 to 65535, is \"http\""),
            (r#"{"http":{"port":0}}"#, "http.port: must be a number from 1 to 65535, is 0"),
            (r#"{"http":{"port":65536}}"#, "http.port: must be a number from 1 to 65535, is 65536"),
            (r#"{"tcp":{"port":-1}}"#, "tcp.port: must be a number from 1 to 65535, is -1"),
            (r#"{"tcp":{"port":80.5}}"#, "tcp.port: must be a number from 1 to 65535, is 80.5"),
            (r#"{"tcp":{"port":[80]}}"#, "tcp.port: must be a number from 1 to 65535, is a list"),
            (r#"{"tcp":{"port":1,"host":""}}"#, "tcp.host: must not be empty, is \"\""),
            (r#"{"tcp":{"port":1,"host":"fe80::1%"}}"#, "tcp.host: must be a name or an address, is \"fe80::1%\""),
            (r#"{"tcp":{"port":1,"host":5}}"#, "tcp.host: must be a text, is 5"),
            (r#"{"http":{"port":1,"path":"health"}}"#, "http.path: must begin with `/`, is \"health\""),
            (r#"{"http":{"port":1,"status":99}}"#, "http.status: must be a status from 100 to 599, a range such as"),
            (r#"{"http":{"port":1,"status":600}}"#, "or a list of these, is 600"),
            (r#"{"http":{"port":1,"status":"299-200"}}"#, "or a list of these, is \"299-200\""),
            (r#"{"http":{"port":1,"status":[]}}"#, "or a list of these, is a list"),
            (r#"{"http":{"port":1,"scheme":"ftp"}}"#, "http.scheme: must be \"http\" or \"https\", is \"ftp\""),
            (
                r#"{"http":{"port":1,"method":"GET /"}}"#,
                "http.method: must be a method of HTTP, and not CONNECT, is \"GET /\"",
            ),
            (r#"{"http":{"port":1,"headers":{"a":5}}}"#, "http.headers: must be a table of texts"),
            (
                r#"{"http":{"port":1,"headers":{"a":"b\n"}}}"#,
                "http.headers: \"a\" must have values without control characters",
            ),
            (r#"{"exec":{"command":[]}}"#, "exec.command: must not be empty"),
            (r#"{"exec":{"command":[""]}}"#, "exec.command: must not be empty"),
            (r#"{"exec":{}}"#, "exec.command: has to be set"),
            (r#"{"exec":{"command":"rm -rf /"}}"#, "exec.command: must be a list of texts, is \"rm -rf /\""),
            (r#"{"tcp":{"port":1},"interval":"0s"}"#, "interval: must be longer than zero, is \"0s\""),
            (r#"{"tcp":{"port":1},"timeout":"0s"}"#, "timeout: must be longer than zero, is \"0s\""),
            (
                r#"{"tcp":{"port":1},"interval":10}"#,
                "interval: must be a duration in text, such as \"30s\" or \"1min 30s\", is 10",
            ),
            (r#"{"tcp":{"port":1},"interval":"soon"}"#, "interval: must be a duration in text"),
            (
                r#"{"tcp":{"port":1},"failure_threshold":0}"#,
                "failure_threshold: must be a number from 1 to 4294967295, is 0",
            ),
            (
                r#"{"tcp":{"port":1},"success_threshold":-3}"#,
                "success_threshold: must be a number from 1 to 4294967295, is -3",
            ),
            (r#"{"httpGet":{"port":"http"}}"#, "httpGet.port: must be a number from 1 to 65535, is \"http\""),
            (
                r#"{"httpGet":{"port":80,"scheme":"http"}}"#,
                "httpGet.scheme: must be \"HTTP\" or \"HTTPS\", is \"http\"",
            ),
            (
                r#"{"tcpSocket":{"port":80},"periodSeconds":"5"}"#,
                "periodSeconds: must be a number from 0 to 2147483647, is \"5\"",
            ),
            (
                r#"{"tcpSocket":{"port":80},"terminationGracePeriodSeconds":5}"#,
                "terminationGracePeriodSeconds: is not obeyed",
            ),
            (r#"{"tcpSocket":{"port":80},"interval":"5s"}"#, "interval: must not stand beside `tcpSocket`"),
            (r#"{"tcp":{"port":1},"httpGet":{"port":1}}"#, "httpGet: must not stand beside `tcp`"),
            (r#"{"periodSeconds":5}"#, "httpGet, tcpSocket, exec: there must be one of them"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with(expected) || error.contains(expected), "{text}: {error}");
        }
    }

    /// GR-16: the fourth kind, in either notation, with every key, and with what is wrong in each.
    #[cfg(feature = "grpc")]
    #[test]
    fn grpc() {
        use seaworthy::prober::GrpcHealth;

        let cart = || ProbeKind::Grpc(GrpcHealth::new(50051).service("shop.Cart"));
        let spec = toml::from_str::<ProbeSpec>("grpc = { port = 50051, service = \"\" }").unwrap();
        let whole = ProbeKind::Grpc(GrpcHealth::new(50051));
        assert_eq!(spec, ProbeSpec { kind: whole.clone(), policy: ProbePolicy::default() });
        assert_eq!(parse(r#"{"grpc":{"port":50051}}"#).unwrap().kind, whole);
        let spec = parse(r#"{"grpc":{"port":50051,"service":"shop.Cart","host":"cart"},"interval":"5s"}"#).unwrap();
        assert_eq!(spec.kind, ProbeKind::Grpc(GrpcHealth::new(50051).service("shop.Cart").host("cart")));
        assert_eq!(spec.policy.interval(), 5 * SECOND);
        // As in a Kubernetes manifest.
        let spec = parse(r#"{"grpc":{"port":50051,"service":"shop.Cart"},"periodSeconds":5}"#).unwrap();
        assert_eq!((spec.kind, spec.policy.interval(), spec.policy.timeout()), (cart(), 5 * SECOND, SECOND));
        let spec = parse(r#"{"grpc":{"port":50051,"service":null},"tcp":null}"#).unwrap();
        assert_eq!(spec.kind, whole);
        for (text, expected) in [
            (r#"{"grpc":{}}"#, "grpc.port: has to be set"),
            (r#"{"grpc":{"service":"a"}}"#, "grpc.port: has to be set"),
            (r#"{"grpc":{"port":0}}"#, "grpc.port: must be a number from 1 to 65535, is 0"),
            (r#"{"grpc":{"port":"grpc"}}"#, "grpc.port: must be a number from 1 to 65535, is \"grpc\""),
            (r#"{"grpc":{"port":1,"service":7}}"#, "grpc.service: must be a text, is 7"),
            (r#"{"grpc":{"port":1,"host":""}}"#, "grpc.host: must not be empty, is \"\""),
            (r#"{"grpc":{"port":1,"path":"/"}}"#, "grpc.path: there is no such key"),
            (r#"{"grpc":50051}"#, "invalid type: integer `50051`, expected a table for grpc"),
            (r#"{"grpc":{"port":1},"tcp":{"port":1}}"#, "grpc, http, tcp, exec: there must be only one of them"),
            (r#"{"grpc":{"port":1},"tcpSocket":{"port":1}}"#, "grpc, httpGet, tcpSocket, exec: there must be only one"),
            (
                r#"{"grpc":{"port":1},"interval":"1s","periodSeconds":1}"#,
                "periodSeconds: must not stand beside `interval`",
            ),
            ("{}", "grpc, http, tcp, exec: there must be one of them"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }

    /// GR-16: without the feature it is said which one is missing.
    #[cfg(not(feature = "grpc"))]
    #[test]
    fn grpc_needs_its_feature() {
        let error = parse(r#"{"grpc":{"port":80}}"#).unwrap_err();
        assert!(error.starts_with("grpc: needs the feature `grpc` of seaworthy"), "{error}");
    }

    /// SO-04: errors of TOML give the path, too, and point at the line.
    #[test]
    fn bad_toml() {
        for (text, expected, line) in [
            ("interval = '1s'\n[http]\nport = 'http'\n", "http.port: must be a number from 1 to 65535, is \"http\"", 3),
            ("interval = 5\n[tcp]\nport = 1\n", "interval: must be a duration in text", 1),
            ("[tcp]\nprot = 1\n", "tcp.prot: there is no such key", 2),
            (
                "interval = '18446744073709551615s 1000000000ns'\n[tcp]\nport = 1\n",
                "interval: must be a duration in text",
                1,
            ),
        ] {
            let error = toml::from_str::<ProbeSpec>(text).unwrap_err();
            assert!(error.message().starts_with(expected), "{text}: {error}");
            let at = error.span().expect("a place").start;
            assert_eq!(text[..at].matches('\n').count() + 1, line, "{text}: {error}");
        }
    }

    /// PB-07: method, headers, a range or a list of statuses.
    #[test]
    fn method_headers_and_statuses() {
        let get = |text: &str| match parse(text).unwrap().kind {
            ProbeKind::Http(get) => get,
            other => panic!("{other:?}"),
        };
        let expected = HttpGet::new(80).method("HEAD").header("Host", "shop.example").header("x", "1").header("x", "2");
        let text = r#"{"http":{"port":80,"method":"HEAD","headers":{"Host":"shop.example","x":["1","2"]},"status":["200-299",304]}}"#;
        assert_eq!(get(text), expected.statuses([200..=299, 304..=304]));
        assert_eq!(get(r#"{"http":{"port":80,"status":"200-299"}}"#), HttpGet::new(80).statuses([200..=299]));
        assert_eq!(get(r#"{"http":{"port":80,"status":"204"}}"#), HttpGet::new(80).status(204));
    }

    /// PB-07: null means absent; the values of headers appear in none of our texts.
    #[test]
    fn nothing_and_secrets() {
        let text = r#"{"http":null,"exec":null,"interval":null,"tcpSocket":{"port":80,"host":null},"grpc":null}"#;
        assert_eq!(parse(text).unwrap().kind, ProbeKind::Tcp(TcpConnect::new(80)));
        assert!(parse(r#"{"http":{"port":null}}"#).unwrap_err().starts_with("http.port: has to be set"));
        let spec = parse(r#"{"http":{"port":80,"headers":{"authorization":"s3cret"}}}"#).unwrap();
        let shown = format!("{spec:?}");
        assert!(shown.contains("authorization") && !shown.contains("s3cret"), "{shown}");
        let error = parse(r#"{"http":{"port":80,"headers":{"authorization":"s3cret\n"}}}"#).unwrap_err();
        assert!(error.contains("authorization") && !error.contains("s3cret"), "{error}");
    }

    /// PB-07: a probe from a Kubernetes manifest is read unchanged, with the defaults it has there.
    #[test]
    fn kubernetes() {
        let second = |seconds: u32| seconds * SECOND;
        let policy = |interval, timeout, start, failures, successes| {
            let policy = ProbePolicy::builder().interval(second(interval)).timeout(second(timeout));
            let policy = policy.start_period(second(start)).failure_threshold(failures).success_threshold(successes);
            policy.build().unwrap()
        };
        let http = |get: HttpGet| ProbeKind::Http(get.statuses([200..=399]));
        for (text, kind, policy) in [
            (
                r#"{"httpGet":{"path":"/healthz","port":8080,"httpHeaders":[{"name":"X-Probe","value":"yes"}]},
                    "initialDelaySeconds":3,"periodSeconds":3}"#,
                http(HttpGet::new(8080).path("/healthz").header("X-Probe", "yes")),
                policy(3, 1, 3, 3, 1),
            ),
            (
                r#"{"httpGet":{"path":"healthz","port":443,"host":"db","scheme":"HTTPS"},"timeoutSeconds":5,
                    "periodSeconds":0,"successThreshold":2,"failureThreshold":30}"#,
                http(HttpGet::new(443).path("/healthz").host("db").scheme(Scheme::Https)),
                policy(10, 5, 0, 30, 2),
            ),
            (
                r#"{"tcpSocket":{"port":8080,"host":""},"initialDelaySeconds":15,"grpc":null}"#,
                ProbeKind::Tcp(TcpConnect::new(8080)),
                policy(10, 1, 15, 3, 1),
            ),
            (
                r#"{"exec":{"command":["cat","/tmp/healthy"]},"periodSeconds":5,"timeoutSeconds":10}"#,
                ProbeKind::Exec(Exec::new(["cat", "/tmp/healthy"])),
                policy(5, 10, 0, 3, 1),
            ),
        ] {
            assert_eq!(parse(text).unwrap(), ProbeSpec { kind, policy }, "{text}");
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
