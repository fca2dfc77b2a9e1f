//! Who the organisations of the demo's history are, and what each does on which day: `cast.toml`, read.

use serde::Deserialize;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::super::{Failure, scene::failed};
use crate::{
    hash::sha256_hex,
    simulator::{Seed, Tenant, User},
};

/// All ids and all times of day follow from it, so that each history is the same.
const SEED: &str = "seatkey demo 1";
/// Markets with the prices of Germany; the simulator's own seed knows four countries.
const AS_IN_GERMANY: [&str; 7] = ["AT", "BE", "ES", "FI", "FR", "IT", "NL"];
/// People act from eight o'clock on, for so many minutes; with the last act of an organisation it stays below a day.
const FROM: Duration = Duration::hours(8);
const WORKING_MINUTES: u64 = 540;
/// An organisation's second act of a day follows so much later.
const BETWEEN: Duration = Duration::minutes(11);

/// The organisations of a history.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cast {
    /// How many days before the present it begins; day 0 is the first one.
    pub days: u16,
    /// In no order.
    #[serde(rename = "organisation")]
    pub organisations: Vec<Organisation>,
}

/// A customer, a partner, a prospect, or a person with an account of their own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organisation {
    /// Its name.
    pub name: String,
    /// The domain that its people sign in with.
    pub domain: String,
    /// Two letters.
    pub country: String,
    /// What kind of account.
    #[serde(default)]
    pub kind: Kind,
    /// The buyer, and the technical contact where it is another person.
    pub people: Vec<String>,
    /// What happens, those of one day in their order.
    #[serde(default)]
    pub acts: Vec<Act>,
}

/// What kind of account an organisation has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A directory of its own.
    #[default]
    Company,
    /// A directory of its own; buys for others.
    Reseller,
    /// A personal Microsoft account.
    Personal,
}

/// Something that happens on a day.
#[derive(Debug, Clone, Deserialize)]
pub struct Act {
    /// Counted from the start of the history.
    pub day: u16,
    /// Not before this hour; without one it follows from the organisation.
    pub hour: Option<u8>,
    /// About which plan, where it is not the newest purchase.
    pub of: Option<String>,
    /// What.
    #[serde(flatten)]
    pub deed: Deed,
}

/// What an organisation does, or what is done for it.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "does", rename_all = "kebab-case")]
pub enum Deed {
    /// Subscribes in the portal; `by` is the partner's person.
    Buys {
        plan: String,
        by: Option<String>,
        #[serde(default)]
        test: bool,
    },
    /// Opens *Configure account now*, and leaves.
    Looks,
    /// Fills in the form, looks at the review, and leaves.
    Reviews { users: u32 },
    /// From *Configure account now* to the license key.
    Enrols { users: u32 },
    /// More users at once, or fewer from the next term on.
    Changes { users: u32 },
    /// Takes the planned downgrade back.
    Keeps,
    /// While everything is held.
    Withdraws,
    /// In the portal.
    Cancels,
    /// In the portal: it ends with its term.
    StopsRenewal,
    /// Microsoft suspends.
    FailsToPay,
    /// Microsoft reinstates.
    Pays,
    /// In the portal.
    AsksForPlan { plan: String },
    /// Sales grants a trial: to the tenant, or mailed to the first person as a prospect.
    IsGranted {
        by: String,
        #[serde(flatten)]
        trial: Trial,
    },
    /// A second person approves the trial.
    IsApproved { by: String },
    /// The trial is taken back.
    IsRevoked { by: String, reason: String },
    /// A program of the publisher's extends the running trial (or the `grace` period).
    IsExtended { extends: String, days: u32, reason: String },
    /// Staff write something down.
    IsNoted { by: String, text: String },
    /// Support sends the license key again.
    IsSentKey { by: String, reason: String },
    /// Finance proposes what becomes of a charge.
    IsProposed { by: String, decision: String, reason: String },
    /// A second person of finance approves it.
    IsDecided { by: String },
    /// From now on Microsoft answers usage with this status, for everybody; without one it takes it again.
    MeetsTrouble { status: Option<String> },
    /// From now on Microsoft's webhooks are lost, for everybody, or they arrive again.
    IsNotTold { lost: bool },
}

/// What sales grants.
#[derive(Debug, Clone, Deserialize)]
pub struct Trial {
    /// The plan.
    pub plan: String,
    /// Its length.
    pub days: u32,
    /// At most so many users.
    pub users: u32,
    /// Why.
    pub reason: String,
    /// Whether a key is mailed to the first person at once, without a purchase.
    #[serde(default)]
    pub mailed: bool,
}

