//! What stands around every page of the console.

use serde::Serialize;
use time::OffsetDateTime;

use crate::{
    domain::time::utc_day,
    pages::{
        frame::Flash,
        words::{self, Tone},
    },
};

/// A room of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// What needs a person.
    Today,
    /// All subscriptions, and each of them.
    Subscriptions,
    /// All charges.
    Ledger,
    /// The inbox.
    Webhooks,
    /// Work that is done, waits, or was given up.
    Jobs,
    /// All mails, and each of them.
    Mails,
    /// Custom trials.
    Trials,
    /// What is in force.
    Catalog,
    /// The audit log.
    StaffActions,
    /// The business, as pictures.
    Numbers,
    /// None: a dead end, the sign-in, the search.
    None,
}

impl Room {
    const ALL: [Self; 10] = [
        Self::Today,
        Self::Subscriptions,
        Self::Ledger,
        Self::Webhooks,
        Self::Jobs,
        Self::Mails,
        Self::Trials,
        Self::Catalog,
        Self::StaffActions,
        Self::Numbers,
    ];

    fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::Today => ("Today", "/console"),
            Self::Subscriptions => ("Subscriptions", "/console/subscriptions"),
            Self::Ledger => ("Ledger", "/console/ledger"),
            Self::Webhooks => ("Webhooks", "/console/webhooks"),
            Self::Jobs => ("Jobs", "/console/jobs"),
            Self::Mails => ("Mails", "/console/mails"),
            Self::Trials => ("Trials", "/console/trials"),
            Self::Catalog => ("Catalog", "/console/catalog"),
            Self::StaffActions => ("Staff actions", "/console/staff-actions"),
            Self::Numbers => ("Numbers", "/console/numbers"),
            Self::None => ("", ""),
        }
    }
}

/// Who is signed in.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The name.
    pub name: String,
    /// The roles, for people.
    pub roles: String,
    /// What every form sends back.
    pub csrf: String,
}

/// The frame.
#[derive(Debug, Clone, Serialize)]
pub struct ConsoleFrame {
    nonce: String,
    csrf: String,
    name: String,
    roles: String,
    now: String,
    now_iso: String,
    rooms: Vec<RoomView>,
    query: String,
    flash: Option<Flash>,
}

#[derive(Debug, Clone, Serialize)]
struct RoomView {
    name: &'static str,
    path: &'static str,
    is_here: bool,
    waiting: u64,
}

impl ConsoleFrame {
    /// The frame of a room; `waiting` is what needs a person.
    #[must_use]
    pub fn new(room: Room, nonce: &str, signed: Option<Signed>, waiting: u64, now: OffsetDateTime) -> Self {
        let view = |one: Room| {
            let (name, path) = one.told();
            let waiting = if one == Room::Today { waiting } else { 0 };
            RoomView { name, path, is_here: one == room, waiting }
        };
        let is_signed_in = signed.is_some();
        let signed = signed.unwrap_or(Signed { name: String::new(), roles: String::new(), csrf: String::new() });
        Self {
            nonce: nonce.to_owned(),
            csrf: signed.csrf,
            name: signed.name,
            roles: signed.roles,
            now: words::instant(now),
            now_iso: format!("{}T{:02}:{:02}Z", words::iso(utc_day(now)), now.hour(), now.minute()),
            rooms: if is_signed_in { Room::ALL.map(view).to_vec() } else { Vec::new() },
            query: String::new(),
            flash: None,
        }
    }

    /// The same with what was searched for.
    #[must_use]
    pub fn with_query(self, query: &str) -> Self {
        Self { query: query.to_owned(), ..self }
    }

    /// The same with a word about what was just done.
    #[must_use]
    pub fn with_flash(self, tone: Tone, text: &str) -> Self {
        Self { flash: Some(Flash { tone, text: text.to_owned() }), ..self }
    }
}
