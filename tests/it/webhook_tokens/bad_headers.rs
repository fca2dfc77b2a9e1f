//! Algorithms, key ids, keys that the token brings along, and types.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::rsa::PublicKeyComponents;
use seatkey::marketplace::TokenRefused::{Algorithm, Extension, Header, KeyId, KeyUnknown, Signature, Type};
use serde_json::{Value, json};

use super::{
    entra::{jwk, pair},
    forge::{Forge, Signer, encode},
    kinds::Kind,
};

pub(super) fn kinds() -> Vec<Kind> {
    [algorithms(), symmetric(), key_ids(), brought_along(), types()].into_iter().flatten().collect()
}

fn algorithms() -> Vec<Kind> {
    vec![
        Kind::both("alg none", Algorithm, |f| f.header.set("alg", "none")),
        Kind::both("alg None", Algorithm, |f| f.header.set("alg", "None")),
        Kind::both("alg NONE", Algorithm, |f| f.header.set("alg", "NONE")),
        Kind::both("alg nOnE", Algorithm, |f| f.header.set("alg", "nOnE")),
        Kind::both("alg rs256", Algorithm, |f| f.header.set("alg", "rs256")),
        Kind::both("alg with a blank", Algorithm, |f| f.header.set("alg", "RS256 ")),
        Kind::both("alg empty", Algorithm, |f| f.header.set("alg", "")),
        Kind::both("alg null", Algorithm, |f| f.header.set("alg", Value::Null)),
        Kind::both("alg a number", Algorithm, |f| f.header.set("alg", 256)),
        Kind::both("alg a list", Algorithm, |f| f.header.set("alg", json!(["RS256"]))),
        Kind::both("alg missing", Algorithm, |f| f.header.remove("alg")),
        Kind::both("alg twice", Header, |f| f.header.again("alg", "\"RS256\"")),
        Kind::both("RS384", Algorithm, |f| signed(f, "RS384", Signer::Rs384)),
        Kind::both("RS512", Algorithm, |f| signed(f, "RS512", Signer::Rs512)),
        Kind::both("PS256", Algorithm, |f| signed(f, "PS256", Signer::Ps256)),
        Kind::both("ES256", Algorithm, |f| signed(f, "ES256", Signer::Es256)),
        Kind::both("EdDSA", Algorithm, |f| signed(f, "EdDSA", Signer::Ed25519)),
        Kind::both("SHA-384 that calls itself RS256", Signature, |f| f.signer = Signer::Rs384),
        Kind::both("PSS that calls itself RS256", Signature, |f| f.signer = Signer::Ps256),
    ]
}

fn signed(forge: &mut Forge, algorithm: &str, signer: Signer) {
    forge.header.set("alg", algorithm);
    forge.signer = signer;
}

/// The public key as a shared secret, in every form in which somebody may have it.
fn symmetric() -> Vec<Kind> {
    fn with(forge: &mut Forge, secret: Vec<u8>) {
        signed(forge, "HS256", Signer::Hmac(secret));
    }
    vec![
        Kind::both("HS256 with the public key in PEM", Algorithm, |f| with(f, pem(&spki(), "PUBLIC KEY"))),
        Kind::both("HS256 with the RSA public key in PEM", Algorithm, |f| with(f, pem(&pkcs1(), "RSA PUBLIC KEY"))),
        Kind::both("HS256 with the public key in DER", Algorithm, |f| with(f, spki())),
        Kind::both("HS256 with the RSA public key in DER", Algorithm, |f| with(f, pkcs1())),
        Kind::both("HS256 with the modulus", Algorithm, |f| with(f, modulus())),
        Kind::both("HS256 with the modulus as in the JWK", Algorithm, |f| with(f, encode(&modulus()).into_bytes())),
        Kind::both("HS256 with the JWK", Algorithm, |f| with(f, jwk("first", 0).to_string().into_bytes())),
        Kind::both("HS256 with nothing", Algorithm, |f| with(f, Vec::new())),
        Kind::both("HMAC that calls itself RS256", Signature, |f| f.signer = Signer::Hmac(pem(&spki(), "PUBLIC KEY"))),
    ]
}

fn modulus() -> Vec<u8> {
    PublicKeyComponents::<Vec<u8>>::from(pair(0).public()).n
}

