//! Runs programs: against the clock, and under valgrind, which counts.

use std::path::Path;
use std::process::Command;

/// The calls of two runs; what lies between them is what that many calls cost, without the start and the end.
const CALLS: [u32; 2] = [10_000, 30_000];

/// Sees to it that there is a valgrind: where that is not so, it is installed by apt, which takes root.
pub(crate) fn need_valgrind() -> Result<(), String> {
    let is_there = || Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success());
    if is_there() {
        return Ok(());
    }
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
        command.output().is_ok_and(|output| output.status.success())
    };
    eprintln!("-- installing valgrind");
    let install: &[&str] = &["install", "--yes", "--no-install-recommends", "valgrind"];
    if (apt(install) || (apt(&["update"]) && apt(install))) && is_there() {
        return Ok(());
    }
    Err("missing: valgrind, which counts instructions, and which apt-get does not install here \
         (as root: apt-get install valgrind)"
        .into())
}

/// Nanoseconds a call, as one process sees it.
pub(crate) fn time(program: &Path) -> Result<f64, String> {
    number(&output(Command::new(program).arg("time"))?.0)
}

/// What the program prints.
pub(crate) fn print(program: &Path) -> Result<f64, String> {
    number(&output(&mut Command::new(program))?.0)
}

/// Instructions a call.
pub(crate) fn instructions(program: &Path) -> Result<f64, String> {
    a_call(|calls| {
        let mut command = Command::new("valgrind");
        command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
        let (_, said) = output(command.arg(program).args(["calls", &calls.to_string()]))?;
        collected(&said).ok_or_else(|| format!("callgrind did not say what it collected, but:\n{said}"))
    })
}

/// Allocations a call.
pub(crate) fn allocations(program: &Path) -> Result<f64, String> {
    a_call(|calls| {
        let mut command = Command::new("valgrind");
        command.args(["--tool=memcheck", "--leak-check=no", "--undef-value-errors=no"]);
        let (_, said) = output(command.arg(program).args(["calls", &calls.to_string()]))?;
        allocated(&said).ok_or_else(|| format!("memcheck did not say what was allocated, but:\n{said}"))
    })
}

fn a_call(count: impl Fn(u32) -> Result<u64, String>) -> Result<f64, String> {
    let [few, many] = [count(CALLS[0])?, count(CALLS[1])?];
    Ok(many.saturating_sub(few) as f64 / f64::from(CALLS[1] - CALLS[0]))
}

/// `==1== Collected : 1234`
fn collected(said: &str) -> Option<u64> {
    let (_, rest) = said.split_once("Collected : ")?;
    rest.split_whitespace().next()?.parse().ok()
}

/// `==1==   total heap usage: 1,234 allocs, 5 frees, 6 bytes allocated`
fn allocated(said: &str) -> Option<u64> {
    let (_, rest) = said.split_once("total heap usage: ")?;
    rest.split_whitespace().next()?.replace(',', "").parse().ok()
}

/// What a program that must succeed writes to its two streams.
fn output(command: &mut Command) -> Result<(String, String), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let [said, complained] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    if output.status.success() { Ok((said, complained)) } else { Err(format!("{command:?}: {complained}")) }
}

fn number(said: &str) -> Result<f64, String> {
    said.trim().parse().map_err(|error| format!("`{said}` is no number: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_valgrind_says() {
        let said = "==7== Events    : Ir\n==7== Collected : 3049531\n==7==\n==7== I   refs:      3,049,531\n";
        assert_eq!(collected(said), Some(3_049_531));
        assert_eq!(collected("==7== Events    : Ir\n"), None);
        let said = "==7==   total heap usage: 30,026 allocs, 30,012 frees, 3,368,245 bytes allocated\n";
        assert_eq!(allocated(said), Some(30_026));
        assert_eq!(allocated("==7== HEAP SUMMARY:\n"), None);
    }

    #[test]
    fn the_difference_of_two_runs_is_divided() {
        assert_eq!(a_call(|calls| Ok(1_000_000 + 93 * u64::from(calls))), Ok(93.0));
        assert_eq!(a_call(|_| Err("no".into())), Err("no".into()));
    }
}
