//! A backup of a SQLite database that is in use: a copy of one state, checked, flushed, and only then given its name.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    path::{Path, PathBuf},
    time::Duration,
};

use time::{OffsetDateTime, UtcOffset, macros::format_description};

use super::{AppError, verify_ledger};
use crate::{
    clock::new_id,
    store::{Store, StoreError},
};

/// How often a copy that takes long is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database is not a file of SQLite.
    #[error(
        "`seatkey backup` copies SQLite files, and this database is none: back up PostgreSQL by its own point-in-time \
         recovery, as deploy/BACKUP.md shows"
    )]
    NotAFile,
    /// A backup is never written over another file.
    #[error("{0} is there already; name another file, or a directory, where each backup gets a name of its own")]
    Exists(PathBuf),
    /// The target cannot be written.
    #[error("{path} cannot be written: {source}")]
    File {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The copy is damaged, and so may be the database.
    #[error("the copy is damaged and was removed; check the disk and the database itself: {}", .0.join("; "))]
    Damaged(Vec<String>),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The copy cannot be read.
    #[error(transparent)]
    Unreadable(#[from] AppError),
}

/// How far a backup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupStep {
    /// Bytes that are copied.
    Copied {
        /// So many.
        bytes: u64,
        /// Of at most so many.
        of: u64,
    },
    /// Everything is copied; now it is read.
    Checking,
}

/// A backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackedUp {
    /// Where it is.
    pub file: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// Subscriptions whose chains were verified.
    pub subscriptions: u64,
    /// Entries of these chains.
    pub entries: u64,
    /// Entries that are not as they were written: the database has them so, too.
    pub flaws: u64,
}

/// Copies a SQLite database to a file, or into a directory, under the time of the backup. Writers go on meanwhile.
///
/// # Errors
/// [`BackupError`]; nothing is left behind then.
pub async fn back_up(
    store: &Store,
    to: &Path,
    now: OffsetDateTime,
    mut tell: impl FnMut(BackupStep),
) -> Result<BackedUp, BackupError> {
    store.find_file().await?.ok_or(BackupError::NotAFile)?;
    let file = if to.is_dir() { to.join(name_at(now)) } else { to.to_path_buf() };
    if file.exists() {
        return Err(BackupError::Exists(file));
    }
    let partial = Partial::create(&file, now)?;
    copy(store, &partial, &mut tell).await?;
    tell(BackupStep::Checking);
    let copied = Store::connect_file(&partial.path).await?;
    let damage = copied.find_damage().await?;
    if !damage.is_empty() {
        return Err(BackupError::Damaged(damage));
    }
    let verified = verify_ledger(&copied, |_| {}).await?;
    copied.close().await;
    let bytes = partial.keep(&file)?;
    Ok(BackedUp {
        file,
        bytes,
        subscriptions: verified.subscriptions,
        entries: verified.entries,
        flaws: verified.flaws,
    })
}

/// Such as `seatkey-2026-01-15T10-12-00Z.db`: names sort by time, and every file system takes them.
fn name_at(now: OffsetDateTime) -> String {
    let format = format_description!("seatkey-[year]-[month]-[day]T[hour]-[minute]-[second]Z.db");
    now.to_offset(UtcOffset::UTC).format(&format).unwrap_or_else(|_| "seatkey.db".to_owned())
}

async fn copy(store: &Store, partial: &Partial, tell: &mut impl FnMut(BackupStep)) -> Result<(), StoreError> {
    let of = store.count_bytes().await?;
    let mut copying = std::pin::pin!(store.copy_into(&partial.path));
    loop {
        tokio::select! {
            done = &mut copying => return done,
            () = tokio::time::sleep(LOOK_EVERY) => {
                let bytes = fs::metadata(&partial.path).map_or(0, |file| file.len());
                tell(BackupStep::Copied { bytes, of });
            }
        }
    }
}

/// A file that is gone again unless it is kept.
struct Partial {
    path: PathBuf,
    is_kept: bool,
}

impl Partial {
    /// Beside the target, so that it can be renamed; its owner alone may read it.
    fn create(target: &Path, now: OffsetDateTime) -> Result<Self, BackupError> {
        let path = with_ending(target, &format!(".{}.partial", new_id(now).simple()));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&path).map_err(|source| BackupError::File { path: target.to_path_buf(), source })?;
        Ok(Self { path, is_kept: false })
    }

    /// On the disk, under its own name; gives its size.
    fn keep(mut self, target: &Path) -> Result<u64, BackupError> {
        let kept = self.flush_and_rename(target);
        let bytes = kept.map_err(|source| BackupError::File { path: target.to_path_buf(), source })?;
        self.is_kept = true;
        Ok(bytes)
    }

    fn flush_and_rename(&self, target: &Path) -> std::io::Result<u64> {
        if with_ending(&self.path, "-wal").exists() {
            return Err(std::io::Error::other("SQLite left a journal beside it"));
        }
        let file = File::open(&self.path)?;
        file.sync_all()?;
        fs::rename(&self.path, target)?;
        let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(file.metadata()?.len())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        for ending in ["", "-wal", "-shm", "-journal"] {
            // What is not there need not be removed.
            drop(fs::remove_file(with_ending(&self.path, ending)));
        }
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}
