//! Why something that the staff ask for is not done.

use super::{GROUNDS_CHARS, MAX_GROUNDS_CHARS, NOTE_CHARS};
use crate::domain::subscription::NotBindable;

/// Why something is not done; the texts are shown to the staff, at the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeskRefused {
    /// A note without text, or a book.
    #[error("A note has 1 to {NOTE_CHARS} characters.")]
    Note,
    /// A reason that nobody understands later.
    #[error("Give a reason of {GROUNDS_CHARS} to {MAX_GROUNDS_CHARS} characters.")]
    Reason,
    /// A consent that nobody understands later.
    #[error("Say who consented, how and when, in {GROUNDS_CHARS} to {MAX_GROUNDS_CHARS} characters.")]
    Consent,
    /// Nothing has been signed yet.
    #[error("There is no license key yet.")]
    NoKey,
    /// A second click, a second tab, or it has ended.
    #[error("This is not the newest key any more, or the license has ended.")]
    OtherKey,
    /// Nothing is planned.
    #[error("No downgrade is planned any more.")]
    NothingPlanned,
    /// Nobody has enrolled, or it is over: there is nobody to write to.
    #[error("Contacts are changed between the enrolment and the end.")]
    NoContacts,
    /// An address that is none.
    #[error("Enter two e-mail addresses, like name@company.example.")]
    Mailbox,
    /// A language that no mail has.
    #[error("There are no mails in this language.")]
    Language,
    /// The end is the end.
    #[error("The subscription has ended.")]
    Ended,
    /// Microsoft says otherwise.
    #[error("{0}.")]
    Bind(#[from] NotBindable),
    /// The job is at work, or done.
    #[error("This job has not given up, or somebody let it run again already.")]
    NotDead,
}
