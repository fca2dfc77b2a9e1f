//! Many subscriptions in one world: one simulator, one application on a database in memory, no browser. Microsoft's answers
//! come over HTTP, webhooks are handed to the use case behind the route.

use std::sync::Arc;

use futures::{StreamExt as _, future::try_join_all, stream};
use seatkey::{
    app::{AppError, Received, Repair, Submitted, receive_webhook, reconcile_page, review_order, submit_order},
    domain::{enrolment::Order, policy::Identity, subscription::Stage as Life},
    jobs::Runner,
    simulator::{Purchase, Seed, World},
    store::{Store, StoreError},
};
use serde_json::Value;
use time::Duration;
use uuid::Uuid;

use super::{Database, Stage, stage};

/// Runners that work at the same time.
const RUNNERS: usize = 4;

/// A world for chance to play in.
pub(crate) struct Lab {
    pub(crate) stage: Stage,
}

impl Lab {
    pub(crate) async fn open() -> Self {
        Self { stage: Stage::set_with(Database::Memory, &catalog()).await }
    }

    /// The same with a catalog and customers of one's own.
    pub(crate) async fn open_with(catalog: &str, seed: Seed) -> Self {
        Self { stage: Stage::set_in(Database::Memory, catalog, seed).await }
    }

    /// The catalog lacks a plan, as seen from Microsoft: there it has another id.
    pub(crate) async fn open_without(plan: &str) -> Self {
        let catalog = catalog().replace(&format!("id = \"{plan}\""), "id = \"another\"");
        Self { stage: Stage::set_with(Database::Memory, &catalog).await }
    }

    pub(crate) fn world(&self) -> &World {
        self.stage.world()
    }

    /// Microsoft tells of purchases that nobody has heard of; somebody enrols in all of these.
    pub(crate) async fn enrol(&self, ids: &[Uuid], users: u32) {
        self.sweep().await;
        stream::iter(ids).for_each_concurrent(RUNNERS, |id| self.order(*id, users)).await;
        self.run_due().await;
        self.stage.settle().await;
    }

    /// Somebody enrols in a purchase that is known; its job is left to run.
    pub(crate) async fn order(&self, id: Uuid, users: u32) {
        let app = &self.stage.app;
        let known = app.store.find_subscription(id).await.unwrap().unwrap();
        let buyer = &known.microsoft.purchaser;
        let who = Identity { tenant_id: buyer.tenant_id.unwrap(), object_id: buyer.object_id.unwrap() };
        let order = Order {
            users: Some(users),
            extras: Vec::new(),
            organisation: "Contoso GmbH".to_owned(),
            buyer_name: "Alex Weber".to_owned(),
            buyer_email: "alex.weber@contoso.example".to_owned(),
            technical_contact: "jo.brandt@contoso.example".to_owned(),
            language: "en".to_owned(),
        };
        let review = review_order(app, who, &known, order).await.unwrap();
        let mut quote_id = review.quote_id;
        loop {
            match submit_order(app, who, &known, quote_id).await {
                // Somebody else of the tenant has used up the trial in the meantime, or does in this moment.
                Ok(Submitted::Changed { quote_id: fresh }) => quote_id = fresh,
                Err(AppError::Store(StoreError::Conflict(_))) => {}
                other => return assert!(matches!(other.unwrap(), Submitted::Accepted)),
            }
        }
    }

    /// The body of a webhook arrives; its token has been verified.
    pub(crate) async fn post(&self, body: &str) -> Received {
        receive_webhook(&self.stage.app, body.as_bytes(), &Value::Null).await.unwrap()
    }

    /// Everything that is due now, by several runners at once.
    pub(crate) async fn run_due(&self) {
        let runners: Vec<Runner> = (0..RUNNERS).map(|_| Runner::new(Arc::clone(&self.stage.app))).collect();
        let steps: Result<Vec<u32>, StoreError> = try_join_all(runners.iter().map(Runner::run_due)).await;
        steps.unwrap();
    }

    /// Compares everything with Microsoft once; gives what was mended.
    pub(crate) async fn sweep(&self) -> Vec<Repair> {
        let mut repairs = Vec::new();
        let mut continuation = None;
        loop {
            let page = reconcile_page(&self.stage.app, continuation.as_deref()).await.unwrap();
            repairs.extend(page.repairs);
            continuation = page.continuation;
            if continuation.is_none() {
                return repairs;
            }
        }
    }

    /// How what is kept differs from Microsoft's own record, in words; empty when it does not.
    pub(crate) async fn differences(&self, id: Uuid) -> Vec<String> {
        differences(self.world(), &self.stage.app.store, id).await
    }

    /// Buys so many seats of a plan that Microsoft bills, activated by Microsoft.
    pub(crate) fn buy_seats(&self, seats: u32) -> Uuid {
        let buyer = super::people::ALEX.parse().unwrap();
        let purchase = Purchase::of("sample-seats", "team", buyer);
        self.stage.buy_as(Purchase { quantity: Some(seats), auto_activate: true, ..purchase })
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.stage.advance(by);
    }

