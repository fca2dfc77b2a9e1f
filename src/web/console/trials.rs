//! Custom trials: the list, one of them, granting, approving, revoking.

use std::rc::Rc;

use actix_web::http::StatusCode;
use uuid::Uuid;

use super::{
    acts::sales,
    extension,
    list::{Filters, Found, Rows, place},
    stop::Stop,
    visit::{Answer, StaffVisit},
};
use crate::{
    app::{App, AppError, NamedTenant, TrialExtension, TrialRequest},
    domain::{
        staff::{Actor, Role},
        trial_grant::{Contact, Standing, TrialGrant, is_same_person},
    },
    pages::{
        Page,
        console::{
            extension::ExtensionView,
            frame::{ConsoleFrame, Room},
            list::Filter,
            table::Column,
            trials::{COLUMNS, NewTrial, TrialForm, TrialPage, TrialRights, row, trial_path},
            trouble::Stopped,
        },
        words::Tone,
    },
    web::refusal::{html_answer, see_other},
};

pub(super) struct Trials;

impl Rows for Trials {
    const ROOM: Room = Room::Trials;
    const TITLE: &'static str = "Trials";
    const PATH: &'static str = "/console/trials";
    const COLUMNS: &'static [Column] = COLUMNS;
    const FILTERS: &'static [Filter] =
        &[Filter { name: "state", label: "State", choices: &["proposed", "open", "used", "expired", "revoked"] }];
    const ADDITION: Option<&'static str> = Some("Grant a trial");
    const BESIDE: Option<(&'static str, &'static str)> = Some(("/console/trials/conversion", "Conversion"));
    const EMPTY: &'static str = "There is no such trial.";

    async fn find(app: &App, filters: &Filters, after: Option<&str>, limit: u64) -> Result<Found, AppError> {
        let Some(after) = place(after) else { return Ok(Found::default()) };
        let standing = match filters.get("state") {
            None => None,
            Some(word) => match Standing::from_word(word) {
                Some(standing) => Some(standing),
                None => return Ok(Found::default()),
            },
        };
        let now = app.clock.now();
        let found = app.store.list_trial_grants(standing, after, limit, now).await?;
        let rows = found.iter().map(|grant| row(grant, now)).collect();
        Ok(Found::page(rows, found.last().map(|grant| grant.id), limit))
    }
}

/// `GET /console/trials/{id}[?done=…]`
pub(super) async fn show(visit: Rc<StaffVisit>) -> Answer {
    page(&visit, &find(&visit).await?, "").await
}

/// `GET /console/trials/new`
pub(super) async fn ask(visit: Rc<StaffVisit>) -> Answer {
    let form = TrialForm { days: "30".to_owned(), ..TrialForm::default() };
    answer(&visit, StatusCode::OK, &NewTrial::new(visit.frame(Room::Trials).await?, plans(&visit.app), form, ""))
}

/// `POST /console/trials`
pub(super) async fn grant(visit: Rc<StaffVisit>) -> Answer {
    visit.check_form()?;
    let form = typed(&visit);
    let refused = match request(&form) {
        Ok(request) => match sales(&visit)?.grant_trial(request).await {
            Ok(grant) => return Ok(see_other(&format!("{}?done=granted", trial_path(grant.id)))),
            Err(error) => told(error)?,
        },
        Err(what) => what.to_owned(),
    };
    let frame = visit.frame(Room::Trials).await?;
    answer(&visit, StatusCode::UNPROCESSABLE_ENTITY, &NewTrial::new(frame, plans(&visit.app), form, &refused))
}

/// `POST /console/trials/{id}/approve`
pub(super) async fn approve(visit: Rc<StaffVisit>) -> Answer {
    visit.check_form()?;
    let grant = find(&visit).await?;
    let result = sales(&visit)?.approve_trial(grant.id).await;
    finish(&visit, &grant, "approved", result).await
}

/// `POST /console/trials/{id}/revoke`
pub(super) async fn revoke(visit: Rc<StaffVisit>) -> Answer {
    visit.check_form()?;
    let grant = find(&visit).await?;
    let result = sales(&visit)?.revoke_trial(grant.id, visit.field("reason")).await;
    finish(&visit, &grant, "revoked", result).await
}

async fn find(visit: &StaffVisit) -> Result<TrialGrant, Stop> {
    let id = visit.path_id("id")?;
    visit.app.store.find_trial_grant(id).await?.ok_or(Stop::Here(Stopped::NotFound))
}

