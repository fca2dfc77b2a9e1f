//! Signing buyers in and out: server-side sessions, a new id at each sign-in, an idle and an absolute end.

use time::Duration;

use super::{ANSWERS_KEPT_FOR, App, AppError, Trouble, random_token, token_digest};
use crate::{
    identity::{SignInClient, SignInError, SignedIn},
    store::{Session, SignIn},
};

/// A session that nobody uses for so long is over.
pub const SESSION_IDLE: Duration = Duration::minutes(60);
const SESSION_ABSOLUTE: Duration = Duration::hours(12);
/// A sign-in that takes longer is started anew; Entra's own codes live ten minutes.
const SIGN_IN_LIFETIME: Duration = Duration::minutes(30);
/// A review that was not ordered is looked at again within the day, if ever.
const UNORDERED_QUOTE_LIFETIME: Duration = Duration::days(1);
/// So long somebody may ask what a request has led to.
const TRACES_KEPT_FOR: Duration = Duration::days(30);

/// Starts a sign-in for a browser and gives Entra's address. `browser` is what the browser's own cookie holds.
///
/// # Errors
/// [`AppError::SignIn`] when Entra does not answer.
pub async fn begin_sign_in(
    app: &App,
    browser: &str,
    return_to: &str,
    choose_account: bool,
) -> Result<url::Url, AppError> {
    depart(app, &app.sign_in, (browser, return_to), choose_account).await
}

/// The way to Entra, for buyers and staff.
pub(super) async fn depart(
    app: &App,
    client: &SignInClient,
    (browser, return_to): (&str, &str),
    choose_account: bool,
) -> Result<url::Url, AppError> {
    let departure = client.depart(choose_account).await?;
    let sign_in = SignIn {
        state: departure.state,
        browser: token_digest(browser),
        nonce: departure.nonce,
        pkce_verifier: departure.pkce_verifier,
        return_to: return_to.to_owned(),
    };
    let tx = app.store.begin().await?;
    tx.insert_sign_in(&sign_in, app.clock.now() + SIGN_IN_LIFETIME).await?;
    tx.commit().await?;
    Ok(departure.url)
}

/// Ends a sign-in: the new session's cookie, and where the person wanted to go.
///
/// # Errors
/// [`AppError::SignIn`] when the answer is not one of this browser's, not genuine, or cannot be redeemed.
pub async fn finish_sign_in(app: &App, browser: &str, state: &str, code: String) -> Result<(String, String), AppError> {
    let client = (&app.sign_in, Trouble::SignInCredential);
    let (person, return_to) = arrive(app, client, (browser, state), code).await?;
    let cookie = open_session(app, person).await?;
    Ok((cookie, return_to))
}

/// The way back from Entra, for buyers and staff: who came, and where they wanted to go.
pub(super) async fn arrive(
    app: &App,
    (client, credential): (&SignInClient, Trouble),
    (browser, state): (&str, &str),
    code: String,
) -> Result<(SignedIn, String), AppError> {
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let taken = tx.take_sign_in(state, now).await?;
    tx.commit().await?;
    let started = taken.filter(|sign_in| sign_in.browser == token_digest(browser));
    let started = started.ok_or_else(|| SignInError::Untrusted("it was not started in this browser".to_owned()))?;
    let person = client.arrive(code, &started.nonce, started.pkce_verifier).await.inspect_err(|error| {
        if let SignInError::Registration(reason) = error {
            app.health.report(credential, reason);
        }
    })?;
    app.health.clear(credential);
    Ok((person, started.return_to))
}

async fn open_session(app: &App, person: SignedIn) -> Result<String, AppError> {
    let now = app.clock.now();
    let cookie = random_token()?;
    let session = Session {
        id: token_digest(&cookie),
        identity: person.identity,
        name: person.name,
        email: person.email,
        csrf: random_token()?,
        last_seen_at: now,
        expires_at: now + SESSION_ABSOLUTE,
    };
    let tx = app.store.begin().await?;
    tx.insert_session(&session, now).await?;
    tx.commit().await?;
    Ok(cookie)
}

/// Closes a session.
///
/// # Errors
/// [`AppError::Store`].
pub async fn end_session(app: &App, session: &Session) -> Result<(), AppError> {
    let tx = app.store.begin().await?;
    tx.delete_session(&session.id).await?;
    Ok(tx.commit().await?)
}

/// Forgets sessions, sign-ins, purchase tokens, reviews and answers to programs that are over.
///
/// # Errors
/// [`AppError::Store`].
pub async fn forget_expired(app: &App) -> Result<(), AppError> {
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    tx.delete_expired_sessions(now).await?;
    tx.delete_expired_staff_sessions(now).await?;
    tx.delete_expired_sign_ins(now).await?;
    tx.delete_unordered_quotes(now - UNORDERED_QUOTE_LIFETIME).await?;
    tx.delete_unsubmitted_changes(now - UNORDERED_QUOTE_LIFETIME).await?;
    tx.delete_api_answers(now - ANSWERS_KEPT_FOR).await?;
    tx.delete_old_steps(now - TRACES_KEPT_FOR).await?;
    Ok(tx.commit().await?)
}
