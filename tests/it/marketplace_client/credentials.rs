//! The ways in which this installation proves who it is, through Microsoft's own library.

use std::path::PathBuf;

use seatkey::{
    clock::AdvanceableClock as _,
    marketplace::{Client, Credential, CredentialError, Fault, MarketplaceError, TokenSource as _, Tokens},
    simulator::{Fault as SetFault, FaultAction},
};
use time::Duration;
use uuid::Uuid;

use super::desk::{APPLICATION, Desk, PUBLISHER, nobody, status, tokens};

const IDENTITY: &str = "c3f2e1d0-4b5a-4968-8776-695a4b3c2d1e";

fn federated_token(desk: &Desk) -> PathBuf {
    let path = std::env::temp_dir().join(format!("seatkey-token-{}", Uuid::new_v4().simple()));
    std::fs::write(&path, desk.world().service_account_token("api://AzureADTokenExchange").unwrap()).unwrap();
    path
}

/// The bodies of the token requests so far.
fn token_bodies(desk: &Desk) -> Vec<String> {
    let requests = desk.world().requests().into_iter();
    requests.filter(|request| request.path.ends_with("/v2.0/token")).map(|request| request.body).collect()
}

async fn works(desk: &Desk, client: &Client) {
    let id = desk.buy();
    assert_eq!(client.get_subscription(id).await.unwrap().value.id, id);
}

#[tokio::test]
async fn a_client_secret() {
    let desk = Desk::open().await;
    works(&desk, &desk.client).await;
    works(&desk, &desk.client).await;
    let bodies = token_bodies(&desk);
    assert_eq!(bodies.len(), 1, "the token is kept");
    assert!(bodies[0].contains("client_secret=***") && bodies[0].contains(APPLICATION), "{bodies:?}");
    assert!(bodies[0].contains("scope=20e940b3-4c77-4b0b-9a53-9e16a1b010a7%2F.default"), "{bodies:?}");
    let path = format!("/{PUBLISHER}/oauth2/v2.0/token");
    assert!(desk.world().requests().iter().any(|request| request.path == path));
}

