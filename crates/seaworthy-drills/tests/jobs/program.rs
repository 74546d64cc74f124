//! What the program `jobs` is asked for.

use std::process::Command;

use seaworthy_drills::jobs::program::{Program, Store};
use seaworthy_drills::jobs::setup::Size;

fn read(args: &[&str]) -> Result<Program, String> {
    Program::read(args.iter().map(|&arg| arg.to_owned()))
}

/// RG-9: each argument is obeyed, and the number of jobs is the caller's.
#[test]
fn arguments() {
    let default = Program { store: Store::Sqlite, size: Size::Long, jobs: None, seed: None };
    assert_eq!(read(&[]), Ok(default.clone()));
    let asked = read(&["--short", "--store=sqlite", "--jobs=100000", "--seed=7"]);
    assert_eq!(asked, Ok(Program { size: Size::Short, jobs: Some(100_000), seed: Some(7), ..default }));
    #[cfg(feature = "servers")]
    for (name, store) in [("postgres", Store::Postgres), ("redis", Store::Redis)] {
        assert_eq!(read(&[&format!("--store={name}")]).map(|program| program.store), Ok(store));
    }
}

/// RG-9: what is not known, or not a number that there can be, is an error that names it.
#[test]
fn unknown_arguments() {
    for wrong in
        ["--sort", "--store=mysql", "--store", "--short=yes", "--jobs=0", "--jobs=many", "--seed=x", "short", ""]
    {
        let error = read(&[wrong]).expect_err(wrong);
        assert!(error.starts_with(wrong), "{error}");
    }
}

/// DR-16: with an argument that is not known the program does nothing, says what there is, and ends with 1.
#[test]
fn ends_with_1() {
    let ended = Command::new(env!("CARGO_BIN_EXE_jobs")).arg("--sort").output().expect("a program");
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.starts_with("--sort? There are --short,"), "{said}");
    assert!(ended.stdout.is_empty());
}
