//! What every page of the console is tried with.

use uuid::Uuid;

use super::{
    credit::TypedCredit,
    decision::{DecisionFacts, DecisionPage, SumRow},
    extension::{ExtensionFacts, ExtensionPage, ExtensionView},
    frame::{ConsoleFrame, Room, Signed},
};
use crate::domain::{
    approval::{PROPOSAL_LIFETIME, Proposal, ProposalKind, ProposalState},
    charge::{Reason, State},
    credit::{CreditRefused, Credited},
    decision::Decision,
    explanation::{ExplainedCharge, ExplainedCredit, Step},
    money::{Amount, Currency, Quantity},
    time::utc_day,
    trial_grant::{
        Contact, Extends, Granter, Kind, State as GrantState, TakenBack, TrialGrant, TrialLicense, extension::Extended,
    },
};
pub(crate) use crate::pages::samples::{HOSTILE, ID, KEY, NOW};

pub(crate) fn frame() -> ConsoleFrame {
    let signed = Signed { name: HOSTILE.to_owned(), roles: "Sales, Finance".to_owned(), csrf: "token".to_owned() };
    ConsoleFrame::new(Room::Today, "nonce", Some(signed), 7, NOW).with_query(HOSTILE)
}

/// Somebody proposes, somebody approves, somebody only looks.
pub(crate) fn decisions() -> Vec<DecisionPage> {
    let charge = charge();
    let proposal = proposal(charge.id);
    let sums = || SumRow { day: utc_day(NOW), ours: "0".into(), unsure: "184.611872".into(), theirs: "0".into() };
    let creditable = Ok(Credited::Amount(Amount { minor: 132_921, currency: Currency::EUR }));
    let page = |possible: &[Decision], own: Option<bool>, may_decide| {
        let told = DecisionFacts {
            subscription: (ID, HOSTILE.to_owned()),
            charge: &charge,
            possible,
            creditable: &creditable,
            sums: if may_decide { Ok(vec![sums()]) } else { Err("Microsoft does not answer".to_owned()) },
            proposal: own.map(|is_own| (&proposal, HOSTILE.to_owned(), is_own)),
            may_decide,
            typed: (HOSTILE, "the reason has to have at least 10 characters"),
            credit: TypedCredit { amount: HOSTILE, case: HOSTILE, reason: HOSTILE, error: HOSTILE },
        };
        DecisionPage::new(frame(), told)
    };
    vec![
        page(&Decision::ALL, None, true),
        page(&[], None, true),
        page(&Decision::ALL, None, false),
        page(&[], Some(true), true),
        page(&[], Some(false), true),
        credit_page(&charge),
    ]
}

/// A credit that somebody proposes.
fn credit_page(charge: &ExplainedCharge) -> DecisionPage {
    let case = HOSTILE.to_owned();
    let proposal = Proposal { kind: ProposalKind::Credit, body: case, ..proposal(charge.id) };
    let told = DecisionFacts {
        subscription: (ID, HOSTILE.to_owned()),
        charge,
        possible: &[],
        creditable: &Err(CreditRefused::Test),
        sums: Err(HOSTILE.to_owned()),
        proposal: Some((&proposal, HOSTILE.to_owned(), false)),
        may_decide: true,
        typed: ("", ""),
        credit: TypedCredit::default(),
    };
    DecisionPage::new(frame(), told)
}

fn charge() -> ExplainedCharge {
    let currency = Currency::EUR;
    ExplainedCharge {
        id: Uuid::from_u128(1),
        reason: Reason::Upgrade,
        words: HOSTILE.to_owned(),
        days: String::new(),
        users: Some(300),
        from_users: Some(150),
        part: None,
        description: HOSTILE.to_owned(),
        dimension: "konnekt-250-user".to_owned(),
        quantity: Quantity::ONE,
        unit_price: None,
        amount: Some(Amount { minor: 132_921, currency }),
        currency,
        reportable_from: NOW,
        state: State::Unknown,
        since: NOW,
        standing: HOSTILE.to_owned(),
        slot: None,
        attempts: 7,
        usage_event_id: None,
        month: utc_day(NOW),
        invoice: None,
        steps: vec![Step { charge_id: Uuid::from_u128(1), at: NOW, state: State::Unknown, reason: HOSTILE.to_owned() }],
        credits: vec![ExplainedCredit {
            id: Uuid::from_u128(6),
            words: HOSTILE.to_owned(),
            amount: None,
            units: None,
            case_number: HOSTILE.to_owned(),
            at: NOW,
        }],
    }
}

