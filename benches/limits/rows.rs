//! The rows of an enrolment as plain statements: what the store writes, in the same order, without the store.

use seatkey::{
    clock::{new_id, to_micros},
    domain::{
        pricing::Line,
        proration::FirstTerm,
        subscription::{Stage, Subscription},
    },
    store::{Enrolment, Lease, LicenseKey, NewMail},
};
use uuid::Uuid;

use crate::support::{
    bare::{Bind, Statement, big, id, text},
    stage::NOW,
};

/// What `submit_order` writes.
pub(crate) fn of_order(subscription: &Subscription, enrolment: &Enrolment, customer: &str) -> Vec<Statement> {
    let subject = subscription.microsoft.id;
    let insert_enrolment = (
        "INSERT INTO enrolment (subscription_id, quote_id, organisation, buyer_name, buyer_email, technical_contact, \
         submitted_at, language) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        vec![
            id(subject),
            id(enrolment.quote_id),
            text(&enrolment.organisation),
            text(&enrolment.buyer_name),
            text(&enrolment.buyer_email),
            text(&enrolment.technical_contact),
            big(to_micros(NOW)),
            text(&enrolment.language),
        ],
    );
    let insert_trial = (
        "INSERT INTO trial_use (id, trial_group, customer, subscription_id, days, used_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
        vec![id(new_id(NOW)), text("konnekt"), text(customer), id(subject), Bind::Int(30), big(to_micros(NOW))],
    );
    vec![
        update_subscription(subscription),
        insert_enrolment,
        insert_trial,
        audit(subject, "order_submitted"),
        job(subject, "activate_subscription"),
    ]
}

/// What `activate_subscription` writes at the end.
pub(crate) fn of_activation(
    subscription: &Subscription,
    (first, charges): (&FirstTerm, &[Line]),
    key: &LicenseKey,
    mail: &NewMail,
    lease: Lease,
) -> Vec<Statement> {
    let subject = subscription.microsoft.id;
    let mut statements = vec![update_subscription(subscription)];
    statements.push(job(subject, "keep_appointment"));
    statements.extend(charges.iter().zip(0..).flat_map(|(line, position)| charge(subject, first, line, position)));
    statements.push((
        "INSERT INTO license_key (id, subscription_id, license_id, seq, signing_key_id, compact, expires_at, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        vec![
            id(new_id(NOW)),
            id(subject),
            text(&key.license_id),
            Bind::Int(1),
            text(&key.signing_key_id),
            text(&key.compact),
            big(to_micros(key.expires_at)),
            big(to_micros(NOW)),
        ],
    ));
    statements.push(insert_mail(subject, mail));
    statements.push(job(new_id(NOW), "send_mail"));
    statements.push(audit(subject, "subscription_activated"));
    let done = vec![id(lease.job_id), text("done"), Bind::Id(None), big(0), Bind::Text(None), id(lease.owner)];
    let finish = "UPDATE job SET state = $2, lease_owner = $3, lease_until = $4, last_error = $5 \
                  WHERE id = $1 AND lease_owner = $6";
    statements.push((finish, done));
    statements
}

fn update_subscription(subscription: &Subscription) -> Statement {
    let microsoft = &subscription.microsoft;
    let (beneficiary, purchaser) = (&microsoft.beneficiary, &microsoft.purchaser);
    let (stage, enrolled) = match subscription.stage {
        Stage::AwaitingEnrolment => ("awaiting_enrolment", None),
        Stage::Activating { enrolled_at } => ("activating", Some(enrolled_at)),
        _ => ("active", subscription.stage.enrolled().map(|enrolled| enrolled.enrolled_at)),
    };
    let activated = subscription.stage.enrolled().map(|enrolled| enrolled.activated_at);
    let day = |day: Option<time::Date>| Bind::Text(day.map(|day| day.to_string()));
    (
        "UPDATE subscription SET id = $1, offer_id = $2, plan_id = $3, name = $4, beneficiary_tenant_id = $5, \
         beneficiary_object_id = $6, beneficiary_email = $7, purchaser_tenant_id = $8, purchaser_object_id = $9, \
         purchaser_email = $10, microsoft_status = $11, term_unit = $12, term_start = $13, term_end = $14, \
         auto_renew = $15, update_allowed = $16, is_test = $17, quantity = $18, stage = $19, enrolled_at = $20, \
         activated_at = $21, users = $22, segment = $23, updated_at = $24, version = $25, suspended_at = $27, \
         ended_at = $28, ledger_term_start = $29, ledger_term_end = $30, trial_end = $31, grace_end = $32, \
         planned_users = $33, planned_at = $34, withdrawn_at = $35, observed_at = $36 \
         WHERE id = $1 AND version = $26",
        vec![
            id(microsoft.id),
            text(&microsoft.offer_id),
            text(&microsoft.plan_id),
            text(&microsoft.name),
            Bind::Id(beneficiary.tenant_id),
            Bind::Id(beneficiary.object_id),
            text(&beneficiary.email),
            Bind::Id(purchaser.tenant_id),
            Bind::Id(purchaser.object_id),
            text(&purchaser.email),
            text(microsoft.status.as_str()),
            Bind::Text(microsoft.term_unit.as_ref().map(|unit| unit.as_str().to_owned())),
            day(microsoft.term.map(|term| term.start)),
            day(microsoft.term.map(|term| term.end)),
            Bind::Flag(microsoft.auto_renew),
            Bind::Flag(microsoft.update_allowed),
            Bind::Flag(microsoft.is_test),
            Bind::Big(microsoft.quantity.map(i64::from)),
            text(stage),
            Bind::Big(enrolled.map(to_micros)),
            Bind::Big(activated.map(to_micros)),
            Bind::Big(subscription.users.map(i64::from)),
            Bind::Text(subscription.segment.clone()),
            big(to_micros(NOW)),
            big(subscription.version + 1),
            big(subscription.version),
            Bind::Big(None),
            Bind::Big(None),
            day(subscription.term.map(|term| term.start)),
            day(subscription.term.map(|term| term.end)),
            day(subscription.trial_end),
            Bind::Big(subscription.grace_end.map(to_micros)),
            Bind::Big(None),
            Bind::Big(None),
            Bind::Big(None),
            big(to_micros(subscription.observed_at)),
        ],
    )
}

