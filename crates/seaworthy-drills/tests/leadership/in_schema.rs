use seaworthy_drills::leader::store::Store;

use crate::short::tests_of_leadership;

tests_of_leadership!(Store::Postgres);

#[test]
fn cut_off() {
    short::cut_off(Store::Postgres);
}
