//! Where the servers are.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::command;

/// The variable that names the directory of Postgres' programs.
pub const PG_BIN: &str = "SEAWORTHY_PG_BIN";

/// Debian has a directory for each version here.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Where servers are that a user's PATH may not name.
const SYSTEM: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/sbin"];

/// Where to look.
struct Places {
    pg_bin: Option<OsString>,
    path: Vec<PathBuf>,
    debian: PathBuf,
}

impl Places {
    fn of_this_machine() -> Places {
        let path = env::var_os("PATH").unwrap_or_default();
        let path = env::split_paths(&path).chain(SYSTEM.map(PathBuf::from)).collect();
        Places { pg_bin: env::var_os(PG_BIN), path, debian: PathBuf::from(DEBIAN) }
    }

    fn program(&self, names: &[&str], package: &str) -> PathBuf {
        let of_name = |name: &&str| self.path.iter().map(|place| place.join(name)).find(|path| path.is_file());
        names.iter().find_map(of_name).unwrap_or_else(|| missing(names, package, "PATH"))
    }

    /// The directory with `postgres`, `initdb` and `psql`. On Debian only the last is in PATH.
    fn postgres(&self) -> PathBuf {
        let is_whole = |place: &Path| ["postgres", "initdb", "psql"].iter().all(|name| place.join(name).is_file());
        if let Some(given) = &self.pg_bin {
            let given = PathBuf::from(given);
            assert!(is_whole(&given), "{PG_BIN}={} has no postgres, initdb and psql", given.display());
            return given;
        }
        if let Some(place) = self.path.iter().find(|place| is_whole(place)) {
            return place.clone();
        }
        let versions = std::fs::read_dir(&self.debian).into_iter().flatten().flatten();
        let mut versions: Vec<(Vec<u32>, PathBuf)> = versions
            .filter_map(|entry| {
                let name = entry.file_name();
                let version = name.to_str()?.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
                Some((version, entry.path().join("bin")))
            })
            .filter(|(_, place)| is_whole(place))
            .collect();
        versions.sort();
        let newest = versions.pop().map(|(_, place)| place);
        newest.unwrap_or_else(|| missing(&["postgres"], "postgresql", &format!("{PG_BIN}, PATH and {DEBIAN}")))
    }
}

fn missing(names: &[&str], package: &str, places: &str) -> ! {
    panic!(
        "there is no {} in {places}. It is in Debian's package `{package}`: apt-get install {package}",
        names.join(" or ")
    );
}

/// The directory of Postgres' programs.
pub(crate) fn postgres() -> PathBuf {
    let place = Places::of_this_machine().postgres();
    print_version(&place.join("postgres"));
    place
}

pub(crate) fn redis() -> PathBuf {
    let program = Places::of_this_machine().program(&["redis-server", "valkey-server"], "redis-server");
    print_version(&program);
    program
}

pub(crate) fn pgbouncer() -> PathBuf {
    let program = Places::of_this_machine().program(&["pgbouncer"], "pgbouncer");
    print_version(&program);
    program
}

/// Once for each program.
fn print_version(program: &Path) {
    static PRINTED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    if PRINTED.lock().unwrap_or_else(PoisonError::into_inner).insert(program.to_owned()) {
        let version = command::output(Command::new(program).arg("--version"), Duration::from_secs(10));
        println!("{}: {}", program.display(), version.unwrap_or_else(|error| error).lines().next().unwrap_or(""));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::guard::Guard;

    fn install(place: &Path, programs: &[&str]) {
        fs::create_dir_all(place).expect("it can be made");
        for program in programs {
            fs::write(place.join(program), "").expect("it can be written");
        }
    }

    fn why(find: impl FnOnce() -> PathBuf) -> String {
        let failure = std::panic::catch_unwind(std::panic::AssertUnwindSafe(find)).expect_err("it is not there");
        failure.downcast_ref::<String>().expect("it says why").clone()
    }

    /// FK-02: the variable, else PATH, else the highest of Debian's versions, by number and not by letter.
    #[test]
    fn postgres_is_found_in_three_places() {
        const WHOLE: [&str; 3] = ["postgres", "initdb", "psql"];
        let guard = Guard::of_directory("find");
        let root = guard.directory();
        let debian = root.join("debian");
        for version in ["9.6", "15", "8.4", "common"] {
            install(&debian.join(version).join("bin"), &WHOLE);
        }
        // Half removed: the client's package only.
        install(&debian.join("17").join("bin"), &["psql"]);
        install(&root.join("given"), &WHOLE);
        install(&root.join("of-path"), &WHOLE);
        install(&root.join("client"), &["psql"]);

        let client_only = vec![root.join("client")];
        let mut places = Places { pg_bin: None, path: client_only, debian: debian.clone() };
        assert_eq!(places.postgres(), debian.join("15/bin"));
        places.path.push(root.join("of-path"));
        assert_eq!(places.postgres(), root.join("of-path"));
        places.pg_bin = Some(root.join("given").into());
        assert_eq!(places.postgres(), root.join("given"));
        // What was named and is not there is not replaced by something else.
        places.pg_bin = Some(root.join("nowhere").into());
        assert!(why(|| places.postgres()).contains(PG_BIN));
    }

    /// FK-02: redis-server, else valkey-server.
    #[test]
    fn valkey_will_do() {
        let guard = Guard::of_directory("find");
        let root = guard.directory();
        install(&root.join("a"), &["valkey-server"]);
        let mut places = Places { pg_bin: None, path: vec![root.join("a")], debian: root.join("none") };
        let names = ["redis-server", "valkey-server"];
        assert_eq!(places.program(&names, "redis-server"), root.join("a/valkey-server"));
        install(&root.join("b"), &["redis-server"]);
        places.path.push(root.join("b"));
        assert_eq!(places.program(&names, "redis-server"), root.join("b/redis-server"));
    }

    /// FK-02: what is not found is a panic that names the package and the command.
    #[test]
    fn a_missing_server_says_how_to_install_it() {
        let places = Places { pg_bin: None, path: vec!["/nowhere".into()], debian: "/nowhere".into() };
        assert!(why(|| places.postgres()).contains("apt-get install postgresql"));
        assert!(why(|| places.program(&["pgbouncer"], "pgbouncer")).contains("apt-get install pgbouncer"));
    }
}
