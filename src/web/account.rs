//! A subscription's page: the enrolment where it is still to come, the account afterwards.

use std::rc::Rc;

use actix_web::HttpResponse;

use super::{
    account_facts::{Known, charge_facts, contacts, key_facts, ledger_lines},
    purchase::{Shown, standing},
    refusal::{Refusal, ok, see_other},
    visit::Visit,
};
use crate::{
    app::{Asked, ask_reseller},
    domain::{
        change::first_term,
        policy::Rights,
        pricing::MAX_USERS,
        subscription::{MicrosoftStatus, Stage},
    },
    pages::{
        account::{Account, AccountFacts, Viewer},
        account_actions::{Actions, done},
        frame::Frame,
        progress::ProgressJson,
        trouble::Dead,
        words::Tone,
    },
};

/// The number of users as it was typed, and what is wrong with it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Typed<'a> {
    pub(super) users: &'a str,
    pub(super) error: &'a str,
}

/// `GET /subscriptions/{id}[?done=…][&users=…]`
pub(super) async fn show(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    let shown = Shown::find(&visit).await?;
    let buyer = shown.rights == Rights::Buy;
    let ended = shown.subscription.microsoft.status == MicrosoftStatus::Unsubscribed;
    match shown.subscription.stage {
        Stage::AwaitingEnrolment if buyer && shown.subscription.check_enrollable().is_ok() => {
            Ok(see_other(&format!("{}/enrol", shown.path())))
        }
        Stage::Activating { .. } if buyer && !ended => Ok(see_other(&format!("{}/progress", shown.path()))),
        _ => {
            let typed = Typed { users: visit.query("users").unwrap_or_default(), error: "" };
            ok(&visit, &page(&visit, &shown, typed).await?)
        }
    }
}

/// `GET /subscriptions/{id}/state.json`: for a page that follows a withdrawal.
pub(super) async fn state(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    let shown = Shown::find(&visit).await?;
    let page = page(&visit, &shown, Typed::default()).await?;
    let answer = ProgressJson { state: page.standing().to_owned(), next: None, spoken: "" };
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).json(answer))
}

/// The page as it is now.
pub(super) async fn page(visit: &Visit, shown: &Shown<'_>, typed: Typed<'_>) -> Result<Account, Refusal> {
    let known = Known::find(visit, shown).await?;
    let organisation = shown.enrolment.as_ref().map_or("", |enrolment| enrolment.organisation.as_str());
    let lines = ledger_lines(shown.plan, &known.charges);
    let charges = charge_facts(&shown.subscription, &lines, &known.explanation, visit.now());
    let contacts = contacts(shown);
    let purchase = shown.purchase(organisation);
    let subscription = &shown.subscription;
    let first = first_term(subscription);
    let term = subscription.term.or(subscription.microsoft.term);
    let segment = subscription.segment.as_deref();
    let told = AccountFacts {
        purchase: &purchase,
        standing: standing(subscription),
        users: subscription.users,
        planned: subscription.planned.map(|planned| planned.users),
        segment: shown.plan.segments().iter().find(|one| Some(&*one.name) == segment).map(|one| &**one),
        quote: known.renewal.as_ref(),
        term,
        first: first.as_ref(),
        key: known.key.as_ref().map(|key| key_facts(shown, key)),
        charges: &charges,
        explanation: &known.explanation,
        contacts: &contacts,
        viewer: if shown.rights >= Rights::Use { Viewer::Party } else { Viewer::Looker },
        may_ask: may_ask(shown),
        mail_stuck: known.mail_stuck,
    };
    let actions = Actions::new(&known.action_facts(shown, &purchase, typed, visit.now()));
    Ok(Account::new(frame(visit, shown), &told, visit.now()).with_actions(actions))
}

/// The frame, with what was just done.
fn frame(visit: &Visit, shown: &Shown<'_>) -> Frame {
    let frame = shown.frame(visit);
    let subscription = &shown.subscription;
    let planned = subscription.planned.map(|planned| planned.users);
    match visit.query("asked") {
        Some("yes") => return frame.with_flash(Tone::Good, "We have written to your reseller."),
        Some(_) => {
            let text = "Microsoft names no address of your reseller. Please ask them yourself.";
            return frame.with_flash(Tone::Warn, text);
        }
        None => {}
    }
    match visit.query("done").and_then(|word| done(word, subscription.users, planned)) {
        Some((tone, text)) => frame.with_flash(tone, &text),
        None => frame,
    }
}

/// Back to the page, which says what was done.
pub(super) fn back(shown: &Shown<'_>, done: &str) -> HttpResponse {
    see_other(&format!("{}?done={done}", shown.path()))
}

/// The beneficiary of a reseller deal, who may use and ask, but not buy.
fn may_ask(shown: &Shown<'_>) -> bool {
    let ended = shown.subscription.microsoft.status == MicrosoftStatus::Unsubscribed;
    shown.rights == Rights::Use && !ended
}

/// `POST /subscriptions/{id}/ask`
pub(super) async fn ask(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    let session = visit.check_form()?;
    let shown = Shown::find(&visit).await?;
    if !may_ask(&shown) {
        return Err(Refusal::Dead(Dead::NotFound));
    }
    let users = visit.field("users").parse().ok().filter(|users| (1..=MAX_USERS).contains(users));
    let asked = ask_reseller(&visit.app, session, &shown.subscription, users).await?;
    let word = if asked == Asked::Mailed { "yes" } else { "no" };
    Ok(see_other(&format!("{}?asked={word}", shown.path())))
}
