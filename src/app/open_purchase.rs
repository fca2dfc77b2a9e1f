//! A buyer comes from the Azure portal: the purchase token is kept here, resolved after the sign-in, and forgotten.

use secrecy::SecretString;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{App, AppError, Trouble, random_token, token_digest};
use crate::{
    domain::{
        policy::{Identity, Rights, rights},
        subscription::{MicrosoftStatus, Snapshot, Stage, Subscription},
    },
    marketplace::MarketplaceError,
    store::{Arrival, AuditEntry, StoreError, Tx},
};

/// As long as Microsoft's token lives.
const ARRIVAL_LIFETIME: Duration = Duration::hours(24);

/// Keeps a purchase token and gives the cookie that stands for it.
///
/// # Errors
/// [`AppError::Store`].
pub async fn record_arrival(app: &App, purchase_token: String) -> Result<String, AppError> {
    let cookie = random_token()?;
    let arrival = Arrival { id: token_digest(&cookie), purchase_token };
    let tx = app.store.begin().await?;
    tx.insert_arrival(&arrival, app.clock.now() + ARRIVAL_LIFETIME).await?;
    tx.commit().await?;
    Ok(cookie)
}

/// Resolves a kept purchase token for a signed-in person and gives the subscription's id.
///
/// # Errors
/// [`AppError::Forbidden`] for a stranger; [`MarketplaceError::BadPurchaseToken`] for an old token: both see the same page.
pub async fn open_purchase(app: &App, who: Identity, arrival: &Arrival) -> Result<Uuid, AppError> {
    let token = SecretString::from(arrival.purchase_token.clone());
    let answer = app.marketplace.resolve(&token).await;
    note_credential(app, answer.as_ref().err());
    if let Err(MarketplaceError::BadPurchaseToken(_)) = &answer {
        // It will never work; without it, the next visit is an ordinary one.
        forget(app, arrival).await?;
    }
    let snapshot = answer?.value;
    let members_may_buy =
        app.find_plan(&snapshot.offer_id, &snapshot.plan_id).is_ok_and(|(_, plan)| plan.tenant_members_may_buy);
    if rights(who, &snapshot, members_may_buy) == Rights::Nothing {
        return Err(AppError::Forbidden);
    }
    let id = snapshot.id;
    record_snapshot(app, &snapshot).await?;
    forget(app, arrival).await?;
    Ok(id)
}

async fn forget(app: &App, arrival: &Arrival) -> Result<(), AppError> {
    let tx = app.store.begin().await?;
    tx.delete_arrival(&arrival.id).await?;
    Ok(tx.commit().await?)
}

/// Whether our credential for the marketplace works, as the last call told.
pub(super) fn note_credential(app: &App, error: Option<&MarketplaceError>) {
    match error {
        Some(MarketplaceError::Credential(reason)) => app.health.report(Trouble::MarketplaceCredential, reason),
        Some(_) => {}
        None => app.health.clear(Trouble::MarketplaceCredential),
    }
}

/// Writes what Microsoft says now; a subscription never seen is new.
pub(super) async fn record_snapshot(app: &App, snapshot: &Snapshot) -> Result<Subscription, AppError> {
    // Mostly there is nothing new, and nothing to be locked for.
    if let Some(known) = app.store.find_subscription(snapshot.id).await?
        && !is_news(&known, snapshot)
    {
        return Ok(known);
    }
    let now = app.clock.now();
    let tx = app.store.begin().await?;
    let subscription = match tx.find_subscription(snapshot.id).await? {
        Some(known) => update(&tx, known, snapshot, now).await?,
        None => insert(&tx, snapshot, now).await?,
    };
    tx.commit().await?;
    Ok(subscription)
}

async fn update(
    tx: &Tx,
    known: Subscription,
    snapshot: &Snapshot,
    now: OffsetDateTime,
) -> Result<Subscription, StoreError> {
    if !is_news(&known, snapshot) {
        return Ok(known);
    }
    let fresh = Subscription { microsoft: snapshot.clone(), ..known };
    tx.update_subscription(&fresh, now).await?;
    Ok(Subscription { version: fresh.version + 1, ..fresh })
}

fn is_news(known: &Subscription, snapshot: &Snapshot) -> bool {
    // Nothing goes back to pending: such an answer is older than what is known.
    let older = known.microsoft.status != MicrosoftStatus::PendingFulfillmentStart
        && snapshot.status == MicrosoftStatus::PendingFulfillmentStart;
    !older && known.microsoft != *snapshot
}

async fn insert(tx: &Tx, snapshot: &Snapshot, now: OffsetDateTime) -> Result<Subscription, StoreError> {
    let stage = Stage::AwaitingEnrolment;
    let fresh = Subscription { microsoft: snapshot.clone(), stage, users: None, segment: None, version: 1 };
    tx.insert_subscription(&fresh, now).await?;
    let detail = serde_json::json!({ "offer": snapshot.offer_id, "plan": snapshot.plan_id }).to_string();
    let entry = AuditEntry {
        subscription_id: Some(snapshot.id),
        actor: "microsoft",
        action: "subscription_seen",
        detail: &detail,
    };
    tx.record_audit(entry, now).await?;
    Ok(fresh)
}
