//! `seatkey demo --script`: the story without hands. It acts as browser and portal, over HTTP, and calls no use case.

use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use super::{
    Failure,
    browser::{Browser, Page},
    demo::Demo,
    output::Progress,
};
use crate::{
    clock::Stopwatch,
    signing::{self, Jwks},
};

/// Alex Weber of Contoso GmbH, in the simulator's world.
const ALEX: &str = "a1e4b2c3-7d60-4f51-8a92-3b1c5d7e9f01";
const USERS: &str = "150";
/// The whole story takes a few seconds; nothing in it may hang.
const PATIENCE: Duration = Duration::from_secs(30);

/// Plays the story; every step is checked.
pub(super) async fn play(demo: &Demo, progress: &mut Progress) -> Result<(), Failure> {
    let mut browser = Browser::of(ALEX)?;
    let microsoft = demo.simulator.base_url().clone();
    let order =
        json!({ "offerId": "konnekt", "planId": "konnekt-yearly", "name": "konnekt-prod", "beneficiary": ALEX });
    let bought = browser.post_json(join(&microsoft, "control/purchase")?, &order).await?;
    let id = text_of(&bought, "subscriptionId")?;
    progress.step("bought", "Contoso GmbH subscribes to KONNEKT in the Azure portal", &json!({ "subscription": id }));

    let configure = join(&microsoft, &format!("portal/subscriptions/{id}/configure"))?;
    let form = browser.open(configure).await?;
    expect_path(&form, "/enrol")?;
    progress.step("signed_in", "\"Configure account now\", and signed in with Microsoft", &json!({ "person": ALEX }));

    let review = enrol(&mut browser, &demo.public_url, &id, &form).await?;
    progress.step("reviewed", "150 users: 2,100.00 EUR a year, reviewed", &json!({ "users": USERS }));

    let submit = join(&demo.public_url, &format!("subscriptions/{id}/enrol/submit"))?;
    let fields = [("csrf", review.field("csrf")?), ("quote", review.field("quote")?)];
    expect_path(&browser.post_form(submit, &fields).await?, "/progress")?;
    wait_until_finished(&mut browser, demo, &id).await?;
    progress.step("activated", "Microsoft says Subscribed", &json!({ "activations": activations(demo, &id) }));

    let key = license_key(&mut browser, demo, &id).await?;
    let claims = verify(&mut browser, demo, &key).await?;
    progress.step("key_verified", "The license key on the page is genuine", &claims);

    let mail = find_mail(&mut browser, &microsoft, &key).await?;
    progress.step("mailed", "The same key is in the mailbox", &mail);
    if activations(demo, &id) != 1 {
        return Err(failed("Microsoft counted another number of activations than one"));
    }
    progress.end("The story went well.");
    Ok(())
}

/// Fills in the form and gives the review.
async fn enrol(browser: &mut Browser, public: &Url, id: &str, form: &Page) -> Result<Page, Failure> {
    let fields = [
        ("csrf", form.field("csrf")?),
        ("users", USERS.to_owned()),
        ("organisation", "Contoso GmbH".to_owned()),
        ("email", "alex.weber@contoso.example".to_owned()),
        ("technical_contact", "jo.brandt@contoso.example".to_owned()),
    ];
    let review = browser.post_form(join(public, &format!("subscriptions/{id}/enrol/review"))?, &fields).await?;
    expect_path(&review, "/enrol/review/")?;
    for figure in ["2,100.00", "550.68", "1,376.71"] {
        if !review.text.contains(figure) {
            return Err(failed(&format!("the review does not show {figure}")));
        }
    }
    Ok(review)
}

/// Moves the simulated time on until the page says that everything is done.
async fn wait_until_finished(browser: &mut Browser, demo: &Demo, id: &str) -> Result<(), Failure> {
    let address = join(&demo.public_url, &format!("subscriptions/{id}/progress.json"))?;
    let clock = join(demo.simulator.base_url(), "control/clock")?;
    let watch = Stopwatch::start();
    while watch.elapsed() < PATIENCE {
        let page = browser.open(address.clone()).await?;
        let state: Value = serde_json::from_str(&page.text).map_err(|error| failed(&error.to_string()))?;
        if state.get("next").is_some_and(Value::is_string) {
            return Ok(());
        }
        browser.post_json(clock.clone(), &json!({ "advanceSeconds": 1 })).await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(failed("the activation did not come to an end"))
}

fn activations(demo: &Demo, id: &str) -> u32 {
    uuid::Uuid::parse_str(id).map_or(0, |id| demo.simulator.world().activations(id))
}

async fn license_key(browser: &mut Browser, demo: &Demo, id: &str) -> Result<String, Failure> {
    let account = browser.open(join(&demo.public_url, &format!("subscriptions/{id}"))?).await?;
    let file = browser.open(join(&demo.public_url, &format!("subscriptions/{id}/license.lic"))?).await?;
    let key = file.text.trim().to_owned();
    if account.text.contains(&key) { Ok(key) } else { Err(failed("the account page does not show the key")) }
}

/// As a licensed product would: with the published keys alone.
async fn verify(browser: &mut Browser, demo: &Demo, key: &str) -> Result<Value, Failure> {
    let page = browser.open(join(&demo.public_url, ".well-known/jwks.json")?).await?;
    let jwks: Jwks = serde_json::from_str(&page.text).map_err(|error| failed(&error.to_string()))?;
    let claims =
        signing::verify(key, &jwks, demo.service.app.clock.now()).map_err(|error| failed(&error.to_string()))?;
    let mut value = serde_json::to_value(&claims).map_err(|error| failed(&error.to_string()))?;
    if let (Some(object), Ok(jwks)) = (value.as_object_mut(), serde_json::to_value(&jwks)) {
        object.insert("key".to_owned(), json!(key));
        object.insert("jwks".to_owned(), jwks);
    }
    Ok(value)
}

async fn find_mail(browser: &mut Browser, microsoft: &Url, key: &str) -> Result<Value, Failure> {
    let list = browser.open(join(microsoft, "control/mails?to=jo.brandt@contoso.example")?).await?;
    let mails: Value = serde_json::from_str(&list.text).map_err(|error| failed(&error.to_string()))?;
    let mail = mails.as_array().and_then(|mails| mails.first()).ok_or_else(|| failed("there is no mail"))?;
    let id = mail.get("id").map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned)).unwrap_or_default();
    let whole = browser.open(join(microsoft, &format!("control/mails/{id}"))?).await?;
    let mail: Value = serde_json::from_str(&whole.text).map_err(|error| failed(&error.to_string()))?;
    let text = mail.get("text").and_then(Value::as_str).unwrap_or_default();
    if !text.contains(key) {
        return Err(failed("the mail does not carry the key"));
    }
    Ok(json!({ "subject": mail.get("subject"), "messageId": mail.get("messageId"), "to": mail.get("to") }))
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
