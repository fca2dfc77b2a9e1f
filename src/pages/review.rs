//! The review: everything that is ordered, when it is charged, what cancelling costs. One click from here is binding.

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Page,
    enrolment::Answers,
    frame::Frame,
    projection::{capital, first_noun},
    purchase::{Priced, Purchase},
    review_words::{charged_remark, cost, facts, plain_facts, renewal, renewal_caption, then, timeline_remark, told},
    samples,
    table::{self, Table},
    timeline::{self, Moment},
    words::{self, Fact, Prose},
};
use crate::domain::{money::Amount, time::utc_day};

/// Something that differs from what the buyer saw last.
#[derive(Debug, Clone, Copy)]
pub enum Change<'a> {
    /// The price of a full term.
    Total {
        /// As it was shown.
        before: Amount,
        /// As it is.
        after: Amount,
    },
    /// The price of the first term.
    FirstTerm {
        /// As it was shown.
        before: Amount,
        /// As it is.
        after: Amount,
    },
    /// The cheapest segment.
    Segment {
        /// As it was shown.
        before: &'a str,
        /// As it is.
        after: &'a str,
    },
    /// Unit prices, in a way that the totals do not show.
    Prices,
    /// The dates, because a new day began or Microsoft gave others.
    Dates,
    /// The number of trial days.
    TrialDays {
        /// As it was shown.
        before: u32,
        /// As it is.
        after: u32,
    },
    /// The figures were older than they may be; nothing else changed.
    Expired,
}

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct Review {
    frame: Frame,
    title: String,
    path: String,
    quote_id: Uuid,
    changes: Vec<String>,
    facts: Vec<Fact>,
    buyer: String,
    email: String,
    technical_contact: String,
    charged: Table,
    charged_caption: String,
    charged_remark: Vec<String>,
    renewal_caption: String,
    renewal: String,
    timeline: Vec<Moment>,
    timeline_remark: String,
    cost: Table,
    then: Vec<Prose>,
    due_today: String,
    holds_until: String,
    reseller: bool,
    metered: bool,
}

impl Review {
    /// The page. `changes` is not empty when the buyer submitted and something was no longer so.
    #[must_use]
    pub fn new(
        frame: Frame,
        purchase: &Purchase<'_>,
        priced: &Priced<'_>,
        answers: &Answers,
        order: Order<'_>,
        now: OffsetDateTime,
    ) -> Self {
        let today = utc_day(now);
        let buyer = frame.person.as_ref().map(|person| person.name.clone()).unwrap_or_default();
        let first = capital(&first_noun(&purchase.plan.term_unit));
        let users = priced.quote.users;
        let charged = Table::of(purchase, &priced.charged, |line| table::part_detail(line, users));
        let reportable = utc_day(priced.first.reportable_from);
        let part = priced.first.part;
        Self {
            title: format!("Review your order of {}", purchase.offer.name),
            path: purchase.path(),
            quote_id: order.quote_id,
            changes: order.changes.iter().filter_map(|change| told(purchase, change)).collect(),
            facts: facts(purchase, priced, answers, now),
            buyer,
            email: answers.email.clone(),
            technical_contact: answers.technical_contact.clone(),
            charged: charged.with_total(&first, priced.first_total),
            charged_caption: format!("{}, for {} of {} days", words::day(reportable), part.days, part.of_days),
            charged_remark: charged_remark(purchase, priced),
            renewal_caption: renewal_caption(purchase, priced),
            renewal: renewal(purchase, priced),
            timeline: timeline::of_enrolment(purchase, priced.first, Some(priced), now),
            timeline_remark: timeline_remark(priced.estimated).to_owned(),
            cost: cost(purchase, priced, &first),
            then: then(purchase, priced),
            due_today: purchase.money(Amount::zero(priced.quote.total.currency)).unwrap_or_default(),
            holds_until: words::instant_near(order.holds_until, today),
            reseller: purchase.is_reseller_deal(),
            metered: true,
            frame,
        }
    }

    /// The page for a plan whose fees are not ours: what is ordered and who gets the key. The order's `quote_id` is the
    /// id of the stored answers.
    #[must_use]
    pub fn billed_by_microsoft(
        frame: Frame,
        purchase: &Purchase<'_>,
        seats: Option<u32>,
        answers: &Answers,
        order: Order<'_>,
        now: OffsetDateTime,
    ) -> Self {
        let none = || Table { rows: Vec::new(), currency: None, total: None };
        Self {
            title: format!("Review your order of {}", purchase.offer.name),
            path: purchase.path(),
            quote_id: order.quote_id,
            changes: order.changes.iter().filter_map(|change| told(purchase, change)).collect(),
            facts: plain_facts(purchase, seats, answers, now),
            buyer: frame.person.as_ref().map(|person| person.name.clone()).unwrap_or_default(),
            email: answers.email.clone(),
            technical_contact: answers.technical_contact.clone(),
            charged: none(),
            charged_caption: String::new(),
            charged_remark: Vec::new(),
            renewal_caption: String::new(),
            renewal: String::new(),
            timeline: Vec::new(),
            timeline_remark: String::new(),
            cost: none(),
            then: Vec::new(),
            due_today: String::new(),
            holds_until: words::instant_near(order.holds_until, utc_day(now)),
            reseller: purchase.is_reseller_deal(),
            metered: false,
            frame,
        }
    }
}

/// The quote that the page asks to accept.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// Its id, which the form sends back.
    pub quote_id: Uuid,
    /// Until when it can be accepted.
    pub holds_until: OffsetDateTime,
    /// What differs from the one shown before.
    pub changes: &'a [Change<'a>],
}

impl Page for Review {
    const TEMPLATE: &'static str = "review.html";

    fn samples() -> Vec<Self> {
        let mut pages = Vec::new();
        samples::each_deal(|deal| {
            let total = deal.priced.quote.total;
            let changes = [
                Change::Total { before: deal.priced.first_total, after: total },
                Change::FirstTerm { before: total, after: deal.priced.first_total },
                Change::Segment { before: "KONNEKT 25", after: "KONNEKT 250" },
                Change::Prices,
                Change::Dates,
                Change::TrialDays { before: 30, after: 14 },
                Change::Expired,
            ];
            let answers = Answers {
                organisation: deal.purchase.organisation.to_owned(),
                email: "alex.weber@contoso.example".to_owned(),
                technical_contact: format!("jo.brandt@{}", deal.purchase.organisation),
                ..Answers::default()
            };
            let holds_until = deal.now.saturating_add(time::Duration::minutes(30));
            for changes in [&changes[..0], &changes] {
                let order = Order { quote_id: samples::ID, holds_until, changes };
                pages.push(Self::new(deal.frame.clone(), &deal.purchase, &deal.priced, &answers, order, deal.now));
            }
        });
        samples::with_seats(|frame, purchase| {
            let answers = Answers { organisation: samples::HOSTILE.to_owned(), ..Answers::default() };
            let order = Order { quote_id: samples::ID, holds_until: samples::NOW, changes: &[] };
            let page = |seats| Self::billed_by_microsoft(frame.clone(), purchase, seats, &answers, order, samples::NOW);
            pages.extend([page(Some(40)), page(None)]);
        });
        pages
    }
}
