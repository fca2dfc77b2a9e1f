//! ID tokens that differ from an accepted one in exactly one thing.

use seatkey::{clock::AdvanceableClock as _, identity::SignInError};
use serde_json::{Value, json};
use time::Duration;

use super::fake_entra::{
    ALEX, CLIENT, CONTOSO, FABRIKAM, FakeEntra, NONCE, NOW, PERSONAL, SECRET, Signature, public_modulus,
};

fn assert_untrusted<T: std::fmt::Debug>(what: &str, result: &Result<T, SignInError>) {
    assert!(matches!(result, Err(SignInError::Untrusted(_))), "{what}: {result:?}");
}

#[tokio::test]
async fn the_good_token_is_accepted() {
    let entra = FakeEntra::open();
    let person = entra.arrive_with(&entra.claims()).await.unwrap();
    assert_eq!(person.identity.tenant_id.to_string(), CONTOSO);
    assert_eq!(person.identity.object_id.to_string(), ALEX);
    assert_eq!((person.name.as_str(), person.email.as_str()), ("Alex Weber", "alex@contoso.example"));
}

#[tokio::test]
async fn one_wrong_claim_is_enough() {
    let entra = FakeEntra::open();
    let now = NOW.unix_timestamp();
    let wrong = [
        ("issuer of another tenant", "iss", json!(entra.issuer(FABRIKAM))),
        ("the template as issuer", "iss", json!(entra.issuer("{tenantid}"))),
        ("issuer of somebody else", "iss", json!(format!("https://evil.example/{CONTOSO}/v2.0"))),
        ("version 1 issuer", "iss", json!(format!("https://sts.windows.net/{CONTOSO}/"))),
        ("another tenant", "tid", json!(FABRIKAM)),
        ("no tenant", "tid", Value::Null),
        ("a tenant by name", "tid", json!("contoso.example")),
        ("nobody", "oid", Value::Null),
        ("somebody by name", "oid", json!("alex")),
        ("another application", "aud", json!("9e4d2c1b-6f7a-4b8c-9d0e-1a2b3c4d5e66")),
        ("another application, too", "aud", json!([CLIENT, "9e4d2c1b-6f7a-4b8c-9d0e-1a2b3c4d5e66"])),
        ("another nonce", "nonce", json!("another-nonce")),
        ("no nonce", "nonce", Value::Null),
        ("expired", "exp", json!(now)),
        ("expired before it was issued", "exp", json!(now - 3_600)),
    ];
    for (what, claim, value) in wrong {
        let mut claims = entra.claims();
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(claim)),
            value => claims[claim] = value,
        }
        assert_untrusted(what, &entra.arrive_with(&claims).await);
    }
    entra.arrive_with(&entra.claims()).await.unwrap();
}

#[tokio::test]
async fn one_wrong_thing_about_the_signature_is_enough() {
    let entra = FakeEntra::open();
    let claims = entra.claims();
    let forged = [
        ("another key under the known name", json!({"alg": "RS256", "kid": "first"}), Signature::Rsa(1)),
        ("an unknown key", json!({"alg": "RS256", "kid": "second"}), Signature::Rsa(1)),
        ("the known key under another name", json!({"alg": "RS256", "kid": "second"}), Signature::Rsa(0)),
        ("the known key without a name", json!({"alg": "RS256"}), Signature::Rsa(0)),
        ("no signature", json!({"alg": "none", "kid": "first"}), Signature::None),
        ("no signature, no name", json!({"alg": "none"}), Signature::None),
        ("an empty signature", json!({"alg": "RS256", "kid": "first"}), Signature::None),
        ("our secret as the key", json!({"alg": "HS256", "kid": "first"}), Signature::Hmac(SECRET.into())),
        ("the public key as a secret", json!({"alg": "HS256", "kid": "first"}), Signature::Hmac(public_modulus(0))),
    ];
    for (what, header, by) in forged {
        assert_untrusted(what, &entra.arrive(&header, &claims, &by).await);
    }
    entra.arrive_with(&claims).await.unwrap();
}

#[tokio::test]
async fn an_id_token_expires_by_our_clock() {
    let entra = FakeEntra::open();
    entra.clock.advance(Duration::minutes(59)).unwrap();
    entra.arrive_with(&entra.claims()).await.unwrap();
    entra.clock.advance(Duration::minutes(1)).unwrap();
    assert_untrusted("an hour later", &entra.arrive_with(&entra.claims()).await);
}

#[tokio::test]
async fn a_key_of_personal_accounts_does_not_sign_for_a_company() {
    let table = [
        (Some(PERSONAL), false, true),
        (Some(CONTOSO), true, false),
        (Some("{tenantid}"), true, true),
        (None, true, true),
    ];
    for (issuer, company_accepted, person_accepted) in table {
        let entra = FakeEntra::open();
        entra.publish(&[("first", 0, issuer)]);
        let company = entra.arrive_with(&entra.claims()).await;
        assert_eq!(company.is_ok(), company_accepted, "{issuer:?} for a company: {company:?}");
        let mut claims = entra.claims();
        (claims["tid"], claims["iss"]) = (json!(PERSONAL), json!(entra.issuer(PERSONAL)));
        let person = entra.arrive_with(&claims).await;
        assert_eq!(person.is_ok(), person_accepted, "{issuer:?} for a person: {person:?}");
    }
}

#[tokio::test]
async fn names_and_addresses_may_be_missing() {
    let entra = FakeEntra::open();
    let mut claims = entra.claims();
    claims.as_object_mut().unwrap().retain(|name, _| name != "name" && name != "email");
    let nameless = entra.arrive_with(&claims).await.unwrap();
    assert_eq!((nameless.name.as_str(), nameless.email.as_str()), ("", ""));
    claims["preferred_username"] = json!("alex.weber@contoso.example");
    let person = entra.arrive_with(&claims).await.unwrap();
    assert_eq!((person.name.as_str(), person.email.as_str()), ("alex.weber@contoso.example", ""));
}

#[tokio::test]
async fn what_the_token_endpoint_says_is_told_apart() {
    let entra = FakeEntra::open();
    let refusal = |error: &str, words: &str| json!({"error": error, "error_description": words}).to_string();
    let table = [
        (400, refusal("invalid_grant", "AADSTS54005: used\r\nTrace ID: 1"), "untrusted: AADSTS54005: used"),
        (401, refusal("invalid_client", "AADSTS7000222: expired\r\nTrace"), "registration: AADSTS7000222: expired"),
        (400, refusal("unauthorized_client", "AADSTS700016: unknown"), "registration: AADSTS700016: unknown"),
        (503, refusal("temporarily_unavailable", "AADSTS90033: later"), "unreachable: AADSTS90033: later"),
        (500, refusal("server_error", "x"), "unreachable: x"),
        (502, "<html>".to_owned(), "unreachable: Failed to parse server response"),
        (200, json!({"token_type": "Bearer", "access_token": "x"}).to_string(), "untrusted: there is no ID token"),
        (200, format!("{{}}{}", " ".repeat(1024 * 1024)), "unreachable: no connection"),
    ];
    for (status, body, expected) in table {
        entra.answer(status, &body);
        let told = match entra.redeem().await {
            Err(SignInError::Untrusted(text)) => format!("untrusted: {text}"),
            Err(SignInError::Registration(text)) => format!("registration: {text}"),
            Err(SignInError::Unreachable(text)) => format!("unreachable: {text}"),
            Ok(person) => panic!("{person:?}"),
        };
        assert_eq!(told, expected);
        assert!(!told.contains(SECRET) && !told.contains(NONCE));
    }
}
