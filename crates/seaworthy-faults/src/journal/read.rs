//! The judges' side of a journal: all that all workers wrote, in the order in which it happened.

use std::path::Path;
use std::{fs, io};

use super::{Entry, Line};

/// What happened, as all the processes of a test wrote it down.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    lines: Vec<Line>,
}

impl Journal {
    /// Reads each `*.jsonl` of a directory, and merges them by time: they are of one machine, which has one clock.
    ///
    /// A last line that is not whole is left out, because its process was killed while it wrote.
    ///
    /// # Errors
    ///
    /// If a file cannot be read, or another line than its last is not one of a journal.
    pub fn read(directory: &Path) -> io::Result<Journal> {
        let mut lines = Vec::new();
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "jsonl") {
                let text = fs::read(&path)?;
                parse(&text, &mut lines).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
            }
        }
        Ok(Journal::from_lines(lines))
    }

    /// These lines, in the order of their times.
    pub fn from_lines(lines: impl IntoIterator<Item = Line>) -> Journal {
        let mut lines: Vec<Line> = lines.into_iter().collect();
        // The number keeps the lines of one process in order that it wrote within one tick of the clock.
        lines.sort_by_key(|line| (line.nanos, line.pid, line.number));
        Journal { lines }
    }

    /// All lines, the earliest first.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The lines of one worker, of all its processes.
    pub fn of<'a>(&'a self, worker: &'a str) -> impl Iterator<Item = &'a Line> {
        self.lines.iter().filter(move |line| line.worker == worker)
    }

    /// The notes of this name.
    pub fn notes<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Line> {
        self.lines.iter().filter(move |line| line.entry.is_note(name))
    }

    /// How many lines say something of which this is true.
    pub fn count(&self, is_it: impl Fn(&Entry) -> bool) -> usize {
        self.lines.iter().filter(|line| is_it(&line.entry)).count()
    }
}

fn parse(text: &[u8], into: &mut Vec<Line>) -> Result<(), String> {
    let mut rest = text;
    let mut number = 0_usize;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        number += 1;
        let (line, after) = rest.split_at(end);
        into.push(serde_json::from_slice(line).map_err(|error| format!("line {number}: {error}"))?);
        rest = &after[1..];
    }
    Ok(())
}
