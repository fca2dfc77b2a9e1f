//! The publisher's people and programs: who acts, and as what (`product.md` §1).
//!
//! Invariants: roles come from the `roles` claim of the publisher's own tenant, never from an e-mail address; who acts is
//! one [`Actor`], whatever the way (console, API, command line), and stands as such in the audit log.

use std::collections::BTreeSet;

use time::OffsetDateTime;
use uuid::Uuid;

use super::policy::Identity;

/// An app role of the publisher's staff registration. An admin may do what each of the others may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Trials, changes on the buyer's behalf.
    Sales,
    /// Decisions about charges, credits, exports.
    Finance,
    /// Keys, contacts, repetitions.
    Support,
    /// API keys, and everything else.
    Admin,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Sales, Self::Finance, Self::Support, Self::Admin];

    /// The value of the app role.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sales => "Sales",
            Self::Finance => "Finance",
            Self::Support => "Support",
            Self::Admin => "Admin",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// The roles of a person. Empty: nobody of the staff.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles(BTreeSet<Role>);

impl Roles {
    /// From the words of a claim, or of the database; those that nobody knows grant nothing.
    #[must_use]
    pub fn from_words<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        Self(words.into_iter().filter_map(Role::from_word).collect())
    }

    /// Their words, `Sales Finance`.
    #[must_use]
    pub fn to_words(&self) -> String {
        let words: Vec<&str> = self.0.iter().map(|role| role.as_str()).collect();
        words.join(" ")
    }

    /// Whether the role, or an admin's, is among them.
    #[must_use]
    pub fn include(&self, role: Role) -> bool {
        self.0.contains(&role) || self.0.contains(&Role::Admin)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One of the publisher's people, as of the last sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Our id of the person.
    pub id: Uuid,
    /// The pair that identifies.
    pub identity: Identity,
    /// The name.
    pub name: String,
    /// Where mails go; grants nothing and may be empty.
    pub email: String,
    /// The roles of the last sign-in.
    pub roles: Roles,
    /// When that was.
    pub signed_in_at: OffsetDateTime,
}

/// What an API key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Subscriptions, and their charges.
    SubscriptionsRead,
    /// Quotes.
    QuotesRead,
    /// Trial grants.
    TrialsRead,
    /// Granting and revoking trials, within the limits of sales.
    TrialsWrite,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::SubscriptionsRead, Self::QuotesRead, Self::TrialsRead, Self::TrialsWrite];

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SubscriptionsRead => "subscriptions:read",
            Self::QuotesRead => "quotes:read",
            Self::TrialsRead => "trials:read",
            Self::TrialsWrite => "trials:write",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }
}

/// Who does something that is no buyer and not Seatkey itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// One of the publisher's people, in the console.
    Member(Member),
    /// One of the publisher's programs, by its API key.
    Program {
        /// The key's id.
        key_id: Uuid,
        /// The key's name.
        name: String,
    },
    /// Somebody at the command line, who says who they are.
    Operator {
        /// The name.
        name: String,
    },
}

/// Which of the publisher's people the audit log names with a word; `None` = it names no such person. Two tenants may give
/// one object id.
#[must_use]
pub fn member_named(audit_word: &str) -> Option<Identity> {
    let (tenant_id, object_id) = audit_word.strip_prefix("staff:")?.split_once('/')?;
    Some(Identity { tenant_id: tenant_id.parse().ok()?, object_id: object_id.parse().ok()? })
}

impl Actor {
    /// How the audit log names them: `staff:<tenant>/<object>`, `api:<key>`, `operator:<name>`.
    #[must_use]
    pub fn audit_word(&self) -> String {
        match self {
            Self::Member(member) => format!("staff:{}/{}", member.identity.tenant_id, member.identity.object_id),
            Self::Program { key_id, .. } => format!("api:{key_id}"),
            Self::Operator { name } => format!("operator:{name}"),
        }
    }

    /// The name, for people.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Member(member) => &member.name,
            Self::Program { name, .. } | Self::Operator { name } => name,
        }
    }

    /// Where they read mail; empty where nobody knows.
    #[must_use]
    pub fn email(&self) -> &str {
        match self {
            Self::Member(member) => &member.email,
            Self::Program { .. } | Self::Operator { .. } => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_words_and_an_admin_has_them_all() {
        let roles = Roles::from_words(["Finance", "sales", "Owner", "Sales"]);
        assert_eq!(roles.to_words(), "Sales Finance");
        assert!(roles.include(Role::Sales) && !roles.include(Role::Support) && !roles.include(Role::Admin));
        let admin = Roles::from_words(["Admin"]);
        assert!(Role::ALL.into_iter().all(|role| admin.include(role)));
        assert!(Roles::from_words([]).is_empty() && Roles::from_words(["admin"]).is_empty());
    }
}
