//! What the program says of a case: its own functions, their answers in plain numbers.

use std::{collections::BTreeMap, sync::Arc};

use seatkey::domain::{
    catalog::{Extra, FirstKey, Model, Plan, PriceList, Segment},
    change::{ChangeRefused, FrozenChange, freeze_change, freeze_renewal},
    charge::{Charge, Reason, State},
    enrolment::{Basis, FrozenQuote, Order, OrderRefused, PriceSource, TodaysPrices, freeze},
    money::QuantityDecimals,
    pricing::Line,
    proration::FirstTerm,
    subscription::{Enrolled, MicrosoftStatus, Party, PlannedDowngrade, Snapshot, Stage, Subscription},
    time::{Term, TermUnit},
};
use time::{Date, Duration, Month, OffsetDateTime};
use uuid::Uuid;

use super::{
    case::Case,
    reckoning::{self, Price, Reckoning},
};

/// The program's side of a case.
pub(super) struct Told<'a> {
    case: &'a Case,
    plan: Plan,
}

impl<'a> Told<'a> {
    pub(super) fn of(case: &'a Case) -> Self {
        Self { case, plan: plan(case) }
    }

    fn basis<'b>(&'b self, subscription: &'b Subscription, prices: &'b TodaysPrices, day: i128) -> Basis<'b> {
        let trial_days = u32::try_from(self.case.trial_days).unwrap();
        let now = instant(day, self.case.second);
        Basis { subscription, plan: &self.plan, prices: Some(prices), trial_days, catalog_version: "", now }
    }

    /// The review, before Microsoft has given dates.
    pub(super) fn review(&self) -> Result<FrozenQuote, OrderRefused> {
        let subscription = self.subscription(MicrosoftStatus::PendingFulfillmentStart, None);
        let order = Order {
            users: Some(u32::try_from(self.case.users[0]).unwrap()),
            extras: vec!["setup".to_owned()],
            organisation: String::new(),
            buyer_name: String::new(),
            buyer_email: String::new(),
            technical_contact: String::new(),
            language: String::new(),
        };
        freeze(self.basis(&subscription, &prices(self.case, &self.case.then), self.case.reviewed_on), order)
    }

    /// The dates and lines of the first term, once Microsoft has given its own.
    pub(super) fn activation(&self, frozen: &FrozenQuote) -> (FirstTerm, Vec<Line>) {
        frozen.at_activation(term(self.case.term), instant(self.case.activated_on, self.case.second)).unwrap()
    }

    /// More users within the term, the first charges reported.
    pub(super) fn upgrade(
        &self,
        first: &FirstTerm,
        from: i128,
        segment: &str,
        to: i128,
    ) -> Result<FrozenChange, ChangeRefused> {
        let active = self.active(first, from, segment);
        self.change(&active, &[], self.case.upgraded_on, to)
    }

    /// Fewer users on the day of the activation, the first charges held.
    pub(super) fn lower(
        &self,
        first: &FirstTerm,
        segment: &str,
        lines: &[Line],
        to: i128,
    ) -> Result<FrozenChange, ChangeRefused> {
        let active = self.active(first, self.case.users[0], segment);
        let held: Vec<Charge> = lines.iter().map(|line| held(first, line)).collect();
        self.change(&active, &held, self.case.activated_on, to)
    }

    fn change(
        &self,
        from: &Subscription,
        charges: &[Charge],
        day: i128,
        to: i128,
    ) -> Result<FrozenChange, ChangeRefused> {
        freeze_change(self.basis(from, &prices(self.case, &self.case.now), day), charges, u32::try_from(to).unwrap())
    }

    /// The next term, with a planned downgrade where the number is lower.
    pub(super) fn renew(&self, first: &FirstTerm, users: i128) -> Result<FrozenChange, ChangeRefused> {
        let mut active = self.active(first, self.case.users[0], "");
        active.planned = (users < self.case.users[0])
            .then(|| PlannedDowngrade { users: u32::try_from(users).unwrap(), planned_at: OffsetDateTime::UNIX_EPOCH });
        let prices = prices(self.case, &self.case.now);
        freeze_renewal(self.basis(&active, &prices, self.case.next_term.start), term(self.case.next_term))
    }

    fn active(&self, first: &FirstTerm, users: i128, segment: &str) -> Subscription {
        let started = instant(self.case.activated_on, self.case.second);
        Subscription {
            stage: Stage::Active(Enrolled { enrolled_at: started, activated_at: started }),
            users: Some(u32::try_from(users).unwrap()),
            segment: Some(segment.to_owned()),
            term: Some(first.term),
            trial_end: first.trial_end,
            grace_end: Some(first.grace_end),
            ..self.subscription(MicrosoftStatus::Subscribed, Some(first.term))
        }
    }

    fn subscription(&self, status: MicrosoftStatus, term: Option<Term>) -> Subscription {
        let snapshot = Snapshot {
            id: Uuid::nil(),
            offer_id: "offer".to_owned(),
            plan_id: self.plan.id.to_string(),
            name: String::new(),
            status,
            beneficiary: Party::default(),
            purchaser: Party::default(),
            term_unit: Some(self.plan.term_unit.clone()),
            term,
            auto_renew: true,
            update_allowed: true,
            is_test: false,
            quantity: None,
        };
        Subscription::new(snapshot, instant(self.case.reviewed_on, self.case.second))
    }
}

