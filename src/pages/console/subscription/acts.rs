//! What can be done about a subscription, by role: forms for the roles of the visitor, one line about the others.

use serde::Serialize;
use uuid::Uuid;

use crate::{
    domain::{
        staff::{Role, Roles},
        subscription::{Stage, Subscription},
    },
    pages::words::{self, Tone},
};

/// What the forms are made of.
#[derive(Debug, Clone)]
pub struct ActFacts<'a> {
    /// The subscription.
    pub subscription: &'a Subscription,
    /// The visitor's roles.
    pub roles: &'a Roles,
    /// The number of the newest key, unless its license is revoked.
    pub newest_key: Option<u32>,
    /// The buyer's mailbox, the technical contact's, and the language.
    pub contacts: Option<[String; 3]>,
    /// Languages that mails have.
    pub languages: Vec<String>,
    /// Webhooks, newest first, in words.
    pub webhooks: Vec<(Uuid, String)>,
    /// Jobs that have given up, in words.
    pub dead_jobs: Vec<(Uuid, String)>,
    /// Whether its users are changed here: the plan has segments.
    pub has_segments: bool,
    /// What can be made longer, each word with its name; or why nothing can.
    pub extendable: Result<Vec<(String, String)>, String>,
    /// What was sent and is not right.
    pub typed: Typed,
}

/// A form that was sent and is shown again.
#[derive(Debug, Clone, Default)]
pub struct Typed {
    /// Which.
    pub act: &'static str,
    /// What was typed.
    pub values: Vec<(String, String)>,
    /// What is wrong with it, in a sentence.
    pub error: String,
}

/// What a role may do.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Group {
    name: &'static str,
    is_yours: bool,
    /// Where it is not: what it is about.
    about: &'static str,
    acts: Vec<Act>,
}

/// A form.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Act {
    /// Its address below the subscription's.
    id: &'static str,
    /// The same, for ids in the page.
    anchor: String,
    name: &'static str,
    about: &'static str,
    /// Why it is not possible now; empty = it is.
    blocked: String,
    fields: Vec<Field>,
    button: &'static str,
    is_risk: bool,
    error: String,
}

#[derive(Debug, Clone, Serialize)]
struct Field {
    name: &'static str,
    label: &'static str,
    /// `line`, `text`, `email`, `number`, `choice`, `hidden`.
    kind: &'static str,
    value: String,
    choices: Vec<(String, String)>,
    is_required: bool,
}

fn field(name: &'static str, label: &'static str, kind: &'static str) -> Field {
    Field { name, label, kind, value: String::new(), choices: Vec::new(), is_required: true }
}

impl Field {
    fn value(self, value: impl Into<String>) -> Self {
        Self { value: value.into(), ..self }
    }

    fn choices(self, choices: Vec<(String, String)>) -> Self {
        Self { choices, ..self }
    }

    fn optional(self) -> Self {
        Self { is_required: false, ..self }
    }
}

fn reason() -> Field {
    field("reason", "Why (stands in the audit trail; no names)", "line")
}

fn consent() -> Field {
    field("consent", "Who consented, how and when", "text")
}

fn act(id: &'static str, name: &'static str, button: &'static str, fields: Vec<Field>) -> Act {
    let anchor = format!("do-{}", id.replace('/', "-"));
    Act { id, anchor, name, about: "", blocked: String::new(), fields, button, is_risk: false, error: String::new() }
}

impl Act {
    fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    fn blocked(self, is_blocked: bool, why: &str) -> Self {
        if is_blocked && self.blocked.is_empty() { Self { blocked: why.to_owned(), ..self } } else { self }
    }

    fn risk(self) -> Self {
        Self { is_risk: true, ..self }
    }

