//! What the page of a subscription is told, as the database has it: of each kind the newest.

use std::collections::BTreeMap;

use time::OffsetDateTime;
use uuid::Uuid;

use super::today::finding_told;
use crate::{
    app::{App, AppError, Desk, PRICE_RISEN, explain_charges},
    domain::{
        catalog::Model,
        charge::Charge,
        explanation::Explanation,
        policy::Identity,
        staff::{Roles, member_named},
        subscription::{Party, Subscription},
        trial_grant::{Extends, TrialRefused, extension::decide_extension},
    },
    pages::{
        console::subscription::{
            ActFacts, CallFact, FindingFact, JobFact, KeyFact, MailFact, Newest, NoteFact, PersonFact, SlotFact,
            SubscriptionFacts, TrailFact, Typed, WebhookFact,
        },
        mail::Language,
        words,
    },
    signing,
    store::{
        Enrolment, Finding, JobKind, LicenseKey, ListedEntry, ListedJob, Mail, Note, StoreError, StoredQuote,
        UsageAttempt, Webhook,
    },
};

/// So many of a kind are shown; one more is asked for, to know whether there are more.
const SHOWN: usize = 50;
const ASKED: u64 = SHOWN as u64 + 1;

/// Everything that is known.
pub(super) struct Known {
    subscription: Subscription,
    enrolment: Option<Enrolment>,
    quote: Option<StoredQuote>,
    explanation: Explanation,
    extendable: Result<Vec<(String, String)>, String>,
    findings: Vec<Finding>,
    slots: Newest<SlotFact>,
    keys: Newest<KeyFact>,
    mails: Newest<MailFact>,
    webhooks: Newest<WebhookFact>,
    calls: Newest<CallFact>,
    jobs: Newest<JobFact>,
    notes: Newest<NoteFact>,
    trail: Newest<TrailFact>,
}

impl Known {
    /// Reads it. The text of keys is there only for whose desk has it.
    pub(super) async fn gather(app: &App, desk: Desk<'_>, id: Uuid) -> Result<Self, AppError> {
        let store = &app.store;
        let missing = || StoreError::NotFound { table: "subscription", id: id.to_string() };
        let subscription = store.find_subscription(id).await?.ok_or_else(missing)?;
        let enrolment = store.find_enrolment(id).await?;
        let quote = match &enrolment {
            Some(enrolment) => store.find_quote(enrolment.quote_id).await?,
            None => None,
        };
        let charges = store.list_charges(id).await?;
        let mails = store.list_mails_of(id, ASKED).await?;
        let webhooks = store.list_webhooks(id, ASKED).await?;
        let others = [
            (JobKind::SendMail, mails.iter().map(|mail| mail.id).collect()),
            (JobKind::HandleWebhook, webhooks.iter().map(|webhook| webhook.id).collect()),
        ];
        let jobs = store.list_subscription_jobs(id, &others, ASKED).await?;
        let calls = store.list_calls(id, ASKED).await?.into_iter().map(|call| CallFact {
            at: call.intended_at,
            operation: call.operation,
            outcome: call.outcome,
            answered_at: call.answered_at,
            ids: call.ids,
        });
        Ok(Self {
            explanation: explain_charges(app, &subscription, &charges, None).await?,
            extendable: extendable(&subscription, &charges, app.clock.now()),
            findings: store.list_findings(id).await?,
            slots: Newest::of(store.list_usage_attempts(id, ASKED).await?, SHOWN).map(slot),
            keys: keys(app, desk, id).await?,
            mails: Newest::of(mails, SHOWN).map(mail),
            webhooks: Newest::of(webhooks, SHOWN).map(webhook),
            calls: Newest::of(calls.collect(), SHOWN),
            jobs: Newest::of(jobs, SHOWN).map(job),
            notes: notes(app, id).await?,
            trail: trail(app, id).await?,
            subscription,
            enrolment,
            quote,
        })
    }

    pub(super) fn users(&self) -> Option<u32> {
        self.subscription.users
    }

