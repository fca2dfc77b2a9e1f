//! What is wrong with a vault at the start: named, with whose it is and what to do.

use seatkey::simulator::{App, VaultChange};

use super::{NAME, address, fail, name_keys};
use crate::support::{Database, Stage};

/// What a start comes to with this key.
async fn refusal(stage: &mut Stage, key: String) -> String {
    name_keys(stage, &[key]);
    match stage.try_build().await {
        Ok(_) => panic!("it starts"),
        Err(error) => error.to_string(),
    }
}

fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word} is not in: {text}");
    }
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_has_a_sentence_of_its_own() {
    let mut stage = Stage::set(Database::Sqlite).await;
    let version = stage.world().create_vault_key(NAME).unwrap();
    let (key, base) = (address(&stage, "keys"), stage.simulator.base_url().to_string());
    let missing = refusal(&mut stage, format!("{base}keys/another")).await;
    says(&missing, &["keys/another", "does not have it", "az keyvault key create"]);
    says(&refusal(&mut stage, format!("{base}certificates/a")).await, &["no address of a key vault", "/keys/NAME"]);
    let nowhere = refusal(&mut stage, "http://127.0.0.1:1/keys/a".to_owned()).await;
    says(&nowhere, &["127.0.0.1:1/keys/a", "does not answer", "try again in a minute"]);

    let forbidden = r#"{"error":{"code":"Forbidden","message":"Caller is not authorized to perform action on resource.\r\nCaller: appid=…","innererror":{"code":"ForbiddenByRbac"}}}"#;
    fail(&stage, "/keys/**", 403, 1, forbidden);
    let text = refusal(&mut stage, key.clone()).await;
    says(&text, &["ForbiddenByRbac: Caller is not authorized", "Key Vault Crypto User", "[entra.credential]"]);
    stage.world().clear_faults();
    let rsa = r#"{"key":{"kid":"k","kty":"RSA","n":"AQAB","e":"AQAB"},"attributes":{"enabled":true}}"#;
    fail(&stage, "/keys/*/*", 200, 1_000, rsa);
    let text = refusal(&mut stage, format!("{key}/{version}")).await;
    says(&text, &["a key of kind RSA", "P-256"]);
    stage.world().clear_faults();
    fail(&stage, "/keys/**", 401, 2, "");
    says(&refusal(&mut stage, key.clone()).await, &["does not take the token", "it trusts the tenant of"]);
    stage.world().clear_faults();
    fail(&stage, "/keys/**", 429, 1_000, "");
    says(&refusal(&mut stage, key.clone()).await, &["does not answer (it answers 429", "try again in a minute"]);
    stage.world().clear_faults();
    fail(&stage, "/keys/**", 200, 1_000, "<html>Welcome</html>");
    says(&refusal(&mut stage, key.clone()).await, &["what answers is no key vault"]);
    stage.world().clear_faults();

    stage.world().expire_secret(App::Marketplace);
    let text = refusal(&mut stage, key.clone()).await;
    says(&text, &["Entra gives no token for the key vault", "AADSTS7000222", "[entra.credential]"]);
    stage.world().restore_secret(App::Marketplace);
    let off = VaultChange { enabled: Some(false), ..VaultChange::default() };
    assert!(stage.world().change_vault_version("keys", NAME, &version, &off));
    says(&refusal(&mut stage, key.clone()).await, &["all of its versions are disabled"]);
    says(&refusal(&mut stage, format!("{key}/{version}")).await, &["KeyDisabled", "disabled key"]);
    stage.world().set_vault_secret(NAME, "hunter2").unwrap();
    let secret = address(&stage, "secrets");
    let text = refusal(&mut stage, secret).await;
    says(&text, &["is not an Ed25519 key in PKCS#8 PEM", "seatkey license keygen"]);
    assert!(!text.contains("hunter2"));
    stage.strike().await;
}

/// A managed identity goes to the vault as itself; the marketplace gets the registration that trusts it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_managed_identity_asks_as_itself() {
    let mut stage = Stage::set(Database::Sqlite).await;
    stage.world().create_vault_key(NAME).unwrap();
    let identity = "kind = \"federated_managed_identity\"";
    stage.change_configuration("kind = \"client_secret\"", identity);
    stage.change_configuration("client_secret = \"marketplace-secret\"\n", "");
    let key = address(&stage, "keys");
    super::use_keys(&mut stage, &[key]).await;
    let (_, id) = super::enrolled(&stage).await;
    assert!(super::newest(&stage, id).await.is_some());
    let requests = stage.world().requests();
    let resources: Vec<_> = requests
        .iter()
        .filter(|request| request.path.starts_with("/metadata/identity"))
        .map(|request| format!("{request:?}"))
        .collect();
    assert!(resources.iter().any(|request| request.contains("vault.azure.net")), "{resources:?}");
    stage.finish().await;
}
