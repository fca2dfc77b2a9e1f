//! Signing the publisher's people in and out. Roles come with each sign-in; who has none is nobody of the staff.

use serde_json::json;
use time::{Duration, OffsetDateTime};

use super::{
    App, AppError, SESSION_IDLE, Trouble, random_token,
    sign_in::{arrive, depart},
    token_digest,
};
use crate::{
    domain::staff::{Actor, Roles},
    identity::SignInClient,
    store::{AuditEntry, HOUSE, StaffSession},
};

/// A working day: after it the roles are asked for anew.
const SESSION_ABSOLUTE: Duration = Duration::hours(8);

/// Who came back from Entra.
#[derive(Debug)]
pub enum StaffArrived {
    /// One of the staff.
    SignedIn {
        /// What the cookie holds.
        cookie: String,
        /// Where they wanted to go.
        return_to: String,
    },
    /// Somebody of the publisher's tenant who has no role: the page says whom to ask.
    WithoutRole {
        /// Their name.
        name: String,
    },
}

fn client(app: &App) -> Result<&SignInClient, AppError> {
    app.staff_sign_in.as_ref().ok_or(AppError::Forbidden)
}

/// Starts a sign-in for a browser and gives Entra's address.
///
/// # Errors
/// [`AppError::Forbidden`] where there is no console; [`AppError::SignIn`] when Entra does not answer.
pub async fn begin_staff_sign_in(
    app: &App,
    browser: &str,
    return_to: &str,
    choose_account: bool,
) -> Result<url::Url, AppError> {
    depart(app, client(app)?, (browser, return_to), choose_account).await
}

/// Ends a sign-in. The roles that the token names are those of all the person's sessions from now on.
///
/// # Errors
/// [`AppError::SignIn`] when the answer is not one of this browser's, not genuine, of another tenant, or cannot be redeemed.
pub async fn finish_staff_sign_in(
    app: &App,
    browser: &str,
    state: &str,
    code: String,
) -> Result<StaffArrived, AppError> {
    let client = (client(app)?, Trouble::StaffCredential);
    let (person, return_to) = arrive(app, client, (browser, state), code).await?;
    let now = app.clock.now();
    let roles = Roles::from_words(person.roles.iter().map(String::as_str));
    let tx = app.store.begin().await?;
    let member = tx.record_staff_member(person.identity, (&person.name, &person.email), &roles, now).await?;
    let (actor, detail) = (Actor::Member(member.clone()).audit_word(), json!({ "roles": roles.to_words() }));
    let action = if roles.is_empty() { "staff_refused" } else { "staff_signed_in" };
    let entry = AuditEntry { subscription_id: HOUSE, actor: &actor, action, detail: &detail.to_string() };
    tx.record_audit(entry, now);
    if roles.is_empty() {
        tx.commit().await?;
        return Ok(StaffArrived::WithoutRole { name: member.name });
    }
    let cookie = random_token()?;
    let session = StaffSession {
        id: token_digest(&cookie),
        member,
        csrf: random_token()?,
        created_at: now,
        last_seen_at: now,
        expires_at: now + SESSION_ABSOLUTE,
    };
    tx.insert_staff_session(&session).await?;
    tx.commit().await?;
    Ok(StaffArrived::SignedIn { cookie, return_to })
}

/// The session of a cookie; an idle one, or one of a person without a role, is over.
///
/// # Errors
/// [`AppError::Store`].
pub async fn find_staff_session(
    app: &App,
    cookie: &str,
    now: OffsetDateTime,
) -> Result<Option<StaffSession>, AppError> {
    let session = app.store.find_staff_session(&token_digest(cookie), now).await?;
    let is_live = |one: &StaffSession| now - one.last_seen_at < SESSION_IDLE && !one.member.roles.is_empty();
    Ok(session.filter(is_live))
}

/// Closes a session.
///
/// # Errors
/// [`AppError::Store`].
pub async fn end_staff_session(app: &App, session: &StaffSession) -> Result<(), AppError> {
    let tx = app.store.begin().await?;
    tx.delete_staff_session(&session.id).await?;
    Ok(tx.commit().await?)
}
