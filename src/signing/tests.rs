use time::macros::datetime;
use uuid::Uuid;

use super::*;
use crate::domain::license::Organisation;

fn claims() -> Claims {
    Claims {
        iss: "https://licenses.example".into(),
        jti: "lic-1".into(),
        seq: 1,
        product: "konnekt".into(),
        plan: "konnekt-yearly".into(),
        segment: Some("KONNEKT 25".into()),
        org: Organisation { name: "Contoso GmbH".into(), tid: Some(Uuid::nil()) },
        users: Some(150),
        devices_per_user: 5,
        trial: true,
        provisional: true,
        test: false,
        nbf: datetime!(2026-01-15 0:00 UTC).unix_timestamp(),
        exp: datetime!(2026-02-28 0:00 UTC).unix_timestamp(),
        iat: datetime!(2026-01-15 10:12 UTC).unix_timestamp(),
        planned_change: None,
    }
}

fn new_keyring() -> (Keyring, PathBuf) {
    let path = std::env::temp_dir().join(format!("seatkey-signing-{}.pem", Uuid::new_v4()));
    (Keyring::from_file_or_new(&path).unwrap(), path)
}

fn sign(keyring: &Keyring) -> SignedKey {
    keyring.sign_here(&claims()).unwrap().unwrap()
}

