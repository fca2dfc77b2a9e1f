//! What the transactions of an enrolment are measured on: subscriptions, quotes, orders, and a real key and mail.

use seatkey::{
    app::{App, preview_order},
    domain::{
        enrolment::{FrozenQuote, Order},
        policy::{Identity, trial_customer},
        pricing::Line,
        proration::FirstTerm,
        subscription::{Enrolled, Snapshot, Stage as Progress, Subscription},
        time::Term,
    },
    store::{Enrolment, JobKind, Lease, LicenseKey, NewMail, StoredQuote},
};
use time::{Duration, macros::date};
use uuid::Uuid;

use super::rows;
use crate::support::{
    bare::{Bare, Statement, id as id_of},
    microsoft::Microsoft,
    stage::{NOW, Stage},
};

/// Everything that an enrolment is made of.
pub(crate) struct Ground {
    /// The application while Microsoft waits for the activation.
    pub(crate) pending: App,
    /// The application once Microsoft has activated.
    pub(crate) subscribed: App,
    /// The same database without it.
    pub(crate) bare: Bare,
    /// What was reviewed.
    pub(crate) frozen: FrozenQuote,
    /// What Microsoft says before the activation.
    pub(crate) bought: Snapshot,
    /// What it says afterwards.
    pub(crate) activated: Snapshot,
    /// The first term.
    pub(crate) first: FirstTerm,
    /// What is charged of it.
    pub(crate) charges: Vec<Line>,
    /// A real key.
    key: Option<LicenseKey>,
    /// A real mail.
    mail: Option<NewMail>,
}

/// Connects everything, and runs one activation.
pub(crate) async fn prepare(stage: &Stage) -> (Ground, Microsoft) {
    let microsoft = Microsoft::start();
    let pending = stage.app_with(&microsoft, "PendingFulfillmentStart").await;
    let subscribed = stage.app_with(&microsoft, "Subscribed").await;
    let bare = Bare::connect(&stage.database_url).await;
    let bought = pending.marketplace.get_subscription(Uuid::from_u128(1)).await.unwrap().value;
    let activated = subscribed.marketplace.get_subscription(Uuid::from_u128(1)).await.unwrap().value;
    let subscription = subscription(bought.clone(), Progress::AwaitingEnrolment);
    let frozen = preview_order(&pending, &subscription, order()).await.unwrap();
    let term = Term::new(date!(2026 - 01 - 15), date!(2027 - 01 - 14)).unwrap();
    let (first, charges) = frozen.at_activation(term, NOW).unwrap();
    let mut ground =
        Ground { pending, subscribed, bare, frozen, bought, activated, first, charges, key: None, mail: None };
    ground.learn().await;
    (ground, microsoft)
}

/// A subscription with 150 users, as it was first written.
pub(crate) fn subscription(microsoft: Snapshot, stage: Progress) -> Subscription {
    let term = microsoft.term;
    let (users, segment) = (Some(150), Some("KONNEKT 25".to_owned()));
    Subscription { stage, users, segment, term, ..Subscription::new(microsoft, NOW) }
}

fn order() -> Order {
    Order {
        users: Some(150),
        extras: Vec::new(),
        organisation: "Contoso GmbH".to_owned(),
        buyer_name: "Alex Weber".to_owned(),
        buyer_email: "alex.weber@contoso.example".to_owned(),
        technical_contact: "jo.brandt@contoso.example".to_owned(),
        language: "en".to_owned(),
    }
}

/// The accepted order of a subscription; its quote has the same id.
pub(crate) fn enrolment(id: Uuid) -> Enrolment {
    let order = order();
    Enrolment {
        subscription_id: id,
        quote_id: id,
        organisation: order.organisation,
        buyer_name: order.buyer_name,
        buyer_email: order.buyer_email,
        technical_contact: order.technical_contact,
        submitted_at: NOW,
        language: order.language,
    }
}

/// The same subscription under another id, of a customer of its own.
pub(crate) fn renamed(snapshot: &Snapshot, id: Uuid) -> Snapshot {
    let mut snapshot = snapshot.clone();
    snapshot.id = id;
    snapshot.beneficiary.tenant_id = Some(id);
    snapshot.purchaser.tenant_id = Some(id);
    snapshot
}