fn proposal(charge_id: Uuid) -> Proposal {
    Proposal {
        id: Uuid::from_u128(2),
        kind: ProposalKind::ResolveCharge,
        subject: charge_id,
        subscription_id: Some(ID),
        body: Decision::NotArrived.as_str().to_owned(),
        basis: String::new(),
        reason: HOSTILE.to_owned(),
        proposed_by: Uuid::from_u128(3),
        proposed_at: NOW,
        expires_at: NOW + PROPOSAL_LIFETIME,
        state: ProposalState::Open,
    }
}

/// A key for a prospect that waits for a second person, an open grant for a tenant, a used one, a revoked one.
pub(crate) fn trials() -> Vec<TrialGrant> {
    let hostile = || HOSTILE.to_owned();
    let waits = TrialGrant {
        id: Uuid::from_u128(4),
        kind: Kind::OffMarket,
        offer_id: "konnekt".to_owned(),
        plan_id: "konnekt-yearly".to_owned(),
        trial_group: "konnekt".to_owned(),
        tenant_id: None,
        domain: None,
        contact: Contact { organisation: hostile(), name: hostile(), email: hostile(), language: "en".to_owned() },
        extends: None,
        subscription_id: None,
        days: 120,
        users: Some(1_500),
        reason: hostile(),
        state: GrantState::Proposed,
        granted_by: Granter { word: "staff:a/b".to_owned(), name: hostile(), email: String::new() },
        granted_at: NOW,
        expires_at: NOW + time::Duration::days(30),
        opened_at: None,
        used_at: None,
        taken_back: None,
        license: None,
        version: 1,
    };
    let license = TrialLicense { license_id: "lic_1".to_owned(), seq: 1, key: String::new(), ends_at: NOW };
    let open = TrialGrant {
        kind: Kind::Ahead,
        tenant_id: Some(ID),
        domain: Some(hostile()),
        contact: Contact::default(),
        users: None,
        state: GrantState::Open,
        ..waits.clone()
    };
    let used = TrialGrant {
        subscription_id: Some(ID),
        used_at: Some(NOW),
        license: Some(license),
        state: GrantState::Used,
        ..waits.clone()
    };
    let taken_back = Some(TakenBack { at: NOW, by: "staff:a/b".to_owned(), reason: hostile() });
    let revoked = TrialGrant { state: GrantState::Revoked, taken_back, ..waits.clone() };
    vec![waits, open, used, revoked]
}

/// A longer trial, a longer grace period, and one of a reseller deal.
fn with_extensions<T>(of: impl Fn(&ExtensionFacts<'_>) -> T) -> Vec<T> {
    let mut told = Vec::new();
    super::super::samples::each_deal(|deal| {
        let subscription = super::super::explained_samples::subscription_of(deal);
        let first = deal.priced.first;
        let charges = super::super::explained_samples::charges_of(deal);
        let charges = charges.iter().zip(&deal.priced.charged).collect();
        let extended = Extended {
            extends: if first.trial_end.is_some() { Extends::Trial } else { Extends::Grace },
            trial_end: first.trial_end,
            grace_end: Some(NOW),
            reportable_from: NOW,
        };
        let takes_two = subscription.microsoft.is_reseller_deal();
        let (organisation, fingerprint) = (HOSTILE, HOSTILE.to_owned());
        let subscription = &subscription;
        told.push(of(&ExtensionFacts {
            subscription,
            organisation,
            extended,
            days: 14,
            charges,
            takes_two,
            fingerprint,
        }));
    });
    told
}

/// Their tables.
pub(crate) fn extension_views() -> Vec<ExtensionView> {
    with_extensions(ExtensionView::of)
}

/// Their pages.
pub(crate) fn extensions() -> Vec<ExtensionPage> {
    with_extensions(|told| ExtensionPage::new(frame(), told, (HOSTILE, HOSTILE)))
}
