//! Real processes.

use std::path::{Path, PathBuf};
use std::time::Duration;

use seaworthy::ProbeState;
use seaworthy::prober::{Exec, ExecProbe, Probe};

use super::{error, prober, quick, until};
use crate::support::{MS, SECOND};

async fn run(command: &[&str]) -> Result<(), String> {
    let probe = ExecProbe::new(Exec::new(command.iter().copied())).unwrap();
    probe.probe().await.map_err(|error| error.to_string())
}

async fn shell(script: &str) -> Result<(), String> {
    run(&["sh", "-c", script]).await
}

/// PR-01: exit code 0 and nothing else.
#[tokio::test]
async fn exit_codes() {
    assert_eq!(run(&["true"]).await, Ok(()));
    assert_eq!(run(&["false"]).await, Err("exit status: 1".into()));
    assert_eq!(shell("exit 77").await, Err("exit status: 77".into()));
    assert!(shell("kill -9 $$").await.unwrap_err().starts_with("signal: 9"));
    let missing = run(&["/no/such/program"]).await.unwrap_err();
    assert!(missing.starts_with("/no/such/program: ") && missing.contains("No such file"), "{missing}");
}

/// PR-01: there is no shell: arguments are passed unchanged.
#[tokio::test]
async fn no_shell() {
    assert_eq!(run(&["test", "$HOME; false", "=", "$HOME; false"]).await, Ok(()));
    assert!(run(&["true; true"]).await.is_err());
}

/// PR-08: the error output of a command appears in the error; however much it writes, it is not blocked.
#[tokio::test]
async fn the_error_output() {
    assert_eq!(shell("echo the disk is full >&2; exit 3").await, Err("exit status: 3: the disk is full".into()));
    let much = shell("yes | head -c 3000000 >&2; yes | head -c 3000000; exit 3").await.unwrap_err();
    assert!(much.starts_with("exit status: 3: y\ny") && much.len() <= 16 + 512, "{} bytes", much.len());
    assert_eq!(shell("cat; echo nothing to read >&2; exit 1").await, Err("exit status: 1: nothing to read".into()));
    // A process left behind that keeps the error output open holds nothing up.
    let left = tokio::time::timeout(5 * SECOND, shell("sleep 30 & echo $! >&2; exit 1")).await.unwrap().unwrap_err();
    let pid = left.rsplit(' ').next().unwrap();
    std::process::Command::new("kill").arg(pid).status().unwrap();
}

/// Whether a process exists, and is not just a zombie waiting to be reaped.
fn lives(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with('Z'))
}

