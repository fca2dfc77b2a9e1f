//! What needs a person.

use std::borrow::Cow;

use serde::Serialize;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::{frame::ConsoleFrame, samples, table::Cell};
use crate::{
    domain::{staff::Role, time::utc_day},
    pages::{
        Page,
        words::{self, Tone},
    },
};

/// Something that needs a person, in words.
#[derive(Debug, Clone)]
pub struct Need {
    /// What it is, `A charge is unknown`.
    pub what: String,
    /// How bad it is.
    pub tone: Tone,
    /// Where it is seen to; empty = nowhere.
    pub href: String,
    /// Whose, where it is somebody's.
    pub whose: Option<String>,
    /// The subscription, where there is one.
    pub subscription: Option<Uuid>,
    /// What happened.
    pub happened: String,
    /// What to do.
    pub next_step: Cow<'static, str>,
    /// When it is too late.
    pub deadline: Option<OffsetDateTime>,
    /// Who sees to it.
    pub role: Role,
}

/// Figures above the list.
#[derive(Debug, Clone, Copy, Default)]
pub struct TodayFigures {
    /// Charges that are held.
    pub held: i64,
    /// Charges that are due or on their way.
    pub due: i64,
    /// Since when the oldest of them is due.
    pub oldest_due: Option<OffsetDateTime>,
    /// When Microsoft takes the first of them no more.
    pub nearest_deadline: Option<OffsetDateTime>,
    /// When the reporter last came to a good end.
    pub last_success: Option<OffsetDateTime>,
}

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct Today {
    frame: ConsoleFrame,
    title: &'static str,
    lead: String,
    figures: Vec<FigureView>,
    groups: Vec<GroupView>,
}

#[derive(Debug, Clone, Serialize)]
struct FigureView {
    name: &'static str,
    value: String,
    more: String,
    tone: Tone,
}

#[derive(Debug, Clone, Serialize)]
struct GroupView {
    name: &'static str,
    needs: Vec<NeedView>,
}

#[derive(Debug, Clone, Serialize)]
struct NeedView {
    what: String,
    tone: Tone,
    href: String,
    whose: String,
    id: String,
    happened: String,
    next_step: Cow<'static, str>,
    left: String,
    deadline: Option<Cell>,
    is_soon: bool,
    role: &'static str,
}

impl Today {
    /// The page; the needs come with the nearest deadline first.
    #[must_use]
    pub fn new(frame: ConsoleFrame, figures: TodayFigures, needs: &[Need], now: OffsetDateTime) -> Self {
        let first = needs.iter().find_map(|need| need.deadline);
        let lead = match (needs.len(), first) {
            (0, _) => "Nothing needs a person".to_owned(),
            (1, None) => "1 thing needs a person".to_owned(),
            (count, None) => format!("{count} things need a person, none of them by a given time"),
            (count, Some(first)) => format!("{count} things need a person, the first {}", left(first, now)),
        };
        let today = utc_day(now);
        let groups = GROUPS.map(|(name, belongs)| GroupView {
            name,
            needs: needs.iter().filter(|need| belongs(need.deadline, today)).map(|need| view(need, now)).collect(),
        });
        let groups = groups.into_iter().filter(|group| !group.needs.is_empty()).collect();
        Self { frame, title: "Today", lead, figures: figure_views(figures, now), groups }
    }
}

type Belongs = fn(Option<OffsetDateTime>, Date) -> bool;

const GROUPS: [(&str, Belongs); 4] = [
    ("Today", |deadline, today| deadline.is_some_and(|at| utc_day(at) <= today)),
    ("This week", |deadline, today| deadline.is_some_and(|at| utc_day(at) > today && utc_day(at) <= week_after(today))),
    ("Later", |deadline, today| deadline.is_some_and(|at| utc_day(at) > week_after(today))),
    ("Whenever you can", |deadline, _| deadline.is_none()),
];

fn week_after(today: Date) -> Date {
    today.saturating_add(time::Duration::days(7))
}

