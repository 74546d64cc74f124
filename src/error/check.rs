//! The one way to refuse a setting.

use std::fmt::Debug;
use std::time::Duration;

use crate::error::ConfigError;
use crate::machine::retry::backoff::{Backoff, BackoffFlaw};
use crate::name::Name;

type Checked = Result<(), ConfigError>;

/// What is being built, as its errors name it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    kind: &'static str,
    name: Option<&'a Name>,
}

/// An upper bound, and the rule in words.
#[derive(Clone, Copy)]
pub(crate) struct Most(pub(crate) u32, pub(crate) &'static str);

impl Most {
    pub(crate) const THOUSAND: Most = Most(1_000, "must not be greater than 1,000");
    pub(crate) const MILLION: Most = Most(1_000_000, "must not be greater than 1,000,000");
    pub(crate) const NONE: Most = Most(u32::MAX, "must not be greater than 4,294,967,295");
}

/// The rule that a ratio breaks.
pub(crate) fn ratio_flaw(value: &f64) -> Option<&'static str> {
    (!(*value > 0.0 && *value <= 1.0)).then_some("must be above 0 and at most 1")
}

impl<'a> Subject<'a> {
    pub(crate) const fn of(kind: &'static str) -> Subject<'static> {
        Subject { kind, name: None }
    }

    /// A subject with this name, or with none.
    pub(crate) fn named(kind: &'static str, name: impl Into<Option<&'a Name>>) -> Subject<'a> {
        Subject { kind, name: name.into() }
    }

    /// Like [`named`](Self::named), but an empty name is refused.
    pub(crate) fn checked(kind: &'static str, name: impl Into<Option<&'a Name>>) -> Result<Subject<'a>, ConfigError> {
        let subject = Subject::named(kind, name);
        match subject.name {
            Some(name) if name.is_empty() => Err(Subject::of(kind).refuse("name", name, "must not be empty")),
            _ => Ok(subject),
        }
    }

    pub(crate) fn refuse(&self, field: &'static str, value: impl Debug, rule: &'static str) -> ConfigError {
        let error = ConfigError::new(self.kind, field, value, rule);
        match self.name {
            Some(name) => error.with_name(name.clone()),
            None => error,
        }
    }

    /// Like [`refuse`](Self::refuse), for a value that is in words already.
    pub(crate) fn refuse_text(&self, field: &'static str, value: &str, rule: &'static str) -> ConfigError {
        self.refuse(field, format_args!("{value}"), rule)
    }

    pub(crate) fn require(&self, fine: bool, field: &'static str, value: impl Debug, rule: &'static str) -> Checked {
        if fine { Ok(()) } else { Err(self.refuse(field, value, rule)) }
    }

    pub(crate) fn at_most(&self, field: &'static str, value: u32, Most(most, rule): Most) -> Checked {
        self.require(value <= most, field, value, rule)
    }

    /// From 1 to `most`.
    pub(crate) fn count(&self, field: &'static str, value: impl Into<Option<u32>>, most: Most) -> Checked {
        let Some(value) = value.into() else { return Ok(()) };
        self.require(value != 0, field, value, "must be at least 1")?;
        self.at_most(field, value, most)
    }

    pub(crate) fn time(&self, field: &'static str, value: impl Into<Option<Duration>>) -> Checked {
        let value = value.into();
        self.require(value != Some(Duration::ZERO), field, Duration::ZERO, "must be longer than zero")
    }

    /// Above 0 and at most 1.
    pub(crate) fn ratio(&self, field: &'static str, value: impl Into<Option<f64>>) -> Checked {
        let Some(value) = value.into() else { return Ok(()) };
        ratio_flaw(&value).map_or(Ok(()), |rule| Err(self.refuse(field, value, rule)))
    }

    /// Grows or stays the same: the factor must be at least 1, and the cap not below the base.
    pub(crate) fn backoff(&self, field: &'static str, value: &Backoff) -> Checked {
        let (base, factor, cap) = value.numbers();
        match value.flaw() {
            Some(BackoffFlaw::Factor) => {
                Err(self.refuse(field, format_args!("{base:?} times {factor:?}"), "the factor must be at least 1"))
            }
            Some(BackoffFlaw::Cap) => {
                Err(self.refuse(field, format_args!("{base:?} to {cap:?}"), "the cap must not be below the base"))
            }
            None => Ok(()),
        }
    }
}

impl Backoff {
    /// Refuses a backoff that shrinks, for a builder outside this crate: `kind` is what it builds, `field` the setting.
    ///
    /// ```
    /// use seaworthy::Backoff;
    /// use std::time::Duration;
    ///
    /// let backoff = Backoff::exponential(Duration::from_secs(5), Duration::from_secs(1));
    /// let error = backoff.check("queue", "backoff").unwrap_err().with_name("orders");
    /// assert_eq!(error.to_string(), "queue `orders`: backoff is 5s to 1s, the cap must not be below the base");
    /// ```
    ///
    /// # Errors
    /// A factor that is below 1 or not a number, and a cap below the base.
    pub fn check(&self, kind: &'static str, field: &'static str) -> Result<(), ConfigError> {
        Subject::of(kind).backoff(field, self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ER-07: the text has what is built, its name, the setting, the value and the rule, and nothing that would break
    /// the line.
    #[test]
    fn in_words() {
        let name = Name::from("pay`\n\u{202e}ments");
        let ship = Subject::named("bulkhead", &name);
        let text = |checked: Checked| checked.unwrap_err().to_string();
        let of = "bulkhead `pay`\\n\\u{202e}ments`: ";
        assert_eq!(text(ship.count("limit", 0, Most::NONE)), format!("{of}limit is 0, must be at least 1"));
        assert_eq!(
            text(ship.count("limit", 1_001, Most::THOUSAND)),
            format!("{of}limit is 1001, must not be greater than 1,000")
        );
        let retry = Subject::of("retry");
        assert_eq!(text(retry.time("after", Duration::ZERO)), "retry: after is 0ns, must be longer than zero");
        assert_eq!(text(retry.ratio("ratio", f64::NAN)), "retry: ratio is NaN, must be above 0 and at most 1");
        assert_eq!(text(retry.require(false, "path", "x", "must be short")), "retry: path is \"x\", must be short");
        let empty = Subject::checked("retry", &Name::from("")).unwrap_err().to_string();
        assert_eq!(empty, "retry: name is \"\", must not be empty");
    }

    /// ER-07: good values pass, and so do absent ones.
    #[test]
    fn passes() {
        let ship = Subject::of("ship");
        assert!(ship.count("a", 1, Most::MILLION).and(ship.count("a", 1_000_000, Most::MILLION)).is_ok());
        assert!(ship.count("a", None, Most::MILLION).and(ship.count("a", u32::MAX, Most::NONE)).is_ok());
        assert!(ship.time("a", None).and(ship.time("a", Duration::from_nanos(1))).is_ok());
        assert!(ship.ratio("a", None).and(ship.ratio("a", 1.0)).is_ok());
        assert!([0.0, -1.0, 1.01].iter().all(|ratio| ship.ratio("a", *ratio).is_err()));
        assert!(Subject::checked("ship", None).and(Subject::checked("ship", &Name::from("a"))).is_ok());
    }
}
