use std::fmt;

/// What is left of an accepted job when the server ends, by the server's own settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Durability {
    /// `appendfsync always`: it is on the disk.
    OnDisk,
    /// `appendfsync everysec`: it survives the server's death; a power failure loses about a second.
    EverySecond,
    /// `appendfsync no`: it survives the server's death; a power failure loses what the system had not written yet,
    /// some 30 s on Linux.
    BySystem,
    /// Snapshots only: everything since the last one is lost with the server.
    Snapshots,
    /// Nothing: everything is lost with the server.
    Memory,
    /// The server does not let us ask.
    Unknown,
}

impl Durability {
    /// Of the settings `appendonly`, `appendfsync` and `save`.
    pub(super) fn of(append_only: &str, fsync: &str, save: &str) -> Durability {
        match (append_only, fsync, save.trim()) {
            ("yes", "always", _) => Durability::OnDisk,
            ("yes", "no", _) => Durability::BySystem,
            ("yes", ..) => Durability::EverySecond,
            (_, _, "") => Durability::Memory,
            _ => Durability::Snapshots,
        }
    }

    /// Which setting loses accepted jobs when the server ends, if one does.
    pub(super) fn loses(self) -> Option<&'static str> {
        match self {
            Durability::Snapshots => Some("`appendonly no` loses every job since the last snapshot in a restart"),
            Durability::Memory => Some("`appendonly no` and `save \"\"` lose every job in a restart"),
            Durability::OnDisk | Durability::EverySecond | Durability::BySystem | Durability::Unknown => None,
        }
    }
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Durability::OnDisk => "on disk",
            Durability::EverySecond => "every second",
            Durability::BySystem => "by system",
            Durability::Snapshots => "snapshots",
            Durability::Memory => "memory",
            Durability::Unknown => "unknown",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// QU-69: what the settings come to, and which of them are refused.
    #[test]
    fn of_settings() {
        let lost = |append_only, fsync, save| {
            let durability = Durability::of(append_only, fsync, save);
            (durability, durability.loses().is_some())
        };
        assert_eq!(lost("yes", "always", ""), (Durability::OnDisk, false));
        assert_eq!(lost("yes", "everysec", "3600 1"), (Durability::EverySecond, false));
        assert_eq!(lost("yes", "no", ""), (Durability::BySystem, false));
        assert_eq!(lost("no", "always", "3600 1 300 100"), (Durability::Snapshots, true));
        assert_eq!(lost("no", "everysec", ""), (Durability::Memory, true));
        assert_eq!(Durability::Unknown.loses(), None);
    }
}
