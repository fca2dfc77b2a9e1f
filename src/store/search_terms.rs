//! What is searched for: each term in small letters, with what it leads to. Terms are bytes, which both databases sort
//! alike, so that a prefix is a range of the primary key.
//!
//! Terms are gathered by the writes that they come from and written at the commit, in one statement and in one order, so
//! that two transactions never wait for each other. What a transaction has read has its terms already: a subscription that
//! changes in nothing that is searched for costs nothing.

use std::collections::BTreeSet;

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, sea_query::OnConflict};
use uuid::Uuid;

use super::{Enrolment, Reader, Result, Tx, erasure::ERASED};
use crate::domain::{policy::PERSONAL_ACCOUNTS, subscription::Subscription};

pub(super) mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "search_term")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub term: Vec<u8>,
        #[sea_orm(primary_key, auto_increment = false)]
        pub target: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub kind: String,
        pub is_trial: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// No term is longer; the column is not.
pub(super) const MAX_TERM_BYTES: usize = 256;
/// Of a name no more words are kept.
const MAX_WORDS: usize = 12;
/// Rows of one statement: SQLite takes 32,766 values in one.
const CHUNK: usize = 4_000;

/// What a term is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TermKind {
    /// An organisation, or a word of its name.
    Organisation,
    /// The name that the buyer gave the subscription, or a word of it.
    Name,
    /// A mailbox: of a party at Microsoft, of the buyer, of the technical contact.
    Email,
    /// The tenant that uses it or pays for it.
    Tenant,
    /// Microsoft's id of the subscription.
    Subscription,
    /// The license id.
    License,
    /// Microsoft's id of an operation.
    Operation,
    /// The request or correlation id of a call.
    Request,
}

impl TermKind {
    const ALL: [Self; 8] = [
        Self::Organisation,
        Self::Name,
        Self::Email,
        Self::Tenant,
        Self::Subscription,
        Self::License,
        Self::Operation,
        Self::Request,
    ];
    /// What is erased with a subscription's people.
    const PERSONAL: [Self; 3] = [Self::Organisation, Self::Name, Self::Email];

    fn as_str(self) -> &'static str {
        match self {
            Self::Organisation => "organisation",
            Self::Name => "name",
            Self::Email => "email",
            Self::Tenant => "tenant",
            Self::Subscription => "subscription",
            Self::License => "license",
            Self::Operation => "operation",
            Self::Request => "request",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether words within it are looked for, too.
    fn has_words(self) -> bool {
        matches!(self, Self::Organisation | Self::Name)
    }
}

/// What a term leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A subscription.
    Subscription(Uuid),
    /// A trial without a purchase.
    Trial(Uuid),
}

impl Target {
    /// Its id.
    #[must_use]
    pub fn id(self) -> Uuid {
        match self {
            Self::Subscription(id) | Self::Trial(id) => id,
        }
    }
}

/// A row, in the order of the primary key.
pub(super) type Row = (Vec<u8>, Target, TermKind);

/// The terms of a transaction.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// They are in the table.
    known: BTreeSet<Row>,
    new: BTreeSet<Row>,
}

/// How a text is searched for: in small letters, with single blanks.
pub(super) fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The words of a folded text, without what stands around them: brackets, commas.
pub(super) fn words(folded: &str) -> impl Iterator<Item = &str> {
    let bare = folded.split(' ').map(|word| word.trim_matches(|letter: char| !letter.is_alphanumeric()));
    bare.filter(|word| !word.is_empty())
}

/// A folded text as it stands in the table.
pub(super) fn key(folded: &str) -> Vec<u8> {
    folded.bytes().take(MAX_TERM_BYTES).collect()
}

/// The rows of one text.
pub(super) fn rows(target: Target, kind: TermKind, text: &str) -> Vec<Row> {
    let whole = folded(text);
    if whole.is_empty() || whole == ERASED {
        return Vec::new();
    }
    let words = words(&whole).filter(|_| kind.has_words()).take(MAX_WORDS);
    let keys: BTreeSet<Vec<u8>> = words.map(key).chain([key(&whole)]).collect();
    keys.into_iter().map(|term| (term, target, kind)).collect()
}