fn pkcs1() -> Vec<u8> {
    pair(0).public().as_ref().to_vec()
}

/// The same in the envelope that says that it is RSA (2048 bits).
fn spki() -> Vec<u8> {
    let envelope = [
        0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05,
        0x00, 0x03, 0x82, 0x01, 0x0f, 0x00,
    ];
    [&envelope[..], &pkcs1()].concat()
}

fn pem(der: &[u8], label: &str) -> Vec<u8> {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n")).into_bytes()
}

fn key_ids() -> Vec<Kind> {
    vec![
        Kind::both("kid unknown", KeyUnknown, |f| f.header.set("kid", "third")),
        Kind::both("kid in other case", KeyUnknown, |f| f.header.set("kid", "First")),
        Kind::both("kid with a blank", KeyUnknown, |f| f.header.set("kid", "first ")),
        Kind::both("kid cut", KeyUnknown, |f| f.header.set("kid", "firs")),
        Kind::both("kid with a zero byte", KeyUnknown, |f| f.header.set("kid", "first\0")),
        Kind::both("kid a path", KeyUnknown, |f| f.header.set("kid", "../../dev/null")),
        Kind::both("kid of another key", Signature, |f| f.header.set("kid", "second")),
        Kind::both("kid missing", KeyId, |f| f.header.remove("kid")),
        Kind::both("kid empty", KeyId, |f| f.header.set("kid", "")),
        Kind::both("kid null", KeyId, |f| f.header.set("kid", Value::Null)),
        Kind::both("kid a number", KeyId, |f| f.header.set("kid", 1)),
        Kind::both("kid a list", KeyId, |f| f.header.set("kid", json!(["first"]))),
        Kind::both("kid an object", KeyId, |f| f.header.set("kid", json!({"kid": "first"}))),
        Kind::both("kid twice", Header, |f| f.header.again("kid", "\"first\"")),
        Kind::both("two kids", Header, |f| f.header.again("kid", "\"second\"")),
        Kind::both("two kids, one of them escaped", Header, |f| f.header.again("k\\u0069d", "\"second\"")),
    ]
}

/// The signature is right all the same: the mere presence is refused.
fn brought_along() -> Vec<Kind> {
    vec![
        Kind::both("jwk", Extension, |f| f.header.set("jwk", jwk("first", 0))),
        Kind::both("jku", Extension, |f| {
            let keys = f.authority.join("evil/keys").unwrap();
            f.header.set("jku", keys.as_str());
        }),
        Kind::both("x5u", Extension, |f| f.header.set("x5u", "https://evil.example/certificate.pem")),
        Kind::both("x5c", Extension, |f| f.header.set("x5c", json!([STANDARD.encode(spki())]))),
        Kind::both("jwk null", Extension, |f| f.header.set("jwk", Value::Null)),
        Kind::both("crit", Extension, |f| f.header.set("crit", json!(["exp"]))),
        Kind::both("crit empty", Extension, |f| f.header.set("crit", json!([]))),
        Kind::both("crit a text", Extension, |f| f.header.set("crit", "b64")),
        Kind::both("b64 false", Extension, |f| f.header.set("b64", false)),
        Kind::both("zip", Extension, |f| f.header.set("zip", "DEF")),
        Kind::both("enc", Extension, |f| f.header.set("enc", "A256GCM")),
    ]
}

fn types() -> Vec<Kind> {
    vec![
        Kind::both("typ of a proof", Type, |f| f.header.set("typ", "dpop+jwt")),
        Kind::both("typ of a logout token", Type, |f| f.header.set("typ", "logout+jwt")),
        Kind::both("typ of a license", Type, |f| f.header.set("typ", "license+jwt")),
        Kind::both("typ JOSE", Type, |f| f.header.set("typ", "JOSE")),
        Kind::both("typ with a blank", Type, |f| f.header.set("typ", "JWT ")),
        Kind::both("typ empty", Type, |f| f.header.set("typ", "")),
        Kind::both("typ null", Type, |f| f.header.set("typ", Value::Null)),
        Kind::both("typ a number", Type, |f| f.header.set("typ", 1)),
        Kind::both("typ a list", Type, |f| f.header.set("typ", json!(["JWT"]))),
        Kind::both("typ twice", Header, |f| f.header.again("typ", "\"JWT\"")),
    ]
}
