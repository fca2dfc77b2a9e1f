//! What the publisher's people and programs do, and how Microsoft behaves meanwhile.

use std::collections::BTreeSet;

use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Organisation, Teller, Trial, accepted};
use crate::{
    cli::{
        Failure, api_key,
        browser::Page,
        scene::{failed, text_of},
    },
    domain::staff::Scope,
    http,
};

/// The publisher's program that extends trials, and who has made its key.
const PROGRAM: &str = "CRM";
const OPERATOR: &str = "Ada Admin";
const KEY_DAYS: u32 = 365;

impl Teller<'_> {
    /// Sales grants a trial in the console.
    pub(super) async fn grant(&mut self, of: &Organisation, by: &str, trial: &Trial) -> Result<(), Failure> {
        let mut offers = self.seed.offers.iter();
        let offer = offers.find(|offer| offer.plans.iter().any(|plan| plan.id == trial.plan));
        let plan = offer.map(|offer| format!("{}/{}", offer.id, trial.plan)).unwrap_or_default();
        let name = of.people.first().cloned().unwrap_or_default();
        let (days, users) = (trial.days.to_string(), trial.users.to_string());
        let email = of.mailbox(&name);
        let mut fields = vec![
            ("kind", if trial.mailed { "prospect" } else { "tenant" }),
            ("plan", &plan),
            ("tenant", &of.domain),
            ("days", &days),
            ("users", &users),
            ("reason", &trial.reason),
        ];
        if trial.mailed {
            fields.extend([("organisation", of.name.as_str()), ("name", &name), ("email", &email)]);
        }
        let page = accepted(self.in_console(by, "console/trials", &fields).await?, "/console/trials/")?;
        let id = page.url.path().rsplit('/').next().and_then(|id| id.parse().ok());
        self.standings.entry(of.domain.clone()).or_default().trial = id;
        Ok(())
    }

    /// Somebody of sales approves or revokes the newest trial.
    pub(super) async fn decide_trial(
        &mut self,
        of: &Organisation,
        by: &str,
        verb: &str,
        reason: &str,
    ) -> Result<(), Failure> {
        let trial = self.standings.get(&of.domain).and_then(|standing| standing.trial);
        let trial = trial.ok_or_else(|| failed("no trial was granted yet"))?;
        let page = self.in_console(by, &format!("console/trials/{trial}/{verb}"), &[("reason", reason)]).await?;
        accepted(page, "/console/trials/").map(drop)
    }

    /// A program extends the running trial or the grace period.
    pub(super) async fn extend(
        &mut self,
        of: &Organisation,
        id: Uuid,
        (extends, days): (&str, u32),
        reason: &str,
    ) -> Result<(), Failure> {
        let key = match &self.api_key {
            Some(key) => key.clone(),
            None => self.make_api_key().await?,
        };
        let body = json!({ "subscriptionId": id, "extends": extends, "days": days, "reason": reason });
        let client = http::client().map_err(|error| failed(&error.to_string()))?;
        let request = client.post(self.scene.url("api/v1/trials")?).header(AUTHORIZATION, format!("Bearer {key}"));
        let request = request.header("Idempotency-Key", Uuid::new_v4().to_string()).json(&body);
        let answer = request.send().await.map_err(|error| failed(&error.to_string()))?;
        let status = answer.status();
        let answer = answer.json::<Value>().await.map_err(|error| failed(&error.to_string()))?;
        if !status.is_success() {
            return Err(failed(&format!("{status}: {}", text_of(&answer, "detail")?)));
        }
        self.standings.entry(of.domain.clone()).or_default().trial = text_of(&answer, "id")?.parse().ok();
        Ok(())
    }

    /// Keys are made at the command line.
    async fn make_api_key(&mut self) -> Result<String, Failure> {
        let scopes = BTreeSet::from([Scope::TrialsRead, Scope::TrialsWrite]);
        let made = api_key::make(&self.scene.demo.service.app, OPERATOR, PROGRAM, scopes, KEY_DAYS).await?;
        self.api_key = Some(made.text.clone());
        Ok(made.text)
    }

    /// A form of the console's page of a subscription.
    pub(super) async fn on_subscription(
        &mut self,
        by: &str,
        id: Uuid,
        form: &str,
        fields: &[(&str, &String)],
    ) -> Result<(), Failure> {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let page = self.in_console(by, &format!("console/subscriptions/{id}/{form}"), &fields).await?;
        accepted(page, "/console/subscriptions/").map(drop)
    }

    /// Finance proposes what becomes of the charge that waits for a person.
    pub(super) async fn propose(&mut self, by: &str, id: Uuid, decision: &str, reason: &str) -> Result<(), Failure> {
        let (charge, _) = self.waiting_charge(by, id, "name=\"decision\"").await?;
        let fields = [("decision", decision), ("reason", reason)];
        let page = self.in_console(by, &format!("console/charges/{charge}/propose"), &fields).await?;
        accepted(page, "/console/charges/").map(drop)
    }

    /// A second person approves what was proposed.
    pub(super) async fn approve(&mut self, by: &str, id: Uuid) -> Result<(), Failure> {
        let (_, page) = self.waiting_charge(by, id, "/approve\"").await?;
        let proposal = page.split("/console/approvals/").nth(1).and_then(|rest| rest.get(..36));
        let form = format!("console/approvals/{}/approve", proposal.ok_or_else(|| failed("nothing is proposed"))?);
        accepted(self.in_console(by, &form, &[]).await?, "/console/charges/").map(drop)
    }

    /// The first charge of a subscription whose page has this, and the page.
    async fn waiting_charge(&mut self, by: &str, id: Uuid, mark: &str) -> Result<(Uuid, String), Failure> {
        let page = self.read(by, &format!("console/subscriptions/{id}")).await?;
        let links = page.split("/console/charges/").skip(1);
        let charges: BTreeSet<Uuid> = links.filter_map(|rest| rest.get(..36)?.parse().ok()).collect();
        for charge in charges {
            let page = self.read(by, &format!("console/charges/{charge}")).await?;
            if page.contains(mark) {
                return Ok((charge, page));
            }
        }
        Err(failed("no charge waits for a person"))
    }

    /// The text of a page of the console.
    async fn read(&mut self, by: &str, path: &str) -> Result<String, Failure> {
        let address = self.scene.url(path)?;
        let page = accepted(self.browser(by, "en")?.open(address).await?, path)?;
        Ok(page.text.replace("&#x2f;", "/"))
    }

    /// Posts a form of the console, signed in.
    async fn in_console(&mut self, by: &str, form: &str, fields: &[(&str, &str)]) -> Result<Page, Failure> {
        let (console, address) = (self.scene.url("console")?, self.scene.url(form)?);
        let browser = self.browser(by, "en")?;
        let today = accepted(browser.open(console).await?, "/console")?;
        let mut all = vec![("csrf", today.field("csrf")?)];
        all.extend(fields.iter().map(|(name, value)| (*name, (*value).to_owned())));
        Ok(browser.post_form(address, &all).await?)
    }

    /// How Microsoft answers usage from now on.
    pub(super) async fn answer_usage_with(&mut self, status: Option<&str>) -> Result<(), Failure> {
        let trick = status.map(|status| json!({ "allFail": status }));
        self.scene.control("switches", &json!({ "usageTrick": trick })).await.map(drop)
    }

    /// Whether Microsoft's webhooks are lost from now on.
    pub(super) async fn lose_webhooks(&mut self, lose: bool) -> Result<(), Failure> {
        self.scene.control("switches", &json!({ "lose": lose })).await.map(drop)
    }
}
