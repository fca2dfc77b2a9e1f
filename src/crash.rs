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

/// Runs `work` and lets it die at the N-th boundary that it comes to, counted from 1: nothing after it is done, what was
/// held in memory is gone, an open transaction is rolled back. `None` = it died. A process is killed in the same way, but
/// this one lives on, so that a test can do it thousands of times.
#[cfg(feature = "crash-points")]
pub async fn dying_at<T>(number: u32, work: impl Future<Output = T>) -> Option<T> {
    recording::dying_at(number, work).await
}

#[cfg(feature = "crash-points")]
mod recording {
    use std::{
        cell::Cell,
        future::poll_fn,
        io::Write as _,
        panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
        process::Command,
        sync::atomic::{AtomicU64, Ordering},
        task::Poll,
    };

    static REACHED: AtomicU64 = AtomicU64::new(0);

    tokio::task_local! {
        /// How many boundaries are left to the task that dies at one of them.
        static LEFT: Cell<u32>;
    }

    /// What unwinds out of a task that dies.
    struct Died;

    pub(super) async fn dying_at<T>(number: u32, work: impl Future<Output = T>) -> Option<T> {
        let mut work = Box::pin(LEFT.scope(Cell::new(number), work));
        poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(polled) => polled.map(Some),
            Err(reason) if reason.is::<Died>() => Poll::Ready(None),
            Err(reason) => resume_unwind(reason),
        })
        .await
    }

    fn count_down() {
        let left = LEFT.try_with(|left| left.replace(left.get().saturating_sub(1)));
        if left == Ok(1) {
            // Unlike a panic this says nothing on standard error: it is no failure.
            resume_unwind(Box::new(Died));
        }
    }

    pub(super) fn reach(name: &str) {
        count_down();
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
