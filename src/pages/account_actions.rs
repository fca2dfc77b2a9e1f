//! What a buyer may do on the account page, and what they have to know before: a planned downgrade, a refused change, a
//! renewal that is still to come.

use serde::Serialize;
use time::{Date, OffsetDateTime};

use super::{
    purchase::Purchase,
    words::{self, Tone},
};
use crate::domain::{catalog::Model, money::Amount, time::utc_day};

/// What the page is told about it.
#[derive(Debug, Clone, Copy)]
pub struct ActionFacts<'a> {
    /// The subscription.
    pub purchase: &'a Purchase<'a>,
    /// Whether this person may change anything; others only read the notices.
    pub buyer: bool,
    /// Users of today.
    pub users: Option<u32>,
    /// The downgrade that is planned, with its day.
    pub planned: Option<(u32, Date)>,
    /// The newest change that was refused lately.
    pub refused: Option<RefusedFacts<'a>>,
    /// The last day of a term whose renewal is not known here yet.
    pub term_ended: Option<Date>,
    /// The day of the next renewal, when the number of users can be changed.
    pub changeable: Option<Date>,
    /// Whether only fewer users can be asked for, because of a suspension.
    pub suspended: bool,
    /// Until when fewer users take effect at once, and all can be withdrawn.
    pub held_until: Option<OffsetDateTime>,
    /// What a withdrawal drops.
    pub held: Option<Amount>,
    /// Whether Microsoft works on other seats.
    pub seats_pending: bool,
    /// Whether there is a key that can be sent again or replaced.
    pub key: bool,
    /// Whether there are contacts to be changed.
    pub contacts: bool,
    /// The number as it was typed.
    pub typed: &'a str,
    /// What is wrong with it; empty when nothing is.
    pub error: &'a str,
}

/// A change that was refused.
#[derive(Debug, Clone, Copy)]
pub struct RefusedFacts<'a> {
    /// What was wanted: `20 users`, `the plan "Team"`.
    pub wanted: &'a str,
    /// Why not, as whoever refused it says.
    pub reason: &'a str,
    /// When.
    pub at: OffsetDateTime,
}

/// Something to know before anything else.
#[derive(Debug, Clone, Serialize)]
struct Notice {
    tone: Tone,
    title: String,
    text: String,
    /// The form that takes it back: its address and its button.
    undo: Option<(String, &'static str)>,
    /// A link that leads on.
    link: Option<(String, &'static str)>,
}

/// The form for another number of users.
#[derive(Debug, Clone, Serialize)]
struct ChangeForm {
    typed: String,
    error: String,
    hint: String,
    button: &'static str,
    /// Whether its meaning can be shown beside it.
    preview: bool,
}

/// What the page offers.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Actions {
    notices: Vec<Notice>,
    change: Option<ChangeForm>,
    /// What withdrawing means; empty when it is not possible.
    withdraw: String,
    key: bool,
    contacts: bool,
}

impl Actions {
    /// Works them out.
    #[must_use]
    pub fn new(told: &ActionFacts<'_>) -> Self {
        let changeable = told.changeable.filter(|_| told.buyer);
        Self {
            notices: notices(told),
            change: changeable.map(|renewal| change_form(told, renewal)),
            withdraw: told.held_until.filter(|_| told.buyer).map(|at| withdraw(told, at)).unwrap_or_default(),
            key: told.buyer && told.key,
            contacts: told.buyer && told.contacts,
        }
    }

