//! Purchases to try every template with, at start and in the tests: direct, late, reseller, monthly with an extra.

use time::{Date, Duration, OffsetDateTime, macros::datetime};
use uuid::Uuid;

use super::{
    frame::{Frame, OfferFace, Person},
    purchase::{Priced, Purchase},
};
use crate::domain::{
    catalog::{Catalog, Offer, Plan},
    money::Currency,
    pricing::{Line, PricedPlan},
    proration::FirstTerm,
    quote_json::Amounts,
    time::{Term, utc_day},
    trial_grant::{Contact, Granter, Kind, State, TrialGrant},
};

/// The present of the samples.
pub(crate) const NOW: OffsetDateTime = datetime!(2026-01-15 10:12 UTC);
/// The subscription of the samples.
pub(crate) const ID: Uuid = Uuid::from_u128(0x8f2d_61c4_5b7e_4f0a_9c33_1d7e_60b2_a915);
/// A name that must never reach a page as it is.
pub(crate) const HOSTILE: &str = "<script>alert('seats')</script> & Söhne";

/// Who bought through a reseller: no page with this name may hold an amount.
pub(crate) const RESOLD: &str = "Northwind Traders";
/// A key as long as a real one; it is signed by nobody.
pub(crate) const KEY: &str = include_str!("sample_key.txt").trim_ascii();

/// A purchase with its price, and the frame of its pages.
pub(crate) struct Deal<'a> {
    pub(crate) frame: Frame,
    pub(crate) purchase: Purchase<'a>,
    pub(crate) priced: Priced<'a>,
    pub(crate) now: OffsetDateTime,
}

/// What makes one sample different from another.
struct Case {
    plan: &'static str,
    organisation: &'static str,
    amounts: Amounts,
    users: u32,
    activated_days_ago: Option<i64>,
    trial_days: u32,
    extras: &'static [&'static str],
}

const DIRECT: Case = Case {
    plan: "konnekt-yearly",
    organisation: "Contoso GmbH",
    amounts: Amounts::Shown,
    users: 300,
    activated_days_ago: None,
    trial_days: 30,
    extras: &[],
};

const CASES: [Case; 4] = [
    DIRECT,
    Case { organisation: HOSTILE, activated_days_ago: Some(20), trial_days: 0, ..DIRECT },
    Case { organisation: RESOLD, amounts: Amounts::Hidden, ..DIRECT },
    Case { plan: "scepman-ee-monthly", users: 9_900, trial_days: 0, extras: &["setup"], ..DIRECT },
];

/// Tells each sample to `tell`. The catalog of the samples is embedded and checked by the tests; were it broken, there
/// would be no samples, which the check of the templates reports.
pub(crate) fn each_deal(mut tell: impl FnMut(&Deal<'_>)) {
    let Some(catalog) = catalog() else { return };
    for case in &CASES {
        let plan = catalog.plans_named(case.plan).next();
        if let Some((offer, plan)) = plan {
            told(case, offer, plan, &mut tell);
        }
    }
}

/// A purchase of a plan that Microsoft bills.
pub(crate) fn with_seats(tell: impl FnOnce(Frame, &Purchase<'_>)) {
    let Some(catalog) = catalog() else { return };
    if let Some((offer, plan)) = catalog.plans_named("scepman-seats").next() {
        let purchase = purchase(&DIRECT, offer, plan);
        tell(frame(OfferFace::of(offer), purchase.organisation), &purchase);
    }
}

/// What the samples are sold from.
pub(crate) fn catalog() -> Option<Catalog> {
    Catalog::from_toml("samples.toml", include_str!("samples.toml")).ok().map(|(catalog, _)| catalog)
}

fn purchase<'a>(case: &Case, offer: &'a Offer, plan: &'a Plan) -> Purchase<'a> {
    let today = utc_day(NOW);
    Purchase {
        id: ID,
        name: "konnekt-prod",
        organisation: case.organisation,
        offer,
        plan,
        amounts: case.amounts,
        bought: Some(today),
        activated: case.activated_days_ago.map(|days| earlier(today, days)),
    }
}

fn earlier(day: Date, days: i64) -> Date {
    day.saturating_sub(Duration::days(days))
}

fn told(case: &Case, offer: &Offer, plan: &Plan, tell: &mut impl FnMut(&Deal<'_>)) -> Option<()> {
    let priced_plan = PricedPlan::new(plan, plan.list_prices(Currency::EUR)?).ok()?;
    let quote = priced_plan.quote(case.users).ok()?;
    let extras: Vec<Line> = case.extras.iter().filter_map(|id| priced_plan.extra_line(id).ok().flatten()).collect();
    let purchase = purchase(case, offer, plan);
    let term = Term::estimate(purchase.activated.unwrap_or(utc_day(NOW)), &plan.term_unit)?;
    let first = FirstTerm::new(term, NOW, case.trial_days, purchase.grace());
    let estimated = purchase.activated.is_none();
    let priced = Priced::new(&priced_plan, &quote, &extras, &first, estimated).ok()?;
    tell(&Deal { frame: frame(OfferFace::of(offer), case.organisation), purchase, priced, now: NOW });
    Some(())
}

/// A prospect's trial.
pub(crate) fn trial_grant(person: &str, users: Option<u32>) -> TrialGrant {
    let contact = Contact {
        organisation: "Contoso GmbH".to_owned(),
        name: person.to_owned(),
        email: "alex.weber@contoso.example".to_owned(),
        language: "en".to_owned(),
    };
    let granted_by = Granter {
        word: "operator:Mira Sales".to_owned(),
        name: "Mira Sales".to_owned(),
        email: "mira.sales@publisher.example".to_owned(),
    };
    TrialGrant {
        id: ID,
        kind: Kind::OffMarket,
        offer_id: "konnekt".to_owned(),
        plan_id: "konnekt-yearly".to_owned(),
        trial_group: "konnekt".to_owned(),
        tenant_id: Some(ID),
        domain: None,
        contact,
        extends: None,
        subscription_id: None,
        days: 14,
        users,
        reason: "asked for at the fair".to_owned(),
        state: State::Open,
        granted_by,
        granted_at: NOW,
        expires_at: NOW,
        opened_at: Some(NOW),
        used_at: None,
        taken_back: None,
        license: None,
        version: 1,
    }
}

/// A frame with somebody in it.
pub(crate) fn frame(face: OfferFace, organisation: &str) -> Frame {
    let person = Person { name: "Alex Weber".to_owned(), organisation: Some(organisation.to_owned()) };
    Frame::new(face, Some(person), "bm9uY2U", "c3Jm")
}

/// A frame of no offer.
pub(crate) fn neutral_frame() -> Frame {
    Frame::new(OfferFace::neutral(Some("help@publisher.example")), None, "bm9uY2U", "")
}
