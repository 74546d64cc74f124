//! The tool without its process, so that tests can run it.

mod act;
mod arguments;
mod place;

use std::io::Write;
use std::process::ExitCode;

use arguments::{Asked, USAGE};

/// How it ended, as a process says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// All that was asked for is done.
    Done = 0,
    /// The store failed, or a job that was named is not dead; what else was asked for is done.
    Failed = 1,
    /// It was not asked in a way that it knows, and has done nothing.
    Usage = 2,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> ExitCode {
        ExitCode::from(code as u8)
    }
}

pub async fn run(arguments: &[String], out: &mut dyn Write, errors: &mut dyn Write) -> Code {
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        return if write!(out, "{USAGE}").is_ok() { Code::Done } else { Code::Failed };
    }
    let outcome = match Asked::from_arguments(arguments) {
        Ok(asked) => place::run(&asked, out, errors).await,
        Err(why) => {
            let _nowhere_to_say_it = write!(errors, "dead_letters: {why}\n\n{USAGE}");
            return Code::Usage;
        }
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            let _nowhere_to_say_it = writeln!(errors, "dead_letters: {error}");
            Code::Failed
        }
    }
}
