//! Quotes: what the command line says, and what the account page says. The figures are those of `interfaces.md`.

use std::process::Command;

use seatkey::{cli::browser::Browser, domain::staff::Scope::QuotesRead, simulator::Purchase};
use serde_json::{Value, json};
use time::macros::date;

use super::client::Program;
use crate::{
    account::{follow, move_to},
    on_both_databases,
    support::{
        Stage,
        people::{ALEX, FABRIKAM},
    },
};

on_both_databases! {
    a_quote_is_the_one_of_the_command_line;
    a_subscription_is_quoted_at_its_own_prices;
    what_cannot_be_quoted_is_refused_with_the_sentence;
}

/// What `seatkey quote` prints.
fn command_line(stage: &Stage, more: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_seatkey"))
        .args(["quote", "--plan", "konnekt-yearly", "--users", "300", "--json", "--catalog"])
        .arg(stage.file("catalog.toml"))
        .args(more)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn a_quote_is_the_one_of_the_command_line(stage: Stage) {
    let program = Program::with(&stage, &[QuotesRead]).await;
    let mut wanted = json!({ "planId": "konnekt-yearly", "users": 300 });
    let quote = program.post("api/v1/quotes", &wanted).await;
    assert_eq!((quote.status, &quote.body), (200, &command_line(&stage, &[])));
    let lines = json!([
        { "description": "KONNEKT 250 | Base Fee", "dimension": "konnekt-250-base", "quantity": "1",
          "unitPrice": "3300.0000", "amount": "3300.00" },
        { "description": "KONNEKT 250 | Additional Users", "dimension": "konnekt-250-user", "quantity": "50",
          "unitPrice": "7.2000", "amount": "360.00" },
    ]);
    assert_eq!((&quote.body["lines"], &quote.body["total"]), (&lines, &json!("3660.00")));
    assert_eq!(quote.body["nextBreak"], json!({ "users": 1000, "segment": "KONNEKT 1000", "total": "8700.00" }));
    wanted["market"] = json!("DE");
    wanted["offerId"] = json!("konnekt");
    assert_eq!(program.post("api/v1/quotes", &wanted).await.body, quote.body);

    let id = stage.buy();
    stage.enrol(&mut Browser::of(ALEX).unwrap(), id, "150").await;
    follow(&stage).await;
    move_to(&stage, date!(2026 - 07 - 01)).await;
    let quote = program.post("api/v1/quotes", &json!({ "subscriptionId": id, "users": 300 })).await;
    let dates = ["--from-users", "150", "--term-start", "2026-01-15", "--term-end", "2027-01-14", "--on", "2026-07-01"];
    assert_eq!((quote.status, &quote.body), (200, &command_line(&stage, &dates)));
    let upgrade = json!({ "fromUsers": 150, "toUsers": 300, "termDays": 365, "remainingDays": 198,
        "dimension": "konnekt-250-user", "quantity": "117.534246", "unitPrice": "7.2000", "amount": "846.25",
        "nextTermTotal": "3660.00" });
    assert_eq!(quote.body["upgrade"], upgrade);
    for users in [150, 100] {
        let same = program.post("api/v1/quotes", &json!({ "subscriptionId": id, "users": users })).await;
        assert_eq!((same.status, same.body.get("upgrade")), (200, None), "no upgrade: {}", same.body);
    }
    stage.finish().await;
}

async fn a_subscription_is_quoted_at_its_own_prices(stage: Stage) {
    let program = Program::with(&stage, &[QuotesRead]).await;
    let mut alex = Browser::of(ALEX).unwrap();
    let negotiated = [("konnekt-250-base".to_owned(), "3000.00".to_owned())];
    let private = stage.buy_as(Purchase {
        private_prices: negotiated.into_iter().collect(),
        private_offer_id: Some("3f0c1d9e-0000-4000-8000-00000000000f".to_owned()),
        ..Purchase::of("konnekt", "konnekt-yearly", ALEX.parse().unwrap())
    });
    stage.configure(&mut alex, private).await;
    let quote = program.post("api/v1/quotes", &json!({ "subscriptionId": private, "users": 300 })).await;
    assert_eq!((&quote.body["total"], &quote.body["currency"]), (&json!("3360.00"), &json!("EUR")), "{}", quote.body);
    let mut morgan = Browser::of(FABRIKAM).unwrap();
    let abroad = stage.buy_as(Purchase::of("konnekt", "konnekt-yearly", FABRIKAM.parse().unwrap()));
    stage.configure(&mut morgan, abroad).await;
    let body = json!({ "subscriptionId": abroad, "planId": "konnekt-yearly", "offerId": "konnekt", "users": 300 });
    assert_eq!(program.post("api/v1/quotes", &body).await.body["currency"], "USD");
    stage.finish().await;
}

async fn what_cannot_be_quoted_is_refused_with_the_sentence(stage: Stage) {
    let program = Program::with(&stage, &[QuotesRead]).await;
    let mut alex = Browser::of(ALEX).unwrap();
    let (id, seats) = (stage.buy(), Purchase::of("sample-seats", "team", ALEX.parse().unwrap()));
    let seats = stage.buy_as(Purchase { quantity: Some(40), ..seats });
    for id in [id, seats] {
        stage.configure(&mut alex, id).await;
    }
    let nobody = "8f2d61c4-5b7e-4f0a-9c33-1d7e60b2a915";
    let table = [
        (json!({ "planId": "konnekt-yearly", "users": 24 }), 422, "Must be at least 25."),
        (json!({ "planId": "konnekt-yearly", "users": 0 }), 422, "Must be at least 25."),
        (json!({ "planId": "konnekt-yearly", "users": 4_000_000_000_u32 }), 422, "Must be at most 10000000."),
        (json!({ "planId": "konnekt-weekly", "users": 300 }), 422, "The catalog has no plan \"konnekt-weekly\"."),
        (json!({ "planId": "konnekt-yearly", "offerId": "x", "users": 300 }), 422, "The catalog has no plan"),
        (json!({ "planId": "konnekt-yearly", "market": "XX", "users": 300 }), 422, "The catalog has no market \"XX\"."),
        (json!({ "planId": "team", "users": 300 }), 422, "Microsoft bills the users of this plan."),
        (json!({ "users": 300 }), 400, "Name a planId, or a subscriptionId."),
        (json!({ "subscriptionId": nobody, "users": 300 }), 404, "There is no such subscription."),
        (json!({ "subscriptionId": "konnekt", "users": 300 }), 404, "There is no such subscription."),
        (json!({ "subscriptionId": seats, "users": 300 }), 422, "Microsoft bills the users of this plan."),
        (json!({ "subscriptionId": id, "users": 24 }), 422, "Must be at least 25."),
        (json!({ "subscriptionId": id, "market": "DE", "users": 300 }), 422, "A subscription has a market of its own"),
        (json!({ "subscriptionId": id, "planId": "team", "users": 300 }), 422, "The plan of this subscription is"),
        (json!({ "subscriptionId": id, "offerId": "team", "users": 300 }), 422, "The offer of this subscription is"),
    ];
    for (body, status, sentence) in table {
        let answer = program.post("api/v1/quotes", &body).await;
        assert!(answer.status == status && answer.problem().2.starts_with(sentence), "{body}: {}", answer.body);
    }
    stage.enrol(&mut alex, id, "150").await;
    follow(&stage).await;
    assert!(stage.world().suspend(id));
    follow(&stage).await;
    let answer = program.post("api/v1/quotes", &json!({ "subscriptionId": id, "users": 300 })).await;
    assert!(
        answer.status == 422 && answer.problem().2.contains("while a subscription is suspended"),
        "{}",
        answer.body
    );
    stage.finish().await;
}
