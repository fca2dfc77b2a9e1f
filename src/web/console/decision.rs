//! A charge that people decide about or enter a credit of, and proposals of one that wait for another.

use std::rc::Rc;

use actix_web::{HttpResponse, http::StatusCode};
use uuid::Uuid;

use super::{
    acts::not_yours,
    stop::Stop,
    visit::{Answer, StaffVisit},
};
use crate::{
    app::{AppError, DaySums, DecisionCase, FinanceDesk, show_decision},
    domain::{
        credit::{CreditRefused, CreditWish, Credited},
        decision::Decision,
        staff::Role,
        subscription::Subscription,
    },
    pages::{
        Page as _,
        console::{
            credit::TypedCredit,
            decision::{DecisionFacts, DecisionPage, SumRow, decision_path},
            frame::{ConsoleFrame, Room},
            trouble::Stopped,
        },
        sentence,
        words::Tone,
    },
    web::refusal::{html_answer, see_other},
};

/// `GET /console/charges/{charge}[?done=…]`
pub(super) async fn show(visit: Rc<StaffVisit>) -> Answer {
    page(&visit, visit.path_id("charge")?, Typed::default()).await
}

/// `GET /console/approvals/{proposal}`: the page of what it is about.
pub(super) async fn find(visit: Rc<StaffVisit>) -> Answer {
    let id = visit.path_id("proposal")?;
    let proposal = visit.app.store.find_proposal(id).await?.ok_or(Stop::Here(Stopped::NotFound))?;
    Ok(see_other(&decision_path(proposal.subject)))
}

/// `POST /console/charges/{charge}/propose`
pub(super) async fn propose(visit: Rc<StaffVisit>) -> Answer {
    visit.check_form()?;
    let charge_id = visit.path_id("charge")?;
    let reason = visit.field("reason");
    let Some(decision) = Decision::from_word(visit.field("decision")) else {
        return page(&visit, charge_id, Typed::decision(reason, "choose what is true")).await;
    };
    match finance(&visit)?.propose_resolution(charge_id, decision, reason).await {
        Ok(_) => Ok(done(charge_id, "proposed")),
        Err(error) => page(&visit, charge_id, Typed::decision(reason, &told(error)?)).await,
    }
}

/// `POST /console/charges/{charge}/credit`
pub(super) async fn credit(visit: Rc<StaffVisit>) -> Answer {
    visit.check_form()?;
    let charge_id = visit.path_id("charge")?;
    let finance = finance(&visit)?;
    let result = match wish(&visit, charge_id).await? {
        Ok(wish) => finance.propose_credit(charge_id, wish, visit.field("reason")).await,
        Err(refused) => Err(refused.into()),
    };
    match result {
        Ok(_) => Ok(done(charge_id, "proposed")),
        Err(error) => {
            let error = told(error)?;
            let field = |name| visit.field(name);
            let (amount, case, reason) = (field("amount"), field("case"), field("reason"));
            let credit = TypedCredit { amount, case, reason, error: &error };
            page(&visit, charge_id, Typed { credit, ..Typed::default() }).await
        }
    }
}

/// What was typed, in the measure of the deal.
async fn wish(visit: &StaffVisit, charge_id: Uuid) -> Result<Result<CreditWish, CreditRefused>, Stop> {
    let missing = || Stop::Here(Stopped::NotFound);
    let (id, charge) = visit.app.store.find_charge(charge_id).await?.ok_or_else(missing)?;
    let subscription = visit.app.store.find_subscription(id).await?.ok_or_else(missing)?;
    let is_resold = subscription.microsoft.is_reseller_deal();
    let credited = Credited::read(visit.field("amount"), charge.amount.currency, is_resold);
    Ok(credited.and_then(|credited| Ok(CreditWish { credited, case: visit.field("case").parse()? })))
}

/// `POST /console/approvals/{proposal}/approve`
pub(super) async fn approve(visit: Rc<StaffVisit>) -> Answer {
    visit.check_form()?;
    let id = visit.path_id("proposal")?;
    let proposal = visit.app.store.find_proposal(id).await?.ok_or(Stop::Here(Stopped::NotFound))?;
    match finance(&visit)?.approve(id).await {
        Ok(()) => Ok(done(proposal.subject, "approved")),
        Err(error) => page(&visit, proposal.subject, Typed::decision("", &told(error)?)).await,
    }
}

/// `POST /console/approvals/{proposal}/refuse`
pub(super) async fn refuse(visit: Rc<StaffVisit>) -> Answer {
    visit.check_form()?;
    let id = visit.path_id("proposal")?;
    let proposal = visit.app.store.find_proposal(id).await?.ok_or(Stop::Here(Stopped::NotFound))?;
    match finance(&visit)?.refuse(id, visit.field("reason")).await {
        Ok(()) => Ok(done(proposal.subject, "refused")),
        Err(error) => page(&visit, proposal.subject, Typed::decision("", &told(error)?)).await,
    }
}

fn finance(visit: &StaffVisit) -> Result<FinanceDesk<'_>, Stop> {
    visit.desk()?.finance().ok_or_else(|| not_yours(Role::Finance))
}

fn done(charge_id: Uuid, word: &str) -> HttpResponse {
    see_other(&format!("{}?done={word}", decision_path(charge_id)))
}

/// What a person can put right is a sentence for the page; all else stops it.
fn told(error: AppError) -> Result<String, Stop> {
    match error {
        AppError::Decision(_) | AppError::Approval(_) | AppError::Credit(_) => Ok(sentence(&error.to_string())),
        error => Err(error.into()),
    }
}

/// What was typed, and what is wrong with it.
#[derive(Debug, Clone, Copy, Default)]
struct Typed<'a> {
    decision: (&'a str, &'a str),
    credit: TypedCredit<'a>,
}

impl<'a> Typed<'a> {
    fn decision(reason: &'a str, error: &'a str) -> Self {
        Self { decision: (reason, error), ..Self::default() }
    }

    fn is_right(self) -> bool {
        self.decision.1.is_empty() && self.credit.error.is_empty()
    }
}

async fn page(visit: &StaffVisit, charge_id: Uuid, typed: Typed<'_>) -> Answer {
    let case = show_decision(&visit.app, charge_id).await?;
    let member = &visit.signed_in()?.member;
    let proposer = match &case.proposal {
        Some(proposal) => visit.app.store.find_staff_member(proposal.proposed_by).await?,
        None => None,
    };
    let DecisionCase { subscription, charge, possible, creditable, sums, proposal } = case;
    let by = proposer.map(|proposer| proposer.name).unwrap_or_default();
    let told = DecisionFacts {
        subscription: (subscription.microsoft.id, name(visit, &subscription).await?),
        charge: &charge,
        possible: &possible,
        creditable: &creditable,
        sums: sums.map(|days| days.into_iter().map(sum_row).collect()),
        proposal: proposal.as_ref().map(|one| (one, by, one.proposed_by == member.id)),
        may_decide: member.roles.include(Role::Finance),
        typed: typed.decision,
        credit: typed.credit,
    };
    let html = DecisionPage::new(frame(visit).await?, told).render(&visit.app.templates)?;
    let status = if typed.is_right() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
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
