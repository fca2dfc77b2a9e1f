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

#[test]
fn a_signed_key_is_verified_by_the_published_keys() {
    let (keyring, path) = new_keyring();
    let signed = keyring.sign(&claims()).unwrap();
    assert!(signed.compact.starts_with("eyJ"));
    assert_eq!(verify(&signed.compact, &keyring.jwks(), datetime!(2026-02-01 0:00 UTC)), Ok(claims()));
    assert_eq!(keyring.sign(&claims()).unwrap(), signed, "Ed25519 is deterministic");
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_key_holds_only_within_its_time() {
    let (keyring, path) = new_keyring();
    let key = keyring.sign(&claims()).unwrap().compact;
    let at = |instant| verify(&key, &keyring.jwks(), instant);
    assert_eq!(at(datetime!(2026-01-14 23:59 UTC)), Err(VerifyError::NotYet(datetime!(2026-01-15 0:00 UTC))));
    assert!(at(datetime!(2026-02-27 23:59:59 UTC)).is_ok());
    assert_eq!(at(datetime!(2026-02-28 0:00 UTC)), Err(VerifyError::Ended(datetime!(2026-02-28 0:00 UTC))));
    std::fs::remove_file(path).unwrap();
}

#[test]
fn every_changed_character_is_noticed() {
    let (keyring, path) = new_keyring();
    let key = keyring.sign(&claims()).unwrap().compact;
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
    let old_key = old.sign(&claims()).unwrap();
    let new_key = rotated.sign(&claims()).unwrap();
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
