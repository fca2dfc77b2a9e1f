//! Suspended and ended subscriptions.

use seatkey::{
    domain::subscription::MicrosoftStatus,
    marketplace::{Fault, MarketplaceError},
    simulator::Purchase,
};
use uuid::Uuid;

use super::desk::{Desk, status};
use crate::support::people::ALEX;

fn active(desk: &Desk) -> Uuid {
    let plain = Purchase::of("konnekt", "konnekt-yearly", ALEX.parse().unwrap());
    desk.world().purchase(Purchase { auto_activate: true, ..plain })
}

#[tokio::test]
async fn a_suspended_subscription_is_not_activated() {
    let desk = Desk::open().await;
    let id = active(&desk);
    assert!(desk.world().suspend(id));
    let error = desk.client.activate(id, "konnekt-yearly", None).await.unwrap_err();
    assert!(matches!(&error, MarketplaceError::Refused { status: 400, message } if message.contains("Suspended")));
    assert!(!error.is_retryable());
    assert_eq!(desk.client.get_subscription(id).await.unwrap().value.status, MicrosoftStatus::Suspended);
    assert_eq!(desk.client.resolve(&desk.token_of(id)).await.unwrap().value.status, MicrosoftStatus::Suspended);
}

#[tokio::test]
async fn an_ended_subscription_is_not_activated() {
    let desk = Desk::open().await;
    let id = active(&desk);
    assert!(desk.world().cancel(id));
    let error = desk.client.activate(id, "konnekt-yearly", None).await.unwrap_err();
    assert!(matches!(error, MarketplaceError::NotFound(_)), "{error:?}");
    assert_eq!(desk.client.resolve(&desk.token_of(id)).await.unwrap().value.status, MicrosoftStatus::Unsubscribed);
}

#[tokio::test]
async fn a_second_activation_is_received_or_refused() {
    let desk = Desk::open().await;
    let id = active(&desk);
    desk.client.activate(id, "konnekt-yearly", None).await.unwrap();
    desk.world().refuse_second_activation(true);
    let error = desk.client.activate(id, "konnekt-yearly", None).await.unwrap_err();
    assert!(matches!(error, MarketplaceError::Refused { status: 400, .. }), "{error:?}");
    assert_eq!(desk.world().activations(id), 1);
}

#[tokio::test]
async fn what_has_ended_is_not_cancelled_again() {
    let desk = Desk::open().await;
    let id = active(&desk);
    desk.client.cancel(id).await.unwrap();
    assert!(desk.world().cancel(id));
    let error = desk.client.cancel(id).await.unwrap_err();
    assert!(matches!(error, MarketplaceError::Refused { status: 200, .. }), "{error:?}");
    assert!(!error.is_retryable());
}

/// Microsoft answers 403 for the plans of an ended subscription: that must not look like a credential gone bad.
#[tokio::test]
async fn plans_of_an_ended_subscription_do_not_accuse_the_credential() {
    let desk = Desk::open().await;
    let id = active(&desk);
    assert!(desk.world().cancel(id));
    let error = desk.client.list_available_plans(id, None).await.unwrap_err();
    assert!(matches!(error, MarketplaceError::Refused { status: 403, .. }), "{error:?}");

    let alive = active(&desk);
    desk.fail(2, status(403));
    let error = desk.client.list_available_plans(alive, None).await.unwrap_err();
    assert!(matches!(error, MarketplaceError::Credential(_)), "{error:?}");
    assert_eq!(error.fault(), Fault::Publisher);
}
