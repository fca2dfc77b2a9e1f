//! A new signing key is published first and signs later; what the old one signed stays genuine.

use seatkey::{
    app::{Synced, sync_key},
    signing::{self, VerifyError},
    simulator::VaultChange,
};
use time::Duration;

use super::{NAME, address, algorithm, enrolled, file, newest, set, use_keys};
use crate::{
    on_both_databases,
    support::{Stage, told::known},
};

on_both_databases! {
    a_new_version_is_published_for_a_day_before_it_signs;
    a_leaked_version_is_disabled;
    from_a_file_to_the_vault_and_back;
    more_versions_than_a_page;
}

async fn refresh(stage: &Stage) {
    stage.app.keyring.refresh(stage.world().now()).await.unwrap();
}

fn published(stage: &Stage) -> Vec<String> {
    stage.app.keyring.jwks().keys.into_iter().map(|key| key.kid).collect()
}

/// Which key signs now.
async fn signer(stage: &Stage) -> String {
    let (_, id) = enrolled(stage).await;
    newest(stage, id).await.unwrap().signing_key_id
}

async fn a_new_version_is_published_for_a_day_before_it_signs(mut stage: Stage) {
    set(&mut stage).await;
    let (_, id) = enrolled(&stage).await;
    let old = newest(&stage, id).await.unwrap();
    assert_eq!(published(&stage), std::slice::from_ref(&old.signing_key_id));
    // No restart from here on.
    stage.world().create_vault_key(NAME).unwrap();
    assert_eq!(published(&stage).len(), 1);
    refresh(&stage).await;
    let both = published(&stage);
    assert_eq!((both.len(), &both[1]), (2, &old.signing_key_id), "the newest first");
    assert_eq!(signer(&stage).await, old.signing_key_id, "published, and not signing yet");
    stage.advance(Duration::hours(25));
    refresh(&stage).await;
    assert_eq!(published(&stage), both);
    assert_eq!(signer(&stage).await, both[0], "a day later");
    // A product with the old key, and one that fetched the published keys on the first day.
    let jwks = stage.app.keyring.jwks();
    assert!(signing::verify(&old.compact, &jwks, stage.world().now()).is_ok());
    let synced = sync_key(&stage.app, &old.compact).await.unwrap();
    assert!(matches!(synced, Synced::Newest(key) if key.compact == old.compact));
    // An activation date takes the place of the day.
    let third = stage.world().create_vault_key(NAME).unwrap();
    let at = stage.world().now() + Duration::days(7);
    let change = VaultChange { not_before: Some(at), ..VaultChange::default() };
    assert!(stage.world().change_vault_version("keys", NAME, &third, &change));
    stage.advance(Duration::days(6));
    refresh(&stage).await;
    let three = published(&stage);
    assert_eq!((three.len(), signer(&stage).await), (3, both[0].clone()));
    stage.advance(Duration::days(1));
    refresh(&stage).await;
    assert_eq!(signer(&stage).await, three[0]);
    // A new process comes to the same.
    stage.restart().await;
    assert_eq!((published(&stage), signer(&stage).await), (three.clone(), three[0].clone()));
    stage.strike().await;
}

async fn a_leaked_version_is_disabled(mut stage: Stage) {
    let first = stage.world().create_vault_key(NAME).unwrap();
    let key = address(&stage, "keys");
    use_keys(&mut stage, &[key]).await;
    let (_, id) = enrolled(&stage).await;
    let old = newest(&stage, id).await.unwrap();
    stage.world().create_vault_key(NAME).unwrap();
    let off = VaultChange { enabled: Some(false), ..VaultChange::default() };
    assert!(stage.world().change_vault_version("keys", NAME, &first, &off));
    refresh(&stage).await;
    let left = published(&stage);
    assert_eq!(left.len(), 1);
    assert_ne!(left[0], old.signing_key_id);
    assert_eq!(signer(&stage).await, left[0], "at once: there is no other one");
    let refused = signing::verify(&old.compact, &stage.app.keyring.jwks(), stage.world().now());
    assert!(matches!(refused, Err(VerifyError::UnknownSigner(_))), "{refused:?}");
    assert_eq!(sync_key(&stage.app, &old.compact).await.unwrap(), Synced::NotOurs);
    // Whoever leaked it is out; the customer's page has a key again when it is replaced.
    let buyer = known(&stage, id).await.microsoft.purchaser;
    let who =
        seatkey::domain::policy::Identity { tenant_id: buyer.tenant_id.unwrap(), object_id: buyer.object_id.unwrap() };
    assert!(seatkey::app::rotate_license(&stage.app, who, id, old.seq).await.unwrap());
    let fresh = newest(&stage, id).await.unwrap();
    assert_eq!(fresh.signing_key_id, left[0]);
    stage.strike().await;
}

async fn from_a_file_to_the_vault_and_back(mut stage: Stage) {
    let (_, id) = enrolled(&stage).await;
    let by_file = newest(&stage, id).await.unwrap();
    stage.world().create_vault_key(NAME).unwrap();
    let (vault, file) = (address(&stage, "keys"), file(&stage));
    // Published first, then in front, then the file goes.
    use_keys(&mut stage, &[file.clone(), vault.clone()]).await;
    assert_eq!(published(&stage).len(), 2);
    assert_eq!(signer(&stage).await, by_file.signing_key_id);
    use_keys(&mut stage, &[vault.clone(), file.clone()]).await;
    let (_, id) = enrolled(&stage).await;
    let by_vault = newest(&stage, id).await.unwrap();
    assert_eq!((algorithm(&by_file.compact).as_str(), algorithm(&by_vault.compact).as_str()), ("EdDSA", "ES256"));
    for key in [&by_file, &by_vault] {
        assert!(matches!(sync_key(&stage.app, &key.compact).await.unwrap(), Synced::Newest(_)));
    }
    use_keys(&mut stage, std::slice::from_ref(&vault)).await;
    assert_eq!(sync_key(&stage.app, &by_file.compact).await.unwrap(), Synced::NotOurs);
    // And back, with the vault's key published for as long as it is needed.
    use_keys(&mut stage, &[file, vault]).await;
    assert_eq!(signer(&stage).await, by_file.signing_key_id);
    for key in [&by_file, &by_vault] {
        assert!(matches!(sync_key(&stage.app, &key.compact).await.unwrap(), Synced::Newest(_)));
    }
    stage.strike().await;
}

/// The list of versions comes in pages; the address of the next one names a host that no token goes to.
async fn more_versions_than_a_page(mut stage: Stage) {
    for _ in 0..30 {
        stage.world().create_vault_key(NAME).unwrap();
        stage.advance(Duration::SECOND);
    }
    let key = address(&stage, "keys");
    use_keys(&mut stage, &[key]).await;
    assert_eq!(published(&stage).len(), 30);
    let newest = stage.world().create_vault_key(NAME).unwrap();
    let pinned = format!("{}/{newest}", address(&stage, "keys"));
    use_keys(&mut stage, &[pinned]).await;
    assert_eq!(published(&stage).len(), 1, "one version is one key");
    stage.strike().await;
}
