//! From the Azure portal to the mailed license key.

use serde_json::{Value, json};

use super::{ALEX, Failure, Story, expect_path, expect_text, failed};
use crate::{
    cli::{
        browser::Page,
        scene::{PATIENCE, PAUSE, text_of},
    },
    clock::Stopwatch,
    signing::{self, Jwks},
};

const USERS: &str = "150";

pub(super) async fn play(story: &mut Story<'_>) -> Result<(), Failure> {
    let order =
        json!({ "offerId": "konnekt", "planId": "konnekt-yearly", "name": "konnekt-prod", "beneficiary": ALEX });
    let bought = story.scene.control("purchase", &order).await?;
    let id = text_of(&bought, "subscriptionId")?;
    story.id = id.parse().map_err(|_| failed(&format!("{id} is no id")))?;
    story.tell("bought", "Contoso GmbH subscribes to KONNEKT in the Azure portal", &json!({ "subscription": id }));

    let configure = story.scene.microsoft(&format!("portal/subscriptions/{id}/configure"))?;
    let form = story.browser.open(configure).await?;
    expect_path(&form, "/enrol")?;
    story.tell("signed_in", "\"Configure account now\", and signed in with Microsoft", &json!({ "person": ALEX }));

    let review = enrol(story, &form).await?;
    story.tell("reviewed", "150 users: 2,100.00 EUR a year, reviewed", &json!({ "users": USERS }));

    let fields = [("csrf", review.field("csrf")?), ("quote", review.field("quote")?)];
    expect_path(&story.post_own("/enrol/submit", &fields).await?, "/progress")?;
    wait_until_finished(story).await?;
    let activations = story.scene.demo.simulator.world().activations(story.id);
    story.tell("activated", "Microsoft says Subscribed", &json!({ "activations": activations }));

    let key = license_key(story).await?;
    let claims = verify(story, &key).await?;
    story.tell("key_verified", "The license key on the page is genuine", &claims);

    let mail = find_mail(story, &key).await?;
    story.tell("mailed", "The same key is in the mailbox", &mail);
    if activations != 1 {
        return Err(failed("Microsoft counted another number of activations than one"));
    }
    Ok(())
}

/// Fills in the form and gives the review.
async fn enrol(story: &mut Story<'_>, form: &Page) -> Result<Page, Failure> {
    let fields = [
        ("csrf", form.field("csrf")?),
        ("users", USERS.to_owned()),
        ("organisation", "Contoso GmbH".to_owned()),
        ("email", "alex.weber@contoso.example".to_owned()),
        ("technical_contact", "jo.brandt@contoso.example".to_owned()),
    ];
    let review = story.post_own("/enrol/review", &fields).await?;
    expect_path(&review, "/enrol/review/")?;
    expect_text(&review, &["2,100.00", "600.00", "1,500.00"])?;
    Ok(review)
}

/// Moves the simulated time on until the page says that everything is done.
async fn wait_until_finished(story: &mut Story<'_>) -> Result<(), Failure> {
    let watch = Stopwatch::start();
    while watch.elapsed() < PATIENCE {
        let page = story.open_own("/progress.json").await?;
        let state: Value = serde_json::from_str(&page.text).map_err(|error| failed(&error.to_string()))?;
        if state.get("next").is_some_and(Value::is_string) {
            return Ok(());
        }
        story.scene.control("clock", &json!({ "advanceSeconds": 1 })).await?;
        tokio::time::sleep(PAUSE).await;
    }
    Err(failed("the activation did not come to an end"))
}

/// The key of the account page, and of the file.
pub(super) async fn license_key(story: &mut Story<'_>) -> Result<String, Failure> {
    let account = story.open_own("").await?;
    let key = story.open_own("/license.lic").await?.text.trim().to_owned();
    if account.text.contains(&key) { Ok(key) } else { Err(failed("the account page does not show the key")) }
}

/// As a licensed product would: with the published keys alone.
pub(super) async fn verify(story: &mut Story<'_>, key: &str) -> Result<Value, Failure> {
    let page = story.open(".well-known/jwks.json").await?;
    let jwks: Jwks = serde_json::from_str(&page.text).map_err(|error| failed(&error.to_string()))?;
    let claims = signing::verify(key, &jwks, story.scene.now()).map_err(|error| failed(&error.to_string()))?;
    let mut value = serde_json::to_value(&claims).map_err(|error| failed(&error.to_string()))?;
    if let (Some(object), Ok(jwks)) = (value.as_object_mut(), serde_json::to_value(&jwks)) {
        object.insert("key".to_owned(), json!(key));
        object.insert("jwks".to_owned(), jwks);
    }
    Ok(value)
}

async fn find_mail(story: &mut Story<'_>, key: &str) -> Result<Value, Failure> {
    let mails = story.mails("jo.brandt@contoso.example").await?;
    let mail = mails.first().ok_or_else(|| failed("there is no mail"))?;
    let id = mail.get("id").map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned)).unwrap_or_default();
    let address = story.scene.microsoft(&format!("control/mails/{id}"))?;
    let whole = story.browser.open(address).await?;
    let mail: Value = serde_json::from_str(&whole.text).map_err(|error| failed(&error.to_string()))?;
    let text = mail.get("text").and_then(Value::as_str).unwrap_or_default();
    if !text.contains(key) {
        return Err(failed("the mail does not carry the key"));
    }
    Ok(json!({ "subject": mail.get("subject"), "messageId": mail.get("messageId"), "to": mail.get("to") }))
}
