//! Signing and verifying a license key, beside Ed25519 alone over the same bytes.

use std::{hint::black_box, path::Path};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use seatkey::{
    domain::license::{Claims, Organisation},
    signing::{self, Keyring},
};
use time::macros::datetime;
use uuid::Uuid;

use crate::support::{
    stage::NOW,
    table::{Row, time},
    timing::{Samples, interleave, seconds_per_call},
};

const ROUNDS: usize = 15;
const GOAL: f64 = 1.5;

pub(crate) fn measure() -> Vec<Row> {
    let path = std::env::temp_dir().join(format!("seatkey-bench-{}.pem", Uuid::new_v4().simple()));
    signing::generate(&path).unwrap();
    let keyring = Keyring::from_files(std::slice::from_ref(&path)).unwrap();
    let pair = bare_pair(&path);
    std::fs::remove_file(path).unwrap();
    let (claims, jwks) = (claims(), keyring.jwks());
    let key = keyring.sign_here(&claims).unwrap().unwrap().compact;
    let (signed, signature) = key.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    assert_eq!(pair.sign(signed.as_bytes()).as_ref(), signature, "both sign the same");
    let public = UnparsedPublicKey::new(&ED25519, pair.public_key().as_ref());
    let signing = interleave(
        ROUNDS,
        [&mut || seconds_per_call(|| keyring.sign_here(black_box(&claims))), &mut || {
            seconds_per_call(|| pair.sign(black_box(signed.as_bytes())))
        }],
    );
    let verifying = interleave(
        ROUNDS,
        [&mut || seconds_per_call(|| signing::verify(black_box(&key), &jwks, NOW).unwrap()), &mut || {
            seconds_per_call(|| public.verify(black_box(signed.as_bytes()), &signature).unwrap())
        }],
    );
    vec![row("sign a license key", &signing), row("verify a license key", &verifying)]
}

fn row(what: &str, samples: &Samples) -> Row {
    let ratio = samples.quotient(0, 1);
    Row {
        what: what.to_owned(),
        ours: time(samples.median(0)),
        limit: time(samples.median(1)),
        ratio: format!("{ratio:.2} ×"),
        goal: "≤ 1.5 ×",
        met: ratio <= GOAL,
    }
}

/// The same key without Seatkey.
fn bare_pair(path: &Path) -> Ed25519KeyPair {
    let pem = std::fs::read_to_string(path).unwrap();
    let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(&STANDARD.decode(base64).unwrap()).unwrap()
}

fn claims() -> Claims {
    Claims {
        iss: "https://licenses.konnekt.example".into(),
        jti: "lic_019bbf3f6a4b7c2e8d5f1a2b3c4d5e6f".into(),
        seq: 1,
        product: "konnekt".into(),
        plan: "konnekt-yearly".into(),
        segment: Some("KONNEKT 25".into()),
        org: Organisation { name: "Contoso GmbH".into(), tid: Some(Uuid::from_u128(0x3f0c_1d9e)) },
        users: Some(150),
        devices_per_user: 5,
        trial: true,
        provisional: true,
        test: false,
        nbf: datetime!(2026-01-15 0:00 UTC).unix_timestamp(),
        exp: datetime!(2026-02-28 0:00 UTC).unix_timestamp(),
        iat: NOW.unix_timestamp(),
        planned_change: None,
    }
}
