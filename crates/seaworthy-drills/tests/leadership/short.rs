//! The drills of leadership on one store, in short. `cargo run -p seaworthy-drills --bin failover` makes one table of
//! all of them.

use std::time::Duration;

use seaworthy_drills::leader::drill;
use seaworthy_drills::leader::group::Setup;
use seaworthy_drills::leader::store::Store;

fn setup(store: Store) -> Setup {
    Setup { program: env!("CARGO_BIN_EXE_drill-worker").into(), store }
}

/// DR-6, RG-8, IN-12: three processes, the leader killed with -9 at a random moment, twenty times: another leads within
/// 5.125 s each time, a row that is written under the guard and one that is fenced have no write of an older epoch after
/// one of a newer, no tick of a cron is made twice, and no two lead at once.
pub(crate) fn killed(store: Store) {
    drill::killed(&setup(store)).assert_held();
}

/// DR-7, RG-8, IN-12: the leader stopped for 2 × ttl and continued, twenty times: one takeover, within the bound; what
/// the old one writes with its epoch is refused, its work ends, and it becomes a follower.
pub(crate) fn stopped(store: Store) {
    drill::stopped(&setup(store)).assert_held();
}

/// DR-8, RG-8, IN-12: the leader cut off from the store by a stalled proxy, twenty times: told within 2.3 s and its work
/// gone within 2.8 s, another leads within the bound; healed, what the old one writes is refused, and still one leads.
#[cfg(feature = "servers")]
pub(crate) fn cut_off(store: Store) {
    drill::cut_off(&setup(store)).assert_held();
}

/// DR-10, RG-8, IN-12: SIGTERM to the leader in the middle of its work, twenty times: the work ends in order, the row is
/// released, and the next leads within one poll and two request limits, 1.625 s.
pub(crate) fn asked_to_end(store: Store) {
    drill::asked_to_end(&setup(store)).assert_held();
}

/// DR-9, IN-12: the store is away for less than a lease has left, in ten groups at once: all leaders keep their terms.
/// Away for longer, nobody leads from the end of the terms on; when it is back, one does within 1.625 s, with a greater
/// epoch.
pub(crate) fn store_away(store: Store) {
    drill::store_away(&setup(store)).assert_held();
}

/// DR-9, IN-12: the same at the defaults. A server is killed and restarted within 3 s, and stopped for 20 s; a file is
/// locked for 1 s and for 20 s. One leads within 6.5 s.
pub(crate) fn store_away_at_defaults(store: Store) {
    drill::store_away_at_defaults(&setup(store)).assert_held();
}

/// IN-16: 200 random terminations in groups of three processes whose work listens: no two lead at once, for a moment.
pub(crate) fn terminated(store: Store) {
    drill::terminated(&setup(store)).assert_held();
}

/// IN-11: leaders of three groups are stopped, continued, killed, asked to end, and where there is a server cut off from
/// it and disconnected, at random for 20 s in each group, which makes a minute, with a write through LE-51 and one
/// through LE-53 every 20 ms: at least 20 takeovers, accepted epochs never decrease, and something was refused.
pub(crate) fn at_random(store: Store) {
    drill::at_random(&setup(store), Duration::from_secs(20)).assert_held();
}

/// DR-6, DR-7, DR-8, DR-10, RG-7, IN-12: each fault once, at the defaults: within the store's own bound, 23.5 s in
/// Postgres and 16.5 s in a file, and so below 30 s.
pub(crate) fn once_at_defaults(store: Store) {
    drill::once_at_defaults(&setup(store)).assert_held();
}

/// All of these tests, for one store.
macro_rules! tests_of_leadership {
    ($store:expr) => {
        use crate::short;

        #[test]
        fn killed() {
            short::killed($store);
        }

        #[test]
        fn stopped() {
            short::stopped($store);
        }

        #[test]
        fn asked_to_end() {
            short::asked_to_end($store);
        }

        #[test]
        fn store_away() {
            short::store_away($store);
        }

        #[test]
        fn store_away_at_defaults() {
            short::store_away_at_defaults($store);
        }

        #[test]
        fn terminated() {
            short::terminated($store);
        }

        #[test]
        fn at_random() {
            short::at_random($store);
        }

        #[test]
        fn once_at_defaults() {
            short::once_at_defaults($store);
        }
    };
}
pub(crate) use tests_of_leadership;
