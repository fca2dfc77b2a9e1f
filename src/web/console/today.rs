//! The first page.

use std::rc::Rc;

use uuid::Uuid;

use super::visit::{Answer, StaffVisit, ok};
use crate::{
    app::{PRICE_RISEN, Waiting, What, list_waiting},
    domain::charge::State,
    pages::{
        console::{
            decision::decision_path,
            frame::Room,
            mails::mail_path,
            table::subscription_path,
            today::{Need, Today, TodayFigures},
            trials::{trial_path, whose_trial},
        },
        words::Tone,
    },
    store::{Figures, ListedJob, ListedMail},
};

/// Of which states the page tells how many charges there are.
const COUNTED: [State; 3] = [State::Held, State::Due, State::Sending];

/// `GET /console`
pub(super) async fn show(visit: Rc<StaffVisit>) -> Answer {
    let now = visit.now();
    let waiting = list_waiting(&visit.app).await?;
    let needs: Vec<Need> = waiting.into_iter().map(need).collect();
    let figures = figures(&visit.app.store.read_figures(&COUNTED, now).await?);
    ok(&visit, &Today::new(visit.frame(Room::Today).await?, figures, &needs, now))
}

fn figures(read: &Figures) -> TodayFigures {
    let count = |state: State| read.charges.iter().find(|(one, _)| *one == state).map_or(0, |(_, count)| *count);
    TodayFigures {
        held: count(State::Held),
        due: count(State::Due) + count(State::Sending),
        oldest_due: read.oldest_due,
        nearest_deadline: read.nearest_deadline,
        last_success: read.reporter.last_success_at,
    }
}

fn need(waiting: Waiting) -> Need {
    let Waiting { what, subscription, deadline, role, .. } = waiting;
    let (subscription, mut whose) = subscription.unzip();
    let href = href(&what, subscription);
    let (what, tone, happened, next_step) = match what {
        What::Finding(finding) => {
            let (told, next_step) = finding_told(&finding.kind);
            (told.to_owned(), Tone::Bad, finding.detail, next_step)
        }
        What::Job(job) => {
            let reason = job.last_error.unwrap_or_else(|| "it gave no reason".to_owned());
            let happened = format!("given up after {} attempts: {reason}", job.attempts);
            (format!("Job {}", job.kind), Tone::Bad, happened, "Mend the cause, then let it run again")
        }
        What::Mail(mail, given_up) => mail_told(mail, given_up),
        What::Trial(grant) => {
            whose = Some(whose_trial(&grant));
            let users = grant.users.map(|users| format!(" and {users} users")).unwrap_or_default();
            let asked = format!("{} asks for {} days{users}: {}", grant.granted_by.name, grant.days, grant.reason);
            ("Trial waits for approval".to_owned(), Tone::Warn, asked, "Approve or revoke it")
        }
        What::Proposal(proposal, by) => {
            let happened = format!("{by} proposes {} for a charge: {}", proposal.body, proposal.reason);
            ("A proposal waits".to_owned(), Tone::Warn, happened, "Approve or refuse it")
        }
        What::Unconfigured => (
            "Purchase that nobody configured".to_owned(),
            Tone::Warn,
            "it was bought in the Azure portal, and nobody has clicked “Configure account now”; Microsoft drops it at the \
             deadline"
                .to_owned(),
            "Ask the buyer to configure it",
        ),
        What::Locked(reason) => {
            ("The reporter is locked".to_owned(), Tone::Bad, reason, "Run seatkey restore finish, after reading why")
        }
        What::Credential(reason) => {
            ("A credential is refused".to_owned(), Tone::Bad, reason, "Renew it in Entra, and in the configuration")
        }
        What::Secret(section) => (
            "A client secret expires".to_owned(),
            Tone::Warn,
            format!("[{section}] client_secret_expires says so; after that nothing works that needs it"),
            "Make a new one in Entra, put it into the configuration with its day, and start anew",
        ),
        What::ApiKey(key) => (
            "An API key expires".to_owned(),
            Tone::Warn,
            format!("{}, {}", key.name, key.last_used_at.map_or("never used", |_| "in use")),
            "Make a new one with seatkey api-key create, and revoke this one",
        ),
        What::Check(check) => {
            let tone = if check.is_wrong { Tone::Bad } else { Tone::Warn };
            let next_step = format!("For {}: {}", check.whose, check.mend);
            let (what, happened) = (format!("Check {}", check.id), check.saw);
            return Need { what, tone, href, whose, subscription, happened, next_step: next_step.into(), deadline, role };
        }
    };
    Need { what, tone, href, whose, subscription, happened, next_step: next_step.into(), deadline, role }
}

fn mail_told(mail: ListedMail, given_up: Option<ListedJob>) -> (String, Tone, String, &'static str) {
    let to = format!("“{}” to {}", mail.subject, mail.recipients.join(", "));
    let reason = mail.last_error.map(|error| format!(": {error}")).unwrap_or_default();
    match given_up {
        Some(job) => (
            "Mail not delivered".to_owned(),
            Tone::Bad,
            format!("{to}, given up after {} attempts{reason}", job.attempts),
            "Correct the contacts or the mail server, then let it run again",
        ),
        None => (
            "Mail does not leave".to_owned(),
            Tone::Warn,
            format!("{to}{reason}"),
            "Look at the mail server; it is tried again by itself",
        ),
    }
}

/// The page where it is seen to: that of the charge where people decide about one, else that of the subscription.
fn href(what: &What, subscription: Option<Uuid>) -> String {
    let charge = match what {
        What::Finding(finding) if finding.kind.starts_with("charge_") || finding.kind == PRICE_RISEN => {
            finding.cause.split('/').next().and_then(|id| Uuid::parse_str(id).ok())
        }
        What::Proposal(proposal, _) => Some(proposal.subject),
        What::Trial(grant) => return trial_path(grant.id),
        What::Mail(mail, _) => return mail_path(mail.id),
        _ => None,
    };
    charge.map(decision_path).or(subscription.map(subscription_path)).unwrap_or_default()
}

/// A kind of finding, and what to do about it. Its own words say more.
pub(super) fn finding_told(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "charge_unknown" => ("Charge without an answer", "Decide whether it arrived"),
        "charge_conflict" => ("Conflict at Microsoft", "Resolve the conflict"),
        "charge_rejected" => ("Charge refused by Microsoft", "Mend Partner Center, then report it again"),
        "charge_frozen" => ("Frozen charge", "Decide: report it or write it off"),
        "charge_expired" => ("Charge expired", "Take note: the fee is lost"),
        PRICE_RISEN => ("A price has risen", "Decide: report at what was shown, or write it off"),
        "plan_changed" => ("Plan changed at Microsoft", "Decide about the charges that it froze"),
        "terms_skipped" => ("Terms were skipped", "Look at the history with the customer"),
        "withdrawal_refused" => {
            ("Withdrawal refused by Microsoft", "Cancel it in Partner Center, or write its charges off")
        }
        _ => ("Something differs", "Read what was found"),
    }
}