    /// Whether there is a form for another number of users.
    #[must_use]
    pub fn may_change(&self) -> bool {
        self.change.is_some()
    }
}

fn notices(told: &ActionFacts<'_>) -> Vec<Notice> {
    let path = told.purchase.path();
    let mut notices = Vec::new();
    if let Some((users, day)) = told.planned {
        let from = told.users.map(words::count).unwrap_or_default();
        notices.push(Notice {
            tone: Tone::Calm,
            title: format!(
                "A downgrade from {from} to {} is planned for this subscription on {}",
                words::users(users),
                words::day(day)
            ),
            text: "Until then nothing changes. The new key follows with the renewal.".to_owned(),
            undo: told.buyer.then(|| (format!("{path}/users/cancel-downgrade"), "Cancel downgrade")),
            link: None,
        });
    }
    if let Some(end) = told.term_ended {
        notices.push(Notice {
            tone: Tone::Calm,
            title: format!("The term ended on {}; its renewal is on the way", words::day(end)),
            text: "Microsoft tells us of the new term, usually within a day. Users can be changed again then."
                .to_owned(),
            undo: None,
            link: None,
        });
    }
    if told.seats_pending {
        notices.push(Notice {
            tone: Tone::Warn,
            title: "Microsoft is changing the number of users".to_owned(),
            text: "It takes a minute or two; the new key follows by mail.".to_owned(),
            undo: None,
            link: told.buyer.then(|| (format!("{path}/users/progress"), "See how far it is")),
        });
    }
    notices.extend(told.refused.map(|refused| refusal(&refused)));
    notices
}

fn refusal(refused: &RefusedFacts<'_>) -> Notice {
    let day = words::day(utc_day(refused.at));
    Notice {
        tone: Tone::Warn,
        title: format!("The change to {} was refused on {day}", refused.wanted),
        text: format!("The reason: {} Nothing has changed.", words::sentence(words::without_code(refused.reason))),
        undo: None,
        link: None,
    }
}

fn change_form(told: &ActionFacts<'_>, renewal: Date) -> ChangeForm {
    let seats = told.purchase.plan.model == Model::PerUser;
    let have = told.users.map(|users| format!("You have {}. ", words::count(users))).unwrap_or_default();
    let day = words::day(renewal);
    let more = match (told.suspended, seats) {
        (true, _) => "More users are possible again when the payment is in order.",
        (false, true) => "More users start at once; Microsoft changes and bills them.",
        (false, false) => "More users start at once.",
    };
    let fewer = match told.held_until {
        Some(_) => "Fewer take effect at once, too, because nothing has been reported yet".to_owned(),
        None => format!("Fewer start with the renewal on {day}, and can be taken back until then"),
    };
    let seen = if seats { "." } else { "; you see what that means before anything changes." };
    ChangeForm {
        typed: told.typed.to_owned(),
        error: told.error.to_owned(),
        hint: format!("{have}{more} {fewer}{seen}"),
        button: if seats { "Change the users" } else { "Review the change" },
        preview: !seats,
    }
}

fn withdraw(told: &ActionFacts<'_>, until: OffsetDateTime) -> String {
    let held = told.held.and_then(|held| told.purchase.money(held));
    let dropped =
        held.map_or("What is held is dropped".to_owned(), |held| format!("The {held} that are held are dropped"));
    let until = words::until(until);
    format!(
        "Until {until} you can withdraw for nothing. {dropped}, the license ends, and Microsoft deletes the subscription."
    )
}

/// What was just done, in the words of the page's address.
#[must_use]
pub fn done(word: &str, users: Option<u32>, planned: Option<u32>) -> Option<(Tone, String)> {
    let users = users.map(words::users).unwrap_or_default();
    let good = |text: String| Some((Tone::Good, text));
    match word {
        "raised" => good(format!("Done: you now have {users}. The new license key follows by mail.")),
        "lowered" => good(format!("Done: you now have {users}, and the first charges are written anew.")),
        "planned" => {
            let planned = planned.map(words::users).unwrap_or_default();
            good(format!("Planned: {planned} from the next renewal on. Nothing changes until then."))
        }
        "kept" => good(format!("The downgrade is cancelled: the {users} stay.")),
        "seats" => good(format!("Done: Microsoft says {users}. The new license key follows by mail.")),
        "contacts" => good("The contacts are changed. The next mail goes to them.".to_owned()),
        "resent" => good("The license key is on its way by mail. It is sent at most once an hour.".to_owned()),
        "replaced" => {
            good("The key is replaced: the old one is revoked, the new one stands below and comes by mail.".to_owned())
        }
        "already" => Some((Tone::Calm, "This was submitted before; nothing was done twice.".to_owned())),
        "overtaken" => Some((
            Tone::Warn,
            "Somebody else has just changed this subscription, so nothing was done; here is how it stands now."
                .to_owned(),
        )),
        _ => None,
    }
}
