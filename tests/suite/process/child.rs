use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use seaworthy::BoxError;

/// Anything that takes longer than this, however busy the machine, has gone wrong.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// The example, built from the current code: running only these tests would otherwise find an old one, or none.
static EXAMPLE: LazyLock<PathBuf> = LazyLock::new(|| {
    // target/<profile>/deps/<this test>
    let test = std::env::current_exe().unwrap();
    let [profile, target] = [2, 3].map(|up| test.ancestors().nth(up).unwrap().to_owned());
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo.args(["build", "--quiet", "--all-features", "--example", "06_service", "--target-dir"]).arg(target);
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    assert!(cargo.status().unwrap().success(), "the example does not build");
    profile.join("examples/06_service")
});

pub(super) fn example() -> &'static Path {
    &EXAMPLE
}

/// The example, as a process. It is killed if the test forgets it.
pub(super) struct Service {
    child: Child,
    /// `http://ADDR`, which it prints first.
    pub(super) url: String,
    log: Option<JoinHandle<String>>,
    client: Client<HttpConnector, Empty<Bytes>>,
}

impl Service {
    pub(super) fn start(arguments: &[&str]) -> Service {
        let mut command = Command::new(example());
        command.args(["--listen", "127.0.0.1:0"]).args(arguments);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();

        let mut first = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut first).unwrap();
        let url = first.trim_end().strip_prefix("listening on ").expect("the first line tells where").to_owned();

        let mut errors = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            errors.read_to_string(&mut log).map_or_else(|error| error.to_string(), |_| log)
        });
        // A new connection for each request, as from many callers.
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
        Service { child, url, log: Some(log), client }
    }

    /// Requests a path; in a separate future.
    pub(super) fn get(&self, path: &str) -> impl Future<Output = Result<(u16, String), BoxError>> + Send + use<> {
        let (client, url) = (self.client.clone(), format!("{}{path}", self.url));
        async move {
            let response = client.get(url.parse()?).await?;
            let status = response.status().as_u16();
            let body = response.into_body().collect().await?.to_bytes();
            Ok((status, String::from_utf8(body.into())?))
        }
    }

    /// Requests readiness until it has this status. A refused connection is a failure.
    pub(super) async fn until_ready_is(&self, expected: u16) -> String {
        let start = Instant::now();
        loop {
            let (status, body) = self.get("/health/ready").await.expect("it still accepts connections");
            if status == expected {
                return body;
            }
            assert!(start.elapsed() < PATIENCE, "readiness is {status}, not {expected}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(super) fn signal(&self, name: &str) {
        let command = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success());
    }

    /// Waits for its end, and returns its status and its log.
    pub(super) async fn end(mut self) -> (ExitStatus, String) {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                let log = self.log.take().unwrap().join().unwrap();
                return (status, log);
            }
            assert!(start.elapsed() < PATIENCE, "it does not end");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