/// A charge and the first step of its history.
fn charge(subject: Uuid, first: &FirstTerm, line: &Line, position: i32) -> [Statement; 2] {
    let charge_id = new_id(NOW);
    let part = |days: u32| Bind::Int(i32::try_from(days).unwrap());
    let insert = (
        "INSERT INTO charge (id, subscription_id, quote_id, reason, term_start, position, description, dimension, \
         quantity_millionths, unit_price, amount_minor, currency, reportable_from, state, created_at, users, \
         part_days, part_of_days) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        vec![
            id(charge_id),
            id(subject),
            id(subject),
            text("enrolment"),
            text(first.term.start.to_string()),
            Bind::Int(position),
            text(line.item.description()),
            text(line.dimension.to_string()),
            big(line.quantity.millionths()),
            text(line.unit_price.to_string()),
            big(line.amount.minor),
            text(line.amount.currency.code()),
            big(to_micros(first.reportable_from)),
            text("held"),
            big(to_micros(NOW)),
            Bind::Int(150),
            part(first.part.days),
            part(first.part.of_days),
        ],
    );
    let step = (
        "INSERT INTO charge_history (id, charge_id, state, reason, at) VALUES ($1, $2, $3, $4, $5)",
        vec![id(new_id(NOW)), id(charge_id), text("held"), text("enrolment"), big(to_micros(NOW))],
    );
    [insert, step]
}

fn insert_mail(subject: Uuid, mail: &NewMail) -> Statement {
    (
        "INSERT INTO mail (id, subscription_id, message_id, recipients, subject, text_body, html_body, attachments, \
         reply_to, state, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        vec![
            id(new_id(NOW)),
            id(subject),
            text(&mail.message_id),
            text(serde_json::to_string(&mail.recipients).unwrap()),
            text(&mail.subject),
            text(&mail.text_body),
            text(&mail.html_body),
            text(serde_json::to_string(&mail.attachments).unwrap()),
            text(&mail.reply_to),
            text("queued"),
            big(to_micros(NOW)),
        ],
    )
}

fn audit(subject: Uuid, action: &str) -> Statement {
    (
        "INSERT INTO audit (id, subscription_id, actor, action, detail, at) VALUES ($1, $2, $3, $4, $5, $6)",
        vec![id(new_id(NOW)), id(subject), text(ACTOR), text(action), text(DETAIL), big(to_micros(NOW))],
    )
}

/// An actor of the audit log, as long as real ones.
pub(crate) const ACTOR: &str = "buyer:3f0c1d9e-6a52-4d0b-9a37-0c2f6a1b7e44/a1e4b2c3-7d60-4f51-8a92-3b1c5d7e9f01";
/// The facts of an entry, as long as real ones.
pub(crate) const DETAIL: &str = r#"{"quote":"3f0c1d9e-6a52-4d0b-9a37-0c2f6a1b7e44","users":150}"#;

fn job(subject: Uuid, kind: &str) -> Statement {
    (
        "INSERT INTO job (id, kind, subject, state, run_at, attempts, lease_until, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (kind, subject) DO NOTHING",
        vec![
            id(new_id(NOW)),
            text(kind),
            id(subject),
            text("ready"),
            big(to_micros(NOW)),
            Bind::Int(0),
            big(0),
            big(to_micros(NOW)),
        ],
    )
}
