//! The enrolment: a form as it was typed, the errors at their fields, and beside it what it costs.

use serde::Serialize;
use time::OffsetDateTime;

use super::{
    Page,
    frame::Frame,
    projection::Projection,
    purchase::{Priced, Purchase},
    samples,
    timeline::{self, Moment},
    words::{self, Fact, Prose},
};
use crate::domain::{catalog::Model, proration::FirstTerm, time::utc_day};

/// The answers as they were typed, right or wrong.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Answers {
    /// Users in total.
    pub users: String,
    /// The technical contact's address.
    pub technical_contact: String,
    /// The buyer's own address.
    pub email: String,
    /// The organisation's name.
    pub organisation: String,
    /// Ids of the extras that were ticked.
    pub extras: Vec<String>,
}

/// What is wrong at which field, in sentences; empty = nothing.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Errors {
    /// At the number of users.
    pub users: String,
    /// At the technical contact.
    pub technical_contact: String,
    /// At the buyer's own address.
    pub email: String,
    /// At the organisation.
    pub organisation: String,
}

/// One line of the summary of errors.
#[derive(Debug, Clone, Serialize)]
struct Complaint {
    field: &'static str,
    text: String,
}

#[derive(Debug, Clone, Serialize)]
struct ExtraBox {
    id: String,
    name: String,
    ticked: bool,
    price: String,
}

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct Enrolment {
    frame: Frame,
    title: String,
    path: String,
    lead: Prose,
    facts: Vec<Fact>,
    answers: Answers,
    errors: Errors,
    complaints: Vec<Complaint>,
    extras: Vec<ExtraBox>,
    /// `None` where Microsoft bills the plan.
    projection: Option<Projection>,
    users_hint: String,
    /// Microsoft's number of seats; shown, not asked, where Microsoft bills.
    seats: String,
    per_user: bool,
    reseller: bool,
    timeline: Vec<Moment>,
}

/// What stands beside the form.
#[derive(Debug, Clone, Copy)]
pub enum Beside<'a> {
    /// The price of a valid number of users.
    Priced(&'a Priced<'a>),
    /// No valid number yet; the dates alone, with the prices of the extras where the plan is priced.
    Unpriced(&'a FirstTerm),
}

impl Enrolment {
    /// The enrolment in a plan with segments. The error at the users, if any, also stands in the projection.
    #[must_use]
    pub fn new(
        frame: Frame,
        purchase: &Purchase<'_>,
        answers: &Answers,
        errors: &Errors,
        beside: Beside<'_>,
        now: OffsetDateTime,
    ) -> Self {
        let (projection, first) = match beside {
            Beside::Priced(priced) => (Projection::of(purchase, priced), priced.first),
            Beside::Unpriced(first) if errors.users.is_empty() => (Projection::empty(), first),
            Beside::Unpriced(first) => (Projection::refused(&errors.users), first),
        };
        let least = purchase.plan.segments().first().map_or(1, |segment| segment.included);
        let page = Self::common(frame, purchase, answers, errors, now);
        Self {
            lead: lead(purchase, first),
            users_hint: users_hint(purchase, least),
            projection: Some(projection),
            timeline: timeline::of_enrolment(purchase, first, None, now),
            ..page
        }
    }

    /// The enrolment in a plan that Microsoft bills: nothing to price, the users are Microsoft's `quantity`.
    #[must_use]
    pub fn billed_by_microsoft(
        frame: Frame,
        purchase: &Purchase<'_>,
        seats: Option<u32>,
        answers: &Answers,
        errors: &Errors,
        now: OffsetDateTime,
    ) -> Self {
        let page = Self::common(frame, purchase, answers, errors, now);
        let text =
            "Two answers, and the license key is in your mailbox. Microsoft bills this plan; we add nothing to it.";
        let per_user = purchase.plan.model == Model::PerUser;
        Self { lead: Prose::new(text), seats: seats.map(words::users).unwrap_or_default(), per_user, ..page }
    }

