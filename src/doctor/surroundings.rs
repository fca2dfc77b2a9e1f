//! What the machine tells: the disks, and whether somebody moves the clock.

use std::path::{Path, PathBuf};

use crate::app::checkup::{Check, Mend, Verdict, Whose};

pub(super) static PLACE: Check = Check {
    id: "database.place",
    is_well_when: "a SQLite file is on a local disk that outlives this machine's (or container's) restart",
    needs: &["database.reachable"],
    mends: &[&LOCAL_DISK, &VOLUME],
};
pub(super) static MOVED: Check = Check {
    id: "clock.moved",
    is_well_when: "nobody moves the clock (SEATKEY_CLOCK_FILE is not set)",
    needs: &[],
    mends: &[&LEAVE_IT],
};

static LOCAL_DISK: Mend = Mend {
    whose: Whose::Operations,
    does: "Move the SQLite file to a local disk, or use PostgreSQL: SQLite's locks do not work across a network.",
};
static VOLUME: Mend = Mend {
    whose: Whose::Operations,
    does: "Mount a volume for the SQLite file: it is in memory or in the container's own layer, and gone with either.",
};
static LEAVE_IT: Mend = Mend {
    whose: Whose::Operations,
    does: "Remove SEATKEY_CLOCK_FILE from the environment: it is for tests against the simulator.",
};

/// Of these, the names begin so.
const NETWORKS: [&str; 8] = ["nfs", "cifs", "smb", "9p", "fuse.sshfs", "fuse.blobfuse", "ceph", "glusterfs"];
/// What is in these is gone with a restart.
const FLEETING: [&str; 3] = ["tmpfs", "ramfs", "overlay"];

/// What the machine tells.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The file that moves the clock, where one is set.
    pub clock_file: Option<PathBuf>,
    /// The mounted file systems, as Linux lists them in `/proc/mounts`; empty = unknown.
    pub mounts: String,
}

impl Surroundings {
    /// Asks this machine.
    #[must_use]
    pub fn of_this_machine() -> Self {
        Self {
            clock_file: std::env::var_os("SEATKEY_CLOCK_FILE").map(PathBuf::from),
            mounts: std::fs::read_to_string("/proc/mounts").unwrap_or_default(),
        }
    }

    pub(super) fn is_moved(&self) -> Verdict {
        match &self.clock_file {
            Some(path) => Verdict::Warning(&LEAVE_IT, format!("the time comes from {}", path.display())),
            None => Verdict::well("it is the machine's own"),
        }
    }

    /// On what the file of a database is.
    pub(super) fn place_of(&self, url: &str) -> Verdict {
        let Some(file) = sqlite_file(url) else { return Verdict::well("it is a server's, or in memory for a test") };
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_path_buf());
        let Some(kind) = self.file_system_of(&file) else {
            return Verdict::NotChecked("because this machine does not list its file systems".to_owned());
        };
        let saw = format!("{} is on {kind}", file.display());
        if NETWORKS.iter().any(|network| kind.starts_with(network)) {
            return Verdict::Wrong(&LOCAL_DISK, saw);
        }
        if FLEETING.contains(&kind) { Verdict::Warning(&VOLUME, saw) } else { Verdict::Well(saw) }
    }

    /// The kind of the innermost mount around a file; of several on one place the last is seen.
    fn file_system_of(&self, file: &Path) -> Option<&str> {
        let mounts = self.mounts.lines().filter_map(|line| {
            let mut words = line.split(' ').skip(1);
            Some((words.next()?, words.next()?))
        });
        let around = mounts.filter(|(place, _)| file.starts_with(place.replace("\\040", " ")));
        around.max_by_key(|(place, _)| place.len()).map(|(_, kind)| kind)
    }
}

fn sqlite_file(url: &str) -> Option<&Path> {
    let rest = url.strip_prefix("sqlite:")?;
    let path = rest.strip_prefix("//").unwrap_or(rest).split('?').next()?;
    (path != ":memory:").then(|| Path::new(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_mount_counts() {
        let mounts = "overlay / overlay rw 0 0\n/dev/sda1 /var/lib ext4 rw 0 0\nserver:/x /var/lib/shared nfs4 rw 0 0\n\
                      tmpfs /run tmpfs rw 0 0\n";
        let here = Surroundings { mounts: mounts.to_owned(), clock_file: None };
        let told = |url: &str| here.place_of(url).mend().map(|mend| mend.does);
        assert_eq!(told("sqlite:///var/lib/seatkey.db"), None);
        assert_eq!(told("sqlite:///var/lib/shared/seatkey.db?mode=rwc"), Some(LOCAL_DISK.does));
        assert_eq!(told("sqlite:///run/seatkey.db"), Some(VOLUME.does));
        assert_eq!(told("sqlite:///srv/seatkey.db"), Some(VOLUME.does));
        assert_eq!(told("postgres://user@host/seatkey"), None);
    }
}