impl Ground {
    /// One real activation gives key and mail as they really are.
    async fn learn(&mut self) {
        for (id, job) in self.ordered(1).await {
            self.activate(id, job).await;
            self.key = self.pending.store.find_newest_key(id).await.unwrap();
            self.mail = self.pending.store.list_mails(id).await.unwrap().pop().map(|mail| mail.content);
            assert_eq!(self.pending.store.list_charges(id).await.unwrap().len(), self.charges.len());
        }
    }

    /// New subscriptions, each with a reviewed quote of the same id.
    pub(crate) async fn bought(&self, count: usize) -> Vec<Uuid> {
        self.inserted(count, Progress::AwaitingEnrolment).await
    }

    /// New subscriptions with an accepted order, each with the lease of its job.
    pub(crate) async fn ordered(&self, count: usize) -> Vec<(Uuid, Lease)> {
        let ids = self.inserted(count, Progress::Activating { enrolled_at: NOW }).await;
        let tx = self.pending.store.begin().await.unwrap();
        for id in &ids {
            tx.insert_enrolment(&enrolment(*id)).await.unwrap();
            tx.insert_job(JobKind::ActivateSubscription, *id, NOW).await.unwrap();
        }
        tx.commit().await.unwrap();
        let mut jobs = Vec::new();
        for id in ids {
            let owner = Uuid::from_u128(1);
            let claim = (
                "UPDATE job SET lease_owner = $1 WHERE kind = 'activate_subscription' AND subject = $2 RETURNING id",
                vec![id_of(owner), id_of(id)],
            );
            jobs.push((id, Lease { job_id: self.bare.get_id(&claim).await, owner }));
        }
        jobs
    }

    async fn inserted(&self, count: usize, stage: Progress) -> Vec<Uuid> {
        let ids: Vec<Uuid> = (0..count).map(|_| Uuid::new_v4()).collect();
        let tx = self.pending.store.begin().await.unwrap();
        for id in &ids {
            tx.insert_subscription(&subscription(renamed(&self.bought, *id), stage), NOW).await.unwrap();
            let (frozen, shown_to) = (self.frozen.clone(), self.buyer(*id));
            let (created_at, expires_at) = (NOW, NOW + Duration::minutes(30));
            let quote = StoredQuote { id: *id, subscription_id: *id, frozen, shown_to, created_at, expires_at };
            tx.insert_quote(&quote).await.unwrap();
        }
        tx.commit().await.unwrap();
        ids
    }

    /// Who bought it.
    pub(crate) fn buyer(&self, id: Uuid) -> Identity {
        Identity { tenant_id: id, object_id: self.bought.beneficiary.object_id.unwrap() }
    }

    /// It, once it is ordered.
    pub(crate) fn activating(&self, id: Uuid) -> Subscription {
        subscription(renamed(&self.bought, id), Progress::Activating { enrolled_at: NOW })
    }

    /// It, once Microsoft has activated it.
    pub(crate) fn active(&self, id: Uuid) -> Subscription {
        let stage = Progress::Active(Enrolled { enrolled_at: NOW, activated_at: NOW });
        subscription(renamed(&self.activated, id), stage)
    }

    /// A real key, as if it were of this subscription.
    pub(crate) fn key_of(&self, id: Uuid) -> LicenseKey {
        LicenseKey { subscription_id: id, ..self.key.clone().unwrap() }
    }

    /// A real mail, as if it were about this subscription.
    pub(crate) fn mail_of(&self, id: Uuid) -> NewMail {
        NewMail {
            subscription_id: Some(id),
            message_id: format!("welcome.{id}@127.0.0.1"),
            ..self.mail.clone().unwrap()
        }
    }

    /// What an order writes.
    pub(crate) fn rows_of_order(&self, id: Uuid) -> Vec<Statement> {
        let customer = trial_customer(&renamed(&self.bought, id).beneficiary).unwrap();
        rows::of_order(&self.activating(id), &enrolment(id), &customer)
    }

    /// What an activation writes at its end.
    pub(crate) fn rows_of_activation(&self, id: Uuid, job: Lease) -> Vec<Statement> {
        let charged = (&self.first, self.charges.as_slice());
        rows::of_activation(&self.active(id), charged, &self.key_of(id), &self.mail_of(id), job)
    }
}
