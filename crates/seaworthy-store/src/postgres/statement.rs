use std::sync::Arc;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::table_names::TableNames;

/// A constant text with its tables' names filled in, once.
///
/// # Clone
/// Costs a reference count.
#[derive(Clone, Debug)]
pub struct Statement(SqlStr);

impl Statement {
    /// `text` is a file's: a comment, and a statement with `{p}` and `{i}` where names of tables and indexes are.
    #[must_use]
    pub fn new(names: &TableNames, text: &'static str) -> Statement {
        // The text is a constant, and the names have been checked. The server has no use for the comments.
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("--"));
        let bare = lines.collect::<Vec<_>>().join("\n");
        Statement(AssertSqlSafe(Arc::<str>::from(names.fill(bare.trim()))).into_sql_str())
    }

    /// The text as the server gets it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// For sqlx.
    #[must_use]
    pub fn sql(&self) -> SqlStr {
        self.0.clone()
    }
}
