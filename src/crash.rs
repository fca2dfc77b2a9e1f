//! Places at which a test may kill the process, to prove that a restart loses nothing and does nothing twice.
//!
//! Without the feature `crash-points` (that is, in every build but those of the tests) this is nothing at all.

/// A boundary: a request leaves, an answer has come, a commit is about to be made or has been made.
///
/// With `SEATKEY_CRASH_LOG=FILE` its name is appended to the file; with `SEATKEY_CRASH_AT=N` the process kills itself with
/// `SIGKILL` at the N-th one.
#[cfg(feature = "crash-points")]
pub(crate) fn crash_point(name: &'static str) {
    recording::reach(name);
}

#[cfg(not(feature = "crash-points"))]
pub(crate) fn crash_point(_: &'static str) {}

#[cfg(feature = "crash-points")]
mod recording {
    use std::{
        io::Write as _,
        process::Command,
        sync::atomic::{AtomicU64, Ordering},
    };

    static REACHED: AtomicU64 = AtomicU64::new(0);

    pub(super) fn reach(name: &str) {
        let number = REACHED.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(path) = std::env::var_os("SEATKEY_CRASH_LOG") {
            let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
            // One write call, so that lines of two threads do not mix; a lost line fails the test that counts them.
            drop(file.and_then(|mut file| file.write_all(format!("{name}\n").as_bytes())));
        }
        let wanted = std::env::var("SEATKEY_CRASH_AT").ok().and_then(|text| text.parse::<u64>().ok());
        if wanted == Some(number) {
            die();
        }
    }

    /// `SIGKILL`, as the kernel's out-of-memory killer would: nothing is flushed, closed or said.
    fn die() {
        drop(Command::new("sh").args(["-c", "kill -KILL $PPID"]).status());
        loop {
            std::thread::park();
        }
    }
}