/// A file that does not exist, for this test alone.
fn file(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("seaworthy-{}-{name}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

fn pids(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// PR-07: a command that ignores SIGTERM is gone after its timeout, with its children and theirs.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn killed_with_all_its_children() {
    let path = file("timeout");
    let name = path.display();
    let script = format!(
        "trap '' TERM; echo $$ >> {name}; (trap '' TERM; sh -c 'echo $$ >> {name}; sleep 60; true'; true) & wait; sleep 60"
    );
    let prober = prober();
    let policy = quick().interval(60 * SECOND).timeout(Duration::from_millis(700)).build().unwrap();
    let target = prober.add("a", policy, ExecProbe::new(Exec::new(["sh", "-c", &script])).unwrap()).unwrap();
    let task = prober.spawn();
    until("both run", || pids(&path).len() == 2).await;
    assert!(pids(&path).iter().all(|pid| lives(pid)));
    assert_eq!(target.status().unwrap().failures, 0);
    until("the timeout", || target.status().unwrap().failures == 1).await;
    assert_eq!(error(&target).as_deref(), Some("timed out after 700ms"));
    until("all are gone", || !pids(&path).iter().any(|pid| lives(pid))).await;
    let own = PathBuf::from(format!("/proc/{}", pids(&path)[0]));
    until("no zombie is left of it", || !own.exists()).await;
    task.stop().await;
    std::fs::remove_file(path).unwrap();
}

/// PR-10: so is one whose target is removed, or whose prober stops; and one that is dropped.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn killed_when_it_is_given_up() {
    for end in 0..3 {
        let path = file(&format!("drop-{end}"));
        let script = format!("trap '' TERM; sleep 60 & echo $! >> {0}; echo $$ >> {0}; wait", path.display());
        let exec = || ExecProbe::new(Exec::new(["sh", "-c", &script])).unwrap();
        let there = || pids(&path).len() == 2;
        if end == 2 {
            let probe = exec();
            tokio::select! {
                _ = probe.probe() => unreachable!(),
                () = until("both run", there) => {}
            }
        } else {
            let prober = prober();
            let policy = quick().interval(60 * SECOND).timeout(50 * SECOND).build().unwrap();
            let target = prober.add("a", policy, exec()).unwrap();
            let task = prober.spawn();
            until("both run", there).await;
            if end == 0 {
                target.remove();
            } else {
                task.stop().await;
            }
        }
        until("all are gone", || !pids(&path).iter().any(|pid| lives(pid))).await;
        std::fs::remove_file(path).unwrap();
    }
}

/// PR-03: a command that fails and then works again.
#[tokio::test]
async fn sick_and_well_again() {
    let path = file("flag");
    let prober = prober();
    let policy = quick().interval(500 * MS).failure_threshold(2).build().unwrap();
    let exec = Exec::new(["test".to_owned(), "-e".to_owned(), path.display().to_string()]);
    let target = prober.add("a", policy, ExecProbe::new(exec).unwrap()).unwrap();
    let task = prober.spawn();
    until("unhealthy", || target.state() == ProbeState::Unhealthy).await;
    std::fs::write(&path, "").unwrap();
    until("healthy", || target.state() == ProbeState::Healthy).await;
    std::fs::remove_file(&path).unwrap();
    until("unhealthy again", || target.state() == ProbeState::Unhealthy).await;
    task.stop().await;
}

/// The command line of the children below: this test alone, of this very program.
#[cfg(target_os = "linux")]
fn as_a_child(test: &str, before: &[&str]) {
    let own = std::env::current_exe().unwrap();
    let test = format!("prober::exec::{test}");
    let arguments = ["--exact", &test, "--ignored", "--nocapture"];
    let mut command = std::process::Command::new("env");
    command.args(before).arg(own).args(arguments);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{before:?}: {text}");
}

/// PB-02: a command's result does not depend on what the program inherited: ignored and blocked signals.
#[cfg(target_os = "linux")]
#[test]
fn whatever_was_inherited() {
    for before in [
        &["--ignore-signal=CHLD"][..],
        &["--block-signal=CHLD"],
        &["--ignore-signal=CHLD,TERM,ALRM,USR1", "--block-signal=CHLD,TERM,ALRM,INT"],
        &[],
    ] {
        as_a_child("inherits", before);
    }
}

#[cfg(target_os = "linux")]
#[ignore = "a part of another test"]
#[tokio::test]
async fn inherits() {
    assert_eq!(run(&["true"]).await, Ok(()));
    assert_eq!(shell("exit 77").await, Err("exit status: 77".into()));
    assert_eq!(shell("(exit 5) & wait $!; exit $?").await, Err("exit status: 5".into()));
    let signals = shell("grep -e SigBlk -e SigIgn /proc/self/status >&2; exit 1").await.unwrap_err();
    let sets: Vec<_> = signals.lines().filter_map(|line| line.split_once(":\t")).map(|(_, set)| set).collect();
    assert_eq!(sets.len(), 2, "{signals}");
    for set in sets {
        // The C library keeps 32 and 33 for itself.
        assert_eq!(u64::from_str_radix(set, 16).unwrap() & !(0b11 << 31), 0, "{signals}");
    }
}

/// PB-02: if the program is process 1, or acts as it, no zombie is left of a cancelled command, nor of its children and
/// theirs, nor of what a command has left behind; and other children are left alone.
#[cfg(target_os = "linux")]
#[test]
fn as_process_1() {
    as_a_child("reaps", &[]);
}

#[cfg(target_os = "linux")]
#[ignore = "a part of another test"]
#[tokio::test]
async fn reaps() {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid())).unwrap();
    let gone = |path: &Path| !pids(path).iter().any(|pid| Path::new(&format!("/proc/{pid}")).exists());
    let mut foreign = std::process::Command::new("true").spawn().unwrap();

    let path = file("reaped");
    let name = path.display();
    let script = format!(
        r#"echo $$ >> {name}; sh -c 'echo $$ >> {name}; sh -c "echo \$\$ >> {name}; sleep 60; true" & wait' & wait; sleep 60"#
    );
    let prober = prober();
    let policy = quick().interval(60 * SECOND).timeout(50 * SECOND).build().unwrap();
    let probe = ExecProbe::new(Exec::new(["sh", "-c", &script])).unwrap();
    prober.add("a", policy, probe).unwrap();
    let task = prober.spawn();
    until("all run", || pids(&path).len() == 3).await;
    assert!(pids(&path).iter().all(|pid| lives(pid)));
    assert_eq!(task.stop().await, Vec::<seaworthy::Name>::new());
    assert!(gone(&path), "nothing is left when the stop has ended: {:?}", pids(&path));
    std::fs::remove_file(&path).unwrap();

    let script = format!("sh -c 'echo $$ >> {name}; sleep 0.3; true' & exit 0");
    assert_eq!(shell(&script).await, Ok(()));
    until("it is there", || !pids(&path).is_empty()).await;
    until("what was left behind is gone, too", || gone(&path)).await;
    std::fs::remove_file(path).unwrap();
    assert!(foreign.wait().unwrap().success());
}