/// What a person can put right is a sentence for the page; all else stops it.
fn told(error: AppError) -> Result<String, Stop> {
    match error {
        AppError::Trial(refused) => Ok(refused.to_string()),
        error => Err(error.into()),
    }
}

async fn finish(visit: &StaffVisit, grant: &TrialGrant, done: &str, result: Result<TrialGrant, AppError>) -> Answer {
    match result {
        Ok(_) => Ok(see_other(&format!("{}?done={done}", trial_path(grant.id)))),
        Err(error) => page(visit, grant, &told(error)?).await,
    }
}

async fn page(visit: &StaffVisit, grant: &TrialGrant, error: &str) -> Answer {
    let member = &visit.signed_in()?.member;
    let is_sales = member.roles.include(Role::Sales);
    let actor = Actor::Member(member.clone());
    let rights = TrialRights {
        approve: is_sales && !is_same_person((&grant.granted_by.word, &grant.granted_by.name), &actor),
        revoke: is_sales,
    };
    let view = preview(visit, grant, is_sales).await?;
    let page = TrialPage::new(frame(visit).await?, grant, rights, error, visit.now()).with_view(view);
    let status = if error.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    answer(visit, status, &page)
}

/// What an extension that waits would mean, for whoever may approve it; nothing where it is not possible any more.
async fn preview(visit: &StaffVisit, grant: &TrialGrant, is_sales: bool) -> Result<Option<ExtensionView>, Stop> {
    let (Some(subscription_id), Some(extends)) = (grant.subscription_id, grant.extends) else { return Ok(None) };
    if !is_sales || grant.standing(visit.now()) != Standing::Proposed {
        return Ok(None);
    }
    let (days, reason) = (grant.days, grant.reason.as_str());
    let extension = TrialExtension { subscription_id, extends, days, reason };
    match sales(visit)?.preview_extension(extension).await {
        Ok(preview) => Ok(Some(ExtensionView::of(&extension::told(&preview, days)))),
        Err(AppError::Trial(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn frame(visit: &StaffVisit) -> Result<ConsoleFrame, Stop> {
    let frame = visit.frame(Room::Trials).await?;
    Ok(match visit.query("done") {
        Some("granted") => frame.with_flash(Tone::Good, "Written. What it is and how it stands is below."),
        Some("approved") => frame.with_flash(Tone::Good, "Approved. It counts from now on."),
        Some("revoked") => frame.with_flash(Tone::Good, "Revoked."),
        _ => frame,
    })
}

fn answer(visit: &StaffVisit, status: StatusCode, page: &impl Page) -> Answer {
    Ok(html_answer(visit, status, page.render(&visit.app.templates)?))
}

/// Plans with metered fees: the others have no trials here.
fn plans(app: &App) -> Vec<(String, String)> {
    let plans = app.catalog.offers.iter().flat_map(|offer| offer.plans.iter().map(move |plan| (offer, plan)));
    let metered = plans.filter(|(_, plan)| !plan.segments().is_empty());
    metered.map(|(offer, plan)| (format!("{}/{}", offer.id, plan.id), plan.name.to_string())).collect()
}

fn typed(visit: &StaffVisit) -> TrialForm {
    let field = |name: &str| visit.field(name).to_owned();
    TrialForm {
        kind: field("kind"),
        plan: field("plan"),
        tenant: field("tenant"),
        organisation: field("organisation"),
        name: field("name"),
        email: field("email"),
        days: field("days"),
        users: field("users"),
        offer_days: field("offer_days"),
        reason: field("reason"),
    }
}

fn request(form: &TrialForm) -> Result<TrialRequest<'_>, &'static str> {
    let (offer_id, plan_id) = form.plan.split_once('/').ok_or("Choose a plan.")?;
    let tenant = match (form.tenant.as_str(), Uuid::parse_str(&form.tenant)) {
        ("", _) => None,
        (_, Ok(id)) => Some(NamedTenant::Id(id)),
        (domain, Err(_)) => Some(NamedTenant::Domain(domain)),
    };
    let prospect = (form.kind == "prospect").then(|| Contact {
        organisation: form.organisation.clone(),
        name: form.name.clone(),
        email: form.email.clone(),
        language: "en".to_owned(),
    });
    Ok(TrialRequest {
        offer_id,
        plan_id,
        tenant,
        prospect,
        days: number(&form.days)?.ok_or("Say for how many days.")?,
        users: number(&form.users)?,
        offer_days: number(&form.offer_days)?,
        reason: &form.reason,
    })
}

fn number(text: &str) -> Result<Option<u32>, &'static str> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| "Days and users are whole numbers.")
}
