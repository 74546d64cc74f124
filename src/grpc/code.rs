use std::fmt;
use std::str::FromStr;

use crate::error::ConfigError;
use crate::error::check::Subject;
use crate::error::did_you_mean::nearest;

const UNKNOWN_NAME: &str = "must be the name of a gRPC code, such as UNAVAILABLE";

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal;)*) => {
        /// The status code of a gRPC call, as `grpc-status` carries it.
        ///
        /// Its name, for settings and for [`Display`](fmt::Display), is the one in capitals. A number that is no code
        /// is [`Code::Unknown`].
        ///
        /// ```
        /// use seaworthy::http::grpc::Code;
        ///
        /// let code: Code = "RESOURCE_EXHAUSTED".parse()?;
        /// assert_eq!((code, i32::from(code), code.to_string().as_str()), (Code::from(8), 8, "RESOURCE_EXHAUSTED"));
        /// assert_eq!(Code::from(17), Code::Unknown);
        ///
        /// let error = "UNAVALABLE".parse::<Code>().unwrap_err();
        /// assert!(error.to_string().ends_with("such as UNAVAILABLE; did you mean UNAVAILABLE?"));
        /// # Ok::<(), seaworthy::ConfigError>(())
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Code {
            $($(#[$doc])* $variant = $number,)*
        }

        impl Code {
            /// All of them, in the order of their numbers.
            pub(crate) const ALL: [Code; 17] = [$(Code::$variant,)*];

            /// Its name, in capitals.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Code::$variant => $name,)*
                }
            }

            /// Its number, as `grpc-status` carries it.
            pub(crate) const fn digits(self) -> &'static str {
                match self {
                    $(Code::$variant => stringify!($number),)*
                }
            }

            /// The rule that a name breaks which was meant to be that of this code.
            const fn guess(self) -> &'static str {
                match self {
                    $(Code::$variant => concat!(
                        "must be the name of a gRPC code, such as UNAVAILABLE; did you mean ", $name, "?"
                    ),)*
                }
            }
        }
    };
}

codes! {
    /// The call succeeded.
    Ok = 0, "OK";
    /// The caller cancelled it.
    Cancelled = 1, "CANCELLED";
    /// An error that has no code of its own, or none that could be read.
    Unknown = 2, "UNKNOWN";
    /// The request makes no sense, whatever the state of the backend.
    InvalidArgument = 3, "INVALID_ARGUMENT";
    /// The deadline passed before the call was over.
    DeadlineExceeded = 4, "DEADLINE_EXCEEDED";
    /// Something that was asked for is not there.
    NotFound = 5, "NOT_FOUND";
    /// Something that was to be made is there already.
    AlreadyExists = 6, "ALREADY_EXISTS";
    /// The caller may not do this.
    PermissionDenied = 7, "PERMISSION_DENIED";
    /// A quota or a resource is used up.
    ResourceExhausted = 8, "RESOURCE_EXHAUSTED";
    /// The backend is not in the state that the call needs.
    FailedPrecondition = 9, "FAILED_PRECONDITION";
    /// It was aborted, usually by a conflict with another call.
    Aborted = 10, "ABORTED";
    /// It went beyond the valid range.
    OutOfRange = 11, "OUT_OF_RANGE";
    /// The backend does not have this method.
    Unimplemented = 12, "UNIMPLEMENTED";
    /// Something is broken inside.
    Internal = 13, "INTERNAL";
    /// The backend is not available just now.
    Unavailable = 14, "UNAVAILABLE";
    /// Data is lost or corrupt, for good.
    DataLoss = 15, "DATA_LOSS";
    /// The caller has not said who it is.
    Unauthenticated = 16, "UNAUTHENTICATED";
}

/// A number that is no code is [`Code::Unknown`].
impl From<i32> for Code {
    fn from(number: i32) -> Code {
        usize::try_from(number).ok().and_then(|number| Code::ALL.get(number)).copied().unwrap_or(Code::Unknown)
    }
}

