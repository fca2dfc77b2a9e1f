//! Subscriptions to try the page with: in each stage, resold, with everything there is, and with nothing.

use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    ActFacts, CallFact, FindingFact, JobFact, KeyFact, MailFact, Newest, NoteFact, PersonFact, SlotFact,
    SubscriptionFacts, SubscriptionPage, TrailFact, Typed, WebhookFact,
};
use crate::{
    domain::{
        explanation::{Explanation, Facts, explain},
        staff::Roles,
        subscription::{Enrolled, MicrosoftStatus, Party, PlannedDowngrade, Snapshot, Stage, Subscription},
        time::{Term, utc_day},
    },
    pages::{
        console::samples::{HOSTILE, ID, NOW, frame},
        samples::{KEY, RESOLD},
    },
};

pub(super) fn all() -> Vec<SubscriptionPage> {
    let enrolled = Enrolled { enrolled_at: NOW, activated_at: NOW };
    let stages = [
        Stage::AwaitingEnrolment,
        Stage::Activating { enrolled_at: NOW },
        Stage::Active(enrolled),
        Stage::Suspended { enrolled, suspended_at: NOW + Duration::days(40) },
        Stage::Ended { enrolled: Some(enrolled), ended_at: NOW + Duration::days(50) },
    ];
    let mut pages = Vec::new();
    for stage in stages {
        for (roles, is_resold) in [("Admin", false), ("Sales", true), ("Finance", false)] {
            pages.push(page(&subscription(stage, is_resold), roles));
        }
    }
    pages
}

fn subscription(stage: Stage, is_resold: bool) -> Subscription {
    let party = |tenant: u128, email: &str| Party {
        tenant_id: Some(Uuid::from_u128(tenant)),
        object_id: None,
        email: email.to_owned(),
    };
    let in_use = stage.enrolled().is_some();
    let term = Term::new(utc_day(NOW), utc_day(NOW + Duration::days(364))).filter(|_| in_use);
    let microsoft = Snapshot {
        id: ID,
        offer_id: "konnekt".to_owned(),
        plan_id: "konnekt-yearly".to_owned(),
        name: HOSTILE.to_owned(),
        status: MicrosoftStatus::Subscribed,
        beneficiary: party(1, HOSTILE),
        purchaser: party(if is_resold { 2 } else { 1 }, HOSTILE),
        term_unit: None,
        term,
        auto_renew: true,
        update_allowed: !is_resold,
        is_test: is_resold,
        quantity: None,
    };
    Subscription {
        stage,
        users: in_use.then_some(300),
        segment: in_use.then(|| "KONNEKT 250".to_owned()),
        term,
        trial_end: in_use.then(|| utc_day(NOW + Duration::days(29))),
        grace_end: in_use.then(|| NOW + Duration::days(3)),
        planned: in_use.then_some(PlannedDowngrade { users: 100, planned_at: NOW }),
        withdrawn_at: None,
        ..Subscription::new(microsoft, NOW)
    }
}

fn page(subscription: &Subscription, roles: &str) -> SubscriptionPage {
    let is_resold = subscription.microsoft.is_reseller_deal();
    let organisation = if is_resold { RESOLD } else { HOSTILE };
    let roles = Roles::from_words([roles]);
    let explanation = explained(subscription);
    let is_empty = matches!(subscription.stage, Stage::AwaitingEnrolment);
    let sees_keys = roles.include(crate::domain::staff::Role::Support);
    let told = SubscriptionFacts {
        subscription,
        organisation: if is_empty { "" } else { organisation },
        offer: "KONNEKT",
        plan: "KONNEKT, yearly",
        explanation: &explanation,
        order: (!is_empty).then_some((NOW, None)),
        people: vec![PersonFact {
            role: "Purchaser",
            name: HOSTILE.to_owned(),
            email: HOSTILE.to_owned(),
            tenant_id: Some(ID),
            object_id: None,
        }],
        findings: if is_empty { Vec::new() } else { vec![finding(false), finding(true)] },
        slots: some(is_empty, vec![slot(true), slot(false)]),
        keys: some(is_empty, vec![key(sees_keys)]),
        mails: some(is_empty, vec![mail("", None), mail(HOSTILE, None), mail("", Some(NOW))]),
        webhooks: some(is_empty, vec![webhook(HOSTILE), webhook("")]),
        calls: some(is_empty, vec![call(None), call(Some(HOSTILE)), call(Some("accepted"))]),
        jobs: some(is_empty, ["dead", "done", "ready"].map(job).to_vec()),
        notes: some(is_empty, vec![NoteFact { at: NOW, who: HOSTILE.to_owned(), text: HOSTILE.to_owned() }]),
        trail: some(is_empty, vec![trail("{\"from\":150}"), trail(HOSTILE)]),
        roles: &roles,
        now: NOW + Duration::days(60),
    };
    let acts = ActFacts {
        subscription,
        roles: &roles,
        newest_key: (!is_empty).then_some(3),
        contacts: (!is_empty).then(|| [HOSTILE, HOSTILE, "en"].map(str::to_owned)),
        languages: vec!["en".to_owned(), "de".to_owned()],
        webhooks: vec![(ID, HOSTILE.to_owned())],
        dead_jobs: vec![(ID, HOSTILE.to_owned())],
        has_segments: !is_resold,
        extendable: if is_empty { Err(HOSTILE.to_owned()) } else { Ok(vec![("trial".to_owned(), HOSTILE.to_owned())]) },
        typed: Typed {
            act: "person",
            values: vec![("reason".to_owned(), HOSTILE.to_owned())],
            error: HOSTILE.to_owned(),
        },
    };
    SubscriptionPage::new(frame(), &told, &acts)
}

