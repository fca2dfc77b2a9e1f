//! Sign-in of buyers and staff without any client secret: the registrations trust the workload.

use std::path::PathBuf;

use seatkey::{
    cli::browser::Browser,
    clock::AdvanceableClock as _,
    simulator::{Fault, FaultAction},
};
use time::Duration;

use crate::support::{
    Database, Stage,
    people::{ALEX, JO},
    staff::{self, ADA, MIRA},
    told::doctor_says,
};

const AUDIENCE: &str = "api://AzureADTokenExchange";

/// A service without a secret, whose [entra.credential] has these lines.
async fn set(credential: &str) -> Stage {
    let mut stage = Stage::set(Database::Sqlite).await;
    stage.change_configuration("kind = \"client_secret\"\nclient_secret = \"marketplace-secret\"", credential);
    stage.change_configuration("client_secret = \"sign-in-secret\"\n", "");
    stage.change_configuration("client_secret = \"staff-secret\"\n", "");
    stage
}

/// The same with a token that the platform writes into a file; the first one is for this audience.
async fn set_in_a_cluster(audience: &str) -> (Stage, PathBuf) {
    let place = std::env::temp_dir().join(format!("seatkey-token-{}", uuid::Uuid::new_v4().simple()));
    let lines = format!("kind = \"workload_identity\"\ntoken_file = \"{}\"", place.display());
    let mut stage = set(&lines).await;
    write_token(&stage, &place, audience);
    stage.restart().await;
    (stage, place)
}

fn write_token(stage: &Stage, place: &PathBuf, audience: &str) {
    std::fs::write(place, stage.world().service_account_token(audience).unwrap() + "\n").unwrap();
}

/// The bodies of the requests for tokens so far.
fn token_requests(stage: &Stage) -> Vec<String> {
    let requests = stage.world().requests().into_iter();
    requests.filter(|request| request.path.ends_with("/v2.0/token")).map(|request| request.body).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_managed_identity_signs_everybody_in() {
    let mut stage = set("kind = \"federated_managed_identity\"").await;
    stage.restart().await;
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.enrol(&mut alex, id, "150").await;
    stage.settle().await;
    staff::signed_in(&stage, ADA).await;
    // What the identity was given is over by then; and where Entra alone thinks so, it is asked for anew.
    stage.clock.advance(Duration::hours(2)).unwrap();
    let words = "AADSTS700024: Client assertion is not within its valid time range.";
    let body = serde_json::json!({"error": "invalid_client", "error_description": words}).to_string();
    let over = FaultAction { status: Some(401), body: Some(body), ..FaultAction::default() };
    stage.world().add_fault(Fault::next("/*/oauth2/v2.0/token", over));
    let mut jo = Browser::of(JO).unwrap();
    assert_eq!(jo.open(stage.url("subscriptions")).await.unwrap().status, 200);
    staff::signed_in(&stage, MIRA).await;
    let bodies = token_requests(&stage);
    let codes = bodies.iter().filter(|body| body.contains("grant_type=authorization_code")).count();
    // Four people, one with a second try, and no secret anywhere.
    assert_eq!((codes, bodies.iter().any(|body| body.contains("client_secret"))), (5, false), "{bodies:#?}");
    assert!(bodies.iter().all(|body| body.contains("client_assertion=***") && body.contains("client_id=")));
    assert_eq!(stage.app.health.troubles(), [""; 0]);
    stage.settle().await;
    stage.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_audience_that_is_not_trusted_is_told_to_the_publisher() {
    let (stage, place) = set_in_a_cluster("https://kubernetes.default.svc").await;
    for (person, path, section) in [(ALEX, "subscriptions", "sign_in"), (ADA, "console", "staff")] {
        let page = Browser::of(person).unwrap().open(stage.url(path)).await.unwrap();
        assert!(page.status >= 400, "{}", page.text);
        assert_eq!(
            page.text.contains("AADSTS700212"),
            section == "staff",
            "Entra's words are for the publisher: {}",
            page.text
        );
        let troubles = stage.app.health.troubles();
        let told = troubles.iter().find(|line| line.starts_with(&format!("[{section}] is refused: AADSTS700212: ")));
        assert!(told.is_some_and(|line| line.contains("audience 'https://kubernetes.default.svc'")), "{troubles:?}");
        let (saw, does) = complaint(&stage, &format!("{section}.secret")).await.unwrap();
        assert!(saw.contains("AADSTS700212") && does.starts_with("Add a federated credential"), "{saw}: {does}");
        assert_eq!(complaint(&stage, &format!("{section}.secret_days")).await, None, "there is none that could end");
    }
    // The platform writes a better one, and nothing has to be started anew.
    write_token(&stage, &place, AUDIENCE);
    for (person, path, section) in [(ALEX, "subscriptions", "sign_in"), (ADA, "console", "staff")] {
        let page = Browser::of(person).unwrap().open(stage.url(path)).await.unwrap();
        assert_eq!((page.status, page.url.path()), (200, format!("/{path}").as_str()), "{}", page.text);
        assert_eq!(complaint(&stage, &format!("{section}.secret")).await, None);
    }
    assert_eq!(stage.app.health.troubles(), [""; 0]);
    std::fs::remove_file(&place).unwrap();
    let page = Browser::of(JO).unwrap().open(stage.url("subscriptions")).await.unwrap();
    let troubles = stage.app.health.troubles();
    assert!(page.status >= 400 && troubles[0].contains("cannot be read"), "{troubles:?}");
    stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_secret_and_without_trust_there_is_no_start() {
    let mut stage = Stage::set(Database::Sqlite).await;
    for (secret, section) in [("sign-in-secret", "sign_in"), ("staff-secret", "staff")] {
        let line = format!("client_secret = \"{secret}\"\n");
        stage.change_configuration(&line, "# no secret\n");
        let refused = stage.try_build().await.unwrap_err().to_string();
        assert!(
            refused.contains(&format!("{section}.client_secret is missing"))
                && refused.contains("workload_identity or federated_managed_identity"),
            "{refused}"
        );
        stage.change_configuration("# no secret\n", &line);
    }
    stage.strike().await;
}

/// What the doctor complains about at a check: what it saw, and what mends it.
async fn complaint(stage: &Stage, id: &str) -> Option<(String, &'static str)> {
    let verdict = doctor_says(stage, id).await;
    verdict.mend().map(|mend| (verdict.saw().to_owned(), mend.does))
}
