//! A buyer comes from the Azure portal: the purchase token is kept here, resolved after the sign-in, and forgotten.

use secrecy::SecretString;
use time::Duration;
use uuid::Uuid;

use super::{
    App, AppError, Trouble,
    converge::{Seen, converge},
    random_token, token_digest,
};
use crate::{
    domain::policy::{Identity, Rights, rights},
    marketplace::MarketplaceError,
    store::Arrival,
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
    let asked_at = app.clock.now();
    let answer = app.marketplace.resolve(&token).await;
    note_credential(app, answer.as_ref().err());
    if let Err(MarketplaceError::BadPurchaseToken(_)) = &answer {
        // It will never work; without it, the next visit is an ordinary one.
        forget(app, arrival).await?;
    }
    let snapshot = answer?.value;
    // Whom staff have bound is not named by Microsoft.
    let known = app.store.find_subscription(snapshot.id).await?;
    let named = known.map_or_else(|| snapshot.clone(), |known| snapshot.clone().with_people_of(&known.microsoft));
    let members_may_buy =
        app.find_plan(&snapshot.offer_id, &snapshot.plan_id).is_ok_and(|(_, plan)| plan.tenant_members_may_buy);
    if rights(who, &named, members_may_buy) == Rights::Nothing {
        return Err(AppError::Forbidden);
    }
    let id = snapshot.id;
    converge(app, Seen { snapshot: &snapshot, asked_at, ended_at: None }).await?;
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