#[tokio::test]
async fn a_federated_token_in_a_file() {
    let desk = Desk::open().await;
    let file = federated_token(&desk);
    let credential = Credential::WorkloadIdentity { token_file: Some(file.clone()) };
    works(&desk, &desk.client_of(None, credential)).await;
    let bodies = token_bodies(&desk);
    assert!(bodies[0].contains("client_assertion=***") && !bodies[0].contains("client_secret"), "{bodies:?}");
    std::fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn a_missing_federated_token_is_ours_to_repair() {
    let desk = Desk::open().await;
    let credential = Credential::WorkloadIdentity { token_file: Some("/nowhere/token".into()) };
    let error = tokens(&desk.simulator, &desk.http, credential).unwrap_err();
    assert!(matches!(&error, CredentialError::Refused(text) if text.contains("/nowhere/token")), "{error:?}");
}

#[tokio::test]
async fn a_managed_identity_that_the_application_trusts() {
    for (identity, query) in [(None, None), (Some(IDENTITY), Some(format!("client_id={IDENTITY}")))] {
        let desk = Desk::open().await;
        let credential = Credential::FederatedManagedIdentity { identity_client_id: identity.map(str::to_owned) };
        works(&desk, &desk.client_of(None, credential)).await;
        let requests = desk.world().requests();
        let metadata = requests.iter().find(|request| request.path == "/metadata/identity/oauth2/token").unwrap();
        assert!(metadata.query.contains("resource=api%3A%2F%2FAzureADTokenExchange"), "{}", metadata.query);
        assert_eq!(metadata.query.contains("client_id"), identity.is_some());
        assert!(query.is_none_or(|query| metadata.query.contains(&query)));
        assert!(metadata.headers.contains(&("metadata".to_owned(), "true".to_owned())));
        assert!(token_bodies(&desk)[0].contains("client_assertion=***"));
    }
}

#[tokio::test]
async fn a_managed_identity_that_is_none_is_ours_to_repair() {
    let desk = Desk::open().await;
    let credential = Credential::FederatedManagedIdentity { identity_client_id: Some(Uuid::nil().to_string()) };
    let error = desk.client_of(None, credential).list_subscriptions(None).await.unwrap_err();
    assert!(matches!(error, MarketplaceError::Credential(_)), "{error:?}");
}

#[tokio::test]
async fn a_token_that_has_expired_is_renewed_once() {
    let desk = Desk::open().await;
    works(&desk, &desk.client).await;
    desk.clock.advance(Duration::hours(2)).unwrap();
    let id = desk.buy();
    let before = desk.calls().len();
    // A change may be sent again here: Microsoft has refused it and done nothing.
    desk.client.activate(id, "konnekt-yearly", None).await.unwrap();
    let statuses: Vec<_> = desk.calls()[before..].iter().map(|call| call.status).collect();
    assert_eq!(statuses, [Some(403), Some(200)]);
    assert_eq!((desk.token_requests(), desk.world().activations(id)), (2, 1));
    works(&desk, &desk.client).await;
    assert_eq!(desk.token_requests(), 2, "the new one is kept");
}

#[tokio::test]
async fn refused_twice_is_a_credential_error_without_a_loop() {
    for code in [401, 403] {
        let desk = Desk::open().await;
        desk.fail(99, status(code));
        let read = desk.client.get_subscription(Uuid::nil()).await.unwrap_err();
        assert!(matches!(read, MarketplaceError::Credential(_)), "{code}: {read:?}");
        assert_eq!((desk.token_requests(), desk.calls().len()), (2, 2), "{code}");
        let change = desk.client.cancel(Uuid::nil()).await.unwrap_err();
        assert!(matches!(change, MarketplaceError::Credential(_)), "{code}: {change:?}");
        assert_eq!((desk.token_requests(), desk.calls().len()), (3, 4), "{code}");
    }
}

/// An Entra that is not well must not look like a secret that has expired.
#[tokio::test]
async fn an_entra_that_is_not_well_is_microsofts_fault() {
    let transient =
        r#"{"error":"temporarily_unavailable","error_description":"AADSTS90033: A transient error.\r\nTrace"}"#;
    let with_body = |code, body: &str| FaultAction { body: Some(body.to_owned()), ..status(code) };
    let faults = [
        ("503", with_body(503, "<html>")),
        ("500 with a code", with_body(500, r#"{"error":"server_error","error_description":"AADSTS7000215: x"}"#)),
        ("429", status(429)),
        ("transient", with_body(400, transient)),
        ("cut", FaultAction { cut: true, ..FaultAction::default() }),
    ];
    for (kind, action) in faults {
        let desk = Desk::open().await;
        desk.world().add_fault(SetFault { count: 99, ..SetFault::next("/*/oauth2/v2.0/token", action) });
        let error = desk.client.cancel(Uuid::nil()).await.unwrap_err();
        assert!(matches!(error, MarketplaceError::Unreached(_)), "{kind}: {error:?}");
        assert_eq!((error.fault(), desk.token_requests()), (Fault::Microsoft, 1), "{kind}");
    }
}

#[tokio::test]
async fn an_entra_that_is_not_there_is_microsofts_fault() {
    let desk = Desk::open().await;
    let (_socket, authority) = nobody();
    let credential = Credential::ClientSecret("a-secret-of-ours".to_owned().into());
    let tokens = Tokens::new(authority, PUBLISHER.to_owned(), APPLICATION.to_owned(), credential, desk.http.clone());
    let error = tokens.unwrap().token().await.unwrap_err();
    assert!(matches!(error, CredentialError::Unreachable(_)), "{error:?}");
    assert!(!error.to_string().contains("a-secret-of-ours"));
}

#[tokio::test]
async fn words_with_and_without_line_breaks_are_read() {
    for body in [
        r#"{"error":"invalid_client","error_description":"AADSTS7000222: expired\r\nTrace ID: 1","error_codes":[7000222]}"#,
        r#"{"error":"invalid_client","error_description":"AADSTS7000222: expired","error_codes":[7000222]}"#,
    ] {
        let desk = Desk::open().await;
        let action = FaultAction { body: Some(body.to_owned()), ..status(401) };
        desk.world().add_fault(SetFault::next("/*/oauth2/v2.0/token", action));
        let error = desk.client.list_subscriptions(None).await.unwrap_err();
        assert!(matches!(&error, MarketplaceError::Credential(text) if text == "AADSTS7000222: expired"), "{error:?}");
    }
}