fn explained(subscription: &Subscription) -> Explanation {
    explain(Facts {
        subscription,
        plan: None,
        plans: &[],
        charges: &[],
        sent: &[],
        adopted: &[],
        price_risen: &[],
        credits: &[],
        steps: &[],
        renewal: None,
        now: NOW + Duration::days(60),
    })
}

fn some<T>(is_empty: bool, rows: Vec<T>) -> Newest<T> {
    Newest { rows: if is_empty { Vec::new() } else { rows }, is_cut: !is_empty }
}

fn finding(names_prices: bool) -> FindingFact {
    FindingFact {
        what: "Charge without an answer",
        detail: HOSTILE.to_owned(),
        next_step: "Decide whether it arrived",
        at: NOW,
        names_prices,
    }
}

fn slot(is_open: bool) -> SlotFact {
    SlotFact {
        hour: NOW,
        dimension: "konnekt-250-user".to_owned(),
        quantity: "184.611872".to_owned(),
        attempts: 7,
        is_open,
        in_doubt: !is_open,
        answered_at: None,
        answer: HOSTILE.to_owned(),
        body: HOSTILE.to_owned(),
    }
}

fn key(is_shown: bool) -> KeyFact {
    KeyFact {
        seq: 3,
        license_id: "lic_01JH5W8Q4T9M2X7C".to_owned(),
        is_provisional: true,
        is_trial: true,
        users: Some(300),
        valid_from: Some(NOW),
        expires_at: NOW + Duration::days(90),
        signing_key: "2026-a".to_owned(),
        is_revoked: false,
        compact: is_shown.then(|| KEY.to_owned()),
    }
}

fn mail(error: &str, sent_at: Option<OffsetDateTime>) -> MailFact {
    MailFact {
        at: NOW,
        subject: HOSTILE.to_owned(),
        recipients: vec![HOSTILE.to_owned()],
        sent_at,
        error: error.to_owned(),
        text: format!("{HOSTILE}\n\n{KEY}\n"),
    }
}

fn webhook(outcome: &str) -> WebhookFact {
    WebhookFact {
        id: ID,
        at: NOW,
        action: "Suspend".to_owned(),
        operation_id: ID.to_string(),
        outcome: outcome.to_owned(),
        handled_at: (!outcome.is_empty()).then_some(NOW),
        body: HOSTILE.to_owned(),
        claims: HOSTILE.to_owned(),
    }
}

fn call(outcome: Option<&str>) -> CallFact {
    CallFact {
        at: NOW,
        operation: "change_quantity".to_owned(),
        outcome: outcome.map(str::to_owned),
        answered_at: outcome.map(|_| NOW),
        ids: outcome.map(|_| (ID.to_string(), ID.to_string())),
    }
}

fn job(state: &str) -> JobFact {
    JobFact {
        id: ID,
        kind: "send_mail".to_owned(),
        state: state.to_owned(),
        run_at: NOW,
        attempts: 9,
        error: if state == "dead" { HOSTILE.to_owned() } else { String::new() },
    }
}

fn trail(detail: &str) -> TrailFact {
    TrailFact {
        at: NOW,
        who: HOSTILE.to_owned(),
        class: "staff".to_owned(),
        action: "key_resent".to_owned(),
        detail: detail.to_owned(),
        place: "23, 8d1f…".to_owned(),
    }
}
