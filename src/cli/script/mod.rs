//! `seatkey demo --script`: the story without hands. It acts as browser and portal, over HTTP, and calls no use case.

mod ledger;
mod purchase;
mod year;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Failure,
    browser::{Browser, Page},
    demo::Demo,
    output::Progress,
    scene::{Scene, failed},
};

/// Alex Weber of Contoso GmbH, in the simulator's world.
const ALEX: &str = "a1e4b2c3-7d60-4f51-8a92-3b1c5d7e9f01";

/// Plays the story; every step is checked.
pub(super) async fn play(demo: &Demo, progress: &mut Progress) -> Result<(), Failure> {
    let scene = Scene::of(demo)?;
    let mut story = Story { browser: Browser::of(ALEX)?, scene, progress, id: Uuid::nil() };
    let played = async {
        purchase::play(&mut story).await?;
        year::play(&mut story).await
    };
    played.await.map_err(|error| failed(&format!("the story went wrong: {error}")))?;
    story.progress.end("The story went well.");
    Ok(())
}

/// The buyer's browser, the portal, and what has been told so far.
struct Story<'a> {
    browser: Browser,
    scene: Scene<'a>,
    progress: &'a mut Progress,
    id: Uuid,
}

impl Story<'_> {
    fn tell(&mut self, name: &str, words: &str, facts: &Value) {
        self.progress.step(name, words, facts);
    }

    /// A page of the service.
    async fn open(&mut self, path: &str) -> Result<Page, Failure> {
        let page = self.browser.open(self.scene.url(path)?).await?;
        if page.status == 200 { Ok(page) } else { Err(failed(&format!("{path} answered {}", page.status))) }
    }

    /// A page of the subscription; `""` is its account page.
    async fn open_own(&mut self, path: &str) -> Result<Page, Failure> {
        self.open(&format!("subscriptions/{}{path}", self.id)).await
    }

    /// Submits a form of the subscription.
    async fn post_own(&mut self, path: &str, fields: &[(&str, String)]) -> Result<Page, Failure> {
        let address = self.scene.url(&format!("subscriptions/{}{path}", self.id))?;
        Ok(self.browser.post_form(address, fields).await?)
    }

    /// Something that the customer does in Microsoft's portal.
    async fn in_portal(&self, verb: &str) -> Result<(), Failure> {
        self.scene.control(&format!("subscriptions/{}/{verb}", self.id), &json!({})).await.map(drop)
    }

    /// The mails to an address, newest first.
    async fn mails(&mut self, to: &str) -> Result<Vec<Value>, Failure> {
        let list = self.browser.open(self.scene.microsoft(&format!("control/mails?to={to}"))?).await?;
        let mails: Value = serde_json::from_str(&list.text).map_err(|error| failed(&error.to_string()))?;
        Ok(mails.as_array().cloned().unwrap_or_default())
    }
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
