//! A subscription's page: the enrolment where it is still to come, the account afterwards.

use std::rc::Rc;

use actix_web::{HttpResponse, http::header};

use super::{
    purchase::{Shown, standing},
    refusal::{Refusal, ok, see_other},
    visit::Visit,
};
use crate::{
    app::{Asked, ask_reseller, license_file_name},
    domain::{
        charge::Charge,
        enrolment::FrozenQuote,
        policy::Rights,
        pricing::{Line, MAX_USERS},
        proration::FirstTerm,
        subscription::{Enrolled, MicrosoftStatus, Stage},
        time::utc_day,
    },
    pages::{
        account::{Account, AccountFacts, Contact, KeyFacts, Viewer},
        charges::{ChargeFact, ChargeReason, ChargeState},
        trouble::Dead,
        words::Tone,
    },
    store::{LicenseKey, MailState},
};

/// `GET /subscriptions/{id}`
pub(super) async fn show(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    let shown = Shown::find(&visit).await?;
    let buyer = shown.rights == Rights::Buy;
    let ended = shown.subscription.microsoft.status == MicrosoftStatus::Unsubscribed;
    match shown.subscription.stage {
        Stage::AwaitingEnrolment if buyer && shown.subscription.check_enrollable().is_ok() => {
            Ok(see_other(&format!("{}/enrol", shown.path())))
        }
        Stage::Activating { .. } if buyer && !ended => Ok(see_other(&format!("{}/progress", shown.path()))),
        _ => account(&visit, &shown).await,
    }
}

async fn account(visit: &Visit, shown: &Shown<'_>) -> Result<HttpResponse, Refusal> {
    let id = shown.subscription.microsoft.id;
    let store = &visit.app.store;
    let organisation = shown.enrolment.as_ref().map_or("", |enrolment| enrolment.organisation.as_str());
    let frozen = match &shown.enrolment {
        Some(enrolment) => store.find_quote(enrolment.quote_id).await?.map(|quote| quote.frozen),
        None => None,
    };
    let first = frozen.as_ref().and_then(|frozen| first_term(shown, frozen));
    let key = newest_key(visit, shown).await?;
    let charges = store.list_charges(id).await?;
    let lines: Vec<(Line, &Charge)> = frozen.iter().flat_map(|frozen| ledger_lines(frozen, &charges)).collect();
    let told_charges: Vec<ChargeFact<'_>> = lines
        .iter()
        .zip(first.iter().cycle())
        .map(|((line, charge), first)| ChargeFact {
            line,
            reason: ChargeReason::FirstTerm,
            part: first.part,
            users: shown.subscription.users.unwrap_or_default(),
            state: ChargeState::HeldUntil(charge.reportable_from),
        })
        .collect();
    let mails = store.list_mails(id).await?;
    let contacts = contacts(shown);
    let purchase = shown.purchase(organisation);
    let told = AccountFacts {
        purchase: &purchase,
        standing: standing(&shown.subscription),
        users: shown.subscription.users,
        quote: frozen.as_ref().and_then(|frozen| frozen.quote.as_ref()),
        term: shown.subscription.microsoft.term,
        first: first.as_ref(),
        key: key.as_ref().map(|key| key_facts(shown, frozen.as_ref(), key)),
        charges: &told_charges,
        contacts: &contacts,
        viewer: if shown.rights >= Rights::Use { Viewer::Party } else { Viewer::Looker },
        may_ask: may_ask(shown),
        mail_stuck: mails.iter().any(|mail| mail.state == MailState::Queued && mail.last_error.is_some()),
    };
    let frame = match visit.query("asked") {
        Some("yes") => shown.frame(visit).with_flash(Tone::Good, "We have written to your reseller."),
        Some(_) => {
            let text = "Microsoft names no address of your reseller. Please ask them yourself.";
            shown.frame(visit).with_flash(Tone::Warn, text)
        }
        None => shown.frame(visit),
    };
    ok(visit, &Account::new(frame, &told, visit.now()))
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

/// `GET /subscriptions/{id}/license.lic`
pub(super) async fn download(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    let shown = Shown::find(&visit).await?;
    let key = newest_key(&visit, &shown).await?.filter(|_| shown.rights >= Rights::Use);
    let key = key.ok_or(Refusal::Dead(Dead::NotFound))?;
    let disposition = format!("attachment; filename=\"{}\"", license_file_name(&shown.offer.id));
    Ok(HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .insert_header((header::CONTENT_DISPOSITION, disposition))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(key.compact))
}

/// The newest key, unless it has ended.
async fn newest_key(visit: &Visit, shown: &Shown<'_>) -> Result<Option<LicenseKey>, Refusal> {
    let key = visit.app.store.find_newest_key(shown.subscription.microsoft.id).await?;
    Ok(key.filter(|key| key.expires_at > visit.now()))
}

fn key_facts<'a>(shown: &Shown<'_>, frozen: Option<&FrozenQuote>, key: &'a LicenseKey) -> KeyFacts<'a> {
    let provisional = frozen.is_some_and(|frozen| frozen.first_key == crate::domain::catalog::FirstKey::Provisional);
    KeyFacts { text: &key.compact, expires: key.expires_at, provisional, test: shown.subscription.microsoft.is_test }
}

/// The first term with Microsoft's dates, once it is active.
fn first_term(shown: &Shown<'_>, frozen: &FrozenQuote) -> Option<FirstTerm> {
    let Stage::Active(Enrolled { enrolled_at, activated_at }) = shown.subscription.stage else { return None };
    let term = shown.subscription.microsoft.term?;
    // After a renewal the current term is another one, and has no first day.
    if utc_day(activated_at) < term.start {
        return None;
    }
    frozen.at_activation(term, activated_at.max(enrolled_at)).ok().map(|(first, _)| first)
}

/// The ledger's lines in the words of the quote that they came from.
fn ledger_lines<'a>(frozen: &FrozenQuote, charges: &'a [Charge]) -> Vec<(Line, &'a Charge)> {
    let quoted = frozen.full_lines();
    charges
        .iter()
        .filter_map(|charge| {
            let of = quoted.iter().find(|line| *line.dimension == *charge.dimension)?;
            let line =
                Line { quantity: charge.quantity, unit_price: charge.unit_price, amount: charge.amount, ..of.clone() };
            Some((line, charge))
        })
        .collect()
}

fn contacts(shown: &Shown<'_>) -> Vec<Contact> {
    let Some(enrolment) = &shown.enrolment else { return Vec::new() };
    let buyer = Contact { role: "Buyer", name: enrolment.buyer_name.clone(), email: enrolment.buyer_email.clone() };
    let technical = Contact { role: "Technical", name: String::new(), email: enrolment.technical_contact.clone() };
    vec![buyer, technical]
}
