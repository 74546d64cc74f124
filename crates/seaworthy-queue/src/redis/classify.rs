//! The driver's errors in our classes.

use redis::{ErrorKind, RedisError};
use seaworthy_store::{ErrorClass, StoreError};

/// As ours. The driver's own is not kept: the server repeats what it was sent, which can be a job or a password.
pub(super) fn store_error(asked: &'static str, error: &RedisError) -> StoreError {
    StoreError::new(class(error), asked, said(error))
}

fn class(error: &RedisError) -> ErrorClass {
    const FULL: [&str; 2] = ["OOM", "MISCONF"];
    const REFUSED: [&str; 8] =
        ["NOAUTH", "NOPERM", "WRONGPASS", "NOPROTO", "WRONGTYPE", "MOVED", "CROSSSLOT", "DENIED"];
    let has = |codes: &[&str]| codes.iter().any(|code| has_code(error, code));
    let says = |what: &str| error.detail().is_some_and(|detail| detail.contains(what));
    // What a script may not do has no code of its own.
    let is_forbidden =
        || says("unknown command") || says("executing the script can't") || says("ACL failure in script");
    if has(&FULL) {
        return ErrorClass::Full;
    }
    match error.kind() {
        ErrorKind::AuthenticationFailed | ErrorKind::InvalidClientConfig => ErrorClass::Refused,
        _ if has(&REFUSED) || is_forbidden() => ErrorClass::Refused,
        _ => ErrorClass::Unavailable,
    }
}

/// Whether the server answered with this code. Before Redis 7 one that a script met stands in the text of another.
pub(super) fn has_code(error: &RedisError, code: &str) -> bool {
    if error.code() == Some(code) {
        return true;
    }
    let is_it = |word: &str| word.trim_start_matches('-') == code;
    error.code() == Some("ERR")
        && error.detail().is_some_and(|detail| detail.contains("script") && detail.split(' ').any(is_it))
}

/// Whether the connection can be asked again: it was the server that answered, and it is not about to go.
pub(super) fn spares_the_connection(error: &RedisError) -> bool {
    const GOES: [&str; 4] = ["READONLY", "MASTERDOWN", "LOADING", "UNBLOCKED"];
    error.code().is_some() && !GOES.iter().any(|code| has_code(error, code))
}

fn said(error: &RedisError) -> String {
    let Some(code) = error.code() else {
        return if error.is_timeout() { "no answer in time".to_owned() } else { error.category().to_owned() };
    };
    // What follows is what it was sent.
    let detail = error.detail().and_then(|detail| detail.split(", with args").next()).unwrap_or_default();
    format!("{code} {detail}")
}

#[cfg(test)]
mod tests {
    use std::io;

    use redis::make_extension_error;

    use super::*;

    fn answered(code: &str, detail: &str) -> RedisError {
        make_extension_error(code.to_owned(), Some(detail.to_owned()))
    }

    /// CO-14, QU-70: what the server answers, in our classes.
    #[test]
    fn classes() {
        let class = |code, detail| store_error("ack", &answered(code, detail)).class();
        assert_eq!(class("OOM", "command not allowed when used memory > 'maxmemory'."), ErrorClass::Full);
        assert_eq!(class("MISCONF", "Errors writing to the AOF file: No space left on device"), ErrorClass::Full);
        for code in ["NOAUTH", "NOPERM", "WRONGPASS", "WRONGTYPE", "MOVED"] {
            assert_eq!(class(code, "x"), ErrorClass::Refused, "{code}");
        }
        for code in ["LOADING", "READONLY", "CLUSTERDOWN", "MASTERDOWN", "BUSY", "TRYAGAIN", "ERR"] {
            assert_eq!(class(code, "x"), ErrorClass::Unavailable, "{code}");
        }
        let forbidden = "The user executing the script can't run this command or subcommand script: x";
        assert_eq!(class("ERR", forbidden), ErrorClass::Refused);
        let old = "Error running script (call to f_1): @user_script:7: -OOM command not allowed";
        assert_eq!(class("ERR", old), ErrorClass::Full);
        let broken = RedisError::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(store_error("ack", &broken).class(), ErrorClass::Unavailable);
    }

    /// CO-24: what was sent is not repeated.
    #[test]
    fn nothing_sent_is_shown() {
        let error = answered("ERR", "unknown command 'EVALSHA', with args beginning with: 'abc' 'secret'");
        let error = store_error("ack", &error);
        assert_eq!(error.class(), ErrorClass::Refused);
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("EVALSHA") && !shown.contains("secret"), "{shown}");
    }

    /// QU-72: a connection is kept while it answers, and not to a server that is no master any more.
    #[test]
    fn connections_that_are_kept() {
        assert!(spares_the_connection(&answered("OOM", "x")));
        assert!(!spares_the_connection(&answered("READONLY", "x")));
        assert!(!spares_the_connection(&RedisError::from(io::Error::from(io::ErrorKind::TimedOut))));
    }
}
