//! A charge that people decide about, and proposals of one that wait for another.

use std::rc::Rc;

use actix_web::{HttpResponse, http::StatusCode};
use uuid::Uuid;

use super::{
    stop::Stop,
    visit::{Answer, StaffVisit},
};
use crate::{
    app::{AppError, DaySums, DecisionCase, Desk, FinanceDesk, show_decision},
    domain::{decision::Decision, staff::Role, subscription::Subscription},
    pages::{
        Page as _,
        console::{
            decision::{DecisionFacts, DecisionPage, SumRow, decision_path},
            frame::{ConsoleFrame, Room},
            trouble::Stopped,
        },
        sentence,
        words::Tone,
    },
    store::StaffSession,
    web::refusal::{html_answer, see_other},
};

/// `GET /console/charges/{charge}[?done=…]`
pub(super) async fn show(visit: Rc<StaffVisit>) -> Answer {
    page(&visit, visit.path_id("charge")?, ("", "")).await
}

/// `GET /console/approvals/{proposal}`: the page of what it is about.
pub(super) async fn find(visit: Rc<StaffVisit>) -> Answer {
    let id = visit.path_id("proposal")?;
    let proposal = visit.app.store.find_proposal(id).await?.ok_or(Stop::Here(Stopped::NotFound))?;
    Ok(see_other(&decision_path(proposal.subject)))
}

/// `POST /console/charges/{charge}/propose`
pub(super) async fn propose(visit: Rc<StaffVisit>) -> Answer {
    let session = visit.check_form()?;
    let charge_id = visit.path_id("charge")?;
    let reason = visit.field("reason");
    let Some(decision) = Decision::from_word(visit.field("decision")) else {
        return page(&visit, charge_id, (reason, "choose what is true")).await;
    };
    match finance(&visit, session)?.propose_resolution(charge_id, decision, reason).await {
        Ok(_) => Ok(done(charge_id, "proposed")),
        Err(error) => again(&visit, charge_id, reason, error).await,
    }
}

/// `POST /console/approvals/{proposal}/approve`
pub(super) async fn approve(visit: Rc<StaffVisit>) -> Answer {
    let session = visit.check_form()?;
    let id = visit.path_id("proposal")?;
    let proposal = visit.app.store.find_proposal(id).await?.ok_or(Stop::Here(Stopped::NotFound))?;
    match finance(&visit, session)?.approve(id).await {
        Ok(()) => Ok(done(proposal.subject, "approved")),
        Err(error) => again(&visit, proposal.subject, "", error).await,
    }
}

/// `POST /console/approvals/{proposal}/refuse`
pub(super) async fn refuse(visit: Rc<StaffVisit>) -> Answer {
    let session = visit.check_form()?;
    let id = visit.path_id("proposal")?;
    let proposal = visit.app.store.find_proposal(id).await?.ok_or(Stop::Here(Stopped::NotFound))?;
    match finance(&visit, session)?.refuse(id, visit.field("reason")).await {
        Ok(()) => Ok(done(proposal.subject, "refused")),
        Err(error) => again(&visit, proposal.subject, "", error).await,
    }
}

fn finance<'a>(visit: &'a StaffVisit, session: &'a StaffSession) -> Result<FinanceDesk<'a>, Stop> {
    let stopped = || Stop::Here(Stopped::NotYourRole { roles: Role::Finance.as_str().to_owned() });
    Desk::new(&visit.app, &session.member).finance().ok_or_else(stopped)
}

fn done(charge_id: Uuid, word: &str) -> HttpResponse {
    see_other(&format!("{}?done={word}", decision_path(charge_id)))
}

/// What a person can put right is said on the page; all else stops it.
async fn again(visit: &StaffVisit, charge_id: Uuid, reason: &str, error: AppError) -> Answer {
    match error {
        AppError::Decision(_) | AppError::Approval(_) => {
            page(visit, charge_id, (reason, &sentence(&error.to_string()))).await
        }
        error => Err(error.into()),
    }
}

async fn page(visit: &StaffVisit, charge_id: Uuid, typed: (&str, &str)) -> Answer {
    let case = show_decision(&visit.app, charge_id).await?;
    let member = &visit.signed_in()?.member;
    let proposer = match &case.proposal {
        Some(proposal) => visit.app.store.find_staff_member(proposal.proposed_by).await?,
        None => None,
    };
    let DecisionCase { subscription, charge, possible, sums, proposal } = case;
    let by = proposer.map(|proposer| proposer.name).unwrap_or_default();
    let told = DecisionFacts {
        subscription: (subscription.microsoft.id, name(visit, &subscription).await?),
        charge: &charge,
        possible: &possible,
        sums: sums.map(|days| days.into_iter().map(sum_row).collect()),
        proposal: proposal.as_ref().map(|one| (one, by, one.proposed_by == member.id)),
        may_decide: member.roles.include(Role::Finance),
        typed,
    };
    let html = DecisionPage::new(frame(visit).await?, told).render(&visit.app.templates)?;
    let status = if typed.1.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok(html_answer(visit, status, html))
}

async fn frame(visit: &StaffVisit) -> Result<ConsoleFrame, Stop> {
    let frame = visit.frame(Room::Today).await?;
    Ok(match visit.query("done") {
        Some("proposed") => frame.with_flash(Tone::Good, "Proposed. A second person has to approve it."),
        Some("approved") => frame.with_flash(Tone::Good, "Approved, and carried out."),
        Some("refused") => frame.with_flash(Tone::Good, "Refused. Nothing was changed."),
        _ => frame,
    })
}

async fn name(visit: &StaffVisit, subscription: &Subscription) -> Result<String, Stop> {
    let id = subscription.microsoft.id;
    let organisations = visit.app.store.list_organisations([id]).await?;
    Ok(organisations.get(&id).unwrap_or(&subscription.microsoft.name).clone())
}

fn sum_row((day, sums): (time::Date, DaySums)) -> SumRow {
    let DaySums { ours, unsure, theirs } = sums;
    SumRow { day, ours: ours.to_string(), unsure: unsure.to_string(), theirs: theirs.to_string() }
}