    fn common(frame: Frame, purchase: &Purchase<'_>, answers: &Answers, errors: &Errors, now: OffsetDateTime) -> Self {
        let facts = vec![
            Fact::new("Product", &purchase.plan.name),
            Fact::with("Subscription", purchase.name, purchase.origin(utc_day(now))),
        ];
        let extras = purchase.plan.extras.iter().map(|extra| ExtraBox {
            id: extra.id.clone(),
            name: extra.name.clone(),
            ticked: answers.extras.contains(&extra.id),
            price: String::new(),
        });
        Self {
            frame,
            title: format!("Set up {}", purchase.offer.name),
            path: purchase.path(),
            lead: Prose::new(""),
            facts,
            answers: answers.clone(),
            complaints: complaints(errors),
            errors: errors.clone(),
            extras: extras.collect(),
            projection: None,
            users_hint: String::new(),
            seats: String::new(),
            per_user: false,
            reseller: purchase.is_reseller_deal(),
            timeline: Vec::new(),
        }
    }

    /// The same with the price of each extra beside its name, where prices may be shown.
    #[must_use]
    pub fn with_extra_prices(mut self, plan: &crate::domain::pricing::PricedPlan) -> Self {
        for extra in self.extras.iter_mut().filter(|_| !self.reseller) {
            let line = plan.extra_line(&extra.id).ok().flatten();
            extra.price = line.map(|line| words::money(line.amount)).unwrap_or_default();
        }
        self
    }
}

fn complaints(errors: &Errors) -> Vec<Complaint> {
    let fields = [
        ("users", "Users in total", &errors.users),
        ("organisation", "Organisation", &errors.organisation),
        ("technical_contact", "Technical contact", &errors.technical_contact),
        ("email", "Your e-mail address", &errors.email),
    ];
    let wrong = fields.into_iter().filter(|(.., text)| !text.is_empty());
    wrong.map(|(field, name, text)| Complaint { field, text: format!("{name}: {text}") }).collect()
}

fn lead(purchase: &Purchase<'_>, first: &FirstTerm) -> Prose {
    let activated =
        purchase.activated.map(|date| format!("Activated on {}; what is missing is your setup. ", words::day(date)));
    let free = match (first.trial_end, purchase.grace().is_positive()) {
        (Some(_), _) => format!(", and nothing in the first {}", words::counted(first.trial_days, "day")),
        (None, true) => format!(", and nothing in the first {}", words::span(purchase.grace())),
        (None, false) => String::new(),
    };
    Prose::new(format!(
        "{}A few answers, one review, and the license key is in your mailbox. Nothing is charged before you submit{free}.",
        activated.unwrap_or_default()
    ))
}

fn users_hint(purchase: &Purchase<'_>, least: u32) -> String {
    let devices = words::counted(purchase.plan.devices_per_user, "device");
    let name = &purchase.offer.name;
    format!("Everybody who signs in with {name} counts once, on up to {devices}. At least {}.", words::count(least))
}

impl Page for Enrolment {
    const TEMPLATE: &'static str = "enrolment.html";

    fn samples() -> Vec<Self> {
        let mut pages = Vec::new();
        let answers = |organisation: &str, users: &str| Answers {
            users: users.to_owned(),
            technical_contact: "jo.brandt@contoso.example".to_owned(),
            email: "alex.weber@contoso.example".to_owned(),
            organisation: organisation.to_owned(),
            extras: vec!["setup".to_owned()],
        };
        let wrong = Errors {
            users: "Must be at least 25.".to_owned(),
            technical_contact: "Write an e-mail address, such as name@contoso.example.".to_owned(),
            ..Errors::default()
        };
        samples::each_deal(|deal| {
            let typed = answers(deal.purchase.organisation, &deal.priced.quote.users.to_string());
            let new = |answers: &Answers, errors: &Errors, beside: Beside<'_>| {
                Self::new(deal.frame.clone(), &deal.purchase, answers, errors, beside, deal.now)
            };
            let none = Errors::default();
            let unpriced = Beside::Unpriced(deal.priced.first);
            pages.push(new(&typed, &none, Beside::Priced(&deal.priced)).with_extra_prices(deal.priced.plan));
            let bad = Answers { users: "2o".to_owned(), technical_contact: samples::HOSTILE.to_owned(), ..typed };
            pages.push(new(&bad, &wrong, unpriced));
            pages.push(new(&Answers::default(), &none, unpriced));
        });
        samples::with_seats(|frame, purchase| {
            let (typed, none) = (answers(purchase.organisation, ""), Errors::default());
            let page = |seats| Self::billed_by_microsoft(frame.clone(), purchase, seats, &typed, &none, samples::NOW);
            pages.extend([page(Some(40)), page(None)]);
        });
        pages
    }
}
