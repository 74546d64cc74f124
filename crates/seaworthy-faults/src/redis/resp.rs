//! Redis' protocol, as much as a test needs to ask something.

use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

/// What Redis answers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// A text or a string of bytes.
    Text(String),
    /// A number.
    Number(i64),
    /// Nothing there.
    Nil,
    /// Several answers.
    List(Vec<Reply>),
    /// `ERR …`, `LOADING …`.
    Error(String),
}

impl Reply {
    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Reply::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn number(&self) -> Option<i64> {
        match self {
            Reply::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The answers, if there are several.
    pub fn list(&self) -> Option<&[Reply]> {
        match self {
            Reply::List(list) => Some(list),
            _ => None,
        }
    }
}

/// A connection that asks and waits for the answer, for 5 s at most.
pub(super) struct Connection {
    stream: BufReader<TcpStream>,
}

/// `redis://user:word@host:port/base`, each part of which but the host may be missing.
struct Parts<'a> {
    address: String,
    auth: Vec<&'a str>,
    base: &'a str,
}

impl Connection {
    pub(super) fn open(url: &str) -> io::Result<Connection> {
        let parts = Parts::of(url).ok_or_else(|| io::Error::other("a URL like redis://host:port/0 is wanted"))?;
        let stream = TcpStream::connect(&parts.address)?;
        let limit = Some(Duration::from_secs(5));
        stream.set_read_timeout(limit)?;
        stream.set_write_timeout(limit)?;
        stream.set_nodelay(true)?;
        let mut connection = Connection { stream: BufReader::new(stream) };
        if !parts.auth.is_empty() {
            connection.must(&[&["AUTH"], parts.auth.as_slice()].concat())?;
        }
        if !parts.base.is_empty() {
            connection.must(&["SELECT", parts.base])?;
        }
        Ok(connection)
    }

    pub(super) fn ask(&mut self, words: &[&str]) -> io::Result<Reply> {
        let mut request = format!("*{}\r\n", words.len());
        for word in words {
            request += &format!("${}\r\n{word}\r\n", word.len());
        }
        self.stream.get_mut().write_all(request.as_bytes())?;
        read(&mut self.stream)
    }

    fn must(&mut self, words: &[&str]) -> io::Result<()> {
        match self.ask(words)? {
            // Not the words, which may be a password.
            Reply::Error(error) => Err(io::Error::other(error)),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Option<Parts<'a>> {
        let rest = url.strip_prefix("redis://")?;
        let rest = rest.split('?').next()?;
        let (who, place) = rest.rsplit_once('@').unwrap_or(("", rest));
        let (host, base) = place.split_once('/').unwrap_or((place, ""));
        let address = if host.contains(':') { host.to_owned() } else { format!("{host}:6379") };
        let (user, password) = who.split_once(':').unwrap_or((who, ""));
        let auth = [user, password].into_iter().filter(|word| !word.is_empty()).collect();
        Some(Parts { address, auth, base })
    }
}

fn read(stream: &mut impl BufRead) -> io::Result<Reply> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "not an answer of Redis");
    let line = line.strip_suffix("\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let (kind, rest) = line.split_at_checked(1).ok_or_else(wrong)?;
    let number = || rest.parse::<i64>().map_err(|_| wrong());
    match kind {
        "+" => Ok(Reply::Text(rest.to_owned())),
        "-" => Ok(Reply::Error(rest.to_owned())),
        ":" => number().map(Reply::Number),
        "$" => {
            let Ok(length) = usize::try_from(number()?) else { return Ok(Reply::Nil) };
            let mut bytes = vec![0; length + 2];
            stream.read_exact(&mut bytes)?;
            bytes.truncate(length);
            Ok(Reply::Text(String::from_utf8_lossy(&bytes).into_owned()))
        }
        "*" => {
            let Ok(length) = usize::try_from(number()?) else { return Ok(Reply::Nil) };
            (0..length).map(|_| read(stream)).collect::<io::Result<_>>().map(Reply::List)
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &str) -> io::Result<Reply> {
        read(&mut bytes.as_bytes())
    }

    #[test]
    fn answers_of_each_kind() {
        let text = |text: &str| Reply::Text(text.to_owned());
        assert_eq!(of("+PONG\r\n").expect("an answer"), text("PONG"));
        assert_eq!(of("-LOADING soon\r\n").expect("an answer"), Reply::Error("LOADING soon".to_owned()));
        assert_eq!(of(":-7\r\n").expect("an answer"), Reply::Number(-7));
        assert_eq!(of("$4\r\na\r\nb\r\n").expect("an answer"), text("a\r\nb"));
        assert_eq!(of("$-1\r\n").expect("an answer"), Reply::Nil);
        let list = Reply::List(vec![text("0"), Reply::List(vec![]), Reply::Number(1)]);
        assert_eq!(of("*3\r\n$1\r\n0\r\n*0\r\n:1\r\n").expect("an answer"), list);
        for cut in ["", "+PONG", "$4\r\nab", "*2\r\n:1\r\n", "?\r\n", "$x\r\n"] {
            assert!(of(cut).is_err(), "{cut:?}");
        }
    }

    #[test]
    fn the_parts_of_a_url() {
        let of = |url| Parts::of(url).map(|parts| (parts.address, parts.auth, parts.base));
        assert_eq!(of("redis://h:1/2"), Some(("h:1".to_owned(), vec![], "2")));
        assert_eq!(of("redis://h"), Some(("h:6379".to_owned(), vec![], "")));
        assert_eq!(of("redis://:p@h/?x=1"), Some(("h:6379".to_owned(), vec!["p"], "")));
        assert_eq!(of("redis://u:p@h:1"), Some(("h:1".to_owned(), vec!["u", "p"], "")));
        assert_eq!(of("rediss://h"), None);
    }
}
