//! Files on a network share, whose locks SQLite cannot rely on.

use std::path::Path;

/// The kind of network file system that `path` is on, where the file system says what it is; none if it is local or
/// does not say.
#[cfg(target_os = "linux")]
pub(crate) fn network_share(path: &Path) -> Option<&'static str> {
    use rustix::fs::{major, minor, stat, statfs};

    // Of 32 or 64 bits, with a sign or without one: the number is in the lower 32.
    let kind = i128::from(statfs(path).ok()?.f_type) & 0xffff_ffff;
    by_magic(u32::try_from(kind).ok()?).or_else(|| {
        // A file system in user space says only that. What it is stands in the table of mounts.
        let device = stat(path).ok()?.st_dev;
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
        mounted_as(&mounts, &format!("{}:{}", major(device), minor(device)))
    })
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn network_share(_path: &Path) -> Option<&'static str> {
    None
}

/// Of `statfs(2)`.
#[cfg(target_os = "linux")]
fn by_magic(kind: u32) -> Option<&'static str> {
    match kind {
        0x6969 => Some("nfs"),
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => Some("smb"),
        0x0102_1997 => Some("9p"),
        _ => None,
    }
}

/// The kind of the mount of `device` (`major:minor`) in a table like `/proc/self/mountinfo`, if it is a share:
/// `36 35 98:0 /root /mount options optional… - kind source options`.
#[cfg(target_os = "linux")]
fn mounted_as(mounts: &str, device: &str) -> Option<&'static str> {
    let line = mounts.lines().find(|line| line.split(' ').nth(2) == Some(device))?;
    match line.split_once(" - ")?.1.split(' ').next()? {
        "fuse.sshfs" => Some("fuse.sshfs"),
        "nfs" | "nfs4" => Some("nfs"),
        "cifs" | "smb3" | "smbfs" | "fuse.smbnetfs" => Some("smb"),
        "9p" => Some("9p"),
        _ => None,
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{by_magic, mounted_as, network_share};

    const MOUNTS: &str = "\
22 28 0:21 / /proc rw,relatime shared:12 - proc proc rw
28 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
61 28 0:52 / /home/me/far rw,nosuid shared:70 - fuse.sshfs me@far:/srv rw,user_id=0
62 28 0:53 / /home/me/cloud rw,nosuid - fuse.rclone cloud: rw
63 28 0:54 / /srv/files rw - nfs4 files:/srv rw";

    /// CO-21: a file on a network share is told from a local one by what its file system says: the kinds with a number
    /// of their own by that, and one in user space by the table of mounts. What is local, and what is unknown, passes.
    #[test]
    fn shares_are_told_from_local_disks() {
        for (kind, expected) in [
            (0x6969, Some("nfs")),
            (0x517b, Some("smb")),
            (0xff53_4d42, Some("smb")),
            (0xfe53_4d42, Some("smb")),
            (0x0102_1997, Some("9p")),
            // ext4, tmpfs, btrfs, overlayfs, and user space, which says no more.
            (0xef53, None),
            (0x0102_1994, None),
            (0x9123_683e, None),
            (0x794c_7630, None),
            (0x6573_5546, None),
        ] {
            assert_eq!(by_magic(kind), expected, "{kind:x}");
        }
        assert_eq!(mounted_as(MOUNTS, "0:52"), Some("fuse.sshfs"));
        assert_eq!(mounted_as(MOUNTS, "0:54"), Some("nfs"));
        assert_eq!(mounted_as(MOUNTS, "0:53"), None, "unknown ones pass");
        assert_eq!(mounted_as(MOUNTS, "8:1"), None);
        assert_eq!(mounted_as(MOUNTS, "0:99"), None, "a subvolume, whose number is not in the table");
        assert_eq!(mounted_as("cut off", "0:52"), None);
        assert_eq!(network_share(std::env::temp_dir().as_path()), None, "tests run on a local disk");
    }
}