    /// The same as it was sent.
    fn again(mut self, typed: &Typed) -> Self {
        if self.id == typed.act && !typed.error.is_empty() {
            self.error.clone_from(&typed.error);
            for field in &mut self.fields {
                if let Some((_, value)) = typed.values.iter().find(|(name, _)| name == field.name) {
                    field.value.clone_from(value);
                }
            }
        }
        self
    }
}

/// The form for a note: everybody's.
pub(super) fn note(typed: &Typed) -> Act {
    act("notes", "New note", "Add the note", vec![field("text", "New note, up to 4,000 characters", "text")])
        .again(typed)
}

/// The groups of the aside.
pub(super) fn groups(facts: &ActFacts<'_>) -> Vec<Group> {
    let group = |role: Role, about, acts: fn(&ActFacts<'_>) -> Vec<Act>| {
        let is_yours = facts.roles.include(role);
        let acts =
            if is_yours { acts(facts).into_iter().map(|act| act.again(&facts.typed)).collect() } else { Vec::new() };
        Group { name: role.as_str(), is_yours, about, acts }
    };
    vec![
        group(
            Role::Sales,
            "Upgrade, plan or cancel a downgrade on the buyer’s behalf, extend trial or grace period: Sales.",
            of_sales,
        ),
        group(
            Role::Support,
            "Resend or rotate the key, change contacts, bind a person, replay, repeat, reconcile: Support.",
            of_support,
        ),
        group(
            Role::Finance,
            "Decide about charges and enter credits, on the page of the charge, by two people: Finance.",
            |_| Vec::new(),
        ),
    ]
}

fn of_sales(facts: &ActFacts<'_>) -> Vec<Act> {
    let subscription = facts.subscription;
    let in_use = matches!(subscription.stage, Stage::Active(_) | Stage::Suspended { .. });
    let users = field("users", "Users in total", "number");
    let change = act("users", "Upgrade, or plan a downgrade", "Show what the buyer would see", vec![users])
        .about("With the buyer’s recorded consent, which the next page asks for; nothing is changed before.")
        .blocked(!in_use, "Possible while it is in use.")
        .blocked(!facts.has_segments, "Microsoft bills these users; the buyer changes them.");
    let mut acts = vec![change];
    if subscription.planned.is_some() {
        acts.push(
            act("users/cancel-downgrade", "Cancel the planned downgrade", "Cancel the downgrade", vec![consent()])
                .about("With the buyer’s recorded consent."),
        );
    }
    let (choices, refused) = match &facts.extendable {
        Ok(choices) => (choices.clone(), ""),
        Err(why) => (Vec::new(), why.as_str()),
    };
    let what = field("extends", "What", "choice").choices(choices);
    acts.push(
        act("extension", "Extend trial or grace period", "Show what it means", vec![what, field("days", "Days more", "number")])
            .about("While nothing is reported. The next page shows the dates and the held charges, now and then; nothing is changed before.")
            .blocked(!refused.is_empty(), refused),
    );
    acts
}

fn of_support(facts: &ActFacts<'_>) -> Vec<Act> {
    let mut acts = of_keys(facts);
    let is_over = matches!(facts.subscription.stage, Stage::Ended { .. });
    let [email, technical, language] = facts.contacts.clone().unwrap_or_default();
    let languages = facts.languages.iter().map(|one| (one.clone(), one.clone())).collect();
    let contacts = vec![
        field("email", "Buyer’s mailbox", "email").value(email),
        field("technical_contact", "Technical contact", "email").value(technical),
        field("language", "Language of mails", "choice").value(language).choices(languages),
        reason(),
    ];
    acts.push(
        act("contacts", "Change contacts", "Change the contacts", contacts)
            .blocked(facts.contacts.is_none(), "Nobody has enrolled yet.")
            .blocked(is_over, "The subscription has ended."),
    );
    let microsoft = &facts.subscription.microsoft;
    let is_named = microsoft.beneficiary.object_id.is_some() && microsoft.purchaser.object_id.is_some();
    let tenant = microsoft.beneficiary.tenant_id.or(microsoft.purchaser.tenant_id);
    let person = vec![
        field("tenant_id", "Tenant id", "line").value(tenant.map(|id| id.to_string()).unwrap_or_default()),
        field("object_id", "Object id of the person in it", "line"),
        reason(),
    ];
    acts.push(
        act("person", "Bind a person", "Bind this person", person)
            .about("Who may buy and see the key, where Microsoft names nobody. Ask for the object id in the customer’s Entra.")
            .blocked(is_named, "Microsoft names the people.")
            .blocked(is_over, "The subscription has ended."),
    );
    acts.extend(repetitions(facts));
    acts
}

