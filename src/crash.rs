//! Places at which a test may kill the process, to prove that a restart loses nothing and does nothing twice.
//!
//! Without the feature `crash-points` (that is, in every build but those of the tests) this is nothing at all.

/// A boundary: a request leaves, an answer has come, a commit is about to be made or has been made.
///
/// With `SEATKEY_CRASH_LOG=FILE` its name is appended to the file; with `SEATKEY_CRASH_AT=N` the process kills itself with
/// `SIGKILL` at the N-th one. With `SEATKEY_CRASH_FROM=NAME` they are counted from the first one of that name on, so that what runs
/// beside it before makes no difference.
#[cfg(feature = "crash-points")]
pub(crate) fn crash_point(name: &'static str) {
    // Whoever cannot fail here goes on.
    let _may_fail = recording::reach(name);
}

#[cfg(not(feature = "crash-points"))]
pub(crate) fn crash_point(_: &'static str) {}

/// The place behind a statement of a migration: with `SEATKEY_CRASH_AT_STATEMENT=N` the process kills itself behind the N-th
/// one. These are counted apart, because there are hundreds of them.
#[cfg(feature = "crash-points")]
pub(crate) fn statement_point() {
    recording::reach_statement();
}

/// A boundary at which a test may let what stands there fail instead of killing the process.
///
/// # Errors
/// Only where a test says so.
#[cfg(feature = "crash-points")]
pub(crate) fn failing_point(name: &'static str) -> Result<(), Broken> {
    if recording::reach(name) { Err(Broken) } else { Ok(()) }
}

#[cfg(not(feature = "crash-points"))]
#[expect(clippy::unnecessary_wraps, reason = "a test build may say no")]
pub(crate) fn failing_point(_: &'static str) -> Result<(), Broken> {
    Ok(())
}

/// A test let it fail.
#[derive(Debug)]
pub(crate) struct Broken;

/// What happens to the work that comes to a boundary.
#[cfg(feature = "crash-points")]
#[derive(Debug)]
pub enum Mishap {
    /// It dies: nothing after it is done, what was held in memory is gone, an open transaction is rolled back.
    Dies,
    /// What stands there fails, where that can fail.
    Fails,
    /// It says so, and stands still until it is told to go on, or nobody is there to tell it.
    Stalls(std::sync::mpsc::Sender<()>, std::sync::Mutex<std::sync::mpsc::Receiver<()>>),
}

/// Runs `work` and lets it die at the N-th boundary that it comes to, counted from 1: nothing after it is done, what was
/// held in memory is gone, an open transaction is rolled back. `None` = it died. A process is killed in the same way, but
/// this one lives on, so that a test can do it thousands of times.
#[cfg(feature = "crash-points")]
pub async fn dying_at<T>(number: u32, work: impl Future<Output = T>) -> Option<T> {
    recording::with(recording::Plan::of(None, number, Mishap::Dies), work).await.0
}

/// Runs `work`; at the N-th boundary of this name, counted from 1, the mishap happens. `None` = it died.
#[cfg(feature = "crash-points")]
pub async fn meeting<T>(
    (name, number): (&'static str, u32),
    mishap: Mishap,
    work: impl Future<Output = T>,
) -> Option<T> {
    recording::with(recording::Plan::of(Some(name), number, mishap), work).await.0
}

/// Runs `work` and gives the boundaries that it came to, in their order.
#[cfg(feature = "crash-points")]
pub async fn recorded<T>(work: impl Future<Output = T>) -> (Option<T>, Vec<&'static str>) {
    recording::with(recording::Plan::of(None, 0, Mishap::Dies), work).await
}

#[cfg(feature = "crash-points")]
mod recording {
    use std::{
        cell::{Cell, RefCell},
        future::poll_fn,
        io::Write as _,
        panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
        process::Command,
        sync::atomic::{AtomicU64, Ordering},
        task::Poll,
    };

    use super::Mishap;

    static REACHED: AtomicU64 = AtomicU64::new(0);

    tokio::task_local! {
        static PLAN: Plan;
    }

    /// What is to happen to a task.
    pub(super) struct Plan {
        /// Boundaries of this name count; all of them where there is none.
        name: Option<&'static str>,
        /// How many are left until the one that it happens at; 0 = it does not.
        left: Cell<u32>,
        mishap: Mishap,
        seen: RefCell<Vec<&'static str>>,
    }

    impl Plan {
        pub(super) fn of(name: Option<&'static str>, number: u32, mishap: Mishap) -> Self {
            Self { name, left: Cell::new(number), mishap, seen: RefCell::default() }
        }

        /// Whether what stands here fails.
        fn reach(&self, name: &'static str) -> bool {
            self.seen.borrow_mut().push(name);
            if self.name.is_some_and(|wanted| wanted != name) {
                return false;
            }
            if self.left.replace(self.left.get().saturating_sub(1)) != 1 {
                return false;
            }
            match &self.mishap {
                // Unlike a panic this says nothing on standard error: it is no failure.
                Mishap::Dies => resume_unwind(Box::new(Died)),
                Mishap::Fails => true,
                Mishap::Stalls(reached, go_on) => {
                    tokio::task::block_in_place(|| {
                        // Who does not listen any more does not stall it either.
                        let _heard = reached.send(());
                        drop(go_on.lock().map(|go_on| go_on.recv()));
                    });
                    false
                }
            }
        }
    }

    /// What unwinds out of a task that dies.
    struct Died;

    /// Gives the boundaries, too.
    pub(super) async fn with<T>(plan: Plan, work: impl Future<Output = T>) -> (Option<T>, Vec<&'static str>) {
        let mut work = Box::pin(PLAN.scope(plan, async {
            let done = work.await;
            (done, PLAN.with(|plan| plan.seen.take()))
        }));
        let ended = poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(polled) => polled.map(Some),
            Err(reason) if reason.is::<Died>() => Poll::Ready(None),
            Err(reason) => resume_unwind(reason),
        });
        ended.await.map_or((None, Vec::new()), |(done, seen)| (Some(done), seen))
    }

    pub(super) fn reach(name: &'static str) -> bool {
        let fails = PLAN.try_with(|plan| plan.reach(name)).unwrap_or(false);
        let number = count(name);
        if let Some(path) = std::env::var_os("SEATKEY_CRASH_LOG") {
            let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
            // One write call, so that lines of two threads do not mix; a lost line fails the test that counts them.
            drop(file.and_then(|mut file| file.write_all(format!("{name}\n").as_bytes())));
        }
        if wanted("SEATKEY_CRASH_AT") == Some(number) {
            die();
        }
        fails
    }

    /// Which one it is, counted from 1; 0 = they are not counted yet.
    fn count(name: &str) -> u64 {
        let waits = std::env::var("SEATKEY_CRASH_FROM").is_ok_and(|from| from != name);
        if waits && REACHED.load(Ordering::SeqCst) == 0 { 0 } else { REACHED.fetch_add(1, Ordering::SeqCst) + 1 }
    }

    pub(super) fn reach_statement() {
        static STATEMENTS: AtomicU64 = AtomicU64::new(0);
        let number = STATEMENTS.fetch_add(1, Ordering::SeqCst) + 1;
        if wanted("SEATKEY_CRASH_AT_STATEMENT") == Some(number) {
            die();
        }
    }

    fn wanted(variable: &str) -> Option<u64> {
        std::env::var(variable).ok().and_then(|text| text.parse().ok())
    }

    /// `SIGKILL`, as the kernel's out-of-memory killer would: nothing is flushed, closed or said.
    fn die() {
        drop(Command::new("sh").args(["-c", "kill -KILL $PPID"]).status());
        loop {
            std::thread::park();
        }
    }
}
