//! What buyers do, in the portal and on the service's pages.

use serde_json::Value;
use uuid::Uuid;

use super::{Organisation, Teller, accepted, settle};
use crate::cli::{
    Failure,
    browser::{Browser, Page},
    scene::failed,
};

impl Teller<'_> {
    /// Subscribes in the portal; a partner's person does it for the organisation.
    pub(super) async fn buy(
        &mut self,
        of: &Organisation,
        plan: &str,
        by: Option<&str>,
        test: bool,
    ) -> Result<(), Failure> {
        let mut offers = self.seed.offers.iter();
        let offer = offers.find(|offer| offer.plans.iter().any(|one| one.id == plan));
        let offer = offer.map(|offer| offer.id.clone()).ok_or_else(|| failed(&format!("nobody sells {plan}")))?;
        let beneficiary = self.oid(buyer(of)?)?;
        let purchaser = by.map_or(Ok(beneficiary), |name| self.oid(name))?;
        let mut fields = vec![
            ("name", format!("{offer}-{}", of.domain.split('.').next().unwrap_or_default())),
            ("offer", offer),
            ("plan", plan.to_owned()),
            ("beneficiary", beneficiary.to_string()),
        ];
        if test {
            fields.push(("dry", "yes".to_owned()));
        }
        let address = self.scene.microsoft(&format!("portal/users/{purchaser}/subscribe"))?;
        let page = self.buyers_browser(of)?.post_form(address, &fields).await?;
        let page = accepted(page, "/portal/subscriptions/")?;
        let id = page.url.path().rsplit('/').next().and_then(|id| id.parse().ok());
        let id = id.ok_or_else(|| failed("the portal names no subscription"))?;
        let standing = self.standings.entry(of.domain.clone()).or_default();
        standing.purchases.push((plan.to_owned(), id));
        standing.partner = by.map(str::to_owned);
        Ok(())
    }

    /// "Configure account now", signed in.
    pub(super) async fn configure(&mut self, of: &Organisation, id: Uuid) -> Result<Page, Failure> {
        let address = self.scene.microsoft(&format!("portal/subscriptions/{id}/configure"))?;
        let page = self.buyers_browser(of)?.open(address).await?;
        accepted(page, "/enrol")
    }

    /// The form, filled in, and its review.
    pub(super) async fn review(&mut self, of: &Organisation, id: Uuid, users: u32) -> Result<Page, Failure> {
        let form = self.configure(of, id).await?;
        let fields = [
            ("csrf", form.field("csrf")?),
            ("users", users.to_string()),
            ("organisation", of.name.clone()),
            ("email", of.mailbox(buyer(of)?)),
            ("technical_contact", of.mailbox(of.people.last().map_or("", String::as_str))),
        ];
        let page = self.post(of, id, "enrol/review", &fields).await?;
        accepted(page, "/enrol/review/")
    }

    /// From "Configure account now" until the page says that everything is done.
    pub(super) async fn enrol(&mut self, of: &Organisation, id: Uuid, users: u32) -> Result<(), Failure> {
        let review = self.review(of, id, users).await?;
        let fields = [("csrf", review.field("csrf")?), ("quote", review.field("quote")?)];
        let page = self.post(of, id, "enrol/submit", &fields).await?;
        accepted(page, "/progress")?;
        settle(&self.scene).await?;
        let page = self.open(of, id, "progress.json").await?;
        let state: Value = serde_json::from_str(&page.text).map_err(|error| failed(&error.to_string()))?;
        match state.get("next").and_then(Value::as_str) {
            Some(_) => Ok(()),
            None => Err(failed(&format!("the activation did not come to an end: {}", page.text))),
        }
    }

    /// More users, or fewer, with the review.
    pub(super) async fn change(&mut self, of: &Organisation, id: Uuid, users: u32) -> Result<(), Failure> {
        let account = accepted(self.open(of, id, "").await?, "/subscriptions/")?;
        let fields = [("csrf", account.field("csrf")?), ("users", users.to_string())];
        let review = accepted(self.post(of, id, "users", &fields).await?, "/users/review/")?;
        let fields = [("csrf", review.field("csrf")?), ("change", review.field("change")?)];
        let page = accepted(self.post(of, id, "users/submit", &fields).await?, "/subscriptions/")?;
        if page.url.path().contains("/review/") { Err(failed("the change was not accepted")) } else { Ok(()) }
    }

    /// The button of a page.
    pub(super) async fn confirm(
        &mut self,
        of: &Organisation,
        id: Uuid,
        page: &str,
        button: &str,
    ) -> Result<(), Failure> {
        // A sign-in leads to the account page.
        accepted(self.open(of, id, "").await?, "/subscriptions/")?;
        let asked = accepted(self.open(of, id, page).await?, page)?;
        let fields = [("csrf", asked.field("csrf")?)];
        accepted(self.post(of, id, button, &fields).await?, "/subscriptions/").map(drop)
    }

    /// A button of the portal's page of the subscription.
    pub(super) async fn in_portal(
        &mut self,
        of: &Organisation,
        id: Uuid,
        button: &str,
        fields: &[(&str, String)],
    ) -> Result<(), Failure> {
        let address = self.scene.microsoft(&format!("portal/subscriptions/{id}/{button}"))?;
        let page = self.buyers_browser(of)?.post_form(address, fields).await?;
        accepted(page, "/portal/subscriptions/").map(drop)
    }

    /// A page of the subscription; `""` is its account page.
    async fn open(&mut self, of: &Organisation, id: Uuid, page: &str) -> Result<Page, Failure> {
        let address = self.scene.url(format!("subscriptions/{id}/{page}").trim_end_matches('/'))?;
        Ok(self.buyers_browser(of)?.open(address).await?)
    }

    async fn post(
        &mut self,
        of: &Organisation,
        id: Uuid,
        form: &str,
        fields: &[(&str, String)],
    ) -> Result<Page, Failure> {
        let address = self.scene.url(&format!("subscriptions/{id}/{form}"))?;
        Ok(self.buyers_browser(of)?.post_form(address, fields).await?)
    }

    /// Where a partner has bought, only the partner's people may act.
    fn buyers_browser(&mut self, of: &Organisation) -> Result<&mut Browser, Failure> {
        let partner = self.standings.get(&of.domain).and_then(|standing| standing.partner.clone());
        let language = if of.is_german() { "de" } else { "en" };
        match partner {
            Some(name) => self.browser(&name, language),
            None => self.browser(buyer(of)?, language),
        }
    }
}

fn buyer(of: &Organisation) -> Result<&str, Failure> {
    of.people.first().map(String::as_str).ok_or_else(|| failed("it has no people"))
}
