//! What is to be done.

use seaworthy::BoxError;
use seaworthy_queue::{EnqueueRequest, Job, JobId};

/// How many there are.
pub const JOBS: u32 = 600;
/// How often one is tried, whatever becomes of it.
pub const MOST: u32 = 5;

#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Provision {
    pub number: u32,
}

impl Job for Provision {
    const KIND: &str = "provision";
}

/// What there is to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is done at the first attempt, if nothing happens to whoever does it.
    Good,
    /// Its first attempt fails.
    Unlucky,
    /// It fails, until what is wrong is mended.
    Broken,
    /// It kills whoever does it.
    Deadly,
}

impl Provision {
    pub fn kind(&self) -> Kind {
        match self.number {
            300 => Kind::Deadly,
            number if number % 60 == 7 => Kind::Broken,
            number if number % 10 == 3 => Kind::Unlucky,
            _ => Kind::Good,
        }
    }

    /// Under an id that follows from what it is about, so that it is one job, however often it is enqueued.
    pub fn request(number: u32) -> Result<EnqueueRequest<Provision>, BoxError> {
        Ok(EnqueueRequest::new(Provision { number }).id(JobId::new(&format!("tenant-{number}"))?))
    }
}

pub fn count(kind: Kind) -> usize {
    (0..JOBS).filter(|number| Provision { number: *number }.kind() == kind).count()
}
