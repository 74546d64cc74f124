//! The tables of a package, in numbered steps.

use crate::error::{ErrorClass, StoreError};

/// What a package's tables are, and how they became so.
#[derive(Clone, Copy, Debug)]
pub struct PackageSchema {
    /// As the table `{p}schema` has it.
    pub package: &'static str,
    /// Grows when programs of an older version cannot use the tables any more. Tables of another major version are
    /// refused, newer ones of the same are used.
    pub major: i32,
    /// Step 1 first; a step that was released is never changed. Each may be several statements, with `{p}` and `{i}`.
    pub steps: &'static [&'static str],
}

impl PackageSchema {
    pub(crate) fn version(&self) -> i32 {
        i32::try_from(self.steps.len()).unwrap_or(i32::MAX)
    }

    /// The steps that are missing where `version` is installed.
    pub(crate) fn missing(&self, version: i32) -> impl Iterator<Item = &'static str> {
        self.steps.iter().skip(usize::try_from(version).unwrap_or(0)).copied()
    }

    pub(crate) fn same_major(&self, asked: &'static str, major: i32) -> Result<(), StoreError> {
        if major == self.major {
            return Ok(());
        }
        let (package, ours) = (self.package, self.major);
        let why = format!("the tables of {package} are of major version {major}, and this program's {ours}");
        Err(StoreError::new(ErrorClass::Refused, asked, why))
    }
}
