//! What is wrong at Microsoft's end, and between there and the catalog.

use seatkey::{
    app::checkup::Whose::{Catalog, EntraAdmin, Microsoft, Network, Operations, PartnerCenter},
    simulator::{App, Fault, FaultAction},
};

use super::bench::{Bench, Look, Wrong};
use crate::support::Database;

fn always(path: &str, action: FaultAction) -> Fault {
    Fault { count: 999, ..Fault::next(path, action) }
}

fn status(status: u16, body: &str) -> FaultAction {
    FaultAction { status: Some(status), body: Some(body.to_owned()), ..FaultAction::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn registrations_that_are_wrong_are_named() {
    let bench = Bench::set(Database::Sqlite).await;
    let world = bench.stage.world();
    let renewed = "Have a new client secret made";
    for (app, id) in [(App::Marketplace, "entra.token"), (App::SignIn, "sign_in.secret"), (App::Staff, "staff.secret")]
    {
        world.expire_secret(app);
        let saw = bench.complains("an expired secret", &bench.good, (id, Wrong, Operations, renewed)).await;
        assert!(saw.contains("AADSTS7000222"), "{saw}");
    }
    let own = &bench.stage.public_url;
    for (missing, kept, id) in [
        ("sign-in/callback", "console/sign-in/callback", "sign_in.redirect"),
        ("console/sign-in/callback", "sign-in/callback", "staff.redirect"),
    ] {
        world.register_publisher(&format!("{own}landing"), &format!("{own}webhook"), [format!("{own}{kept}")]);
        let expected = (id, Wrong, EntraAdmin, "Enter exactly this address as a redirect URI");
        let saw = bench.complains("a missing redirect address", &bench.good, expected).await;
        assert!(saw.contains(&format!("{own}{missing}")), "{saw}");
    }
    let code = |code: &str| status(400, &format!(r#"{{"error":"x","error_description":"{code}: words\r\nTrace: 1"}}"#));
    let table = [
        ("AADSTS700213", EntraAdmin, "Add a federated credential"),
        ("AADSTS500011", EntraAdmin, "Make the marketplace known in the tenant"),
        ("AADSTS7000112", EntraAdmin, "Enable the application in Entra"),
        ("AADSTS4711", EntraAdmin, "Look the AADSTS code up"),
    ];
    for (number, whose, does) in table {
        // The first token is the marketplace's; the other two registrations get theirs.
        world.add_fault(Fault::next("/*/oauth2/v2.0/token", code(number)));
        bench.complains(number, &bench.good, ("entra.token", Wrong, whose, does)).await;
    }
    bench.stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_marketplace_that_is_wrong_is_named() {
    let bench = Bench::set(Database::Sqlite).await;
    let world = bench.stage.world();
    let (list, sums) = ("/api/saas/subscriptions", "/api/usageEvents");
    let cut = || FaultAction { cut: true, ..FaultAction::default() };
    let register = "Enter [marketplace] tenant_id and application_id";
    let table = [
        (list, status(403, r#""another App ID""#), "marketplace.fulfillment", PartnerCenter, register),
        (list, status(503, ""), "marketplace.fulfillment", Microsoft, "Wait"),
        (list, cut(), "marketplace.fulfillment", Network, "Let this machine reach"),
        (list, status(200, "<html>"), "marketplace.fulfillment", Operations, "Correct [marketplace] base_url"),
        (sums, status(403, r#""another App ID""#), "marketplace.metering", PartnerCenter, register),
        (sums, status(503, ""), "marketplace.metering", Microsoft, "Wait"),
    ];
    for (path, action, id, whose, does) in table {
        let what = format!("{path} {action:?}");
        world.add_fault(always(path, action));
        bench.complains(&what, &bench.good, (id, Wrong, whose, does)).await;
    }
    world.switch(|switches| switches.clock_skew_seconds = 3_600);
    let expected = ("clock.microsoft", Wrong, Operations, "Switch time synchronisation on at this machine");
    let saw = bench.complains("an hour apart", &bench.good, expected).await;
    assert!(saw.starts_with("our clock is 3600 s behind") || saw.starts_with("our clock is 3599 s behind"), "{saw}");
    world.switch(|switches| switches.clock_skew_seconds = -60);
    let (id, _, whose, does) = expected;
    bench.complains("a minute apart", &bench.good, (id, Look, whose, does)).await;
    bench.stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_catalog_that_is_not_microsofts_is_named() {
    let bench = Bench::set(Database::Sqlite).await;
    let world = bench.stage.world();
    let table = [
        ("id = \"team\"", "id = \"teams\"", ("marketplace.offers", Wrong, Catalog, "Add the offer or plan")),
        (
            "konnekt-250-user",
            "konnekt-251-user",
            ("marketplace.dimensions", Wrong, PartnerCenter, "Add the custom meter"),
        ),
        ("term_unit = \"P1Y\"", "term_unit = \"P2Y\"", ("marketplace.terms", Wrong, Catalog, "Correct term_unit")),
        ("model = \"per_user\"", "model = \"flat\"", ("marketplace.terms", Wrong, Catalog, "Correct model")),
        ("\"600.00\"", "\"610.00\"", ("marketplace.prices", Look, Catalog, "Correct the price lists")),
    ];
    for (from, to, expected) in table {
        bench.complains(to, &bench.with_catalog(from, to), expected).await;
    }
    world.set_price("konnekt", "konnekt-yearly", "DE", "konnekt-25-user", "12.50").unwrap();
    let expected = ("marketplace.prices", Look, Catalog, "Correct the price lists");
    let saw = bench.complains("another price", &bench.good, expected).await;
    assert!(saw.contains("konnekt-25-user of konnekt/konnekt-yearly (12.0000 EUR here, 12.5000 there)"), "{saw}");
    world.set_price("konnekt", "konnekt-yearly", "DE", "konnekt-25-user", "12.00").unwrap();
    let of_konnekt = format!("/api/saas/subscriptions/{}/listAvailablePlans", bench.konnekt);
    world.add_fault(always(&of_konnekt, status(200, r#"{"plans":[]}"#)));
    let expected = ("marketplace.plans", Look, PartnerCenter, "Publish the plan");
    let saw = bench.complains("a plan that is not listed", &bench.good, expected).await;
    assert!(saw.starts_with("konnekt/konnekt-yearly"), "{saw}");
    bench.stage.strike().await;
}
