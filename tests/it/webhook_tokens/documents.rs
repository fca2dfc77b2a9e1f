//! What Entra's documents may and must not be.

use seatkey::marketplace::{
    TokenRefused::{KeyUnknown, KeysUnreachable},
    TokenVersion::{V1, V2},
};
use serde_json::{Value, json};

use super::{
    entra::{Entra, STS, TENANT, jwk},
    forge::{Forge, encode},
};

const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// The key `first` with one member replaced, or removed by null.
fn with(name: &str, value: Value) -> Value {
    let mut key = jwk("first", 0);
    match value {
        Value::Null => drop(key.as_object_mut().unwrap().remove(name)),
        value => key[name] = value,
    }
    key
}

/// A modulus of so many bits.
fn modulus(bits: usize) -> Value {
    let mut bytes = vec![0xff; bits.div_ceil(8)];
    bytes[0] >>= (8 - bits % 8) % 8;
    encode(&bytes).into()
}

#[tokio::test]
async fn garbage_among_the_keys_is_passed_over() {
    let entra = Entra::open();
    let garbage = json!([
        null, 7, "first", [], {}, {"kid": "first"}, {"kid": 7, "kty": "RSA", "n": "AQ", "e": "AQAB"},
        {"kid": "ec", "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, {"kid": "oct", "kty": "oct", "k": "AA"},
        jwk("first", 0), {"kid": "later", "kty": "RSA", "n": "*", "e": "*"}, {"kid": "new", "kty": "AKP", "pub": "AA"},
    ]);
    entra.publish(&garbage);
    for version in [V1, V2] {
        entra.verify(&Forge::new(&entra.base, version)).await.unwrap();
    }
}

#[tokio::test]
async fn only_these_keys_may_sign() {
    let good = [
        ("no use", with("use", Value::Null)),
        ("RS256 named", with("alg", "RS256".into())),
        ("no certificates", with("x5c", Value::Null)),
        ("a zero in front of the exponent", with("e", "AAEAAQ".into())),
        ("the issuer of version 1", with("issuer", STS.into())),
        ("the template of version 1", with("issuer", "https://sts.windows.net/{tenantid}/".into())),
    ];
    for (what, key) in good {
        let entra = Entra::open();
        entra.publish(&json!([key, jwk("second", 1)]));
        let verdict = entra.verify(&Forge::new(&entra.base, V2)).await;
        assert!(verdict.is_ok(), "{what}: {verdict:?}");
    }
    let bad = [
        ("another type", with("kty", "EC".into())),
        ("a type in other case", with("kty", "rsa".into())),
        ("no type", with("kty", Value::Null)),
        ("for encryption", with("use", "enc".into())),
        ("for nothing", with("use", "".into())),
        ("for PS256", with("alg", "PS256".into())),
        ("for RS512", with("alg", "RS512".into())),
        ("no id", with("kid", Value::Null)),
        ("no modulus", with("n", Value::Null)),
        ("1024 bits", with("n", modulus(1_024))),
        ("2047 bits", with("n", modulus(2_047))),
        ("4097 bits", with("n", modulus(4_097))),
        ("an even modulus", with("n", encode(&[0xfe; 256]).into())),
        ("a modulus with padding", with("n", format!("{}==", jwk("first", 0)["n"].as_str().unwrap()).into())),
        ("the exponent 1", with("e", "AQ".into())),
        ("the exponent 2", with("e", "Ag".into())),
        ("the exponent 0", with("e", "AA".into())),
        ("no exponent", with("e", "".into())),
        ("of personal accounts", with("issuer", format!("https://login.microsoftonline.com/{PERSONAL}/v2.0").into())),
        ("of another cloud", with("issuer", format!("https://login.microsoftonline.us/{TENANT}/v2.0").into())),
    ];
    for (what, key) in bad {
        let entra = Entra::open();
        entra.publish(&json!([key, jwk("second", 1)]));
        assert_eq!(entra.verify(&Forge::new(&entra.base, V2)).await, Err(KeyUnknown), "{what}");
        entra.verify(&Forge::new(&entra.base, V2).by("second", 1)).await.unwrap();
    }
}

#[tokio::test]
async fn a_key_of_either_document_signs_for_both_versions() {
    let entra = Entra::open();
    let issuer = format!("{}{{tenantid}}/v2.0", entra.base);
    entra.publish_in("", &json!([with("issuer", issuer.into())]));
    entra.publish_in("v2.0/", &json!([jwk("second", 1)]));
    for version in [V1, V2] {
        entra.verify(&Forge::new(&entra.base, version)).await.unwrap();
        entra.verify(&Forge::new(&entra.base, version).by("second", 1)).await.unwrap();
    }
}

#[tokio::test]
async fn an_id_with_two_keys_is_nobodys() {
    let entra = Entra::open();
    entra.publish(&json!([jwk("first", 0), jwk("first", 1), jwk("first", 0), jwk("second", 1)]));
    assert_eq!(entra.verify(&Forge::new(&entra.base, V2)).await, Err(KeyUnknown));
    assert_eq!(entra.verify(&Forge::new(&entra.base, V2).by("first", 1)).await, Err(KeyUnknown));
    entra.verify(&Forge::new(&entra.base, V2).by("second", 1)).await.unwrap();
}

#[tokio::test]
async fn a_document_that_cannot_be_used_is_an_outage() {
    let configuration = format!("/{TENANT}/v2.0/.well-known/openid-configuration");
    let keys = format!("/{TENANT}/discovery/keys");
    let long = format!("{{\"keys\":[]}}{}", " ".repeat(256 * 1024));
    // It answers, and with the right keys: only the host is wrong.
    let other_keys = format!("{}{TENANT}/discovery/keys", Entra::open().base);
    let elsewhere =
        |base: &str, keys: &str| json!({"issuer": format!("{base}{TENANT}/v2.0"), "jwks_uri": keys}).to_string();
    type Spoil<'s> = Box<dyn Fn(&Entra) + 's>;
    let spoilt: Vec<(&str, Spoil<'_>)> = vec![
        ("keys too long", Box::new(|entra| entra.set(&keys, 200, &long))),
        ("keys no JSON", Box::new(|entra| entra.set(&keys, 200, "<html>"))),
        ("keys no list", Box::new(|entra| entra.set(&keys, 200, r#"{"keys":{}}"#))),
        ("keys of one version missing", Box::new(|entra| entra.set(&keys, 404, ""))),
        ("no keys at all", Box::new(|entra| entra.publish(&json!([])))),
        ("no usable key", Box::new(|entra| entra.publish(&json!([with("use", "enc".into())])))),
        ("a redirect", Box::new(|entra| entra.set(&configuration, 302, ""))),
        ("no configuration", Box::new(|entra| entra.set(&configuration, 200, "{}"))),
        ("the template's issuer", Box::new(|entra| entra.configure("", "https://sts.windows.net/{tenantid}/"))),
        ("another tenant's issuer", Box::new(|entra| entra.configure("", &STS.replace(TENANT, PERSONAL)))),
        ("the issuers exchanged", Box::new(|entra| entra.configure("v2.0/", STS))),
        (
            "keys at another host",
            Box::new(|entra| {
                let text = elsewhere(entra.base.as_str(), &other_keys);
                entra.set(&configuration, 200, &text);
            }),
        ),
        (
            "keys in a file",
            Box::new(|entra| {
                let text = elsewhere(entra.base.as_str(), "file:///etc/passwd");
                entra.set(&configuration, 200, &text);
            }),
        ),
    ];
    for (what, spoil) in spoilt {
        let entra = Entra::open();
        spoil(&entra);
        for version in [V1, V2] {
            let verdict = entra.verify(&Forge::new(&entra.base, version)).await;
            assert!(matches!(verdict, Err(KeysUnreachable(_))), "{what}: {verdict:?}");
        }
    }
}
