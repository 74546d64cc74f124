//! Text from outside, made safe for one line of a log: no control characters, which could forge lines and colours, and
//! nothing else that breaks a line or changes its direction.

use std::fmt::{self, Debug, Display, Write};

/// The value's `Display`, on one line. Allocates nothing.
pub(crate) struct OneLine<T>(pub(crate) T);

/// The value's `Debug`, on one line.
pub(crate) struct OneLineDebug<T>(pub(crate) T);

impl<T: Display> Display for OneLine<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

impl<T: Debug> Display for OneLineDebug<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{:?}", self.0)
    }
}

struct Escaping<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(is_unfit) {
            let (fit, unfit) = rest.split_at(at);
            self.0.write_str(fit)?;
            let mut after = unfit.chars();
            after.next().into_iter().flat_map(char::escape_default).try_for_each(|c| self.0.write_char(c))?;
            rest = after.as_str();
        }
        self.0.write_str(rest)
    }
}

/// Control characters, line and paragraph separators, and characters that change the direction of text.
fn is_unfit(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{61c}' | '\u{200e}' | '\u{200f}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ER-10: whatever would break a line or change its direction is escaped, wherever it occurs, and nothing else is.
    #[test]
    fn escapes() {
        assert_eq!(OneLine("x\nFORGED\x1b[31m").to_string(), "x\\nFORGED\\u{1b}[31m");
        assert_eq!(OneLine("\r\t\0\x7f\u{85}\u{9b}").to_string(), "\\r\\t\\u{0}\\u{7f}\\u{85}\\u{9b}");
        let turns = "\u{61c}\u{200e}\u{200f}\u{202a}\u{202e}\u{2066}\u{2069}\u{2028}\u{2029}";
        let escaped = OneLine(turns).to_string();
        assert!(escaped.is_ascii() && escaped.matches("\\u{").count() == turns.chars().count(), "{escaped}");
        let fine = "Ünïcode, \"quotes\", \\backslash, שלום, 🚢, no break\u{a0}here";
        assert_eq!(OneLine(fine).to_string(), fine);
        assert_eq!(OneLine("").to_string(), "");

        struct Forges;
        impl Debug for Forges {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a")?;
                f.write_char('\n')?;
                f.write_fmt(format_args!("b\n"))
            }
        }
        assert_eq!(OneLineDebug(Forges).to_string(), "a\\nb\\n");
    }
}
