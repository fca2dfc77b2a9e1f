//! What the page of a subscription is told.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{explanation::Explanation, pricing::Quote, staff::Roles, subscription::Subscription};

/// The newest of a kind, newest first, and whether there are more.
#[derive(Debug, Clone)]
pub struct Newest<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Whether older ones are left out.
    pub is_cut: bool,
}

impl<T> Newest<T> {
    /// The first `limit` of rows of which one more was asked for.
    #[must_use]
    pub fn of(mut rows: Vec<T>, limit: usize) -> Self {
        let is_cut = rows.len() > limit;
        rows.truncate(limit);
        Self { rows, is_cut }
    }

    /// The same rows as something else.
    #[must_use]
    pub fn map<U>(self, other: impl FnMut(T) -> U) -> Newest<U> {
        Newest { rows: self.rows.into_iter().map(other).collect(), is_cut: self.is_cut }
    }
}

/// Everything.
#[derive(Debug, Clone)]
pub struct SubscriptionFacts<'a> {
    /// The subscription.
    pub subscription: &'a Subscription,
    /// The organisation; empty before the enrolment.
    pub organisation: &'a str,
    /// The offer's name.
    pub offer: &'a str,
    /// The plan's name.
    pub plan: &'a str,
    /// Its charges and dates.
    pub explanation: &'a Explanation,
    /// What was ordered, and when; no quote where Microsoft bills.
    pub order: Option<(OffsetDateTime, Option<&'a Quote>)>,
    /// Its people.
    pub people: Vec<PersonFact>,
    /// What is open.
    pub findings: Vec<FindingFact>,
    /// Charges in their slots.
    pub slots: Newest<SlotFact>,
    /// License keys.
    pub keys: Newest<KeyFact>,
    /// Mails.
    pub mails: Newest<MailFact>,
    /// Webhooks.
    pub webhooks: Newest<WebhookFact>,
    /// Calls of Microsoft.
    pub calls: Newest<CallFact>,
    /// Jobs.
    pub jobs: Newest<JobFact>,
    /// Notes.
    pub notes: Newest<NoteFact>,
    /// The audit log.
    pub trail: Newest<TrailFact>,
    /// The visitor's roles.
    pub roles: &'a Roles,
    /// The present instant.
    pub now: OffsetDateTime,
}

/// Somebody.
#[derive(Debug, Clone)]
pub struct PersonFact {
    /// `Purchaser`.
    pub role: &'static str,
    /// The name, where it is known.
    pub name: String,
    /// The address.
    pub email: String,
    /// The tenant.
    pub tenant_id: Option<Uuid>,
    /// The person in it.
    pub object_id: Option<Uuid>,
}

/// Something that a person has to look at.
#[derive(Debug, Clone)]
pub struct FindingFact {
    /// What it is.
    pub what: &'static str,
    /// What was found, in words.
    pub detail: String,
    /// What to do.
    pub next_step: &'static str,
    /// When it was found.
    pub at: OffsetDateTime,
    /// Whether its words may name prices.
    pub names_prices: bool,
}

/// A charge in its slot.
#[derive(Debug, Clone)]
pub struct SlotFact {
    /// The hour.
    pub hour: OffsetDateTime,
    /// The dimension.
    pub dimension: String,
    /// The quantity.
    pub quantity: String,
    /// How often it was sent.
    pub attempts: u32,
    /// Whether the outcome is still to come.
    pub is_open: bool,
    /// Whether an attempt may have been recorded without an answer.
    pub in_doubt: bool,
    /// When the last answer came.
    pub answered_at: Option<OffsetDateTime>,
    /// Microsoft's words.
    pub answer: String,
    /// The bytes, as they are sent.
    pub body: String,
}

/// A license key.
#[derive(Debug, Clone)]
pub struct KeyFact {
    /// Its number.
    pub seq: u32,
    /// The license.
    pub license_id: String,
    /// Whether a longer one follows.
    pub is_provisional: bool,
    /// Whether a trial was running.
    pub is_trial: bool,
    /// Users that it is good for.
    pub users: Option<u32>,
    /// From when on.
    pub valid_from: Option<OffsetDateTime>,
    /// Until when.
    pub expires_at: OffsetDateTime,
    /// What signed it.
    pub signing_key: String,
    /// Whether its license is revoked.
    pub is_revoked: bool,
    /// The text; none for roles that do not see it.
    pub compact: Option<String>,
}

/// A mail.
#[derive(Debug, Clone)]
pub struct MailFact {
    /// When its cause happened.
    pub at: OffsetDateTime,
    /// Subject line.
    pub subject: String,
    /// Who gets it.
    pub recipients: Vec<String>,
    /// Whether the mail server took it, and when.
    pub sent_at: Option<OffsetDateTime>,
    /// Why not, the last time.
    pub error: String,
    /// The plain part.
    pub text: String,
}

/// A webhook.
#[derive(Debug, Clone)]
pub struct WebhookFact {
    /// Its id here.
    pub id: Uuid,
    /// When it came.
    pub at: OffsetDateTime,
    /// Its action.
    pub action: String,
    /// Microsoft's operation.
    pub operation_id: String,
    /// What came of it; empty = nothing yet.
    pub outcome: String,
    /// When.
    pub handled_at: Option<OffsetDateTime>,
    /// The raw body.
    pub body: String,
    /// The verified claims.
    pub claims: String,
}

/// A call of Microsoft.
#[derive(Debug, Clone)]
pub struct CallFact {
    /// When it was meant to go out.
    pub at: OffsetDateTime,
    /// Which.
    pub operation: String,
    /// What came of it; none = no answer is known.
    pub outcome: Option<String>,
    /// When the answer was there.
    pub answered_at: Option<OffsetDateTime>,
    /// Request and correlation.
    pub ids: Option<(String, String)>,
}

/// A job.
#[derive(Debug, Clone)]
pub struct JobFact {
    /// Its id.
    pub id: Uuid,
    /// What there is to do.
    pub kind: String,
    /// Where it stands.
    pub state: String,
    /// When it runs next, or ran.
    pub run_at: OffsetDateTime,
    /// How often it was tried.
    pub attempts: u32,
    /// Why it failed.
    pub error: String,
}

impl JobFact {
    /// Whether it has given up.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.state == "dead"
    }
}

/// A note.
#[derive(Debug, Clone)]
pub struct NoteFact {
    /// When.
    pub at: OffsetDateTime,
    /// Whose.
    pub who: String,
    /// What it says.
    pub text: String,
}

/// An entry of the audit log.
#[derive(Debug, Clone)]
pub struct TrailFact {
    /// When.
    pub at: OffsetDateTime,
    /// Who: a name, or what the log has.
    pub who: String,
    /// What they are: `staff`, `buyer`.
    pub class: String,
    /// What was done.
    pub action: String,
    /// The facts, as JSON.
    pub detail: String,
    /// Its place in the chain, and the beginning of its hash.
    pub place: String,
}
