//! What a buyer changes after the enrolment: more users now, fewer users now (while the first charges are held), fewer users
//! from the next renewal on. And the renewal itself. Each is priced by the function that prices a quote.

use serde::{Deserialize, Serialize};
use time::{Date, Duration, OffsetDateTime};

use super::{
    catalog::{Offer, Plan, PriceList},
    charge::{Charge, Reason, State},
    enrolment::{Basis, TodaysPrices},
    money::{QuantityDecimals, TooLarge},
    pricing::{Item, Line, PricedPlan, Quote, QuoteRefused, Unpriced},
    proration::{FirstTerm, Part, UpgradeFrom, UpgradeQuote, UpgradeRefused, quote_upgrade},
    subscription::{Event, Refused, Stage, Subscription},
    time::{Term, end_of_day, plus_days, utc_day},
};

/// Which way the number of users goes, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// More users now, charged for the rest of the term.
    Upgrade,
    /// Fewer users now: the first charges are still held and are written anew.
    Lowering,
    /// Fewer users from the next renewal on.
    Downgrade,
    /// A new term, as Microsoft began it.
    Renewal,
}

impl ChangeKind {
    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Upgrade => "upgrade",
            Self::Lowering => "lowering",
            Self::Downgrade => "downgrade",
            Self::Renewal => "renewal",
        }
    }
}

/// A priced change as it was shown, frozen with its inputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenChange {
    /// Which way.
    pub kind: ChangeKind,
    /// Users before.
    pub from_users: u32,
    /// Users after.
    pub to_users: u32,
    /// The segment before.
    pub from_segment: Option<String>,
    /// A full term after the change, at today's prices.
    pub next: Quote,
    /// The figures of an upgrade.
    pub upgrade: Option<UpgradeQuote>,
    /// What is charged for it.
    pub lines: Vec<Line>,
    /// The part of the term that the lines are for.
    pub part: Part,
    /// The term that it belongs to; a planned downgrade: the one that ends before it.
    pub term: Term,
    /// Until when the lines are held; `None` = reportable at once, or nothing is charged.
    pub held_until: Option<OffsetDateTime>,
    /// Prices and their source.
    pub prices: TodaysPrices,
    /// The catalog in force.
    pub catalog_version: String,
    /// The UTC day.
    pub day: Date,
    /// The subscription's version.
    pub subscription_version: i64,
    /// Whether amounts may be shown to nobody.
    pub reseller_deal: bool,
}

impl FrozenChange {
    /// Whether the same change, derived anew, still has the same figures and the same basis.
    #[must_use]
    pub fn promises_the_same_as(&self, fresh: &Self) -> bool {
        self == fresh
    }
}

