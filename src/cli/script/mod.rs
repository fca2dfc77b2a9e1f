//! `seatkey demo --script`: the story without hands. It acts as browser and portal, over HTTP, and calls no use case.

mod ledger;
mod purchase;
mod year;

use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use url::Url;
use uuid::Uuid;

use super::{
    Failure,
    browser::{Browser, Page},
    demo::Demo,
    output::Progress,
};
use crate::clock::Stopwatch;

/// Alex Weber of Contoso GmbH, in the simulator's world.
const ALEX: &str = "a1e4b2c3-7d60-4f51-8a92-3b1c5d7e9f01";
/// The whole story takes a few seconds; nothing in it may hang.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

/// Plays the story; every step is checked.
pub(super) async fn play(demo: &Demo, progress: &mut Progress) -> Result<(), Failure> {
    let mut story = Story { browser: Browser::of(ALEX)?, demo, progress, id: Uuid::nil() };
    purchase::play(&mut story).await?;
    year::play(&mut story).await?;
    story.progress.end("The story went well.");
    Ok(())
}

/// The buyer's browser, the portal, and what has been told so far.
struct Story<'a> {
    browser: Browser,
    demo: &'a Demo,
    progress: &'a mut Progress,
    id: Uuid,
}

impl Story<'_> {
    fn tell(&mut self, name: &str, words: &str, facts: &Value) {
        self.progress.step(name, words, facts);
    }

    fn now(&self) -> OffsetDateTime {
        self.demo.service.app.clock.now()
    }

    /// A page of the service.
    async fn open(&mut self, path: &str) -> Result<Page, Failure> {
        let page = self.browser.open(join(&self.demo.public_url, path)?).await?;
        if page.status == 200 { Ok(page) } else { Err(failed(&format!("{path} answered {}", page.status))) }
    }

    /// A page of the subscription; `""` is its account page.
    async fn open_own(&mut self, path: &str) -> Result<Page, Failure> {
        self.open(&format!("subscriptions/{}{path}", self.id)).await
    }

    /// Submits a form of the subscription.
    async fn post_own(&mut self, path: &str, fields: &[(&str, String)]) -> Result<Page, Failure> {
        let address = join(&self.demo.public_url, &format!("subscriptions/{}{path}", self.id))?;
        Ok(self.browser.post_form(address, fields).await?)
    }

    /// The simulator's control interface.
    async fn control(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        let address = join(self.demo.simulator.base_url(), &format!("control/{path}"))?;
        let answer = self.browser.post_json(address, body).await?;
        match answer.get("error").and_then(Value::as_str) {
            Some(error) => Err(failed(error)),
            None => Ok(answer),
        }
    }

    /// Something that the customer does in Microsoft's portal.
    async fn in_portal(&self, verb: &str) -> Result<(), Failure> {
        self.control(&format!("subscriptions/{}/{verb}", self.id), &json!({})).await.map(drop)
    }

    /// Moves the simulated time on, and waits until everything that follows from it is done.
    async fn advance(&self, by: time::Duration) -> Result<(), Failure> {
        self.control("clock", &json!({ "advanceSeconds": by.whole_seconds() })).await?;
        self.until_idle().await
    }

    /// Until no webhook is on its way, no operation open and no job due.
    async fn until_idle(&self) -> Result<(), Failure> {
        let watch = Stopwatch::start();
        while watch.elapsed() < PATIENCE {
            let store = &self.demo.service.app.store;
            let jobs = store.count_open_jobs(self.now()).await.map_err(|error| failed(&error.to_string()))?;
            if jobs == 0 && self.demo.simulator.world().is_quiet() {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(failed("the service does not come to rest"))
    }

    /// The mails to an address, newest first.
    async fn mails(&mut self, to: &str) -> Result<Vec<Value>, Failure> {
        let list = self.browser.open(join(self.demo.simulator.base_url(), &format!("control/mails?to={to}"))?).await?;
        let mails: Value = serde_json::from_str(&list.text).map_err(|error| failed(&error.to_string()))?;
        Ok(mails.as_array().cloned().unwrap_or_default())
    }
}

fn join(base: &Url, path: &str) -> Result<Url, Failure> {
    base.join(path).map_err(|error| failed(&error.to_string()))
}

fn expect_path(page: &Page, part: &str) -> Result<(), Failure> {
    if page.status == 200 && page.url.path().contains(part) {
        Ok(())
    } else {
        Err(failed(&format!("{} answered {} instead of {part}", page.url.path(), page.status)))
    }
}

fn expect_text(page: &Page, parts: &[&str]) -> Result<(), Failure> {
    match parts.iter().find(|part| !page.text.contains(**part)) {
        Some(missing) => Err(failed(&format!("{} does not show {missing}", page.url.path()))),
        None => Ok(()),
    }
}

fn text_of(value: &Value, name: &str) -> Result<String, Failure> {
    value
        .get(name)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| failed(&format!("there is no {name}: {value}")))
}

/// What did not go as it should.
pub(super) fn failed(reason: &str) -> Failure {
    Failure::No(format!("the story went wrong: {reason}"))
}
