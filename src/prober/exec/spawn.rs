//! How a command is started: in a process group of its own, with empty input and discarded output.

use std::io;
use std::os::fd::OwnedFd;

use rustix::process::Pid;

fn number(pid: i32) -> io::Result<Pid> {
    Pid::from_raw(pid).ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// `posix_spawn` can set the signals up for the command: none blocked, and none ignored.
#[cfg(any(target_os = "linux", target_os = "freebsd", target_os = "netbsd", target_vendor = "apple"))]
pub(super) fn spawn(program: &str, arguments: &[String], errors: OwnedFd) -> io::Result<Pid> {
    use std::ffi::CString;
    use std::fs::File;
    use std::os::fd::AsRawFd;
    use std::os::unix::ffi::OsStringExt;

    use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawnp};
    use nix::sys::signal::{SigSet, Signal};

    let mut attributes = PosixSpawnAttr::init()?;
    attributes.set_flags(
        PosixSpawnFlags::POSIX_SPAWN_SETPGROUP
            | PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK
            | PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF,
    )?;
    // A new group whose id is that of the command.
    attributes.set_pgroup(nix::unistd::Pid::from_raw(0))?;
    attributes.set_sigmask(&SigSet::empty())?;
    let mut all = SigSet::all();
    // The actions of these cannot be changed.
    [Signal::SIGKILL, Signal::SIGSTOP].into_iter().for_each(|signal| all.remove(signal));
    attributes.set_sigdefault(&all)?;

    let mut files = PosixSpawnFileActions::init()?;
    let nothing = File::options().read(true).write(true).open("/dev/null")?;
    files.add_dup2(nothing.as_raw_fd(), 0)?;
    files.add_dup2(nothing.as_raw_fd(), 1)?;
    files.add_dup2(errors.as_raw_fd(), 2)?;

    let program = CString::new(program)?;
    let mut whole = vec![program.clone()];
    for argument in arguments {
        whole.push(CString::new(argument.as_str())?);
    }
    let environment = std::env::vars_os().map(|(name, value)| {
        let mut line = name.into_vec();
        line.push(b'=');
        line.append(&mut value.into_vec());
        CString::new(line)
    });
    let environment = environment.collect::<Result<Vec<_>, _>>()?;
    number(posix_spawnp(&program, &files, &attributes, &whole, &environment)?.as_raw())
}

#[cfg(not(any(target_os = "linux", target_os = "freebsd", target_os = "netbsd", target_vendor = "apple")))]
pub(super) fn spawn(program: &str, arguments: &[String], errors: OwnedFd) -> io::Result<Pid> {
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};

    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors).process_group(0);
    number(command.spawn()?.id().try_into().unwrap_or_default())
}
