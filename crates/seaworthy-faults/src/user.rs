//! Whom a server runs as that refuses to run as root.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::command;

/// A user of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub uid: u32,
    pub gid: u32,
}

/// As root, `postgres` or else `nobody`; as anybody else nobody other than oneself.
pub(crate) fn for_servers() -> Option<User> {
    choose(rustix::process::geteuid().is_root(), of_name)
}

fn choose(is_root: bool, find: impl Fn(&str) -> Option<User>) -> Option<User> {
    if !is_root {
        return None;
    }
    let found = find("postgres").or_else(|| find("nobody"));
    Some(found.expect("Postgres does not run as root, and there is neither a user `postgres` nor `nobody`"))
}

/// `id` is of POSIX, and asks whatever this machine keeps its users in.
fn of_name(name: &str) -> Option<User> {
    let ask = |flag: &str| {
        let answer = command::output(Command::new("id").args([flag, name]), Duration::from_secs(10)).ok()?;
        answer.trim().parse().ok()
    };
    Some(User { uid: ask("-u")?, gid: ask("-g")? })
}

/// Gives a file or directory to this user.
pub(crate) fn give(path: &Path, to: Option<User>) {
    let Some(user) = to else { return };
    let given = std::os::unix::fs::chown(path, Some(user.uid), Some(user.gid));
    given.unwrap_or_else(|error| panic!("{} cannot be given to uid {}: {error}", path.display(), user.uid));
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSTGRES: User = User { uid: 101, gid: 104 };
    const NOBODY: User = User { uid: 65_534, gid: 65_534 };

    /// FK-03: as root `postgres`, else `nobody`; as anybody else as oneself.
    #[test]
    fn whom_a_server_runs_as() {
        let both = |name: &str| Some(if name == "postgres" { POSTGRES } else { NOBODY });
        assert_eq!(choose(true, both), Some(POSTGRES));
        assert_eq!(choose(true, |name| (name == "nobody").then_some(NOBODY)), Some(NOBODY));
        assert_eq!(choose(false, |_| panic!("nobody is looked for")), None);
        assert!(std::panic::catch_unwind(|| choose(true, |_| None)).is_err());
    }

    #[test]
    fn a_user_is_found_by_name() {
        assert_eq!(of_name("root"), Some(User { uid: 0, gid: 0 }));
        assert_eq!(of_name("no-such-user-here"), None);
    }
}
