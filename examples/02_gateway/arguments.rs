//! The command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::time::Duration;

use axum::http::Uri;
use axum::http::uri::{Authority, Scheme};

pub(crate) const HELP: &str = "\
usage: 02_gateway
           shows outages by itself, in a few seconds
       02_gateway --listen ADDRESS --upstream URL [--timeout SECONDS] [--open-for SECONDS]
           passes requests on to an HTTP server, until Ctrl-C

  --listen ADDRESS    where to listen, such as 127.0.0.1:8080; port 0 takes any free port
  --upstream URL      the server, such as http://127.0.0.1:9000
  --timeout SECONDS   how long the upstream may take to answer a call; 10 unless set
  --open-for SECONDS  how long the circuit stays open after 5 failures in a row; 5 unless set
  --help              this text";

pub(crate) enum Arguments {
    Demo,
    Help,
    Listen(Listen),
}

pub(crate) struct Listen {
    pub(crate) address: SocketAddr,
    pub(crate) upstream: Authority,
    pub(crate) timeout: Duration,
    pub(crate) open_for: Duration,
}

pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Arguments, String> {
    let (mut address, mut upstream, mut timeout, mut open_for) = (None, None, None, None);
    let mut arguments = arguments.map(|argument| {
        argument.into_string().map_err(|argument| format!("not in UTF-8: {}", argument.to_string_lossy()))
    });
    while let Some(argument) = arguments.next().transpose()? {
        // Both `--name value` and `--name=value`.
        let (name, glued) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (argument.as_str(), None),
        };
        let mut value = || match glued.clone() {
            Some(value) => Ok(value),
            None => arguments.next().unwrap_or_else(|| Err(format!("{name} needs a value"))),
        };
        match name {
            "--help" | "-h" => return Ok(Arguments::Help),
            "--listen" => address = Some(an_address(&value()?)?),
            "--upstream" => upstream = Some(an_upstream(&value()?)?),
            "--timeout" => timeout = Some(a_time(name, &value()?)?),
            "--open-for" => open_for = Some(a_time(name, &value()?)?),
            _ => return Err(format!("unknown argument: {argument}")),
        }
    }
    match (address, upstream) {
        (Some(address), Some(upstream)) => Ok(Arguments::Listen(Listen {
            address,
            upstream,
            timeout: timeout.unwrap_or(Duration::from_secs(10)),
            open_for: open_for.unwrap_or(Duration::from_secs(5)),
        })),
        (None, None) if timeout.is_none() && open_for.is_none() => Ok(Arguments::Demo),
        (None, _) => Err("--listen is missing".into()),
        (_, None) => Err("--upstream is missing".into()),
    }
}

fn an_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("--listen needs an IP address and a port, such as 127.0.0.1:8080, not {text:?}"))
}

fn an_upstream(text: &str) -> Result<Authority, String> {
    let bad = |problem| format!("--upstream needs a URL such as http://127.0.0.1:9000, not {text:?}: {problem}");
    let uri: Uri = text.parse().map_err(|error| bad(format!("{error}")))?;
    if uri.scheme() != Some(&Scheme::HTTP) {
        return Err(bad("it must begin with http://".into()));
    }
    if uri.path_and_query().is_some_and(|rest| rest != "/") {
        return Err(bad("the path comes from the caller".into()));
    }
    let authority = uri.authority().ok_or_else(|| bad("there is no host in it".into()))?;
    if authority.as_str().contains('@') {
        return Err(bad("it must not hold a password".into()));
    }
    Ok(authority.clone())
}

fn a_time(name: &str, text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds
        .filter(|time| !time.is_zero())
        .ok_or_else(|| format!("{name} needs a number of seconds above 0, such as 2.5, not {text:?}"))
}
