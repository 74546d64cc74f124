//! The command line.

use std::ffi::OsString;
use std::time::Duration;

use axum::http::Uri;
use axum::http::uri::Scheme;

use crate::service::{Misbehaviour, Settings};

pub(crate) const HELP: &str = "\
usage: 06_service --demo
           plays through a service's life in a few seconds
       06_service [--listen ADDRESS] [--dependency URL] [--drain SECONDS] [--grace SECONDS]
           serves /hello, /slow?ms=N, /orders and /health/..., until Ctrl-C or SIGTERM

  --listen ADDRESS    where to listen; 127.0.0.1:8080 unless set, and port 0 takes any free port
  --dependency URL    the server that /orders asks, such as http://127.0.0.1:9000; one in this process unless set
  --drain SECONDS     how long it goes on taking connections after readiness has said no; 5 after SIGTERM and 0
                      after Ctrl-C unless set
  --grace SECONDS     how long requests and tasks may take to finish after that; 30 unless set
  --misbehave HOW     adds a task that misbehaves: ignore-shutdown or panic
  --help              this text";

pub(crate) enum Arguments {
    Demo,
    Help,
    Serve(Settings),
}

pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Arguments, String> {
    let (mut settings, mut is_demo, mut is_set) = (Settings::default(), false, false);
    let mut arguments = arguments.map(|argument| {
        argument.into_string().map_err(|argument| format!("not in UTF-8: {}", argument.to_string_lossy()))
    });
    while let Some(argument) = arguments.next().transpose()? {
        // Both `--name value` and `--name=value`.
        let (name, glued) = match argument.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (argument.as_str(), None),
        };
        match (name, &glued) {
            ("--help" | "-h", None) => return Ok(Arguments::Help),
            ("--demo", None) => {
                is_demo = true;
                continue;
            }
            _ => is_set = true,
        }
        let mut value = || match glued.clone() {
            Some(value) => Ok(value),
            None => arguments.next().unwrap_or_else(|| Err(format!("{name} needs a value"))),
        };
        match name {
            "--listen" => {
                let text = value()?;
                settings.listen = text.parse().map_err(|_| {
                    format!("--listen needs an IP address and a port, such as 127.0.0.1:8080, not {text:?}")
                })?;
            }
            "--dependency" => settings.dependency = Some(a_url(&value()?)?),
            "--drain" => settings.drain = Some(a_time(name, &value()?)?),
            "--grace" => settings.grace = a_time(name, &value()?)?,
            "--misbehave" => settings.misbehaviour = Some(a_misbehaviour(&value()?)?),
            _ => return Err(format!("unknown argument: {argument}")),
        }
    }
    match (is_demo, is_set) {
        (true, true) => Err("--demo goes alone".into()),
        (true, false) => Ok(Arguments::Demo),
        (false, _) => Ok(Arguments::Serve(settings)),
    }
}

/// Without a trailing slash.
fn a_url(text: &str) -> Result<String, String> {
    let bad = |problem| format!("--dependency needs a URL such as http://127.0.0.1:9000, not {text:?}: {problem}");
    let uri: Uri = text.parse().map_err(|error| bad(format!("{error}")))?;
    if uri.scheme() != Some(&Scheme::HTTP) || uri.authority().is_none() {
        return Err(bad("it must begin with http:// and a host".into()));
    }
    if uri.query().is_some() {
        return Err(bad("it must not have a query".into()));
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn a_time(name: &str, text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or_else(|| format!("{name} needs a number of seconds, such as 2.5, not {text:?}"))
}

fn a_misbehaviour(text: &str) -> Result<Misbehaviour, String> {
    match text {
        "ignore-shutdown" => Ok(Misbehaviour::IgnoreShutdown),
        "panic" => Ok(Misbehaviour::Panic),
        _ => Err(format!("--misbehave needs ignore-shutdown or panic, not {text:?}")),
    }
}
