//! What a process calls itself in rows and logs. Nothing is ever decided by it.

use std::process;

use crate::random;

const MOST: usize = 80;

/// `<host>-<pid>-<8 hex digits>`, at most 80 bytes, new with each call.
#[must_use]
pub fn process_name() -> String {
    let tail = format!("-{}-{:08x}", process::id(), random::unique() as u32);
    let mut host = host();
    host.truncate(host.floor_char_boundary(MOST.saturating_sub(tail.len())));
    host + &tail
}

/// The kernel's name for this machine where there is a file that has it, else the environment's.
fn host() -> String {
    let read =
        std::fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| std::fs::read_to_string("/etc/hostname"));
    let name = read.ok().or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default();
    let name: String = name.trim().chars().filter(|c| !c.is_control()).collect();
    if name.is_empty() { "host".to_owned() } else { name }
}