    /// The same in the terms of the page.
    pub(super) fn told<'a>(
        &'a self,
        app: &'a App,
        roles: &'a Roles,
        typed: Typed,
        now: OffsetDateTime,
    ) -> (SubscriptionFacts<'a>, ActFacts<'a>) {
        let microsoft = &self.subscription.microsoft;
        let sold = app.catalog.find_plan(&microsoft.offer_id, &microsoft.plan_id);
        let (offer, plan) =
            sold.map_or((&*microsoft.offer_id, &*microsoft.plan_id), |(offer, plan)| (&offer.name, &plan.name));
        let order = |quote: &'a StoredQuote| quote.frozen.quote.as_ref();
        let facts = SubscriptionFacts {
            subscription: &self.subscription,
            organisation: self.enrolment.as_ref().map_or("", |enrolment| &enrolment.organisation),
            offer,
            plan,
            explanation: &self.explanation,
            order: self.enrolment.as_ref().map(|one| (one.submitted_at, self.quote.as_ref().and_then(order))),
            people: self.people(),
            findings: self.findings.iter().map(finding).collect(),
            slots: self.slots.clone(),
            keys: self.keys.clone(),
            mails: self.mails.clone(),
            webhooks: self.webhooks.clone(),
            calls: self.calls.clone(),
            jobs: self.jobs.clone(),
            notes: self.notes.clone(),
            trail: self.trail.clone(),
            roles,
            now,
        };
        let acts = ActFacts {
            subscription: &self.subscription,
            roles,
            newest_key: self.keys.rows.first().filter(|key| !key.is_revoked).map(|key| key.seq),
            contacts: self.enrolment.as_ref().map(|enrolment| {
                [&enrolment.buyer_email, &enrolment.technical_contact, &enrolment.language].map(Clone::clone)
            }),
            languages: Language::all(&app.templates).iter().map(|language| language.as_str().to_owned()).collect(),
            webhooks: self.webhooks.rows.iter().map(|one| (one.id, named(&one.action, one.at))).collect(),
            dead_jobs: self
                .jobs
                .rows
                .iter()
                .filter(|job| job.is_dead())
                .map(|job| (job.id, named(&job.kind.replace('_', " "), job.run_at)))
                .collect(),
            has_segments: sold.is_none_or(|(_, plan)| matches!(plan.model, Model::Segments(_))),
            extendable: self.extendable.clone(),
            typed,
        };
        (facts, acts)
    }

    fn people(&self) -> Vec<PersonFact> {
        let microsoft = &self.subscription.microsoft;
        let party = |role, party: &Party| PersonFact {
            role,
            name: String::new(),
            email: party.email.clone(),
            tenant_id: party.tenant_id,
            object_id: party.object_id,
        };
        let mut people = vec![party("Purchaser", &microsoft.purchaser), party("Beneficiary", &microsoft.beneficiary)];
        if let Some(enrolment) = &self.enrolment {
            let by_mail = |role, name: &str, email: &str| PersonFact {
                role,
                name: name.to_owned(),
                email: email.to_owned(),
                tenant_id: None,
                object_id: None,
            };
            people.push(by_mail("Buyer who enrolled", &enrolment.buyer_name, &enrolment.buyer_email));
            people.push(by_mail("Technical contact", "", &enrolment.technical_contact));
        }
        people
    }
}

/// What can be made longer now, or why nothing can.
fn extendable(
    subscription: &Subscription,
    charges: &[Charge],
    now: OffsetDateTime,
) -> Result<Vec<(String, String)>, String> {
    let check = |extends| decide_extension(subscription, charges, (extends, 1), now);
    let (trial, grace) = (check(Extends::Trial), check(Extends::Grace));
    if let (Err(refused), Err(of_grace)) = (&trial, &grace) {
        let refused = if *refused == TrialRefused::NoTrial { of_grace } else { refused };
        return Err(refused.to_string());
    }
    let trial = trial.ok().and(subscription.trial_end).map(|end| format!("The trial, to {}", words::day(end)));
    let grace = grace.ok().and(subscription.grace_end).map(|end| format!("The grace period, to {}", words::until(end)));
    let choice = |extends: Extends, name: Option<String>| name.map(|name| (extends.as_str().to_owned(), name));
    Ok([choice(Extends::Trial, trial), choice(Extends::Grace, grace)].into_iter().flatten().collect())
}

fn named(what: &str, at: OffsetDateTime) -> String {
    format!("{what}, {}", words::instant(at))
}

fn finding(one: &Finding) -> FindingFact {
    let (what, next_step) = finding_told(&one.kind);
    let names_prices = one.kind == PRICE_RISEN;
    FindingFact { what, detail: one.detail.clone(), next_step, at: one.found_at, names_prices }
}