fn of_keys(facts: &ActFacts<'_>) -> Vec<Act> {
    let without = facts.newest_key.is_none() || facts.contacts.is_none();
    let is_over = matches!(facts.subscription.stage, Stage::Ended { .. });
    let seq = field("seq", "", "hidden").value(facts.newest_key.map(|seq| seq.to_string()).unwrap_or_default());
    vec![
        act("key/resend", "Resend the key", "Mail the key again", vec![reason().optional()])
            .about("To both contacts, at most once an hour.")
            .blocked(without, "There is no license key."),
        act("key/rotate", "Rotate the key", "Revoke and replace", vec![seq, reason()])
            .about("A leaked license is revoked; both contacts get another one.")
            .risk()
            .blocked(without, "There is no license key.")
            .blocked(is_over, "The subscription has ended."),
    ]
}

fn repetitions(facts: &ActFacts<'_>) -> Vec<Act> {
    let choices = |all: &[(Uuid, String)]| all.iter().map(|(id, told)| (id.to_string(), told.clone())).collect();
    vec![
        act(
            "webhooks/replay",
            "Replay a webhook",
            "Act upon it again",
            vec![field("webhook", "Webhook", "choice").choices(choices(&facts.webhooks)), reason().optional()],
        )
        .blocked(facts.webhooks.is_empty(), "Microsoft has sent none."),
        act(
            "jobs/retry",
            "Let a job run again",
            "Run it again",
            vec![
                field("job", "Job that has given up", "choice").choices(choices(&facts.dead_jobs)),
                reason().optional(),
            ],
        )
        .blocked(facts.dead_jobs.is_empty(), "No job has given up."),
        act("reconcile", "Reconcile now", "Compare with Microsoft", vec![reason().optional()]),
    ]
}

/// What is said about something that was just done.
#[must_use]
pub fn done(word: &str, users: Option<u32>) -> Option<(Tone, String)> {
    let users = users.map(words::users).unwrap_or_default();
    let text = match word {
        "noted" => "The note is written.".to_owned(),
        "resent" => "The key is on its way again.".to_owned(),
        "rotated" => "The license is revoked; another one is on its way to both contacts.".to_owned(),
        "contacts" => "The contacts are changed.".to_owned(),
        "bound" => "The person is bound, and may sign in now.".to_owned(),
        "replayed" => "The webhook is acted upon again; look here in a moment.".to_owned(),
        "retried" => "The job runs again; look here in a moment.".to_owned(),
        "reconciling" => "It is being compared with Microsoft; look here in a moment.".to_owned(),
        "changed" => format!("Done: it has {users} now. The buyer was written to."),
        "planned" => "Planned for the next renewal. The buyer was written to.".to_owned(),
        "kept" => "The planned downgrade is cancelled. The buyer was written to.".to_owned(),
        "extended" => "Extended. The held charges are written anew, and the buyer was written to.".to_owned(),
        "already" => return Some((Tone::Calm, "This was submitted before; nothing was done twice.".to_owned())),
        "overtaken" => {
            let text = "Somebody else has just changed it; look at it as it is now, and try again.";
            return Some((Tone::Warn, text.to_owned()));
        }
        _ => return None,
    };
    Some((Tone::Good, text))
}
