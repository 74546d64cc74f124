//! The statements, each a file that says what it does and under which lock.

use seaworthy_store::TableNames;
use seaworthy_store::schema::PackageSchema;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

pub(crate) static SCHEMA: PackageSchema =
    PackageSchema { package: "ledger", major: 1, steps: &[include_str!("schema_1.sql")] };

macro_rules! statements {
    ($($name:ident)*) => {
        /// With the names of the tables filled in.
        pub(crate) struct Statements {
            $(pub(crate) $name: SqlStr,)*
        }

        impl Statements {
            pub(crate) fn new(tables: &TableNames) -> Statements {
                // Their only variable part is the prefix, which was checked.
                let filled = |text: &str| AssertSqlSafe(tables.fill(text)).into_sql_str();
                Statements { $($name: filled(include_str!(concat!(stringify!($name), ".sql"))),)* }
            }
        }
    };
}

statements! {
    claim_again_in claim_in completion forget_steps grant keep_step look lookup renew settle settled stale step store_in sweep
}