    /// The distinct Message-IDs that reached the mail server about a subscription, without its id: `suspended.3`.
    pub(crate) fn mailed(&self, id: Uuid) -> Vec<String> {
        mails_by_subscription(self.world()).remove(&id).unwrap_or_default()
    }
}

/// The distinct Message-IDs that reached the mail server, by subscription: `suspended.3`, in alphabetical order.
pub(crate) fn mails_by_subscription(world: &World) -> std::collections::BTreeMap<Uuid, Vec<String>> {
    let mut all = std::collections::BTreeMap::<Uuid, std::collections::BTreeSet<String>>::new();
    for mail in world.mails() {
        let header = mail.header("Message-ID").unwrap().trim_matches(['<', '>']).to_owned();
        let mut parts = header.split('@').next().unwrap().splitn(3, '.');
        let (event, id) = (parts.next().unwrap(), parts.next().unwrap().parse().unwrap());
        let cause = parts.next().map_or_else(|| event.to_owned(), |cause| format!("{event}.{cause}"));
        all.entry(id).or_default().insert(cause);
    }
    all.into_iter().map(|(id, mails)| (id, mails.into_iter().collect())).collect()
}

/// How what is kept differs from Microsoft's own record, in words; empty when it does not.
pub(crate) async fn differences(world: &World, store: &Store, id: Uuid) -> Vec<String> {
    let theirs = world.subscription(id);
    let Some(ours) = store.find_subscription(id).await.unwrap() else {
        return vec![format!("{id} is not known here")];
    };
    let text = |name: &str| theirs[name].as_str().unwrap_or_default().to_owned();
    let day = |pointer: &str| theirs.pointer(pointer).and_then(Value::as_str).map(|day| day[..10].to_owned());
    let term = ours.microsoft.term;
    let mut pairs = vec![
        ("status", ours.microsoft.status.as_str().to_owned(), text("saasSubscriptionStatus")),
        ("plan", ours.microsoft.plan_id.clone(), text("planId")),
        (
            "quantity",
            format!("{:?}", ours.microsoft.quantity.map(u64::from)),
            format!("{:?}", theirs["quantity"].as_u64()),
        ),
        ("start", format!("{:?}", term.map(|term| term.start.to_string())), format!("{:?}", day("/term/startDate"))),
        ("end", format!("{:?}", term.map(|term| term.end.to_string())), format!("{:?}", day("/term/endDate"))),
    ];
    let status = text("saasSubscriptionStatus");
    if status != "Unsubscribed" {
        // After the end nothing is followed any more.
        pairs.push(("autoRenew", ours.microsoft.auto_renew.to_string(), theirs["autoRenew"].to_string()));
    }
    if ours.stage.enrolled().is_some() {
        let expected = match status.as_str() {
            "Subscribed" => "active",
            "Suspended" => "suspended",
            _ => "ended",
        };
        pairs.push(("stage", ours.stage.name().to_owned(), expected.to_owned()));
        if let (Some(quantity), false) = (theirs["quantity"].as_u64(), status == "Unsubscribed") {
            pairs.push(("users", format!("{:?}", ours.users.map(u64::from)), format!("{:?}", Some(quantity))));
        }
        if !matches!(ours.stage, Life::Ended { .. }) {
            pairs.push(("written term", format!("{:?}", ours.term), format!("{term:?}")));
        }
    } else if status == "Unsubscribed" {
        pairs.push(("stage", ours.stage.name().to_owned(), "ended".to_owned()));
    }
    let differs = pairs.into_iter().filter(|(_, ours, theirs)| ours != theirs);
    differs.map(|(what, ours, theirs)| format!("{what} is {ours} here and {theirs} at Microsoft")).collect()
}

/// The fewest seats of the plan "team"; the catalog below says the same.
pub(crate) const MINIMUM_USERS: u32 = 3;

/// The catalog of the stage, and plans that a customer can change to: a successor, and one that is none.
pub(crate) fn catalog() -> String {
    let catalog = stage::catalog();
    let (before, konnekt) = catalog.split_once("[[offer.plan]]\nid = \"konnekt-yearly\"\n").unwrap();
    let (plan, rest) = konnekt.split_once("\n[[offer]]").unwrap();
    let successor = plan.replacen("name = \"KONNEKT, yearly\"", "name = \"KONNEKT, yearly (2)\"", 1);
    format!(
        "{before}[[offer.plan]]\nid = \"konnekt-yearly\"\n{plan}\n[[offer.plan]]\nid = \"konnekt-yearly-2\"\n\
         successor_of = \"konnekt-yearly\"\n{successor}\n[[offer]]{rest}\
         minimum_users = 3\n\n[[offer.plan]]\nid = \"business\"\nname = \"Sample Business, monthly\"\n\
         term_unit = \"P1M\"\nmodel = \"per_user\"\n"
    )
}
