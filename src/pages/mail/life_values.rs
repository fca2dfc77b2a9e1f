//! The values of an event as its words need them: days and figures without language, amounts only where they may be shown.

use serde::Serialize;

use super::{
    life::{About, LifeEvent, RefusalReason, RefusedChange},
    values::{Figures, Held, Money, When, in_one_line},
};
use crate::domain::{money::Amount, pricing::Line};

/// What an event's own words are told. The figures go to the letter.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(super) enum Facts {
    Upgraded {
        from: u32,
        to: u32,
        /// Whether fees of ours change at all.
        ours: bool,
        remaining_days: u32,
        term_days: u32,
        held: Option<Held>,
        next_term_total: Option<Money>,
        cancelled_plan: bool,
    },
    Lowered {
        from: u32,
        to: u32,
        held: Held,
    },
    DowngradePlanned {
        from: u32,
        to: u32,
        effective: When,
        next_segment: Option<String>,
        next_term_total: Option<Money>,
    },
    DowngradeCancelled {
        to: u32,
        was: u32,
    },
    RenewalAhead {
        days: u32,
        on: When,
        /// The last day of the term that ends.
        last_day: Option<When>,
        planned: Option<u32>,
        auto_renew: bool,
    },
    Renewed {
        start: When,
        end: When,
        next: Option<When>,
        downgraded_from: Option<u32>,
        held: Option<Held>,
    },
    TrialEnds {
        days: u32,
        last_day: When,
        held: Held,
    },
    Extended {
        days: u32,
        /// `None` where the grace period is longer.
        trial_end: Option<When>,
        held: Held,
    },
    Nothing {},
    Cancelled {
        license_until: Option<When>,
        remaining_users: Option<u32>,
    },
    SetUpReminder {
        bought: When,
        dropped_on: Option<When>,
        configure_url: String,
    },
    ChangeRefused {
        /// Microsoft's words; empty where the rule is ours.
        reason: String,
        minimum: Option<u32>,
        plan: Option<String>,
        seats: Option<u32>,
        in_portal: bool,
    },
    SeatsChanged {
        from: Option<u32>,
        to: u32,
    },
}

impl Facts {
    pub(super) fn of(about: &About<'_>, event: &LifeEvent<'_>) -> (Self, Figures) {
        let figures = |lines: &[Line], users| Figures::of(about.purchase, lines, users);
        let money = |amount: Option<Amount>| amount.and_then(|amount| Money::of(about.purchase, amount));
        match *event {
            LifeEvent::Upgraded {
                from,
                to,
                line,
                remaining_days,
                term_days,
                held_until,
                next_term_total,
                cancelled_plan,
            } => {
                let held = held_until.map(Held::until);
                let next_term_total = money(next_term_total);
                let ours = line.is_some();
                let lines = line.map(std::slice::from_ref).unwrap_or_default();
                let facts =
                    Self::Upgraded { from, to, ours, remaining_days, term_days, held, next_term_total, cancelled_plan };
                // The quantity stands for the whole difference of two fees, not for a number of users.
                (facts, figures(lines, None).added_up(lines))
            }
            LifeEvent::Lowered { from, to, lines, held_until } => {
                let facts = Self::Lowered { from, to, held: Held::until(held_until) };
                (facts, figures(lines, Some(to)).added_up(lines))
            }
            LifeEvent::DowngradePlanned { from, to, effective, segment, next_term_total } => {
                let (effective, next_segment) = (When::on(effective), segment.map(str::to_owned));
                let next_term_total = money(next_term_total);
                (Self::DowngradePlanned { from, to, effective, next_segment, next_term_total }, Figures::default())
            }
            LifeEvent::RenewalAhead { days, on, lines, total, planned, auto_renew } => {
                let last_day = on.previous_day().map(When::on);
                let facts = Self::RenewalAhead { days, on: When::on(on), last_day, planned, auto_renew };
                let lines = if auto_renew { lines } else { &[] };
                (facts, figures(lines, planned.or(about.users)).with_total(total))
            }
            LifeEvent::Renewed { term, lines, total, downgraded_from, held_until } => {
                let facts = Self::Renewed {
                    start: When::on(term.start),
                    end: When::on(term.end),
                    next: term.renewal().map(When::on),
                    downgraded_from,
                    held: held_until.map(Held::until),
                };
                (facts, figures(lines, about.users).with_total(total))
            }
            LifeEvent::TrialEnds { days, last_day, first_report, lines } => {
                let facts = Self::TrialEnds { days, last_day: When::on(last_day), held: Held::until(first_report) };
                (facts, figures(lines, about.users).added_up(lines))
            }
            LifeEvent::Extended { trial_end, days, held_until, lines } => {
                let facts = Self::Extended { days, trial_end: trial_end.map(When::on), held: Held::until(held_until) };
                (facts, figures(lines, about.users).added_up(lines))
            }
            LifeEvent::Withdrawn { dropped } => (Self::Nothing {}, figures(dropped, None).added_up(dropped)),
            LifeEvent::Cancelled { license_until, users, dropped } => {
                let facts = Self::Cancelled { license_until: license_until.map(When::until), remaining_users: users };
                (facts, figures(dropped, None).added_up(dropped))
            }
            _ => (Self::without_figures(event), Figures::default()),
        }
    }

    /// The events that no fee follows from.
    fn without_figures(event: &LifeEvent<'_>) -> Self {
        match *event {
            LifeEvent::DowngradeCancelled { users, was } => Self::DowngradeCancelled { to: users, was },
            LifeEvent::SetUpReminder { bought, dropped_on, configure_url } => Self::SetUpReminder {
                bought: When::on(bought),
                dropped_on: dropped_on.map(When::on),
                configure_url: configure_url.to_owned(),
            },
            LifeEvent::ChangeRefused { reason, what } => refused(reason, what),
            LifeEvent::SeatsChanged { from, to } => Self::SeatsChanged { from, to },
            _ => Self::Nothing {},
        }
    }
}

fn refused(reason: RefusalReason<'_>, what: RefusedChange<'_>) -> Facts {
    let (plan, seats, in_portal) = match what {
        RefusedChange::Plan { to } => (Some(in_one_line(to)), None, true),
        RefusedChange::Seats { to, in_portal } => (None, Some(to), in_portal),
    };
    let (words, minimum) = match reason {
        RefusalReason::NotASuccessor => (String::new(), None),
        RefusalReason::TooFew(minimum) => (String::new(), Some(minimum)),
        RefusalReason::Microsoft(words) => (in_one_line(words), None),
    };
    Facts::ChangeRefused { reason: words, minimum, plan, seats, in_portal }
}
