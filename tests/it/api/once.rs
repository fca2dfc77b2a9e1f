//! A request that comes twice has its effect once, and the answer that it had; whatever else happens at the same moment.

use seatkey::{
    app::{ANSWERS_KEPT_FOR, ApiAnswer, AppError, Once, answer_once, forget_expired},
    clock::{Clock as _, new_id},
    domain::{api_key::ApiKey, staff::Scope},
    store::Tx,
};
use time::Duration;
use uuid::Uuid;

use crate::{on_both_databases, support::Stage};

on_both_databases! {
    the_second_request_gets_the_first_answer;
    what_fails_leaves_nothing_behind;
    of_many_at_the_same_moment_one_has_its_effect;
    answers_are_forgotten_after_a_week;
}

const CRM: Uuid = Uuid::from_u128(1);
const ERP: Uuid = Uuid::from_u128(2);

fn request(caller: Uuid, name: Option<&str>, body: &str) -> Once {
    Once::new(caller, name.map(str::to_owned), ("POST", "/api/v1/trials"), body.as_bytes())
}

/// An effect that can be counted: one more row.
async fn leave_a_trace(stage: &Stage, tx: &Tx) -> Result<ApiAnswer, AppError> {
    let now = stage.clock.now();
    let id = new_id(now);
    let key = ApiKey::new((id, now), "trace", [Scope::TrialsRead].into(), 1, "operator:anna".to_owned())?;
    tx.insert_api_key(&key, &id.to_string()).await?;
    Ok(ApiAnswer { status: 201, body: format!("{{\"id\":\"{id}\"}}") })
}

async fn carry_out(stage: &Stage, once: &Once) -> Result<ApiAnswer, AppError> {
    answer_once(&stage.app, once, async || Ok(()), async |tx: &Tx, ()| leave_a_trace(stage, tx).await).await
}

async fn traces(stage: &Stage) -> usize {
    stage.app.store.list_api_keys().await.unwrap().len()
}

async fn the_second_request_gets_the_first_answer(stage: Stage) {
    let first = carry_out(&stage, &request(CRM, Some("a"), "{}")).await.unwrap();
    assert_eq!(carry_out(&stage, &request(CRM, Some("a"), "{}")).await.unwrap(), first);
    assert_eq!(traces(&stage).await, 1);
    let other_body = carry_out(&stage, &request(CRM, Some("a"), "{ }")).await;
    assert!(matches!(other_body, Err(AppError::AnotherRequest)), "{other_body:?}");
    let elsewhere = Once::new(CRM, Some("a".to_owned()), ("POST", "/api/v1/others"), b"{}");
    assert!(matches!(carry_out(&stage, &elsewhere).await, Err(AppError::AnotherRequest)));
    assert_eq!(traces(&stage).await, 1, "neither has an effect");
    // Another name, another caller, no name at all: other requests.
    for once in [request(CRM, Some("b"), "{}"), request(ERP, Some("a"), "{}"), request(CRM, None, "{}")] {
        assert_ne!(carry_out(&stage, &once).await.unwrap(), first);
    }
    assert_ne!(carry_out(&stage, &request(CRM, None, "{}")).await.unwrap(), first);
    assert_eq!(traces(&stage).await, 5);
    stage.finish().await;
}

async fn what_fails_leaves_nothing_behind(stage: Stage) {
    let once = request(CRM, Some("a"), "{}");
    let refused = answer_once(
        &stage.app,
        &once,
        async || Ok(()),
        async |tx: &Tx, ()| {
            leave_a_trace(&stage, tx).await?;
            Err(AppError::Forbidden)
        },
    );
    assert!(matches!(refused.await, Err(AppError::Forbidden)));
    assert_eq!((traces(&stage).await, stage.app.store.find_api_answer(CRM, "a").await.unwrap()), (0, None));
    assert_eq!(carry_out(&stage, &once).await.unwrap().status, 201, "it may be tried again");
    stage.finish().await;
}

async fn of_many_at_the_same_moment_one_has_its_effect(stage: Stage) {
    let once = request(CRM, Some("a"), "{}");
    let answers = futures::future::join_all((0..8).map(|_| carry_out(&stage, &once))).await;
    let answers: Vec<ApiAnswer> = answers.into_iter().map(Result::unwrap).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(traces(&stage).await, 1);
    stage.finish().await;
}

async fn answers_are_forgotten_after_a_week(stage: Stage) {
    let once = request(CRM, Some("a"), "{}");
    let first = carry_out(&stage, &once).await.unwrap();
    stage.advance(ANSWERS_KEPT_FOR);
    forget_expired(&stage.app).await.unwrap();
    assert_eq!(carry_out(&stage, &once).await.unwrap(), first);
    stage.advance(Duration::SECOND);
    forget_expired(&stage.app).await.unwrap();
    assert_ne!(carry_out(&stage, &once).await.unwrap(), first, "a new request");
    stage.finish().await;
}
