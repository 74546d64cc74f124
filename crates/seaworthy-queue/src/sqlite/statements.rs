//! The statements, each a file that says what it does and under which lock.

use seaworthy_store::TableNames;
use seaworthy_store::schema::PackageSchema;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

pub(super) static SCHEMA: PackageSchema =
    PackageSchema { package: "queue", major: 1, steps: &[include_str!("schema_1.sql")] };

macro_rules! statements {
    ($($name:ident)*) => {
        /// With the names of the tables filled in.
        pub(super) struct Statements {
            $(pub(super) $name: SqlStr,)*
        }

        impl Statements {
            pub(super) fn new(tables: &TableNames) -> Statements {
                // Their only variable part is the prefix, which was checked.
                let filled = |text: &str| AssertSqlSafe(tables.fill(text)).into_sql_str();
                Statements { $($name: filled(include_str!(concat!(stringify!($name), ".sql"))),)* }
            }
        }
    };
}

statements! {
    accept ack bury cancel dead_get dead_list defer depth discard due extend forget hand_again hand_out held live next ours
    over redrive release remember remove retry state stepped sweep_look sweep_most sweep_old
}
