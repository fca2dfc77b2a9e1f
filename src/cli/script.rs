//! `seatkey demo --script`: the story without hands. It acts as browser and portal, over HTTP, and calls no use case.

use std::{collections::BTreeMap, time::Duration};

use reqwest::{
    Response, StatusCode,
    header::{COOKIE, LOCATION, SET_COOKIE},
};
use serde_json::{Value, json};
use url::Url;

use super::{Failure, demo::Demo, output::Progress};
use crate::{
    clock::Stopwatch,
    http,
    signing::{self, Jwks},
};

/// Alex Weber of Contoso GmbH, in the simulator's world.
const ALEX: &str = "a1e4b2c3-7d60-4f51-8a92-3b1c5d7e9f01";
const USERS: &str = "150";
/// The whole story takes a few seconds; nothing in it may hang.
const PATIENCE: Duration = Duration::from_secs(30);
const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;
const MOST_HOPS: usize = 20;

/// Plays the story; every step is checked.
pub(super) async fn play(demo: &Demo, progress: &mut Progress) -> Result<(), Failure> {
    let mut browser = Browser::new()?;
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
    let fields = [("csrf", hidden(&review, "csrf")?), ("quote", hidden(&review, "quote")?)];
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
        ("csrf", hidden(form, "csrf")?),
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

/// A page as it was shown.
struct Page {
    url: Url,
    text: String,
}

/// A browser without scripts: cookies by host (ports do not count), redirects followed by hand.
struct Browser {
    http: reqwest::Client,
    cookies: BTreeMap<(String, String), String>,
}

impl Browser {
    fn new() -> Result<Self, Failure> {
        let http = http::client().map_err(|error| failed(&error.to_string()))?;
        Ok(Self { http, cookies: BTreeMap::new() })
    }

    async fn open(&mut self, url: Url) -> Result<Page, Failure> {
        let request = self.http.get(url.clone()).header(COOKIE, self.cookies_for(&url));
        let response = request.send().await.map_err(|error| failed(&error.to_string()))?;
        self.follow(url, response).await
    }

    async fn post_form(&mut self, url: Url, fields: &[(&str, String)]) -> Result<Page, Failure> {
        let request = self.http.post(url.clone()).header(COOKIE, self.cookies_for(&url)).form(fields);
        let response = request.send().await.map_err(|error| failed(&error.to_string()))?;
        self.follow(url, response).await
    }

    async fn post_json(&self, url: Url, body: &Value) -> Result<Value, Failure> {
        let response = self.http.post(url).json(body).send().await.map_err(|error| failed(&error.to_string()))?;
        response.json().await.map_err(|error| failed(&error.to_string()))
    }

    async fn follow(&mut self, mut url: Url, mut response: Response) -> Result<Page, Failure> {
        for _ in 0..MOST_HOPS {
            self.keep_cookies(&url, &response);
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
            let Some(location) = location.filter(|_| response.status().is_redirection()) else {
                return finish(url, response).await;
            };
            url = url.join(&location).map_err(|error| failed(&error.to_string()))?;
            if url.path().ends_with("/oauth2/v2.0/authorize") {
                // The account picker's answer, without its page.
                url.query_pairs_mut().append_pair("sim_user", ALEX);
            }
            let request = self.http.get(url.clone()).header(COOKIE, self.cookies_for(&url));
            response = request.send().await.map_err(|error| failed(&error.to_string()))?;
        }
        Err(failed("too many redirects"))
    }

    fn cookies_for(&self, url: &Url) -> String {
        let host = url.host_str().unwrap_or_default();
        let own = self.cookies.iter().filter(|((of, _), _)| of == host);
        own.map(|((_, name), value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn keep_cookies(&mut self, url: &Url, response: &Response) {
        let host = url.host_str().unwrap_or_default();
        for header in response.headers().get_all(SET_COOKIE) {
            let pair =
                header.to_str().ok().and_then(|text| text.split(';').next()).and_then(|pair| pair.split_once('='));
            if let Some((name, value)) = pair {
                self.cookies.insert((host.to_owned(), name.to_owned()), value.to_owned());
            }
        }
    }
}

async fn finish(url: Url, response: Response) -> Result<Page, Failure> {
    let status = response.status();
    let text = http::bounded_text(response, MAX_PAGE_BYTES).await.map_err(|error| failed(&error.to_string()))?;
    let text = text.ok_or_else(|| failed("a page is too long"))?;
    if status == StatusCode::OK {
        Ok(Page { url, text })
    } else {
        Err(failed(&format!("{} answers {status}", url.path())))
    }
}

fn join(base: &Url, path: &str) -> Result<Url, Failure> {
    base.join(path).map_err(|error| failed(&error.to_string()))
}

fn expect_path(page: &Page, part: &str) -> Result<(), Failure> {
    if page.url.path().contains(part) {
        Ok(())
    } else {
        Err(failed(&format!("{} was shown instead of {part}", page.url.path())))
    }
}

/// The value of a form's field.
fn hidden(page: &Page, name: &str) -> Result<String, Failure> {
    let start = page.text.split(&format!("name=\"{name}\" value=\"")).nth(1);
    let value = start.and_then(|rest| rest.split('"').next());
    value.map(str::to_owned).ok_or_else(|| failed(&format!("the form has no field {name}")))
}

fn text_of(value: &Value, name: &str) -> Result<String, Failure> {
    value
        .get(name)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| failed(&format!("there is no {name}: {value}")))
}

fn failed(reason: &str) -> Failure {
    Failure::No(format!("the story went wrong: {reason}"))
}
