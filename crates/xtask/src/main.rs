//! Checks of this repository that no compiler makes. `cargo xtask` without a command lists them.

mod api;
mod cargo;
mod features;
mod house;
mod instructions;
mod mistakes;
mod numbers;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask house [CHECK...]   the invariants of the house, or only those of these names
       cargo xtask features           no feature, each, each pair and all, without a warning
       cargo xtask api [--bless]      the public API is as written down, or is written down anew
       cargo xtask instructions [--bless]
                                      instructions and allocations a call are as written down, or are written down anew";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let root = cargo::root();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["house", ..] => house::run(root, &arguments[1..]),
        ["features"] => features::run(root),
        ["api"] => api::run(root, false),
        ["api", "--bless"] => api::run(root, true),
        ["instructions"] => instructions::run(root, false),
        ["instructions", "--bless"] => instructions::run(root, true),
        ["numbers", ..] => numbers::run(root, &arguments[1..]),
        _ => {
            eprintln!("{USAGE}\n{}", numbers::USAGE);
            ExitCode::from(2)
        }
    }
}
