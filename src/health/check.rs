use crate::Name;

/// What a check says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// All is well.
    Up,
    /// It is not, for this reason. The reason is logged and never shown to a client.
    Down(Name),
}

impl Status {
    /// Whether all is well.
    #[must_use]
    pub fn is_up(&self) -> bool {
        matches!(self, Status::Up)
    }
}

/// `true` is up.
impl From<bool> for Status {
    fn from(up: bool) -> Status {
        if up { Status::Up } else { Status::Down(Name::from("down")) }
    }
}

/// Says at once whether something that the service needs is well: no await, no lock that is held for long, and no
/// allocation while it is up. It is asked for each request.
///
/// Any closure that returns a [`Status`] or a `bool` is a check.
pub trait Check: Send + Sync {
    /// How it is now.
    fn status(&self) -> Status;
}

impl<F, S> Check for F
where
    F: Fn() -> S + Send + Sync,
    S: Into<Status>,
{
    fn status(&self) -> Status {
        self().into()
    }
}
