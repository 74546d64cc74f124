use seaworthy_drills::leader::store::Store;

use crate::short::tests_of_leadership;

tests_of_leadership!(Store::Sqlite);
