//! Claims each of many keys once, beginning somewhere of its own, so that it meets the other processes at all of them.

use std::path::Path;
use std::time::Duration;

use seaworthy_drills::database::Database;
use seaworthy_drills::options::Options;
use seaworthy_drills::time;
use seaworthy_faults::clock;
use seaworthy_faults::journal::{Entry, Writer};
use seaworthy_ledger::{Claimed, Key};

/// Nobody's is over before the end.
const LEASE: Duration = Duration::from_secs(600);

pub(crate) async fn run<D: Database>(options: &Options) {
    let journal = Writer::from_args();
    let (keys, from) = (options.number("keys"), options.number("from"));
    time::for_file(Path::new(options.text("begin"))).await;
    // Not before: they all make the file and its tables at once.
    let database = D::open(options.store()).await;
    database.prepare().await;
    let ledger = database.ledger(LEASE);
    let (mut busy, mut unavailable, mut longest) = (0_u64, 0_u64, Duration::ZERO);
    for number in (0..keys).map(|number| (number + from) % keys) {
        let key = Key::new("drill", &number.to_string()).expect("a key");
        loop {
            let asked = clock::now();
            let answer = ledger.claim(&key).await;
            longest = longest.max(clock::now() - asked);
            match answer {
                Ok(Claimed::Mine(mut claim)) => {
                    // Left to its lease when it is dropped.
                    claim.begin();
                    journal.write(Entry::note("won").with("key", number).with("fence", claim.fence()));
                }
                Ok(Claimed::Busy { .. }) => busy += 1,
                Ok(other) => panic!("{other:?}"),
                Err(error) if error.is_unavailable() => {
                    unavailable += 1;
                    continue;
                }
                Err(error) => panic!("{error:?}"),
            }
            break;
        }
    }
    let ended = Entry::note("claimed-all").with("busy", busy).with("unavailable", unavailable);
    journal.write(ended.with("longest", u64::try_from(longest.as_millis()).unwrap_or(u64::MAX)));
}