fn held(first: &FirstTerm, line: &Line) -> Charge {
    Charge {
        id: Uuid::nil(),
        cause_id: Uuid::nil(),
        reason: Reason::Enrolment,
        plan_id: None,
        term_start: first.term.start,
        description: line.item.description(),
        dimension: line.dimension.to_string(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        amount: line.amount,
        reportable_from: first.reportable_from,
        users: None,
        from_users: None,
        part: None,
        state: State::Held,
        since: OffsetDateTime::UNIX_EPOCH,
    }
}

fn plan(case: &Case) -> Plan {
    let segment = |segment: &reckoning::Segment| Segment {
        name: format!("S {}", segment.included).into(),
        included: u32::try_from(segment.included).unwrap(),
        maximum: segment.maximum.map(|maximum| u32::try_from(maximum).unwrap()),
        base_dimension: reckoning::base_dimension(segment).into(),
        user_dimension: reckoning::user_dimension(segment).into(),
    };
    Plan {
        id: "plan".into(),
        name: "Plan".to_owned(),
        term_unit: TermUnit::new(&format!("P{}M", case.months)),
        model: Model::Segments(case.then.segments.iter().map(|one| Arc::new(segment(one))).collect()),
        trial_days: 0,
        grace_period: Duration::hours(i64::try_from(case.grace_hours).unwrap()),
        reseller_grace_period: Duration::ZERO,
        first_key: FirstKey::Full,
        devices_per_user: 1,
        tenant_members_may_buy: false,
        successor_of: None,
        minimum_users: None,
        extras: vec![Extra { id: "setup".to_owned(), name: "Setup".to_owned(), dimension: "setup".into() }],
        prices: Vec::new(),
        quantity_decimals: QuantityDecimals::new(case.then.decimals).unwrap(),
    }
}

fn prices(case: &Case, day: &Reckoning) -> TodaysPrices {
    let text = |price: Price| price.text().parse().unwrap();
    let mut prices = BTreeMap::from([("setup".to_owned(), text(case.extra))]);
    for segment in &day.segments {
        prices.insert(reckoning::base_dimension(segment), text(segment.base));
        prices.insert(reckoning::user_dimension(segment), text(segment.user));
    }
    TodaysPrices {
        list: PriceList { currency: case.currency.parse().unwrap(), prices },
        source: PriceSource::Microsoft,
    }
}

fn date(day: i128) -> Date {
    let (year, month, day) = reckoning::date(day);
    let month = Month::try_from(u8::try_from(month).unwrap()).unwrap();
    Date::from_calendar_date(i32::try_from(year).unwrap(), month, u8::try_from(day).unwrap()).unwrap()
}

fn term(term: reckoning::Term) -> Term {
    Term::new(date(term.start), date(term.end)).unwrap()
}

fn instant(day: i128, second: i128) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(i64::try_from(day * 86_400 + second).unwrap()).unwrap()
}

/// Lines in plain numbers. What a quantity is on the wire is read back from its text.
pub(super) fn plain(lines: &[Line]) -> Vec<reckoning::Line> {
    lines
        .iter()
        .map(|line| {
            (line.dimension.to_string(), super::millionths(&line.quantity.to_string()), line.amount.minor.into())
        })
        .collect()
}
