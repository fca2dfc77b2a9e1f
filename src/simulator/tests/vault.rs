use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest::{SHA256, digest},
    signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey},
};
use serde_json::json;

use super::*;

impl Stage {
    async fn vault_token(&self, scope: &str) -> String {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", "7c1f8b7a-3a55-4f0e-8d0b-5a0e5c1d2b33"),
            ("client_secret", "marketplace-secret"),
            ("scope", scope),
        ];
        let url = self.url(&format!("/{PUBLISHER}/oauth2/v2.0/token"));
        let answer: Value = self.http.post(url).form(&form).send().await.unwrap().json().await.unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    async fn vault(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let token = self.vault_token("https://vault.azure.net/.default").await;
        let answer = request.bearer_auth(token).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    async fn vault_get(&self, path: &str) -> (u16, Value) {
        self.vault(self.http.get(self.url(path))).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vault_challenges_whoever_has_no_token_for_it() {
    let stage = Stage::set().await;
    let url = stage.url("/keys/a/versions?api-version=7.4");
    let of_the_marketplace = stage.bearer().await;
    for token in [None, Some("nonsense"), Some(of_the_marketplace.as_str())] {
        let mut request = stage.http.get(&url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 401);
        let challenge = answer.headers()["www-authenticate"].to_str().unwrap().to_owned();
        let expected = format!(
            "Bearer authorization=\"{}{PUBLISHER}\", resource=\"https://vault.azure.net\"",
            stage.simulator.base_url()
        );
        assert_eq!(challenge, expected);
    }
    assert_eq!(stage.vault_get("/keys/a/versions?api-version=7.4").await.0, 404);
    stage.world().create_vault_key("a").unwrap();
    assert_eq!(stage.vault_get("/keys/a/versions?api-version=7.4").await.0, 200);
    assert_eq!(stage.vault_get("/keys/a/versions").await.0, 400, "the version of the API is required");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_signs_digests_and_a_disabled_one_does_not() {
    let stage = Stage::set().await;
    let made = stage.control("vault/keys", json!({"name": "a"})).await;
    let version = made["version"].as_str().unwrap();
    let (_, bundle) = stage.vault_get("/keys/a?api-version=7.4").await;
    assert!(bundle["key"]["kid"].as_str().unwrap().ends_with(&format!("/keys/a/{version}")));
    let part = |name: &str| URL_SAFE_NO_PAD.decode(bundle["key"][name].as_str().unwrap()).unwrap();
    let point = [vec![4], part("x"), part("y")].concat();
    let path = format!("/keys/a/{version}/sign?api-version=7.4");
    let sign = |alg: &str, value: String| stage.http.post(stage.url(&path)).json(&json!({"alg": alg, "value": value}));
    let value = || URL_SAFE_NO_PAD.encode(digest(&SHA256, b"a message"));
    let (status, signed) = stage.vault(sign("ES256", value())).await;
    let signature = URL_SAFE_NO_PAD.decode(signed["value"].as_str().unwrap()).unwrap();
    assert_eq!((status, signature.len()), (200, 64));
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(b"a message", &signature).unwrap();
    assert_eq!(stage.vault(sign("RS256", value())).await.0, 400);
    assert_eq!(stage.vault(sign("ES256", "c2hvcnQ".to_owned())).await.0, 400, "only digests are signed");
    let later = json!({"notBefore": "2026-02-01T00:00:00Z"});
    stage.control(&format!("vault/keys/a/{version}"), later).await;
    let (status, refused) = stage.vault(sign("ES256", value())).await;
    assert_eq!((status, &refused["error"]["innererror"]["code"]), (403, &json!("KeyNotYetValid")));
    stage.control(&format!("vault/keys/a/{version}"), json!({"enabled": false})).await;
    let (status, refused) = stage.vault_get(&format!("/keys/a/{version}?api-version=7.4")).await;
    assert_eq!((status, &refused["error"]["innererror"]["code"]), (403, &json!("KeyDisabled")));
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_come_in_pages_and_secrets_with_their_value() {
    let stage = Stage::set().await;
    for number in 0..30 {
        stage.world().set_vault_secret("s", &format!("value {number}")).unwrap();
    }
    let (_, first) = stage.vault_get("/secrets/s/versions?api-version=7.4").await;
    assert_eq!(first["value"].as_array().unwrap().len(), 25);
    assert!(first["value"][0]["id"].is_string() && first["value"][0]["value"].is_null());
    let next = first["nextLink"].as_str().unwrap();
    let (_, second) = stage.vault(stage.http.get(next)).await;
    assert_eq!((second["value"].as_array().unwrap().len(), &second["nextLink"]), (5, &Value::Null));
    assert_eq!(stage.vault_get("/secrets/s?api-version=7.4").await.1["value"], "value 29");
}