#[test]
fn a_signed_key_is_verified_by_the_published_keys() {
    let (keyring, path) = new_keyring();
    let signed = sign(&keyring);
    assert!(signed.compact.starts_with("eyJ"));
    assert_eq!(verify(&signed.compact, &keyring.jwks(), datetime!(2026-02-01 0:00 UTC)), Ok(claims()));
    assert_eq!(sign(&keyring), signed, "Ed25519 is deterministic");
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_key_holds_only_within_its_time() {
    let (keyring, path) = new_keyring();
    let key = sign(&keyring).compact;
    let at = |instant| verify(&key, &keyring.jwks(), instant);
    assert_eq!(at(datetime!(2026-01-14 23:59 UTC)), Err(VerifyError::NotYet(datetime!(2026-01-15 0:00 UTC))));
    assert!(at(datetime!(2026-02-27 23:59:59 UTC)).is_ok());
    assert_eq!(at(datetime!(2026-02-28 0:00 UTC)), Err(VerifyError::Ended(datetime!(2026-02-28 0:00 UTC))));
    std::fs::remove_file(path).unwrap();
}

#[test]
fn every_changed_character_is_noticed() {
    let (keyring, path) = new_keyring();
    let key = sign(&keyring).compact;
    let now = datetime!(2026-02-01 0:00 UTC);
    for index in 0..key.len() {
        let mut changed = key.clone().into_bytes();
        changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert!(verify(&changed, &keyring.jwks(), now).is_err(), "character {index} was changed unnoticed");
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_stranger_cannot_sign_and_rotation_keeps_old_keys_genuine() {
    let (old, old_path) = new_keyring();
    let (_, new_path) = new_keyring();
    let rotated = Keyring::from_files(&[new_path.clone(), old_path.clone()]).unwrap();
    let now = datetime!(2026-02-01 0:00 UTC);
    let old_key = sign(&old);
    let new_key = sign(&rotated);
    assert_ne!(old_key.key_id, new_key.key_id);
    assert!(verify(&old_key.compact, &rotated.jwks(), now).is_ok());
    assert!(matches!(verify(&new_key.compact, &old.jwks(), now), Err(VerifyError::UnknownSigner(_))));
    for path in [old_path, new_path] {
        std::fs::remove_file(path).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn a_key_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_, path) = new_keyring();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(Keyring::from_files(std::slice::from_ref(&path)), Err(KeyError::Permissions(_))));
    std::fs::remove_file(path).unwrap();
}

mod algorithms {
    //! Each published key has one algorithm; what a license key says of itself changes nothing.

    use ring::{
        hmac,
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
    };
    use serde_json::{Value, json};

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-02-01 0:00 UTC);

    struct Pair {
        document: Vec<u8>,
        public: Jwk,
    }

    impl Pair {
        fn new() -> Self {
            let random = SystemRandom::new();
            let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
            let document = document.as_ref().to_vec();
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &document, &random).unwrap();
            let point = pair.public_key().as_ref();
            let part = |range| URL_SAFE_NO_PAD.encode(&point[range]);
            let public = Jwk::p256(&part(1..33), &part(33..65)).unwrap();
            Self { document, public }
        }

        fn sign(&self, message: &[u8], fixed: bool) -> Vec<u8> {
            let random = SystemRandom::new();
            let algorithm = if fixed { &ECDSA_P256_SHA256_FIXED_SIGNING } else { &ECDSA_P256_SHA256_ASN1_SIGNING };
            let pair = EcdsaKeyPair::from_pkcs8(algorithm, &self.document, &random).unwrap();
            pair.sign(&random, message).unwrap().as_ref().to_vec()
        }
    }

    /// A license key with any header, signed by anything.
    fn token(header: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims()).unwrap())
        );
        let signature = sign(message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn header(alg: &str, kid: &str) -> Value {
        json!({ "alg": alg, "kid": kid, "typ": LICENSE_TYPE })
    }

    #[test]
    fn keys_on_p_256_are_verified_with_es256() {
        let pair = Pair::new();
        let jwks = Jwks { keys: vec![pair.public.clone()] };
        let key = token(&header("ES256", &pair.public.kid), |message| pair.sign(message, true));
        assert_eq!(verify(&key, &jwks, NOW), Ok(claims()));
        assert_eq!((pair.public.alg.as_str(), pair.public.kty.as_str()), ("ES256", "EC"));
        // The last character of the signature carries bits that count for nothing, and must be zero.
        for index in (0..key.len()).step_by(7).chain([key.len() - 1]) {
            let mut changed = key.clone().into_bytes();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(verify(&changed, &jwks, NOW).is_err(), "character {index} was changed unnoticed");
        }
    }

    #[test]
    fn swapped_algorithms_are_refused() {
        let pair = Pair::new();
        let (keyring, path) = new_keyring();
        let ed = keyring.jwks().keys[0].clone();
        let jwks = Jwks { keys: vec![ed.clone(), pair.public.clone()] };
        let ec = |message: &[u8]| pair.sign(message, true);
        let kid = pair.public.kid.as_str();
        let by_ed = |message: &[u8]| {
            let key = key_file::read(&path).unwrap();
            key.sign_here(message).unwrap()
        };
        let with_public_key = |bytes: Vec<u8>| {
            move |message: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &bytes), message).as_ref().to_vec()
        };
        let good = token(&header("ES256", kid), ec);
        assert!(verify(&good, &jwks, NOW).is_ok());
        assert!(verify(&token(&header("EdDSA", &ed.kid), by_ed), &jwks, NOW).is_ok());
        let wrong_kind = [
            token(&header("EdDSA", kid), ec),
            token(&header("ES256", &ed.kid), by_ed),
            token(&header("ES256", &ed.kid), ec),
            token(&header("EdDSA", kid), by_ed),
            token(&header("HS256", kid), with_public_key(pair.public.bytes().unwrap())),
            token(&header("HS256", &ed.kid), with_public_key(ed.bytes().unwrap())),
            token(&header("ES384", kid), ec),
            token(&header("es256", kid), ec),
            token(&header("none", kid), |_| Vec::new()),
            token(&json!({ "alg": "ES256", "kid": kid, "typ": REVOCATIONS_TYPE }), ec),
            token(&json!({ "kid": kid, "typ": LICENSE_TYPE }), ec),
        ];
        for key in wrong_kind {
            let refused = verify(&key, &jwks, NOW);
            assert!(matches!(refused, Err(VerifyError::OtherKind { .. })), "{key}: {refused:?}");
        }
        let bad_signature = [
            token(&header("ES256", kid), |message| pair.sign(message, false)),
            token(&header("ES256", kid), |_| vec![0; 64]),
            token(&header("ES256", kid), |message| pair.sign(message, true)[..63].to_vec()),
            token(&header("ES256", kid), |_| Vec::new()),
            token(&header("ES256", kid), |message| Pair::new().sign(message, true)),
        ];
        for key in bad_signature {
            assert_eq!(verify(&key, &jwks, NOW), Err(VerifyError::BadSignature), "{key}");
        }
        std::fs::remove_file(path).unwrap();
    }

    /// A published key that contradicts itself, or is not meant for signatures, verifies nothing.
    #[test]
    fn a_key_is_for_its_own_algorithm() {
        let pair = Pair::new();
        let key = token(&header("ES256", &pair.public.kid), |message| pair.sign(message, true));
        let changes: [fn(&mut Jwk); 6] = [
            |jwk| jwk.alg = "EdDSA".into(),
            |jwk| jwk.alg = "HS256".into(),
            |jwk| jwk.usage = "enc".into(),
            |jwk| jwk.kty = "OKP".into(),
            |jwk| jwk.crv = "Ed25519".into(),
            |jwk| jwk.kid = "another".into(),
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut public = pair.public.clone();
            change(&mut public);
            let refused = verify(&key, &Jwks { keys: vec![public] }, NOW);
            assert!(matches!(refused, Err(VerifyError::UnknownSigner(_))), "change {number}: {refused:?}");
        }
        let mut moved = pair.public.clone();
        moved.y = moved.x.clone();
        assert_eq!(verify(&key, &Jwks { keys: vec![moved] }, NOW), Err(VerifyError::BadSignature));
    }

    /// Signed by jwcrypto (`tests/fixtures/license_keys`).
    #[test]
    fn keys_of_another_library_are_verified() {
        let text = include_str!("../../tests/fixtures/license_keys/vectors.json");
        let fixture: Value = serde_json::from_str(text).unwrap();
        let vectors = fixture["vectors"].as_array().unwrap();
        let keys: Vec<Jwk> = vectors.iter().map(|one| serde_json::from_value(one["jwk"].clone()).unwrap()).collect();
        let expected: Claims = serde_json::from_value(fixture["claims"].clone()).unwrap();
        let jwks = Jwks { keys };
        for (vector, alg) in vectors.iter().zip(["EdDSA", "ES256"]) {
            let key = vector["license_key"].as_str().unwrap();
            assert_eq!(vector["alg"], alg);
            assert_eq!(verify(key, &jwks, NOW).as_ref(), Ok(&expected), "{alg}");
            let own = jwks.keys.iter().find(|jwk| jwk.alg == alg).unwrap();
            let made =
                if alg == "ES256" { Jwk::p256(&own.x, &own.y) } else { Some(Jwk::ed25519(&own.bytes().unwrap())) };
            assert_eq!(made.as_ref(), Some(own), "the thumbprint, too");
        }
    }
}