/// What of a subscription is searched for.
pub(super) fn of_subscription(subscription: &Subscription) -> Vec<Row> {
    let microsoft = &subscription.microsoft;
    let target = Target::Subscription(microsoft.id);
    let mut found = rows(target, TermKind::Name, &microsoft.name);
    found.extend(rows(target, TermKind::Subscription, &microsoft.id.to_string()));
    for party in [&microsoft.beneficiary, &microsoft.purchaser] {
        found.extend(rows(target, TermKind::Email, &party.email));
        // Everybody with a personal account has this one.
        let tenant = party.tenant_id.filter(|tenant| *tenant != PERSONAL_ACCOUNTS);
        found.extend(tenant.iter().flat_map(|tenant| rows(target, TermKind::Tenant, &tenant.to_string())));
    }
    found
}

/// What of an order is searched for.
pub(super) fn of_enrolment(enrolment: &Enrolment) -> Vec<Row> {
    let target = Target::Subscription(enrolment.subscription_id);
    let mut found = rows(target, TermKind::Organisation, &enrolment.organisation);
    for email in [&enrolment.buyer_email, &enrolment.technical_contact] {
        found.extend(rows(target, TermKind::Email, email));
    }
    found
}

impl Tx {
    /// Lets something be found by a text, from the commit on.
    pub fn note_term(&self, target: Target, kind: TermKind, text: &str) {
        self.note_terms(rows(target, kind, text));
    }

    pub(super) fn note_terms(&self, rows: Vec<Row>) {
        self.gathered().new.extend(rows);
    }

    /// These have been read, so that they are in the table; unless this transaction has only just written what it reads.
    pub(super) fn know_terms(&self, rows: Vec<Row>) {
        let mut gathered = self.gathered();
        let Gathered { known, new } = &mut *gathered;
        known.extend(rows.into_iter().filter(|row| !new.contains(row)));
    }

    fn gathered(&self) -> std::sync::MutexGuard<'_, Gathered> {
        self.terms.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Writes what was gathered.
    pub(super) async fn write_terms(&self) -> Result<()> {
        let Gathered { known, new } = std::mem::take(&mut *self.gathered());
        insert(self, new.difference(&known).cloned().collect()).await
    }

    /// Nobody is found by their name or mailbox any more.
    pub(super) async fn forget_people(&self, id: Uuid) -> Result<()> {
        self.gathered().new.retain(|(_, target, kind)| target.id() != id || !TermKind::PERSONAL.contains(kind));
        let personal = entity::Column::Kind.is_in(TermKind::PERSONAL.map(TermKind::as_str));
        let these = entity::Entity::delete_many().filter(entity::Column::Target.eq(id)).filter(personal);
        these.exec(self.connection()).await?;
        Ok(())
    }
}

/// Writes rows, in the order of their key; those that are there stay as they are.
pub(super) async fn insert(tx: &Tx, rows: Vec<Row>) -> Result<()> {
    for chunk in rows.chunks(CHUNK) {
        let rows = chunk.iter().map(|(term, target, kind)| entity::ActiveModel {
            term: Set(term.clone()),
            target: Set(target.id()),
            kind: Set(kind.as_str().to_owned()),
            is_trial: Set(matches!(target, Target::Trial(_))),
        });
        let once = OnConflict::new().do_nothing().to_owned();
        entity::Entity::insert_many(rows).on_conflict(once).exec_without_returning(tx.connection()).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_by_itself_and_by_its_words() {
        let target = Target::Trial(Uuid::max());
        let found = |kind, text| -> Vec<String> {
            rows(target, kind, text).into_iter().map(|(term, ..)| String::from_utf8(term).unwrap()).collect()
        };
        assert_eq!(
            found(TermKind::Organisation, " Müller &  Söhne (GmbH) "),
            ["gmbh", "müller", "müller & söhne (gmbh)", "söhne"]
        );
        assert_eq!(found(TermKind::Email, "Alex.Weber@Contoso.example"), ["alex.weber@contoso.example"]);
        assert_eq!(found(TermKind::Organisation, "Contoso"), ["contoso"]);
        assert!(found(TermKind::Name, " ").is_empty() && found(TermKind::Name, ERASED).is_empty());
        assert_eq!(found(TermKind::Name, &"x".repeat(1_000))[0].len(), MAX_TERM_BYTES);
    }
}
