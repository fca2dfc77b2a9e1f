//! Custom trials, by the same use cases as console and command line, within the same limits.

use std::rc::Rc;

use actix_web::{HttpResponse, http::StatusCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    call::Call,
    json,
    problem::{Kind, Problem},
    subscriptions::{PAGE, read_cursor, read_limit},
};
use crate::{
    app::{
        ApiAnswer, App, AppError, NamedTenant, PreparedTrial, TrialExtension, TrialRequest, answer_once, prepare_trial,
        write_extension, write_trial,
    },
    domain::trial_grant::{Contact, Extends, Standing, TrialGrant, TrialGrantJson},
    store::Tx,
};

/// No tag of a language is longer.
const MAX_LANGUAGE: usize = 35;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PageJson {
    items: Vec<TrialGrantJson>,
    next_cursor: Option<String>,
}

/// `GET /api/v1/trials[?state=&cursor=&limit=]`, newest first.
pub(super) async fn list(call: Rc<Call>) -> Result<HttpResponse, Problem> {
    let [state, cursor, limit] = call.query(["state", "cursor", "limit"])?;
    let unknown = || {
        let words = Standing::ALL.map(Standing::as_str).join(", ");
        Problem::new(Kind::BadRequest, format!("The parameter state is one of {words}."))
    };
    let state = state.as_deref().map(|word| Standing::from_word(word).ok_or_else(unknown)).transpose()?;
    let before = cursor.as_deref().map(read_cursor).transpose()?;
    let limit = limit.as_deref().map_or(Ok(PAGE), read_limit)?;
    let now = call.app.clock.now();
    let mut found = call.app.store.list_trial_grants(state, before, limit + 1, now).await?;
    let has_more = found.len() as u64 > limit;
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next_cursor = found.last().filter(|_| has_more).map(|last| last.id.simple().to_string());
    let items = found.iter().map(|grant| TrialGrantJson::new(grant, now)).collect();
    json(StatusCode::OK, &PageJson { items, next_cursor })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wanted {
    offer_id: Option<String>,
    plan_id: Option<String>,
    tenant_id: Option<Uuid>,
    domain: Option<String>,
    organisation: Option<String>,
    contact_name: Option<String>,
    contact_email: Option<String>,
    language: Option<String>,
    subscription_id: Option<String>,
    extends: Option<String>,
    days: u32,
    users: Option<u32>,
    offer_days: Option<u32>,
    reason: String,
}

/// What is about to be written.
enum Prepared<'a> {
    Trial(Box<PreparedTrial>),
    Extension(TrialExtension<'a>),
}

/// What is asked for.
enum Asked<'a> {
    Trial(TrialRequest<'a>),
    Extension(TrialExtension<'a>),
}

/// `POST /api/v1/trials`: a trial for a tenant, a key for a prospect, or an extension of a subscription's trial or grace.
pub(super) async fn grant(call: Rc<Call>) -> Result<HttpResponse, Problem> {
    let [] = call.query([])?;
    let (wanted, actor, once): (Wanted, _, _) = (call.json()?, call.actor()?, call.once()?);
    let asked = wanted.asked()?;
    let app: &App = &call.app;
    let prepare = async || match asked {
        Asked::Trial(request) => {
            prepare_trial(app, &actor, request).await.map(|prepared| Prepared::Trial(Box::new(prepared)))
        }
        Asked::Extension(extension) => Ok(Prepared::Extension(extension)),
    };
    let write = async |tx: &Tx, prepared: Prepared<'_>| {
        let grant = match prepared {
            Prepared::Trial(prepared) => write_trial(app, tx, &actor, *prepared).await?,
            Prepared::Extension(extension) => write_extension(app, tx, &actor, extension).await?,
        };
        told(app, &grant)
    };
    let answer = answer_once(app, &once, prepare, write).await?;
    app.wake.notify_one();
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::CREATED);
    let no_store = ("Cache-Control", "no-store");
    Ok(HttpResponse::build(status).content_type("application/json").insert_header(no_store).body(answer.body))
}

fn told(app: &App, grant: &TrialGrant) -> Result<ApiAnswer, AppError> {
    let body = serde_json::to_string(&TrialGrantJson::new(grant, app.clock.now()));
    let body = body.map_err(|error| AppError::Internal(error.to_string()))?;
    Ok(ApiAnswer { status: StatusCode::CREATED.as_u16(), body })
}

impl Wanted {
    fn asked(&self) -> Result<Asked<'_>, Problem> {
        let wrong = |detail: &str| Problem::new(Kind::BadRequest, detail);
        let Some(id) = &self.subscription_id else { return self.trial().map(Asked::Trial) };
        let others = [&self.offer_id, &self.plan_id, &self.domain, &self.organisation, &self.contact_name];
        let more = [&self.contact_email, &self.language];
        let has_others = others.into_iter().chain(more).any(Option::is_some) || self.tenant_id.is_some();
        if has_others || self.users.is_some() || self.offer_days.is_some() {
            return Err(wrong("An extension has a subscriptionId, extends, days and a reason, and nothing else."));
        }
        let extends = self.extends.as_deref().and_then(Extends::from_word);
        Ok(Asked::Extension(TrialExtension {
            subscription_id: Uuid::parse_str(id).map_err(|_| Problem::unknown("subscription"))?,
            extends: extends.ok_or_else(|| wrong("With a subscriptionId, extends is \"trial\" or \"grace\"."))?,
            days: self.days,
            reason: &self.reason,
        }))
    }

    fn trial(&self) -> Result<TrialRequest<'_>, Problem> {
        let wrong = |detail: &str| Problem::new(Kind::BadRequest, detail);
        let (Some(offer_id), Some(plan_id)) = (&self.offer_id, &self.plan_id) else {
            return Err(wrong("Name an offerId and a planId; or, for an extension, a subscriptionId."));
        };
        if self.extends.is_some() {
            return Err(wrong("The field extends belongs to a subscriptionId."));
        }
        let tenant = match (self.tenant_id, &self.domain) {
            (Some(_), Some(_)) => return Err(wrong("Name the tenant by tenantId or by domain, not by both.")),
            (id, domain) => id.map(NamedTenant::Id).or_else(|| domain.as_deref().map(NamedTenant::Domain)),
        };
        let prospect = match &self.contact_email {
            Some(email) => Some(self.contact(email)?),
            None if [&self.organisation, &self.contact_name, &self.language].into_iter().any(Option::is_some) => {
                return Err(wrong("The fields organisation, contactName and language belong to a contactEmail."));
            }
            None => None,
        };
        let (days, users, offer_days) = (self.days, self.users, self.offer_days);
        Ok(TrialRequest { offer_id, plan_id, tenant, prospect, days, users, offer_days, reason: &self.reason })
    }

    fn contact(&self, email: &str) -> Result<Contact, Problem> {
        let language = self.language.as_deref().unwrap_or("en");
        if language.is_empty() || language.len() > MAX_LANGUAGE {
            return Err(Problem::new(Kind::BadRequest, "The language is a tag such as en or de."));
        }
        Ok(Contact {
            organisation: self.organisation.clone().unwrap_or_default(),
            name: self.contact_name.clone().unwrap_or_default(),
            email: email.trim().to_owned(),
            language: language.to_owned(),
        })
    }
}
