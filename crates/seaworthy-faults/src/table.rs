//! Who is whose child, and who is stopped: the system's table of processes.

use std::process::Command;
use std::time::{Duration, Instant};
use std::{fs, thread};

use rustix::process::{Pid, Signal, kill_process};

/// One process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub pid: u32,
    pub parent: u32,
    /// `T` if it is stopped, `Z` if it is dead and was not waited for.
    pub state: char,
    /// When it began, in ticks of the system's; 0 where that cannot be read. With the number it names one process only.
    pub began: u64,
}

/// This process, if there is one, dead or alive.
pub(crate) fn look(pid: u32) -> Option<Row> {
    if cfg!(target_os = "linux") {
        return of_proc(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?);
    }
    of_ps().into_iter().find(|row| row.pid == pid)
}

/// The children of this process.
pub(crate) fn children(parent: u32) -> Vec<Row> {
    let mut rows = if cfg!(target_os = "linux") { all_of_proc() } else { of_ps() };
    rows.retain(|row| row.parent == parent);
    rows
}

/// Whether it is the same process, and not dead.
pub(crate) fn is_alive(row: &Row) -> bool {
    look(row.pid).is_some_and(|now| now.began == row.began && now.state != 'Z')
}

/// Whether it is stopped, or was until it died.
pub(crate) fn is_stopped(row: &Row) -> bool {
    look(row.pid).is_none_or(|now| now.began != row.began || matches!(now.state, 'T' | 't' | 'Z'))
}

/// Sends a signal to a process, unless it is gone.
pub(crate) fn signal(row: &Row, signal: Signal) {
    let Some(pid) = i32::try_from(row.pid).ok().and_then(Pid::from_raw) else { return };
    if is_alive(row) {
        // It may have ended in between; then there is nothing to do.
        let _ = kill_process(pid, signal);
    }
}

/// As long as something is awaited that was asked for: a Postgres that ends in order has to write what it has.
const LIMIT: Duration = Duration::from_secs(20);

/// Looks again and again, and fails after the limit.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + LIMIT;
    while !is_so() {
        assert!(Instant::now() < until, "after {LIMIT:?} not yet: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

fn all_of_proc() -> Vec<Row> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    numbers.filter_map(|pid| of_proc(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)).collect()
}

/// `4711 (a name) S 1 …`: the name may contain anything, so what follows is counted from its last parenthesis.
fn of_proc(stat: &str) -> Option<Row> {
    let (pid, rest) = stat.split_once(' ')?;
    let mut fields = rest.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    let began = fields.nth(17)?.parse().ok()?;
    Some(Row { pid: pid.parse().ok()?, parent, state, began })
}

/// What every other Unix has.
fn of_ps() -> Vec<Row> {
    let output = Command::new("ps").args(["-A", "-o", "pid=", "-o", "ppid=", "-o", "stat="]).output();
    let output = output.unwrap_or_else(|error| panic!("ps does not start: {error}"));
    String::from_utf8_lossy(&output.stdout).lines().filter_map(of_ps_line).collect()
}

fn of_ps_line(line: &str) -> Option<Row> {
    let mut words = line.split_whitespace();
    let (pid, parent) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    Some(Row { pid, parent, state: words.next()?.chars().next()?, began: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_contain_anything() {
        let stat = "47 (a) R 1 (b) S 12 47 47 0 -1 4194560 1 0 0 0 2 3 0 0 20 0 1 0 991 1 2 3";
        assert_eq!(of_proc(stat), Some(Row { pid: 47, parent: 12, state: 'S', began: 991 }));
        assert_eq!(of_proc(""), None);
    }

    #[test]
    fn a_line_of_ps() {
        assert_eq!(of_ps_line("   47  12 Ss+"), Some(Row { pid: 47, parent: 12, state: 'S', began: 0 }));
        assert_eq!(of_ps_line(""), None);
    }

    #[test]
    fn this_process_is_in_the_table() {
        let own = look(std::process::id()).expect("it runs");
        assert!(is_alive(&own) && !is_stopped(&own));
        assert!(children(own.parent).iter().any(|child| (child.pid, child.began) == (own.pid, own.began)));
        // Same number, another process.
        let other = Row { began: own.began + 1, ..own };
        assert!(!is_alive(&other) || own.began == 0);
    }
}