fn view(need: &Need, now: OffsetDateTime) -> NeedView {
    NeedView {
        what: need.what.clone(),
        tone: need.tone,
        href: need.href.clone(),
        whose: need.whose.clone().unwrap_or_default(),
        id: need.subscription.map(|id| id.to_string()).unwrap_or_default(),
        // Commands stand between backticks, for logs.
        happened: words::sentence(&need.happened.replace('`', "")),
        next_step: need.next_step.clone(),
        left: need.deadline.map(|at| left(at, now)).unwrap_or_default(),
        deadline: need.deadline.map(Cell::at),
        is_soon: need.deadline.is_some_and(|at| at - now < time::Duration::DAY),
        role: need.role.as_str(),
    }
}

fn figure_views(figures: TodayFigures, now: OffsetDateTime) -> Vec<FigureView> {
    let charges = |count: i64| if count == 1 { "1 charge".to_owned() } else { format!("{count} charges") };
    let calm = |name, value: String, more: &str| FigureView { name, value, more: more.to_owned(), tone: Tone::Calm };
    let oldest = figures.oldest_due.map(|at| now - at);
    let deadline = figures.nearest_deadline.map(|at| at - now);
    let tone = |is_bad: bool| if is_bad { Tone::Bad } else { Tone::Calm };
    vec![
        calm("Held", charges(figures.held), "grace period, trial or suspension"),
        calm("Due", charges(figures.due), "on their way to Microsoft"),
        FigureView {
            name: "Oldest unreported",
            value: oldest.map_or_else(|| "none".to_owned(), span),
            more: "Microsoft takes an hour’s charges for 24 hours".to_owned(),
            tone: if oldest.is_some_and(|age| age > time::Duration::hours(2)) { Tone::Warn } else { Tone::Calm },
        },
        FigureView {
            name: "Nearest deadline",
            value: deadline.map_or_else(|| "none".to_owned(), span),
            more: "of what is due or on its way".to_owned(),
            tone: tone(deadline.is_some_and(|left| left < time::Duration::hours(6))),
        },
        calm(
            "Last report",
            figures.last_success.map_or_else(|| "never".to_owned(), |at| format!("{} ago", span(now - at))),
            "the reporter looks every minute",
        ),
    ]
}

/// `in 3 h 40 min`, `2 d 4 h ago`
fn left(at: OffsetDateTime, now: OffsetDateTime) -> String {
    if at >= now { format!("in {}", span(at - now)) } else { format!("{} ago", span(now - at)) }
}

/// `3 d 4 h`, `3 h 40 min`, `11 min`, `4 s`
fn span(duration: time::Duration) -> String {
    let (days, hours) = (duration.whole_days(), duration.whole_hours() % 24);
    let (minutes, seconds) = (duration.whole_minutes() % 60, duration.whole_seconds() % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

impl Page for Today {
    const TEMPLATE: &'static str = "console/today.html";

    fn samples() -> Vec<Self> {
        let need = |deadline, subscription: Option<Uuid>| Need {
            what: "A charge is unknown".to_owned(),
            tone: Tone::Bad,
            href: "/console".to_owned(),
            whose: subscription.map(|_| samples::HOSTILE.to_owned()),
            subscription,
            happened: samples::HOSTILE.to_owned(),
            next_step: "Decide whether it arrived".into(),
            deadline,
            role: Role::Finance,
        };
        let whose = || Some(samples::ID);
        let in_hours = |hours| Some(samples::NOW + time::Duration::hours(hours));
        let needs =
            [need(in_hours(3), whose()), need(in_hours(50), whose()), need(in_hours(900), None), need(None, None)];
        let figures = TodayFigures {
            held: 31,
            due: 1,
            oldest_due: in_hours(-3),
            nearest_deadline: in_hours(2),
            last_success: in_hours(-30),
        };
        vec![
            Self::new(samples::frame(), figures, &needs, samples::NOW),
            Self::new(samples::frame(), TodayFigures::default(), &[], samples::NOW),
        ]
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::span;

    #[test]
    fn times_left_are_short() {
        let told = [Duration::seconds(4), Duration::minutes(11), Duration::minutes(220), Duration::hours(76)].map(span);
        assert_eq!(told, ["4 s", "11 min", "3 h 40 min", "3 d 4 h"]);
    }
}
