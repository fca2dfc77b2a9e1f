use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::*;

pub(super) const SIGN_IN: &str = "2b6a3f7e-91c4-4a5e-b0c3-6d1f0e9a8c44";
const STAFF: &str = "9e4d2c1b-6f7a-4b8c-9d0e-1a2b3c4d5e66";
const VERIFIER: &str = "a-verifier-of-forty-three-characters-or-more";

fn challenge() -> String {
    URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, VERIFIER.as_bytes()))
}

fn authorize(stage: &Stage, tenant: &str, change: &[(&str, &str)]) -> String {
    let mut url = stage.simulator.base_url().join(&format!("/{tenant}/oauth2/v2.0/authorize")).unwrap();
    let challenge = challenge();
    let usual = [
        ("client_id", SIGN_IN),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid profile email"),
        ("state", "the-state"),
        ("nonce", "the-nonce"),
        ("prompt", "select_account"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let kept = usual.into_iter().filter(|(name, _)| !change.iter().any(|(changed, _)| changed == name));
    url.query_pairs_mut().extend_pairs(kept).extend_pairs(change);
    url.into()
}

fn location(answer: &reqwest::Response) -> std::collections::HashMap<String, String> {
    assert_eq!(answer.status(), 303);
    let url = Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    assert!(url.as_str().starts_with(CALLBACK));
    url.query_pairs().into_owned().collect()
}

async fn code(stage: &Stage, tenant: &str, change: &[(&str, &str)]) -> String {
    let answer = stage.http.get(authorize(stage, tenant, change)).send().await.unwrap();
    let parameters = location(&answer);
    assert_eq!(parameters["state"], "the-state");
    parameters["code"].clone()
}

async fn redeem(stage: &Stage, tenant: &str, code: &str, change: &[(&str, &str)]) -> (u16, Value) {
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("client_id", SIGN_IN),
        ("client_secret", "sign-in-secret"),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
        ("code", code),
    ];
    form.retain(|(name, _)| !change.iter().any(|(changed, _)| changed == name));
    form.extend(change);
    let url = stage.url(&format!("/{tenant}/oauth2/v2.0/token"));
    let answer = stage.http.post(url).form(&form).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// What Alex Weber gets from signing in.
pub(super) async fn id_token(stage: &Stage) -> String {
    let code = code(stage, "common", &[("sim_user", &ALEX.to_string())]).await;
    redeem(stage, "common", &code, &[]).await.1["id_token"].as_str().unwrap().to_owned()
}

fn claims(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_signs_in_with_a_code() {
    let stage = Stage::set().await;
    let picker = stage.http.get(authorize(&stage, "common", &[])).send().await.unwrap();
    assert_eq!(picker.status(), 200);
    assert!(picker.text().await.unwrap().contains("Alex Weber"));
    let chosen = stage.http.post(authorize(&stage, "common", &[])).form(&[("sim_user", ALEX.to_string())]);
    let code = location(&chosen.send().await.unwrap())["code"].clone();
    let (status, answer) = redeem(&stage, "common", &code, &[]).await;
    assert_eq!(status, 200, "{answer}");
    let claims = claims(answer["id_token"].as_str().unwrap());
    let issuer = stage.url("/3f0c1d9e-6a52-4d0b-9a37-0c2f6a1b7e44/v2.0");
    for (name, value) in [
        ("aud", json!(SIGN_IN)),
        ("iss", json!(issuer)),
        ("tid", json!("3f0c1d9e-6a52-4d0b-9a37-0c2f6a1b7e44")),
        ("oid", json!(ALEX)),
        ("nonce", json!("the-nonce")),
        ("email", json!("alex.weber@contoso.example")),
        ("exp", json!(datetime!(2026-01-15 11:00 UTC).unix_timestamp())),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    assert_eq!(redeem(&stage, "common", &code, &[]).await.0, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn id_tokens_verify_with_the_published_keys() {
    let stage = Stage::set().await;
    let keys = async || {
        let url = stage.url("/common/discovery/v2.0/keys");
        stage.http.get(url).send().await.unwrap().json::<Value>().await.unwrap()
    };
    let before = keys().await;
    stage.world().rotate_keys();
    let user = ALEX.to_string();
    let code = code(&stage, "common", &[("sim_user", &user)]).await;
    let answer = redeem(&stage, "common", &code, &[]).await.1;
    let token = answer["id_token"].as_str().unwrap();
    let kid = jsonwebtoken::decode_header(token).unwrap().kid.unwrap();
    assert!(!before.to_string().contains(&kid));
    let after = keys().await;
    let key = after["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid.as_str()).unwrap();
    assert_eq!(key["issuer"], stage.url("/{tenantid}/v2.0").replace("%7B", "{").replace("%7D", "}"));
    let parts =
        [key["n"].as_str().unwrap(), key["e"].as_str().unwrap()].map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let public = ring::rsa::PublicKeyComponents { n: &parts[0], e: &parts[1] };
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    public.verify(&ring::signature::RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), &signature).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_bound_to_everything_that_asked_for_it() {
    let stage = Stage::set().await;
    let user = ALEX.to_string();
    for (wrong, error) in [
        (("code_verifier", "another"), "invalid_grant"),
        (("redirect_uri", "http://127.0.0.1:1/other"), "invalid_grant"),
        (("client_secret", "wrong"), "invalid_client"),
    ] {
        let code = code(&stage, "common", &[("sim_user", &user)]).await;
        assert_eq!(redeem(&stage, "common", &code, &[wrong]).await.1["error"], error, "{wrong:?}");
    }
    let old = code(&stage, "common", &[("sim_user", &user)]).await;
    stage.world().advance(time::Duration::minutes(10)).unwrap();
    assert_eq!(redeem(&stage, "common", &old, &[]).await.1["error_codes"], json!([70_008]));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_are_shown_or_sent_back_as_entra_does() {
    let stage = Stage::set().await;
    let page = async |change: &[(&str, &str)]| {
        let answer = stage.http.get(authorize(&stage, "common", change)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    for (change, code) in [
        (("redirect_uri", "https://evil.example/"), "AADSTS50011"),
        (("client_id", "00000000-0000-0000-0000-000000000001"), "AADSTS700016"),
        (("client_id", STAFF), "AADSTS50194"),
        (("sim_user", "00000000-0000-0000-0000-000000000001"), "AADSTS50020"),
    ] {
        let (status, text) = page(&[change]).await;
        assert!(status == 400 && text.contains(code), "{change:?} {text}");
    }
    for change in
        [("code_challenge_method", "plain"), ("scope", "profile"), ("response_type", "id_token"), ("nonce", "")]
    {
        let answer = stage.http.get(authorize(&stage, "common", &[change])).send().await.unwrap();
        assert!(location(&answer).contains_key("error"), "{change:?}");
    }
    let user = ALEX.to_string();
    let wrong_tenant = stage.http.get(authorize(&stage, "consumers", &[("sim_user", &user)])).send().await.unwrap();
    assert_eq!(wrong_tenant.status(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_get_their_roles_in_their_own_tenant() {
    let stage = Stage::set().await;
    let user = "d1a5c0de-0004-4b1e-8f00-1f2e3d4c5b04";
    let code = code(&stage, PUBLISHER, &[("client_id", STAFF), ("sim_user", user)]).await;
    let change = [("client_id", STAFF), ("client_secret", "staff-secret")];
    let answer = redeem(&stage, PUBLISHER, &code, &change).await.1;
    assert_eq!(claims(answer["id_token"].as_str().unwrap())["roles"], json!(["Admin"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_without_a_mailbox_has_no_email_claim() {
    let stage = Stage::set().await;
    let user = "a1e4b2c3-7d60-4f51-8a92-3b1c5d7e9f03";
    let code = code(&stage, "organizations", &[("sim_user", user)]).await;
    let answer = redeem(&stage, "organizations", &code, &[]).await.1;
    assert_eq!(claims(answer["id_token"].as_str().unwrap()).get("email"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn application_tokens_come_in_both_versions_and_by_all_proofs() {
    let stage = Stage::set().await;
    let ask = async |path: &str, form: &[(&str, &str)]| {
        let url = stage.url(&format!("/{PUBLISHER}/{path}"));
        let answer = stage.http.post(url).form(form).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let app = ("client_id", "7c1f8b7a-3a55-4f0e-8d0b-5a0e5c1d2b33");
    let grant = ("grant_type", "client_credentials");
    let secret = ("client_secret", "marketplace-secret");
    let scope = ("scope", "20e940b3-4c77-4b0b-9a53-9e16a1b010a7/.default");
    let v1 = ask("oauth2/token", &[grant, app, secret, ("resource", RESOURCE)]).await.1;
    assert_eq!(v1["expires_in"], "3600");
    let token = v1["access_token"].as_str().unwrap();
    assert_eq!(claims(token)["appid"], app.1);
    assert_eq!(stage.http.get(stage.api("")).bearer_auth(token).send().await.unwrap().status(), 200);
    let v2 = ask("oauth2/v2.0/token", &[grant, app, secret, scope]).await.1;
    assert_eq!(
        (&v2["expires_in"], &claims(v2["access_token"].as_str().unwrap())["azp"]),
        (&json!(3600), &json!(app.1))
    );
    let kind = ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    let federated = ask("oauth2/v2.0/token", &[grant, app, kind, ("client_assertion", token), scope]).await;
    assert_eq!(federated.1["error_codes"], json!([700_211]), "a token of this tenant, and not of version 2");
    for (audience, code) in [("api://AzureADTokenExchange", None), ("https://kubernetes.default.svc", Some(700_212))] {
        let file = stage.simulator.world().service_account_token(audience).unwrap();
        let federated = ask("oauth2/v2.0/token", &[grant, app, kind, ("client_assertion", &file), scope]).await;
        let expected = code.map_or(Value::Null, |code| json!([code]));
        assert_eq!((federated.0 == 200, &federated.1["error_codes"]), (code.is_none(), &expected));
        let changed = file.replacen(".eyJ", ".eyK", 1);
        let forged = ask("oauth2/v2.0/token", &[grant, app, kind, ("client_assertion", &changed), scope]).await;
        assert_eq!(forged.1["error_codes"], json!([50_013]));
    }
    let (status, wrong) = ask("oauth2/v2.0/token", &[grant, app, ("client_secret", "x"), scope]).await;
    assert_eq!((status, &wrong["error"], &wrong["error_codes"]), (401, &json!("invalid_client"), &json!([7_000_215])));
    assert!(wrong["error_description"].as_str().unwrap().starts_with("AADSTS7000215: Invalid client secret provided."));
    assert!(wrong["error_description"].as_str().unwrap().contains("\r\nTrace ID: "));
    stage.control("secrets/expire", json!({"app": "marketplace"})).await;
    assert_eq!(ask("oauth2/v2.0/token", &[grant, app, secret, scope]).await.1["error_codes"], json!([7_000_222]));
    stage.control("secrets/restore", json!({"app": "marketplace"})).await;
    assert_eq!(ask("oauth2/v2.0/token", &[grant, app, secret, scope]).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn discovery_has_the_templated_issuer() {
    let stage = Stage::set().await;
    let read = async |tenant: &str| {
        let url = stage.url(&format!("/{tenant}/v2.0/.well-known/openid-configuration"));
        stage.http.get(url).send().await.unwrap().json::<Value>().await.unwrap()
    };
    let base = stage.simulator.base_url();
    let common = read("common").await;
    assert_eq!(common["issuer"], format!("{base}{{tenantid}}/v2.0"));
    assert_eq!(common["authorization_endpoint"], format!("{base}common/oauth2/v2.0/authorize"));
    assert_eq!(read(PUBLISHER).await["issuer"], format!("{base}{PUBLISHER}/v2.0"));
    assert_eq!(read("00000000-0000-0000-0000-000000000009").await["error"], "invalid_tenant");
}
