use seaworthy_drills::jobs::store::InSqlite;

use crate::short::tests_of_jobs;

tests_of_jobs!(InSqlite);
