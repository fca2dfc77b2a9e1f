//! What each role may do: a role is a handle that has the methods of that role and no others, so that a page cannot do
//! what its visitor may not.
//!
//! Invariants: a handle is given only to who has the role; every deed is written in one transaction with its entry of the
//! audit log, which names the person, the address of the network, and the reason.

mod finance;
mod refused;
mod sales;
mod support;

use std::net::IpAddr;

use uuid::Uuid;

pub use finance::FinanceDesk;
pub use refused::DeskRefused;
pub use sales::SalesDesk;
pub use support::SupportDesk;

use super::{App, AppError, Deed};
use crate::domain::staff::{Actor, Member, Role};

/// No note is longer, in characters.
pub const NOTE_CHARS: usize = 4_000;
/// A reason or a consent that somebody can understand later has so many characters at least.
const GROUNDS_CHARS: usize = 10;
/// No reason is longer.
const MAX_GROUNDS_CHARS: usize = 1_000;

/// One of the publisher's people at work.
#[derive(Debug, Clone, Copy)]
pub struct Desk<'a> {
    app: &'a App,
    member: &'a Member,
    from: Option<IpAddr>,
}

impl<'a> Desk<'a> {
    /// The desk of somebody who is signed in.
    #[must_use]
    pub fn new(app: &'a App, member: &'a Member) -> Self {
        Self { app, member, from: None }
    }

    /// The same, asked from an address of the network.
    #[must_use]
    pub fn from_address(self, from: IpAddr) -> Self {
        Self { from: Some(from), ..self }
    }

    /// What sales may do.
    #[must_use]
    pub fn sales(self) -> Option<SalesDesk<'a>> {
        self.has(Role::Sales).then(|| SalesDesk::new(self))
    }

    /// What support may do.
    #[must_use]
    pub fn support(self) -> Option<SupportDesk<'a>> {
        self.has(Role::Support).then(|| SupportDesk::new(self))
    }

    /// What finance may do.
    #[must_use]
    pub fn finance(self) -> Option<FinanceDesk<'a>> {
        self.has(Role::Finance).then(|| FinanceDesk::new(self))
    }

    fn has(self, role: Role) -> bool {
        self.member.roles.include(role)
    }

    fn deed(self) -> Deed {
        let deed = Deed::of(Actor::Member(self.member.clone()));
        match self.from {
            Some(from) => deed.from_address(from),
            None => deed,
        }
    }

    /// Writes a note about a subscription: what everybody with a role may do.
    ///
    /// # Errors
    /// [`DeskRefused::Note`]; [`AppError::Store`], also when there is no such subscription.
    pub async fn add_note(self, id: Uuid, text: &str) -> Result<(), AppError> {
        let text = text.trim().replace("\r\n", "\n");
        if self.member.roles.is_empty() {
            return Err(AppError::Forbidden);
        }
        if text.is_empty() || text.chars().count() > NOTE_CHARS {
            return Err(DeskRefused::Note.into());
        }
        let now = self.app.clock.now();
        let tx = self.app.store.begin().await?;
        tx.get_subscription(id).await?;
        let (note, digest) = tx.insert_note(id, self.member.id, &text, now).await?;
        let facts = serde_json::json!({ "note": note, "digest": digest });
        self.deed().record(&tx, id, "note_added", facts, now).await?;
        Ok(tx.commit().await?)
    }
}

/// What somebody gave as a reason; nothing where it need not be given and was not.
fn optional_grounds(text: &str) -> Result<Option<&str>, DeskRefused> {
    let text = text.trim();
    if text.chars().count() > MAX_GROUNDS_CHARS {
        Err(DeskRefused::Reason)
    } else {
        Ok(Some(text).filter(|text| !text.is_empty()))
    }
}

/// What somebody gave as a reason, long enough to be understood later.
fn grounds(text: &str, refused: DeskRefused) -> Result<&str, DeskRefused> {
    let text = text.trim();
    let length = text.chars().count();
    if (GROUNDS_CHARS..=MAX_GROUNDS_CHARS).contains(&length) { Ok(text) } else { Err(refused) }
}