/// Why the number of users cannot be changed so. The texts are shown to buyers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeRefused {
    /// The stage does not admit it.
    #[error(transparent)]
    Stage(#[from] Refused),
    /// Nothing would change.
    #[error("These are the {0} users of today.")]
    Same(u32),
    /// The renewal has to be written first.
    #[error("The term ended on {0}; changes are possible again as soon as its renewal is known, usually within a day.")]
    TermEnded(Date),
    /// A withdrawal is on its way.
    #[error("This subscription is being withdrawn.")]
    Withdrawing,
    /// The charges of this plan are not ours.
    #[error("Microsoft bills the users of this plan.")]
    NotMetered,
    /// Only Microsoft's seats are changed at Microsoft.
    #[error("Microsoft does not bill the users of this plan.")]
    NotSeats,
    /// Not a number of users.
    #[error("Must be between 1 and {0}.")]
    OutOfRange(u32),
    /// The first charges are not held any more.
    #[error("The time for withdrawing is over; you can cancel in the Azure portal at any time.")]
    TooLate,
    /// The number itself.
    #[error(transparent)]
    Users(#[from] QuoteRefused),
    /// The upgrade.
    #[error(transparent)]
    Upgrade(#[from] UpgradeRefused),
    /// A price is missing; the publisher has to be told.
    #[error(transparent)]
    Unpriced(#[from] Unpriced),
    /// The figures do not fit.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// Prices a change to `to_users`: an upgrade, a lowering, or a planned downgrade, whichever the number and the ledger ask for.
///
/// # Errors
/// [`ChangeRefused`], in words for the buyer.
pub fn freeze_change(basis: Basis<'_>, charges: &[Charge], to_users: u32) -> Result<FrozenChange, ChangeRefused> {
    let Basis { subscription, now, .. } = basis;
    let (prices, term) = (basis.prices.ok_or(ChangeRefused::NotMetered)?, open_term(subscription, now)?);
    let plan = PricedPlan::new(basis.plan, &prices.list)?;
    let from = subscription.users.unwrap_or_default();
    if to_users == from {
        return Err(ChangeRefused::Same(from));
    }
    let next = plan.quote(to_users)?;
    let hold = held_until(charges, now);
    let whole = Part { days: term.days(), of_days: term.days() };
    let kind = if to_users > from {
        ChangeKind::Upgrade
    } else if may_lower(subscription, charges, now) {
        ChangeKind::Lowering
    } else {
        ChangeKind::Downgrade
    };
    check_stage(subscription, kind, now)?;
    let (upgrade, lines, part) = match kind {
        ChangeKind::Upgrade => {
            let (upgrade, line, part) = price_upgrade(&plan, subscription, term, &next, to_users, now)?;
            (Some(upgrade), vec![line], part)
        }
        ChangeKind::Lowering => {
            let first = first_term(subscription).ok_or(ChangeRefused::TermEnded(term.end))?;
            let first = first.cut_to(plan.quantity_decimals);
            (None, first.charged_lines(&next.lines)?, first.part)
        }
        ChangeKind::Downgrade | ChangeKind::Renewal => (None, Vec::new(), whole),
    };
    let held_until = hold.filter(|_| kind != ChangeKind::Downgrade);
    Ok(frozen(basis, prices, Priced { kind, from, next, upgrade, lines, part, term, held_until }))
}

/// Prices a renewal: the full fees of the new term for the users then in force, the planned downgrade applied, the cheapest
/// segment chosen anew. Trial days that reach into it are free there, too, and it is held as long (`product.md` §4.2, §4.4).
///
/// # Errors
/// [`ChangeRefused`].
pub fn freeze_renewal(basis: Basis<'_>, term: Term) -> Result<FrozenChange, ChangeRefused> {
    let Basis { subscription, now, .. } = basis;
    let prices = basis.prices.ok_or(ChangeRefused::NotMetered)?;
    let plan = PricedPlan::new(basis.plan, &prices.list)?;
    let from = subscription.users.unwrap_or_default();
    let users = subscription.planned.map_or(from, |planned| planned.users);
    let next = plan.quote(users)?;
    let first_charged = subscription.trial_end.map_or(term.start, |end| plus_days(end, 1).max(term.start));
    let part = Part { days: term.remaining(first_charged), of_days: term.days() };
    let lines = prorated(&next.lines, part, plan.quantity_decimals)?;
    let held_until = free_until(subscription).filter(|end| *end > now && first_charged > term.start);
    let kind = ChangeKind::Renewal;
    Ok(frozen(basis, prices, Priced { kind, from, next, upgrade: None, lines, part, term, held_until }))
}

struct Priced {
    kind: ChangeKind,
    from: u32,
    next: Quote,
    upgrade: Option<UpgradeQuote>,
    lines: Vec<Line>,
    part: Part,
    term: Term,
    held_until: Option<OffsetDateTime>,
}

fn frozen(basis: Basis<'_>, prices: &TodaysPrices, priced: Priced) -> FrozenChange {
    let Priced { kind, from, next, upgrade, lines, part, term, held_until } = priced;
    FrozenChange {
        kind,
        from_users: from,
        to_users: next.users,
        from_segment: basis.subscription.segment.clone(),
        next,
        upgrade,
        lines,
        part,
        term,
        held_until,
        prices: prices.clone(),
        catalog_version: basis.catalog_version.to_owned(),
        day: utc_day(basis.now),
        subscription_version: basis.subscription.version,
        reseller_deal: basis.subscription.microsoft.is_reseller_deal(),
    }
}

fn check_stage(subscription: &Subscription, kind: ChangeKind, now: OffsetDateTime) -> Result<(), ChangeRefused> {
    let event = match kind {
        ChangeKind::Upgrade => Event::UsersRaised,
        ChangeKind::Lowering => Event::UsersLowered,
        ChangeKind::Downgrade => Event::DowngradePlanned,
        ChangeKind::Renewal => Event::Renewed,
    };
    subscription.stage.on(event, now)?;
    Ok(())
}

/// The current term, if it is not over and nothing stands against changing it.
///
/// # Errors
/// [`ChangeRefused`].
pub fn open_term(subscription: &Subscription, now: OffsetDateTime) -> Result<Term, ChangeRefused> {
    // What the stage refuses first is the clearest reason.
    subscription.stage.on(Event::DowngradePlanned, now)?;
    if subscription.withdrawn_at.is_some() {
        return Err(ChangeRefused::Withdrawing);
    }
    let term = subscription.term.or(subscription.microsoft.term);
    let term = term.ok_or(Refused { stage: subscription.stage.name(), event: Event::UsersRaised.name() })?;
    if subscription.unwritten_renewal().is_some() || term.remaining(utc_day(now)) == 0 {
        return Err(ChangeRefused::TermEnded(term.end));
    }
    Ok(term)
}

fn price_upgrade(
    plan: &PricedPlan,
    subscription: &Subscription,
    term: Term,
    next: &Quote,
    to_users: u32,
    now: OffsetDateTime,
) -> Result<(UpgradeQuote, Line, Part), ChangeRefused> {
    let after_trial = subscription.trial_end.map(|end| plus_days(end, 1));
    let first_day = after_trial.map_or(utc_day(now), |day| day.max(utc_day(now)));
    let segment = subscription.segment.as_deref().unwrap_or_default();
    let users = subscription.users.unwrap_or_default();
    let from = UpgradeFrom { users, segment, term, today: utc_day(now), first_day };
    let quote = quote_upgrade(plan, from, to_users)?;
    let item = Item::AdditionalUsers(std::sync::Arc::clone(&next.segment));
    let line = Line::new(item, &quote.dimension, quote.quantity, quote.unit_price, quote.amount.currency)?;
    let part = Part { days: quote.remaining_days, of_days: quote.term_days };
    Ok((quote, line, part))
}

fn prorated(lines: &[Line], part: Part, decimals: QuantityDecimals) -> Result<Vec<Line>, TooLarge> {
    let prorate = |line: &Line| {
        let quantity = part.of(line.quantity, decimals)?;
        Line::new(line.item.clone(), &line.dimension, quantity, line.unit_price, line.amount.currency)
    };
    lines.iter().map(prorate).collect()
}

/// Until when charges of the first term are held: by the ledger, not by the calendar alone.
#[must_use]
pub fn held_until(charges: &[Charge], now: OffsetDateTime) -> Option<OffsetDateTime> {
    let held = charges.iter().filter(|charge| charge.state == State::Held && charge.reportable_from > now);
    held.map(|charge| charge.reportable_from).max()
}

/// Whether users can be lowered, and the whole withdrawn, for nothing: every charge of the enrolment is still held, and
/// its term is the current one.
#[must_use]
pub fn may_lower(subscription: &Subscription, charges: &[Charge], now: OffsetDateTime) -> bool {
    let mut of_enrolment = charges
        .iter()
        .filter(|charge| charge.reason == Reason::Enrolment && charge.state != State::Cancelled)
        .peekable();
    let term_start = subscription.term.map(|term| term.start);
    let held = |charge: &Charge| {
        charge.state == State::Held && charge.reportable_from > now && Some(charge.term_start) == term_start
    };
    matches!(subscription.stage, Stage::Active(_)) && of_enrolment.peek().is_some() && of_enrolment.all(held)
}

/// The end of trial and grace period, whichever is later.
fn free_until(subscription: &Subscription) -> Option<OffsetDateTime> {
    subscription.trial_end.map(end_of_day).max(subscription.grace_end)
}

/// The dates of the first term, while it is the current one.
#[must_use]
pub fn first_term(subscription: &Subscription) -> Option<FirstTerm> {
    let (start, term) = (subscription.stage.enrolled()?.start(), subscription.term?);
    // Microsoft's clock may be in the next day already when ours is not.
    if plus_days(utc_day(start), 1) < term.start {
        return None;
    }
    let grace = subscription.grace_end.map_or(Duration::ZERO, |end| end - start);
    let start_day = utc_day(start).max(term.start);
    let trial_days =
        subscription.trial_end.map_or(0, |end| u32::try_from((end - start_day).whole_days() + 1).unwrap_or(0));
    Some(FirstTerm::new(term, start, trial_days, grace))
}

/// What the next renewal will cost at today's prices, as it is announced: the same function as the renewal's own.
///
/// # Errors
/// [`ChangeRefused`].
pub fn forecast_renewal(plan: &Plan, prices: &PriceList, users: u32) -> Result<Quote, ChangeRefused> {
    Ok(PricedPlan::new(plan, prices)?.quote(users)?)
}

/// Why a change of plan is refused; the texts go to Microsoft's log and to the buyer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanChangeRefused {
    /// The plan is not sold here.
    #[error("the plan \"{0}\" is not offered")]
    Unknown(String),
    /// Not the one plan that replaces it.
    #[error(
        "\"{from}\" can only be changed to the plan that replaces it; \"{to}\" does not. Please buy it as a new subscription."
    )]
    NotASuccessor {
        /// The plan before, as buyers read it.
        from: String,
        /// The plan after.
        to: String,
    },
}

/// Whether a subscription may change from one plan to another: on a plan with segments, to the successor of the same term
/// unit that the catalog names (`product.md` §4.8). Back to the same plan is a revert, which is always in order.
///
/// # Errors
/// [`PlanChangeRefused`].
pub fn check_plan_change(offer: &Offer, from: &str, to: &str) -> Result<(), PlanChangeRefused> {
    if from == to {
        return Ok(());
    }
    let find = |id: &str| offer.plans.iter().find(|plan| *plan.id == *id);
    let new = find(to).ok_or_else(|| PlanChangeRefused::Unknown(to.to_owned()))?;
    let succeeds = |old: &Plan| {
        new.successor_of.as_deref() == Some(from)
            && new.term_unit == old.term_unit
            && new.is_metered()
            && old.is_metered()
    };
    if find(from).is_some_and(|old| succeeds(old)) {
        return Ok(());
    }
    let from = find(from).map_or(from, |old| &old.name).to_owned();
    Err(PlanChangeRefused::NotASuccessor { from, to: new.name.clone() })
}

/// Why another number of seats is refused where Microsoft bills them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SeatsRefused {
    /// Below what the plan starts at.
    #[error("Must be at least {0}.")]
    TooFew(u32),
}

/// Whether Microsoft's quantity may become this: not below the plan's minimum (`product.md` §4, the ten seconds).
///
/// # Errors
/// [`SeatsRefused`].
pub fn check_seats(plan: &Plan, seats: u32) -> Result<(), SeatsRefused> {
    match plan.minimum_users {
        Some(minimum) if seats < minimum => Err(SeatsRefused::TooFew(minimum)),
        _ => Ok(()),
    }
}
