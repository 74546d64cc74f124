//! A writer that listens to nothing: it writes with the epoch that it was given, and goes on after the term has ended.
//! What refuses it then is the fence alone.

use std::sync::Arc;
use std::time::Duration;

use seaworthy::Shutdown;
use seaworthy_faults::journal::{Entry, Writer};
use seaworthy_leader::Epoch;

use super::resource::{Answer, FENCED, Resource};

/// How often it writes after the term has ended.
const AFTER_THE_END: usize = 10;

pub(super) struct Late<D: Resource> {
    database: Arc<D>,
    leases: D::Leases,
    journal: Arc<Writer>,
    every: Duration,
}

impl<D: Resource + 'static> Late<D> {
    pub(super) fn new(database: Arc<D>, leases: D::Leases, journal: Arc<Writer>, every: Duration) -> Late<D> {
        Late { database, leases, journal, every }
    }

    /// Writes from now on, with this epoch, until some time after the end.
    pub(super) fn begin(&self, epoch: Epoch, ended: Shutdown) {
        let (database, leases) = (Arc::clone(&self.database), self.leases.clone());
        let (journal, every) = (Arc::clone(&self.journal), self.every);
        let epoch = i64::try_from(epoch.get()).expect("a drill's epochs are small");
        tokio::spawn(async move {
            let (mut connection, mut left, mut written) = (None, AFTER_THE_END, 0);
            while left > 0 {
                // Looked at before the write: a process that is stopped here goes on to write.
                let is_over = ended.is_requested();
                tokio::time::sleep(every).await;
                let mut writing = match connection.take() {
                    Some(writing) => writing,
                    None => match database.reconnect().await {
                        Ok(writing) => writing,
                        Err(_) => continue,
                    },
                };
                written += 1;
                let fenced = D::fenced(&mut writing, FENCED, epoch, written).await;
                let mut answers = vec![("late-fenced", fenced)];
                if is_over {
                    left -= 1;
                    answers.push(("late-guarded", D::guarded_late(&mut writing, &leases, epoch, written).await));
                }
                let mut is_broken = false;
                for (how, answer) in answers {
                    match answer {
                        Answer::Accepted => {}
                        Answer::Refused => {
                            journal.write(Entry::note("refused").with("how", how).with("epoch", epoch));
                        }
                        Answer::Failed(_) => is_broken = true,
                    }
                }
                connection = (!is_broken).then_some(writing);
            }
        });
    }
}
