//! The running demo as script and history see it: Microsoft's control interface, the time, and whether everything has come
//! to rest. Whatever people do is done by their browsers.

use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use url::Url;

use super::{Failure, browser::Browser, demo::Demo};
use crate::clock::Stopwatch;

/// Nothing takes as long as this.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks.
pub(super) const PAUSE: Duration = Duration::from_millis(4);

pub(super) struct Scene<'a> {
    pub(super) demo: &'a Demo,
    /// Nobody's browser: for the control interface.
    remote: Browser,
}

impl<'a> Scene<'a> {
    pub(super) fn of(demo: &'a Demo) -> Result<Self, Failure> {
        Ok(Self { demo, remote: Browser::of("")? })
    }

    pub(super) fn now(&self) -> OffsetDateTime {
        self.demo.service.app.clock.now()
    }

    /// An address of the service.
    pub(super) fn url(&self, path: &str) -> Result<Url, Failure> {
        join(&self.demo.public_url, path)
    }

    /// An address of the simulated Microsoft.
    pub(super) fn microsoft(&self, path: &str) -> Result<Url, Failure> {
        join(self.demo.simulator.base_url(), path)
    }

    /// The simulator's control interface.
    pub(super) async fn control(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let answer = self.remote.post_json(self.microsoft(&format!("control/{path}"))?, body).await?;
        match answer.get("error").and_then(Value::as_str) {
            Some(error) => Err(failed(error)),
            None => Ok(answer),
        }
    }

    /// Moves the simulated time on, and waits until everything that follows from it is done.
    pub(super) async fn advance(&self, by: time::Duration) -> Result<(), Failure> {
        self.control("clock", &json!({ "advanceSeconds": by.whole_seconds() })).await?;
        // The runner looks by itself only from time to time, and knows nothing of a clock that was moved.
        self.demo.service.app.wake.notify_one();
        self.until_idle().await
    }

    /// Until no webhook is on its way, no operation open and no job due.
    pub(super) async fn until_idle(&self) -> Result<(), Failure> {
        let watch = Stopwatch::start();
        let app = &self.demo.service.app;
        while watch.elapsed() < PATIENCE {
            let world = self.demo.simulator.world();
            // Before, because a webhook that is received leaves a job; and after, because a job may cause a webhook.
            let was_quiet = world.is_quiet();
            let jobs = app.store.count_open_jobs(self.now()).await.map_err(|error| failed(&error.to_string()))?;
            if was_quiet && jobs == 0 && world.is_quiet() {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(failed("the service does not come to rest"))
    }
}

fn join(base: &Url, path: &str) -> Result<Url, Failure> {
    base.join(path).map_err(|error| failed(&error.to_string()))
}

/// What did not go as it should.
pub(super) fn failed(reason: &str) -> Failure {
    Failure::No(reason.to_owned())
}

/// A text of an answer.
pub(super) fn text_of(value: &Value, name: &str) -> Result<String, Failure> {
    let text = value.get(name).and_then(Value::as_str).map(str::to_owned);
    text.ok_or_else(|| failed(&format!("there is no {name}: {value}")))
}
