//! What is accepted, so that strictness does not refuse what Microsoft may send.

use seatkey::marketplace::{
    TokenRefused,
    TokenVersion::{V1, V2},
    VerifiedCaller,
};
use serde_json::{Value, json};
use time::Duration;

use super::{
    entra::{APPLICATION, Entra, MARKETPLACE, NOW, TENANT},
    forge::Forge,
};

type Change = fn(&mut Forge);

/// Seconds from now.
fn set(forge: &mut Forge, name: &str, seconds: i64) {
    forge.claims.set(name, NOW.unix_timestamp() + seconds);
}

fn headers() -> Vec<(&'static str, Change)> {
    vec![
        ("as Entra writes it", |_| {}),
        ("scheme in lower case", |f| f.value = |token| Some(format!("bearer {token}"))),
        ("scheme in upper case", |f| f.value = |token| Some(format!("BEARER {token}"))),
        ("scheme in mixed case", |f| f.value = |token| Some(format!("bEaReR {token}"))),
        ("typ missing", |f| f.header.remove("typ")),
        ("typ at+jwt", |f| f.header.set("typ", "at+jwt")),
        ("typ in other case", |f| f.header.set("typ", "jwt")),
        ("typ at+jwt in other case", |f| f.header.set("typ", "AT+JWT")),
        ("no x5t", |f| f.header.remove("x5t")),
        ("the certificate's SHA-256", |f| f.header.set("x5t#S256", "first")),
        ("an unknown header", |f| f.header.set("x", json!({"y": 1}))),
        ("the second key", |f| *f = f.clone().by("second", 1)),
        ("header with line breaks", |f| f.header_bytes = |bytes| [b"{\r\n ", &bytes[1..], b"\n"].concat()),
        ("claims with blanks", |f| f.claims_bytes = |bytes| [b" { ", &bytes[1..], b" "].concat()),
    ]
}

fn claims() -> Vec<(&'static str, Change)> {
    vec![
        ("aud in upper case", |f| f.claims.set("aud", APPLICATION.to_uppercase())),
        ("tid in upper case", |f| f.claims.set("tid", TENANT.to_uppercase())),
        ("an application's token by its own word", |f| f.claims.set("idtyp", "app")),
        ("roles", |f| f.claims.set("roles", json!(["Marketplace.Call"]))),
        ("further claims", |f| f.claims.set("xms_ftd", json!({"a": [1, 2.5, null, true, "\u{e4}"]}))),
        ("both callers agree", |f| {
            f.claims.set("appid", MARKETPLACE);
            f.claims.set("azp", MARKETPLACE);
        }),
        ("no object and subject", |f| ["oid", "sub"].iter().for_each(|name| f.claims.remove(name))),
        ("almost 16 KB", |f| {
            let length = f.header_value().unwrap().len();
            f.claims.set("extra", "x".repeat((16 * 1024 - length) * 3 / 4 - 20));
        }),
    ]
}

fn times() -> Vec<(&'static str, Change)> {
    vec![
        ("nbf missing", |f| f.claims.remove("nbf")),
        ("nbf five minutes before iat, as Entra writes it", |f| set(f, "nbf", -300)),
        ("begins at the edge of the leeway", |f| set(f, "nbf", 300)),
        ("issued at the edge of the leeway", |f| set(f, "iat", 300)),
        ("ends at the edge of the leeway", |f| {
            *f = f.clone().at(NOW - Duration::hours(1));
            set(f, "exp", -299);
        }),
        ("ends now", |f| {
            *f = f.clone().at(NOW - Duration::hours(1));
            set(f, "exp", 0);
        }),
        ("lives for 28 hours", |f| set(f, "exp", 28 * 3_600)),
        ("lives for two days", |f| set(f, "exp", 48 * 3_600)),
    ]
}

#[tokio::test]
async fn all_of_these_are_accepted() {
    let entra = Entra::open();
    let tables = [headers(), claims(), times()];
    for (what, change) in tables.iter().flatten() {
        for version in [V1, V2] {
            let mut token = Forge::new(&entra.base, version);
            change(&mut token);
            let verdict = entra.verify(&token).await;
            assert_eq!(verdict.map(|caller| caller.version), Ok(version), "{what} ({version:?})");
        }
    }
    assert_eq!(entra.fetches(), 1);
}

#[tokio::test]
async fn the_callers_claim_may_be_in_upper_case() {
    let entra = Entra::open();
    for (version, claim) in [(V1, "appid"), (V2, "azp")] {
        let mut token = Forge::new(&entra.base, version);
        token.claims.set(claim, MARKETPLACE.to_uppercase());
        entra.verify(&token).await.unwrap();
    }
}

#[tokio::test]
async fn a_token_ends_by_our_clock() {
    let entra = Entra::open();
    for version in [V1, V2] {
        let token = Forge::new(&entra.base, version).at(entra.now());
        entra.pass(Duration::seconds(3_599 + 299));
        entra.verify(&token).await.unwrap();
        entra.pass(Duration::SECOND);
        assert_eq!(entra.verify(&token).await, Err(TokenRefused::Expired));
    }
}

#[tokio::test]
async fn the_claims_are_kept_and_nothing_else() {
    let entra = Entra::open();
    for (version, caller) in [(V1, "appid"), (V2, "azp")] {
        let token = Forge::new(&entra.base, version);
        let VerifiedCaller { claims, .. } = entra.verify(&token).await.unwrap();
        assert_eq!(claims[caller], MARKETPLACE);
        assert_eq!((claims["aud"].as_str(), claims["tid"].as_str()), (Some(APPLICATION), Some(TENANT)));
        assert_eq!(claims["iat"].as_i64(), Some(NOW.unix_timestamp()));
        assert_eq!(claims.as_object().map(serde_json::Map::len), Some(13));
        let kept = claims.to_string();
        assert!(token.token().split('.').all(|part| !kept.contains(part)));
        let printed = format!("{:?}", entra.verify(&token).await.unwrap());
        assert!(claims.as_object().unwrap().values().filter_map(Value::as_str).all(|text| {
            // The version is told, and says nothing.
            text.len() < 4 || !printed.contains(text)
        }));
    }
}