impl From<Code> for i32 {
    fn from(code: Code) -> i32 {
        code as i32
    }
}

/// Its name, in capitals.
impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// By its name, in capitals.
impl FromStr for Code {
    type Err = ConfigError;

    fn from_str(name: &str) -> Result<Code, ConfigError> {
        let code = |name: &str| Code::ALL.into_iter().find(|code| code.name() == name);
        code(name).ok_or_else(|| Subject::of("grpc").refuse("code", name, Code::flaw(name)))
    }
}

impl Code {
    /// The rule that this name breaks, which is that of no code.
    fn flaw(name: &str) -> &'static str {
        let capitals = name.to_ascii_uppercase();
        let near = nearest(Code::ALL.into_iter().map(Code::name), &capitals);
        let meant = Code::ALL.into_iter().find(|code| code.name() == capitals || Some(code.name()) == near);
        meant.map_or(UNKNOWN_NAME, Code::guess)
    }
}

/// Some of the codes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct CodeSet(u32);

impl CodeSet {
    /// [`Code::Ok`] is left out: a call that succeeded is not one that failed.
    pub(crate) const fn of(codes: &[Code]) -> CodeSet {
        let (mut set, mut at) = (0, 0);
        while at < codes.len() {
            set |= 1 << codes[at] as u8;
            at += 1;
        }
        CodeSet(set & !1)
    }

    /// As one number, with the bit of each code's number.
    pub(crate) const fn bits(self) -> u32 {
        self.0
    }

    pub(crate) const fn from_bits(bits: u32) -> CodeSet {
        CodeSet(bits)
    }

    #[inline]
    pub(crate) const fn contains(self, code: Code) -> bool {
        self.0 & (1 << code as u8) != 0
    }
}

impl fmt::Debug for CodeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(Code::ALL.into_iter().filter(|code| self.contains(*code))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// GR-04: a code's number is its place, its digits are the number, and a number that is no code is 2.
    #[test]
    fn gr_04_numbers() {
        for (number, code) in (0..).zip(Code::ALL) {
            assert_eq!((i32::from(code), Code::from(number)), (number, code));
            assert_eq!(code.digits(), number.to_string());
            assert_eq!(code.name().parse(), Ok(code));
        }
        for number in [-1, 17, 18, 99, i32::MIN, i32::MAX] {
            assert_eq!(Code::from(number), Code::Unknown, "{number}");
        }
    }

    /// GR-06: the name of no code is refused with the field, the value, the rule and what was probably meant.
    #[test]
    fn gr_06_names() {
        let text = |name: &str| name.parse::<Code>().unwrap_err().to_string();
        let rule = "must be the name of a gRPC code, such as UNAVAILABLE";
        assert_eq!(text("NOPE"), format!("grpc: code is \"NOPE\", {rule}"));
        assert_eq!(text("14"), format!("grpc: code is \"14\", {rule}"));
        assert_eq!(text(""), format!("grpc: code is \"\", {rule}"));
        for (name, meant) in [("unavailable", "UNAVAILABLE"), ("CANCELED", "CANCELLED"), ("ok", "OK")] {
            assert_eq!(text(name), format!("grpc: code is \"{name}\", {rule}; did you mean {meant}?"));
        }
    }

    /// GR-04: a set has what was put in, but success is no failure.
    #[test]
    fn gr_04_sets() {
        let set = CodeSet::of(&[Code::Ok, Code::Unavailable, Code::Unauthenticated, Code::Unavailable]);
        let has: Vec<Code> = Code::ALL.into_iter().filter(|code| set.contains(*code)).collect();
        assert_eq!(has, [Code::Unavailable, Code::Unauthenticated]);
        assert_eq!(format!("{set:?}"), "{Unavailable, Unauthenticated}");
        assert_eq!(CodeSet::from_bits(set.bits()), set);
        assert_eq!(CodeSet::of(&[]).bits(), 0);
    }
}
