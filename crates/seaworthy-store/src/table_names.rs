//! Where tables are: names that cannot be bound as values, and so are checked.

use seaworthy::ConfigError;

const MOST: usize = 40;
const RULE: &str = "must be 1 to 40 bytes of a-z, 0-9 and _, and not begin with a digit";

/// The schema (of the search path, unless one is given) and the prefix (`seaworthy_`) of the tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableNames {
    schema: Option<Box<str>>,
    prefix: Box<str>,
}

impl Default for TableNames {
    fn default() -> TableNames {
        TableNames { schema: None, prefix: "seaworthy_".into() }
    }
}

impl TableNames {
    /// Puts the tables into this schema.
    ///
    /// # Errors
    /// If it is not 1 to 40 bytes of `a-z`, `0-9` and `_`, or begins with a digit.
    pub fn schema(mut self, schema: &str) -> Result<TableNames, ConfigError> {
        checked("schema", schema)?;
        self.schema = Some(schema.into());
        Ok(self)
    }

    /// Begins their names with this.
    ///
    /// # Errors
    /// If it is not 1 to 40 bytes of `a-z`, `0-9` and `_`, or begins with a digit.
    pub fn prefix(mut self, prefix: &str) -> Result<TableNames, ConfigError> {
        checked("prefix", prefix)?;
        self.prefix = prefix.into();
        Ok(self)
    }

    /// The schema that was given.
    #[must_use]
    pub fn schema_name(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// `statement` with each `{p}` replaced by the qualified prefix, and each `{i}` by the bare one, for indexes, which
    /// lie where their table does.
    #[must_use]
    pub fn fill(&self, statement: &str) -> String {
        let bare = &*self.prefix;
        let qualified = self.schema.as_ref().map_or_else(|| bare.to_owned(), |schema| format!("{schema}.{bare}"));
        statement.replace("{p}", &qualified).replace("{i}", bare)
    }
}

fn checked(field: &'static str, value: &str) -> Result<(), ConfigError> {
    let fine = (1..=MOST).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && !value.starts_with(|first: char| first.is_ascii_digit());
    if fine { Ok(()) } else { Err(ConfigError::new("store", field, value, RULE)) }
}