fn slot(one: UsageAttempt) -> SlotFact {
    let UsageAttempt { event, is_open, answered_at, last_answer, .. } = one;
    SlotFact {
        hour: event.slot.hour,
        dimension: event.dimension,
        quantity: words::quantity(event.quantity),
        attempts: event.attempts,
        is_open,
        in_doubt: event.in_doubt,
        answered_at,
        answer: last_answer.unwrap_or_default(),
        body: event.body,
    }
}

async fn keys(app: &App, desk: Desk<'_>, id: Uuid) -> Result<Newest<KeyFact>, AppError> {
    let (mut keys, is_shown) = match desk.support() {
        Some(support) => (support.list_license_keys(id).await?, true),
        None => (app.store.list_license_keys(id).await?, false),
    };
    keys.reverse();
    let keys = Newest::of(keys, SHOWN);
    let mut revoked = BTreeMap::new();
    for key in &keys.rows {
        if !revoked.contains_key(&key.license_id) {
            let is_revoked = app.store.find_revocation(&key.license_id).await?.is_some();
            revoked.insert(key.license_id.clone(), is_revoked);
        }
    }
    Ok(keys.map(|key| key_fact(key, &revoked, is_shown)))
}

fn key_fact(key: LicenseKey, revoked: &BTreeMap<String, bool>, is_shown: bool) -> KeyFact {
    // What was erased says nothing any more.
    let claims = signing::inspect(&key.compact).ok();
    let claims = claims.as_ref();
    KeyFact {
        seq: key.seq,
        is_provisional: claims.is_some_and(|claims| claims.provisional),
        is_trial: claims.is_some_and(|claims| claims.trial),
        users: claims.and_then(|claims| claims.users),
        valid_from: claims.and_then(|claims| OffsetDateTime::from_unix_timestamp(claims.nbf).ok()),
        expires_at: key.expires_at,
        signing_key: key.signing_key_id,
        is_revoked: revoked.get(&key.license_id).copied().unwrap_or_default(),
        license_id: key.license_id,
        compact: is_shown.then_some(key.compact),
    }
}

fn mail(one: Mail) -> MailFact {
    MailFact {
        at: one.created_at,
        subject: one.content.subject,
        recipients: one.content.recipients,
        sent_at: one.sent_at,
        error: one.last_error.unwrap_or_default(),
        text: one.content.text_body,
    }
}

fn webhook(one: Webhook) -> WebhookFact {
    WebhookFact {
        id: one.id,
        at: one.received_at,
        action: one.action,
        operation_id: one.operation_id,
        outcome: one.outcome.unwrap_or_default(),
        handled_at: one.handled_at,
        body: one.body,
        claims: one.claims,
    }
}

fn job(one: ListedJob) -> JobFact {
    JobFact {
        id: one.id,
        kind: one.kind,
        state: one.state,
        run_at: one.run_at,
        attempts: one.attempts,
        error: one.last_error.unwrap_or_default(),
    }
}

async fn notes(app: &App, id: Uuid) -> Result<Newest<NoteFact>, AppError> {
    let notes = Newest::of(app.store.list_notes(id, ASKED).await?, SHOWN);
    let members = app.store.list_staff_members(notes.rows.iter().map(|note| note.member_id)).await?;
    Ok(notes.map(|note: Note| {
        let who = members.iter().find(|member| member.id == note.member_id);
        NoteFact { at: note.at, who: who.map(|who| who.name.clone()).unwrap_or_default(), text: note.text }
    }))
}

async fn trail(app: &App, id: Uuid) -> Result<Newest<TrailFact>, AppError> {
    let trail = Newest::of(app.store.list_trail(id, ASKED).await?, SHOWN);
    let mut people: Vec<Identity> = trail.rows.iter().filter_map(|record| member_named(&record.actor)).collect();
    people.sort_by_key(|who| (who.tenant_id, who.object_id));
    people.dedup();
    let members = app.store.list_staff_by_identity(people).await?;
    Ok(trail.map(|record: ListedEntry| {
        let member = member_named(&record.actor).and_then(|who| members.iter().find(|member| member.identity == who));
        let (class, id) = record.actor.split_once(':').unwrap_or((&record.actor, ""));
        let (who, class) = match member {
            Some(member) => (member.name.clone(), format!("{class}, {}", member.roles.to_words().replace(' ', ", "))),
            None => (class.to_owned(), id.to_owned()),
        };
        let hash = record.hash.unwrap_or_default().chars().take(8).collect::<String>();
        let place = record.position.map(|position| format!("{position}, {hash}…")).unwrap_or_default();
        TrailFact { at: record.at, who, class, action: record.action, detail: record.detail, place }
    }))
}
