//! Where a subscription stands, and what each event makes of it. Total: every stage answers every event.

use std::fmt::Write as _;

use time::OffsetDateTime;

/// When somebody enrolled, and when it became true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enrolled {
    /// When the buyer submitted.
    pub enrolled_at: OffsetDateTime,
    /// When `Subscribed` was first seen.
    pub activated_at: OffsetDateTime,
}

impl Enrolled {
    /// What the grace period counts from: the later of the two (`product.md` §4.1).
    #[must_use]
    pub fn start(self) -> OffsetDateTime {
        self.enrolled_at.max(self.activated_at)
    }
}

/// Where a subscription stands. The times belong to the stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Bought, and nobody has enrolled.
    AwaitingEnrolment,
    /// The order is accepted, Microsoft is being told.
    Activating {
        /// When the buyer submitted.
        enrolled_at: OffsetDateTime,
    },
    /// In use, with a license.
    Active(Enrolled),
    /// Microsoft could not collect a payment. The license keeps its own end, charges are held.
    Suspended {
        /// Since when it is in use.
        enrolled: Enrolled,
        /// When the suspension was seen.
        suspended_at: OffsetDateTime,
    },
    /// Over, for good.
    Ended {
        /// Since when it was in use, where it ever was.
        enrolled: Option<Enrolled>,
        /// When it ended, as far as that is known.
        ended_at: OffsetDateTime,
    },
}

/// What can happen to a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The buyer submits the reviewed order.
    OrderSubmitted,
    /// Microsoft says `Subscribed`, with dates, after an order.
    Activated,
    /// Microsoft says `Suspended`.
    Suspended,
    /// Microsoft says `Subscribed` after a suspension.
    Reinstated,
    /// Microsoft has begun a new term.
    Renewed,
    /// Microsoft has another plan.
    PlanChanged,
    /// Microsoft has another quantity.
    SeatsChanged,
    /// The buyer wants more users now.
    UsersRaised,
    /// The buyer wants fewer users while the first charges are held.
    UsersLowered,
    /// The buyer wants fewer users from the next renewal on.
    DowngradePlanned,
    /// The buyer takes that back.
    DowngradeCancelled,
    /// The buyer withdraws while the first charges are held.
    WithdrawalAsked,
    /// Microsoft says `Unsubscribed`.
    Ended,
}

/// An event that a stage does not admit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{event} is not possible while a subscription is {stage}")]
pub struct Refused {
    /// The stage, in words.
    pub stage: &'static str,
    /// The event, in words.
    pub event: &'static str,
}

impl Event {
    /// Every event, in the order of a subscription's life.
    pub const ALL: [Self; 13] = [
        Self::OrderSubmitted,
        Self::Activated,
        Self::Suspended,
        Self::Reinstated,
        Self::Renewed,
        Self::PlanChanged,
        Self::SeatsChanged,
        Self::UsersRaised,
        Self::UsersLowered,
        Self::DowngradePlanned,
        Self::DowngradeCancelled,
        Self::WithdrawalAsked,
        Self::Ended,
    ];

    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OrderSubmitted => "an order",
            Self::Activated => "an activation",
            Self::Suspended => "a suspension",
            Self::Reinstated => "a reinstatement",
            Self::Renewed => "a renewal",
            Self::PlanChanged => "a change of plan",
            Self::SeatsChanged => "a change of seats",
            Self::UsersRaised => "an upgrade",
            Self::UsersLowered => "lowering the users",
            Self::DowngradePlanned => "planning a downgrade",
            Self::DowngradeCancelled => "cancelling a downgrade",
            Self::WithdrawalAsked => "a withdrawal",
            Self::Ended => "an end",
        }
    }
}

impl Stage {
    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AwaitingEnrolment => "awaiting enrolment",
            Self::Activating { .. } => "activating",
            Self::Active(_) => "active",
            Self::Suspended { .. } => "suspended",
            Self::Ended { .. } => "ended",
        }
    }

    /// Since when it is, or was, in use.
    #[must_use]
    pub fn enrolled(self) -> Option<Enrolled> {
        match self {
            Self::AwaitingEnrolment | Self::Activating { .. } => None,
            Self::Active(enrolled) | Self::Suspended { enrolled, .. } => Some(enrolled),
            Self::Ended { enrolled, .. } => enrolled,
        }
    }

    /// The stage after an event at `at`.
    ///
    /// # Errors
    /// [`Refused`], naming stage and event. What Microsoft says is refused only where it cannot be true any more: nothing
    /// comes back from the end.
    pub fn on(self, event: Event, at: OffsetDateTime) -> Result<Self, Refused> {
        let next = match (self, event) {
            (Self::AwaitingEnrolment, Event::OrderSubmitted) => Self::Activating { enrolled_at: at },
            (Self::Activating { enrolled_at }, Event::Activated) => {
                Self::Active(Enrolled { enrolled_at, activated_at: at })
            }
            // Without an enrolment there is nothing here that these could change; the status says enough.
            (
                Self::AwaitingEnrolment | Self::Activating { .. },
                Event::Suspended | Event::Reinstated | Event::Renewed | Event::PlanChanged | Event::SeatsChanged,
            ) => self,
            (Self::Active(enrolled), Event::Suspended) => Self::Suspended { enrolled, suspended_at: at },
            (Self::Suspended { enrolled, .. }, Event::Reinstated) => Self::Active(enrolled),
            // Said again.
            (Self::Active(_), Event::Reinstated) | (Self::Suspended { .. }, Event::Suspended) => self,
            (Self::Active(_) | Self::Suspended { .. }, Event::Renewed | Event::PlanChanged | Event::SeatsChanged) => {
                self
            }
            (
                Self::Active(_),
                Event::UsersRaised
                | Event::UsersLowered
                | Event::DowngradePlanned
                | Event::DowngradeCancelled
                | Event::WithdrawalAsked,
            ) => self,
            // Neither costs anything, and the renewal may come before the payment is in order.
            (Self::Suspended { .. }, Event::DowngradePlanned | Event::DowngradeCancelled) => self,
            (Self::Ended { .. }, Event::Ended) => self,
            (_, Event::Ended) => Self::Ended { enrolled: self.enrolled(), ended_at: at },
            _ => return Err(Refused { stage: self.name(), event: event.name() }),
        };
        Ok(next)
    }
}

/// The whole machine as a table in Markdown: what each stage makes of each event; a dash where it refuses.
#[must_use]
pub fn transition_table() -> String {
    let at = OffsetDateTime::UNIX_EPOCH;
    let enrolled = Enrolled { enrolled_at: at, activated_at: at };
    let stages = [
        Stage::AwaitingEnrolment,
        Stage::Activating { enrolled_at: at },
        Stage::Active(enrolled),
        Stage::Suspended { enrolled, suspended_at: at },
        Stage::Ended { enrolled: Some(enrolled), ended_at: at },
    ];
    let mut table = String::from("| |");
    let heads = stages.iter().map(|stage| format!(" {} |", stage.name())).collect::<String>();
    table.push_str(&heads);
    table.push_str("\n|---|");
    table.push_str(&"---|".repeat(stages.len()));
    table.push('\n');
    for event in Event::ALL {
        let cell = |stage: &Stage| match stage.on(event, at) {
            Ok(next) if next == *stage => " stays |".to_owned(),
            Ok(next) => format!(" **{}** |", next.name()),
            Err(_) => " – |".to_owned(),
        };
        let cells = stages.iter().map(cell).collect::<String>();
        // Writing to a text cannot fail.
        let _ = writeln!(table, "| {} |{cells}", event.name());
    }
    table
}