/// An act at its time.
#[derive(Debug)]
pub(super) struct Scheduled<'a> {
    pub(super) at: OffsetDateTime,
    pub(super) organisation: &'a Organisation,
    pub(super) act: &'a Act,
}

impl Cast {
    /// The cast that the program comes with.
    ///
    /// # Errors
    /// Never: a test reads it.
    pub fn built_in() -> Result<Self, Failure> {
        toml::from_str(include_str!("cast.toml")).map_err(|error| failed(&format!("the cast cannot be read: {error}")))
    }

    /// Begins on a later day, with the organisations that do nothing before it.
    #[must_use]
    pub fn from_day(mut self, first: u16) -> Self {
        self.organisations.retain(|organisation| organisation.acts.iter().all(|act| act.day >= first));
        let acts = self.organisations.iter_mut().flat_map(|organisation| &mut organisation.acts);
        acts.for_each(|act| act.day -= first);
        self.days -= first;
        self
    }

    /// The simulator's world, and these people in it.
    #[must_use]
    pub fn seed(&self) -> Seed {
        let mut seed = Seed::default();
        for plan in seed.offers.iter_mut().flat_map(|offer| &mut offer.plans) {
            let Some(german) = plan.markets.get("DE").cloned() else { continue };
            plan.markets.extend(AS_IN_GERMANY.map(|country| (country.to_owned(), german.clone())));
        }
        for organisation in &self.organisations {
            let shared = seed.tenants.iter_mut().find(|tenant| tenant.personal);
            match shared.filter(|_| organisation.kind == Kind::Personal) {
                Some(personal) => personal.users.extend(organisation.users()),
                None => seed.tenants.push(organisation.tenant()),
            }
        }
        seed
    }

    /// Everything that happens, in the order of time.
    pub(super) fn schedule(&self, first_day: OffsetDateTime) -> Vec<Scheduled<'_>> {
        let mut all: Vec<Scheduled<'_>> =
            self.organisations.iter().flat_map(|organisation| organisation.schedule(first_day)).collect();
        all.sort_by_key(|one| one.at);
        all
    }
}

impl Organisation {
    /// The address that a person reads.
    pub(super) fn mailbox(&self, person: &str) -> String {
        let letters = person.chars().flat_map(char::to_lowercase).map(|letter| match letter {
            'ä' => "ae".to_owned(),
            'ö' => "oe".to_owned(),
            'ü' => "ue".to_owned(),
            'ß' => "ss".to_owned(),
            'é' => "e".to_owned(),
            'í' => "i".to_owned(),
            ' ' => ".".to_owned(),
            other => other.to_string(),
        });
        format!("{}@{}", letters.collect::<String>(), self.domain)
    }

    /// Whether its people write German.
    pub(super) fn is_german(&self) -> bool {
        matches!(self.country.as_str(), "DE" | "AT")
    }

    fn schedule(&self, first_day: OffsetDateTime) -> Vec<Scheduled<'_>> {
        let mut scheduled: Vec<Scheduled<'_>> = Vec::new();
        for act in &self.acts {
            let day = first_day + Duration::days(act.day.into());
            let minute = number(&format!("{}/{}", self.domain, act.day)) % u128::from(WORKING_MINUTES);
            let working = FROM + Duration::minutes(i64::try_from(minute).unwrap_or(0));
            let at = day + act.hour.map_or(working, |hour| Duration::hours(hour.into()));
            let after = scheduled.last().map(|before| before.at + BETWEEN);
            scheduled.push(Scheduled { at: after.map_or(at, |after| at.max(after)), organisation: self, act });
        }
        scheduled
    }

    fn tenant(&self) -> Tenant {
        Tenant {
            id: id(&self.domain),
            name: self.name.clone(),
            country: self.country.clone(),
            domains: vec![self.domain.clone()],
            reseller: self.kind == Kind::Reseller,
            personal: false,
            users: self.users().collect(),
        }
    }

    fn users(&self) -> impl Iterator<Item = User> {
        self.people.iter().map(|name| {
            let mailbox = self.mailbox(name);
            User {
                oid: id(&mailbox),
                puid: format!("1003{:012X}", number(&mailbox) & 0xffff_ffff_ffff),
                name: name.clone(),
                upn: mailbox.clone(),
                email: Some(mailbox),
                roles: Vec::new(),
            }
        })
    }
}

fn number(word: &str) -> u128 {
    let digest = sha256_hex(format!("{SEED}/{word}").as_bytes());
    digest.get(..32).and_then(|digits| u128::from_str_radix(digits, 16).ok()).unwrap_or_default()
}

fn id(word: &str) -> Uuid {
    uuid::Builder::from_random_bytes(number(word).to_be_bytes()).into_uuid()
}
