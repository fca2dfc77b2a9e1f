//! A request of a program that changes something and may come twice: the second one gets the first one's answer.
//!
//! The answer is kept in the transaction of the effect, under a unique key: either both are there, or none. What was refused
//! is not kept; it changed nothing, and may be tried again.

use time::Duration;
use uuid::Uuid;

use super::{App, AppError};
use crate::{
    hash::Digest,
    store::{StoreError, StoredAnswer, Tx},
};

/// Answers are kept for so long; whoever repeats a request later makes a new one.
pub const ANSWERS_KEPT_FOR: Duration = Duration::days(7);

/// A request, and what its caller calls it.
#[derive(Debug, Clone)]
pub struct Once {
    api_key_id: Uuid,
    /// `None`: the caller does not mind when it is done twice.
    idempotency_key: Option<String>,
    fingerprint: String,
}

/// An answer as it leaves: a status and a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiAnswer {
    /// The status code.
    pub status: u16,
    /// The JSON.
    pub body: String,
}

impl Once {
    /// The request of an API key; its fingerprint is made of method, path and the very bytes of its body.
    #[must_use]
    pub fn new(api_key_id: Uuid, idempotency_key: Option<String>, (method, path): (&str, &str), body: &[u8]) -> Self {
        let mut digest = Digest::default();
        digest.update(format!("{method} {path}\n").as_bytes());
        digest.update(body);
        Self { api_key_id, idempotency_key, fingerprint: digest.finish() }
    }

    /// What it was answered before.
    async fn find_answer(&self, app: &App) -> Result<Option<ApiAnswer>, AppError> {
        let Some(name) = &self.idempotency_key else { return Ok(None) };
        let Some(found) = app.store.find_api_answer(self.api_key_id, name).await? else { return Ok(None) };
        if found.fingerprint != self.fingerprint {
            return Err(AppError::AnotherRequest);
        }
        Ok(Some(ApiAnswer { status: found.status, body: found.body }))
    }

    async fn keep_answer(&self, app: &App, tx: &Tx, answer: &ApiAnswer) -> Result<(), AppError> {
        let Some(name) = &self.idempotency_key else { return Ok(()) };
        let stored = StoredAnswer {
            api_key_id: self.api_key_id,
            idempotency_key: name.clone(),
            fingerprint: self.fingerprint.clone(),
            status: answer.status,
            body: answer.body.clone(),
        };
        Ok(tx.insert_api_answer(&stored, app.clock.now()).await?)
    }
}

/// Carries out a request, unless it was answered before. `prepare` may call somebody over the network, and changes nothing;
/// `effect` writes with the transaction that it is given, commits nothing, and calls nobody.
///
/// # Errors
/// [`AppError::AnotherRequest`] when the idempotency key stands for another request; else what the two give, and then
/// nothing of it is there.
pub async fn answer_once<P>(
    app: &App,
    once: &Once,
    prepare: impl AsyncFnOnce() -> Result<P, AppError>,
    effect: impl AsyncFnOnce(&Tx, P) -> Result<ApiAnswer, AppError>,
) -> Result<ApiAnswer, AppError> {
    if let Some(answer) = once.find_answer(app).await? {
        return Ok(answer);
    }
    let prepared = prepare().await?;
    match carry_out(app, once, async |tx: &Tx| effect(tx, prepared).await).await {
        // The same request was answered in this moment, by another thread or process: its answer is the one that counts.
        Err(AppError::Store(StoreError::Conflict(what))) => {
            once.find_answer(app).await?.ok_or(AppError::Store(StoreError::Conflict(what)))
        }
        result => result,
    }
}

async fn carry_out(
    app: &App,
    once: &Once,
    effect: impl AsyncFnOnce(&Tx) -> Result<ApiAnswer, AppError>,
) -> Result<ApiAnswer, AppError> {
    let tx = app.store.begin().await?;
    let answer = effect(&tx).await?;
    once.keep_answer(app, &tx, &answer).await?;
    tx.commit().await?;
    Ok(answer)
}
