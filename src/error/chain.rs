//! The one walk from an error down its sources. Nothing else calls `source()`, because an error may be its own source.

use std::error::Error as StdError;
use std::io;
use std::iter::successors;

/// The most errors of a chain that are looked at: deeper than anyone nests them, and an end for a chain that has none.
const MOST: usize = 64;

/// The error, its source, the source of that, and so on.
pub(crate) fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    successors(Some(error), |error| below(*error)).take(MOST)
}

fn below<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    // An I/O error skips the error it wraps when asked for its source.
    let inside = error.downcast_ref().and_then(io::Error::get_ref);
    match inside {
        Some(inside) => Some(inside),
        None => error.source(),
    }
}

/// For an error that forwards to another one's source.
pub(crate) fn source<E: StdError + ?Sized>(error: &E) -> Option<&(dyn StdError + 'static)> {
    error.source()
}

/// The error and its sources as one text, each sentence once.
pub(crate) fn in_words(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    if text.is_empty() {
        // Some errors print nothing.
        return format!("{error:?}");
    }
    for error in chain(error).skip(1) {
        let more = error.to_string();
        // Many errors repeat their source's text at the end of their own.
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fmt;
    use std::path::Path;

    use super::*;
    use crate::error::{BoxError, Rejected, StackError};

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Outer {
        text: &'static str,
        source: BoxError,
    }

    fn outer(text: &'static str, source: impl Into<BoxError>) -> BoxError {
        Box::new(Outer { text, source: source.into() })
    }

    #[derive(Debug, thiserror::Error)]
    #[error("")]
    struct Silent;

    /// An error that is its own source, or one of a ring of sources.
    #[derive(Debug)]
    struct Ring(&'static str, &'static [Ring], usize);

    static OWN: [Ring; 1] = [Ring("round", &OWN, 0)];
    static TWO: [Ring; 2] = [Ring("one", &TWO, 1), Ring("other", &TWO, 0)];

    impl fmt::Display for Ring {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl StdError for Ring {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(&self.1[self.2])
        }
    }

    fn depth(error: &BoxError) -> usize {
        chain(&**error).count()
    }

    fn nested(levels: usize, innermost: BoxError) -> BoxError {
        (0..levels).fold(innermost, |error, _| outer("level", error))
    }

    /// ER-01: the walk ends whatever the sources are, and finds what lies within its bound.
    #[test]
    fn a_walk_that_ends() {
        let own: BoxError = Ring("round", &OWN, 0).into();
        let two: BoxError = Ring("one", &TWO, 1).into();
        assert_eq!((depth(&own), depth(&two)), (MOST, MOST));
        assert!(own.rejected().is_none() && two.rejected().is_none());
        assert_eq!(in_words(&*own), "round");
        let text = in_words(&*two);
        assert!(text.starts_with("one: other: one: other") && text.len() < 64 * 10, "{text}");

        let full = || Rejected::BulkheadFull { name: "ship".into(), retry_after: None.into() };
        assert!(nested(MOST - 1, full().into()).rejected().is_some());
        assert!(nested(MOST, full().into()).rejected().is_none());
        let long = nested(10_000, "the end".into());
        assert_eq!((depth(&long), long.rejected()), (MOST, None));
        assert_eq!(in_words(&*long), "level");
    }

    /// ER-01: the error that an I/O error wraps is part of the chain.
    #[test]
    fn inside_of_an_io_error() {
        let full = Rejected::BulkheadFull { name: "ship".into(), retry_after: None.into() };
        let error = outer("read", io::Error::other(io::Error::other(full.clone())));
        assert_eq!(error.rejected(), Some(&full));
    }

    /// HE-02, PR-08: the text says everything there is to say, once.
    #[test]
    fn words() {
        let cause = "x".parse::<u8>().unwrap_err();
        assert_eq!(in_words(&*outer("no connection", cause)), "no connection: invalid digit found in string");
        assert_eq!(in_words(&*outer("no: route", "route")), "no: route");
        assert_eq!(in_words(&*outer("no route", "")), "no route");
        assert_eq!(in_words(&Silent), "Silent");
    }

    /// ER-01: nothing else asks for a source.
    #[test]
    fn the_only_walk() {
        fn asks(folder: &Path, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    asks(&path, found);
                } else if path.extension().is_some_and(|end| end == "rs") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    if [".source()", "Error::source("].iter().any(|ask| text.contains(ask)) {
                        found.push(path.file_name().unwrap().to_string_lossy().into_owned());
                    }
                }
            }
        }
        let mut found = Vec::new();
        asks(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        assert_eq!(found, ["chain.rs"]);
    }
}
