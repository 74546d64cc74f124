//! A guard of the hot path: instructions and allocations a call, as valgrind counts them, beside those that are written
//! down. What else the machine does changes neither.

mod pinned;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use pinned::Pinned;

use crate::{cargo, numbers};

/// The file that holds them.
const FILE: &str = "benches/rows/instructions.txt";

/// Counts, and compares with the file or writes it.
pub(crate) fn run(root: &Path, bless: bool) -> ExitCode {
    match check(root, bless) {
        Ok(findings) if findings.is_empty() => ExitCode::SUCCESS,
        Ok(findings) => {
            println!("instructions: {} findings", findings.len());
            findings.iter().for_each(|finding| println!("  {finding}"));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn check(root: &Path, bless: bool) -> Result<Vec<String>, String> {
    let compiler = cargo::compiler(root)?;
    let file = root.join(FILE);
    let pinned = if bless {
        None
    } else {
        let text = fs::read_to_string(&file)
            .map_err(|error| format!("{FILE}: {error} (cargo xtask instructions --bless writes it)"))?;
        let pinned = Pinned::read(&text).map_err(|error| format!("{FILE}: {error}"))?;
        // Before anything is built: with another compiler nothing can be said.
        pinned.is_of(&compiler)?;
        Some(pinned)
    };
    let counted = Pinned { compiler, counts: numbers::counts(root, &numbers::guarded())? };
    print!("{}", counted.table());
    let Some(pinned) = pinned else {
        fs::write(&file, counted.write()).map_err(|error| format!("{FILE}: {error}"))?;
        println!("instructions: written to {FILE}");
        return Ok(Vec::new());
    };
    let findings = pinned.findings(&counted.counts);
    if findings.is_empty() {
        println!("instructions: holds");
    }
    Ok(findings)
}
