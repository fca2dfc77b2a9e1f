//! Credits that were given in Partner Center: two people enter them, everybody who reads the ledger sees them, and nothing
//! else happens.

use sea_orm::ConnectionTrait as _;
use seatkey::{
    app,
    cli::browser::{Browser, Page},
    domain::{credit::CreditWish, staff::Scope},
    simulator::Purchase,
    store::{AuditFilter, NewCredit, Reader as _},
};
use serde_json::Value;
use time::Duration;
use uuid::Uuid;

use super::decisions::approve;
use crate::{
    api::client::Program,
    on_both_databases,
    support::{
        Database, Stage,
        people::{ALEX, NORDWIND},
        staff::{ADA, FAY, FINN, MIRA, SURI, post, signed_in},
        told::{known, ledger},
        years::{bought_for, enrolled, flaws, follow, report_after},
    },
};

on_both_databases! {
    a_credit_takes_two_people_and_is_told_to_everybody;
    what_cannot_be_credited_is_said_in_words;
    neither_one_person_nor_a_stale_proposal_nor_a_revoked_role_enters_anything;
    in_a_reseller_deal_units_are_credited_and_no_amount_is_told;
}

const CASE: &str = "2611150040001234";
const WHY: &str = "support was not to be had for a week";

/// The accepted base fee of a year for 150 users: 550.68 EUR.
async fn accepted(stage: &Stage) -> (Uuid, Uuid) {
    let id = enrolled(stage, "150").await;
    report_after(stage, 35).await;
    (id, base_fee(stage, id).await)
}

async fn base_fee(stage: &Stage, id: Uuid) -> Uuid {
    let charges = stage.app.store.list_charges(id).await.unwrap();
    charges.iter().find(|charge| charge.dimension == "konnekt-25-base").unwrap().id
}

async fn type_in(stage: &Stage, browser: &mut Browser, charge: Uuid, (amount, case, why): (&str, &str, &str)) -> Page {
    let fields = [("amount", amount), ("case", case), ("reason", why)];
    post(stage, browser, &format!("console/charges/{charge}/credit"), &fields).await
}

/// The proposal of one of finance.
async fn propose(stage: &Stage, person: &str, charge: Uuid, amount: &str, case: &str) -> Uuid {
    let mut browser = signed_in(stage, person).await;
    let page = type_in(stage, &mut browser, charge, (amount, case, WHY)).await;
    assert!(page.status == 200 && page.text.contains("A second person has to approve it."), "{}", page.text);
    let open = stage.app.store.list_open_proposals(10, stage.app.clock.now()).await.unwrap();
    open.iter().find(|proposal| proposal.subject == charge).unwrap().id
}

/// The words of the credits of a subscription.
async fn credits(stage: &Stage, id: Uuid) -> Vec<String> {
    stage.app.store.list_credits(id).await.unwrap().iter().map(|credit| credit.words(true)).collect()
}

async fn shown(stage: &Stage, person: &str, path: &str) -> String {
    let mut browser = Browser::of(person).unwrap();
    browser.open(stage.url(path)).await.unwrap().text.replace("&#x2f;", "/")
}

#[track_caller]
fn tells(text: &str, expected: &[&str]) {
    for words in expected {
        assert!(text.contains(words), "“{words}” is not told:\n{text}");
    }
}

async fn a_credit_takes_two_people_and_is_told_to_everybody(stage: Stage) {
    let (id, charge) = accepted(&stage).await;
    let (before, keys) = (ledger(&stage, id).await, stage.app.store.list_license_keys(id).await.unwrap().len());
    let page = shown(&stage, FINN, &format!("console/charges/{charge}")).await;
    tells(&page, &["550.68 EUR of it can still be credited.", "Microsoft gave nothing of it back."]);
    let proposal = propose(&stage, FINN, charge, "120.00", &format!("TrackingID#{CASE}")).await;
    let page = shown(&stage, FAY, &format!("console/charges/{charge}")).await;
    tells(&page, &["a credit of 120.00 EUR, case 2611150040001234", WHY, "Approve, and carry it out"]);
    tells(
        &shown(&stage, FAY, "console").await,
        &["proposes a credit of 120.00 EUR, case 2611150040001234 for a charge"],
    );
    assert_eq!(credits(&stage, id).await, Vec::<String>::new(), "one person is not enough");
    for person in [MIRA, SURI] {
        assert_eq!(approve(&stage, person, proposal).await.0, 403, "another role");
    }
    let (status, text) = approve(&stage, FAY, proposal).await;
    let words = "Credit of 120.00 EUR given by Microsoft, case 2611150040001234";
    assert_eq!(status, 200, "{text}");
    tells(&text, &["Approved, and carried out.", words, "430.68 EUR of it can still be credited."]);
    assert_eq!(credits(&stage, id).await, [words]);

    // The same case once, another one up to what is left.
    let mut finn = signed_in(&stage, FINN).await;
    let twice = type_in(&stage, &mut finn, charge, ("1.00", CASE, WHY)).await;
    assert!(twice.status == 422 && twice.text.contains("stands at this charge already"), "{}", twice.text);
    let more = type_in(&stage, &mut finn, charge, ("430.69", "2611150040001235", WHY)).await;
    assert!(
        more.status == 422 && more.text.contains("430.68 EUR of this charge can still be credited"),
        "{}",
        more.text
    );
    let rest = propose(&stage, FAY, charge, "430.68", "2611150040001235").await;
    let (status, text) = approve(&stage, ADA, rest).await;
    assert!(status == 200 && text.contains("Nothing of it is left to be credited."), "{text}");

    everybody_is_told(&stage, id, words).await;
    // Nothing else has happened, and nothing will: no key, no report, no alarm, no finding.
    assert_eq!(ledger(&stage, id).await, before);
    assert_eq!(stage.app.store.list_license_keys(id).await.unwrap().len(), keys);
    let sent = stage.world().usage_of(id).len();
    report_after(&stage, 2).await;
    app::reconcile_usage(&stage.app).await.unwrap();
    assert_eq!(stage.world().usage_of(id).len(), sent);
    assert_eq!(stage.app.store.list_findings(id).await.unwrap().len(), 0);
    assert!(stage.app.store.get_reporter().await.unwrap().lock.is_none());
    let filter = AuditFilter { action: Some("credit_approved"), ..AuditFilter::default() };
    let entries = stage.app.store.list_audit(filter, None, 10).await.unwrap();
    assert!(entries.len() == 2 && entries.iter().all(|entry| entry.detail.contains("\"address\":\"127.0.0.1\"")));
    stage.finish().await;
}

async fn everybody_is_told(stage: &Stage, id: Uuid, words: &str) {
    let account = shown(stage, ALEX, &format!("subscriptions/{id}")).await;
    tells(&account, &[words, "Given back by Microsoft with credits", "−550.68", "The invoice stays as it is"]);
    let page = shown(stage, MIRA, &format!("console/subscriptions/{id}")).await;
    tells(&page, &[words, "credit approved"]);
    let text = stage.run(&["ledger", "explain", &id.to_string()]);
    tells(&text.replace("\n      ", " "), &[words, "Given back by Microsoft with credits"]);
    let told: Value = serde_json::from_str(&stage.run(&["ledger", "explain", &id.to_string(), "--json"])).unwrap();
    let month = told["months"].as_array().unwrap().iter().find(|month| month["credited"].is_string()).unwrap();
    assert_eq!((&month["credited"], &month["saas"]), (&"550.68".into(), &"1927.39".into()), "the invoice stays");
    let program = Program::with(stage, &[Scope::SubscriptionsRead]).await;
    let answer = program.get(&format!("api/v1/subscriptions/{id}/charges")).await;
    let charge = answer.body["items"].as_array().unwrap().iter().find(|one| one["amount"] == "550.68").unwrap();
    let credit = &charge["credits"][0];
    assert_eq!((&credit["words"], &credit["amount"]), (&words.into(), &"120.00".into()));
    assert_eq!((&credit["caseNumber"], &credit["quantity"]), (&CASE.into(), &Value::Null));
    let file = shown(stage, FINN, "console/ledger.csv?reason=credit").await;
    assert_eq!(file.lines().count(), 3, "{file}");
    tells(&file, &[words, ",-120.00,EUR,", ",credited,"]);
    tells(&shown(stage, FINN, "console/ledger?state=credited").await, &[words, "KONNEKT 25 | Base Fee"]);
}

async fn what_cannot_be_credited_is_said_in_words(stage: Stage) {
    let (_, charge) = accepted(&stage).await;
    let mut finn = signed_in(&stage, FINN).await;
    for (typed, said) in [
        (("120.005", CASE, WHY), "with at most 2 decimals"),
        (("1,20", CASE, WHY), "plain number"),
        (("0", CASE, WHY), "A credit of nothing is none"),
        (("550.69", CASE, WHY), "550.68 EUR of this charge can still be credited"),
        (("120.00", "no", WHY), "6 to 40 letters, digits and hyphens"),
        (("120.00", "=cmd|'/c calc'!A1", WHY), "6 to 40 letters, digits and hyphens"),
        (("120.00", CASE, "because"), "at least 10 characters"),
    ] {
        let page = type_in(&stage, &mut finn, charge, typed).await;
        assert!(page.status == 422 && page.text.contains(said), "{typed:?}: {}", page.text);
        assert_eq!(page.field("amount").unwrap(), typed.0, "what was typed stays");
    }
    // What Microsoft has not, and what it bills to nobody.
    let held = enrolled(&stage, "40").await;
    let held = base_fee(&stage, held).await;
    let page = type_in(&stage, &mut finn, held, ("1.00", CASE, WHY)).await;
    assert!(page.status == 422 && page.text.contains("this charge is held"), "{}", page.text);
    assert!(!page.text.contains("Case number of Microsoft"));
    let test = Purchase {
        sandbox_type: Some("Csp".to_owned()),
        ..Purchase::of("konnekt", "konnekt-yearly", ALEX.parse().unwrap())
    };
    let test = stage.buy_as(test);
    stage.enrol(&mut Browser::of(ALEX).unwrap(), test, "40").await;
    follow(&stage).await;
    report_after(&stage, 35).await;
    let of_test = base_fee(&stage, test).await;
    let page = type_in(&stage, &mut finn, of_test, ("1.00", CASE, WHY)).await;
    assert!(page.status == 422 && page.text.contains("bills to nobody"), "{}", page.text);
    let nothing = type_in(&stage, &mut finn, Uuid::nil(), ("1.00", CASE, WHY)).await;
    assert_eq!(nothing.status, 404);
    let mut mira = signed_in(&stage, MIRA).await;
    assert_eq!(type_in(&stage, &mut mira, charge, ("1.00", CASE, WHY)).await.status, 403);
    assert!(!shown(&stage, MIRA, &format!("console/charges/{charge}")).await.contains("Case number of Microsoft"));
    stage.finish().await;
}

async fn neither_one_person_nor_a_stale_proposal_nor_a_revoked_role_enters_anything(stage: Stage) {
    let (id, charge) = accepted(&stage).await;
    for person in [FINN, ADA] {
        let proposal = propose(&stage, person, charge, "10.00", CASE).await;
        let (status, text) = approve(&stage, person, proposal).await;
        assert!(status == 422 && text.contains("It takes a second person"), "{text}");
        let mut browser = signed_in(&stage, person).await;
        let again = type_in(&stage, &mut browser, charge, ("11.00", CASE, WHY)).await;
        assert!(again.status == 422 && again.text.contains("proposed something about this already"), "{}", again.text);
        let why = [("reason", "that was a mistake")];
        post(&stage, &mut browser, &format!("console/approvals/{proposal}/refuse"), &why).await;
        assert!(approve(&stage, FAY, proposal).await.1.contains("not open any more"));
    }
    let proposal = propose(&stage, FINN, charge, "10.00", CASE).await;
    stage.world().set_roles(FINN.parse().unwrap(), &["Support"]);
    signed_in(&stage, FINN).await;
    let (status, text) = approve(&stage, FAY, proposal).await;
    assert!(status == 422 && text.contains("does not have the role Finance any more"), "{text}");
    stage.world().set_roles(FINN.parse().unwrap(), &["Finance"]);
    signed_in(&stage, FINN).await;
    let mut fay = signed_in(&stage, FAY).await;
    for _ in 0..2 {
        stage.advance(Duration::minutes(40));
        fay.open(stage.url("console")).await.unwrap();
    }
    let page = post(&stage, &mut fay, &format!("console/approvals/{proposal}/approve"), &[]).await;
    assert!(page.status == 422 && page.text.contains("sign in again"), "{}", page.text);
    // Another credit of the charge has been entered meanwhile.
    let tx = stage.app.store.begin().await.unwrap();
    let wish = CreditWish::from_text("a credit of 5.00 EUR, case 2611150040007777").unwrap();
    let other = NewCredit { charge_id: charge, wish: &wish, cause_id: Uuid::from_u128(7), reason: "a test" };
    tx.insert_credit(other, stage.app.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    let (status, text) = approve(&stage, FAY, proposal).await;
    assert!(status == 422 && text.contains("It has changed since it was proposed"), "{text}");
    assert_eq!(credits(&stage, id).await.len(), 1);
    // The database itself takes a case once for a charge.
    let tx = stage.app.store.begin().await.unwrap();
    let twice = NewCredit { cause_id: Uuid::from_u128(8), ..other };
    assert!(tx.insert_credit(twice, stage.app.clock.now()).await.is_err());
    drop(tx);
    stage.finish().await;
}

async fn in_a_reseller_deal_units_are_credited_and_no_amount_is_told(stage: Stage) {
    let id = bought_for(&stage, NORDWIND, ALEX).await;
    report_after(&stage, 40).await;
    let charge = base_fee(&stage, id).await;
    let mut finn = signed_in(&stage, FINN).await;
    let page = type_in(&stage, &mut finn, charge, ("120.00 EUR", CASE, WHY)).await;
    assert!(page.status == 422 && page.text.contains("Write the units as a plain number"), "{}", page.text);
    let page = type_in(&stage, &mut finn, charge, ("1", CASE, WHY)).await;
    assert!(page.text.contains("0.917808 units of this charge can still be credited"), "{}", page.text);
    let proposal = propose(&stage, FINN, charge, "0.5", CASE).await;
    let (status, text) = approve(&stage, FAY, proposal).await;
    let words = "Credit of 0.5 units given by Microsoft, case 2611150040001234";
    assert_eq!(status, 200, "{text}");
    tells(&text, &[words, "0.417808 units of it can still be credited."]);
    let program = Program::with(&stage, &[Scope::SubscriptionsRead]).await;
    let answer = program.get(&format!("api/v1/subscriptions/{id}/charges")).await.body.to_string();
    let mut everything = vec![text, answer, stage.run(&["ledger", "explain", &id.to_string()])];
    everything.push(stage.run(&["ledger", "explain", &id.to_string(), "--json"]));
    for person in [ALEX, NORDWIND] {
        everything.push(shown(&stage, person, &format!("subscriptions/{id}")).await);
    }
    for path in
        [&format!("console/subscriptions/{id}"), "console/ledger", "console/ledger.csv", "console/staff-actions"]
    {
        everything.push(shown(&stage, FINN, path).await);
    }
    for (number, text) in everything.iter().enumerate() {
        assert!(text.contains(CASE), "{number}: {text}");
        for hidden in [" EUR", ",EUR", "600.00", "550.68", "300.00"] {
            assert!(!text.contains(hidden), "{hidden} is told ({number}): {text}");
        }
    }
    assert_eq!(known(&stage, id).await.users, Some(150));
    stage.finish().await;
}

/// Each thing that could be changed about a credit behind our back.
#[tokio::test]
async fn whoever_tampers_with_a_credit_is_found() {
    let stage = Stage::set(Database::Memory).await;
    let (id, charge) = accepted(&stage).await;
    let proposal = propose(&stage, FINN, charge, "120.00", CASE).await;
    approve(&stage, FAY, proposal).await;
    assert_eq!(flaws(&stage).await.0, Vec::<String>::new());
    let other = stage.app.store.list_charges(id).await.unwrap().into_iter().find(|one| one.id != charge).unwrap().id;
    for change in [
        "amount_minor = -12001",
        "quantity_millionths = -1",
        "case_number = '2611150040001235'",
        "currency = 'USD'",
        "state = 'accepted'",
        "reason = 'correction'",
        "credit_of = NULL",
        &format!("credit_of = x'{}'", other.simple()),
    ] {
        let tx = stage.app.store.begin().await.unwrap();
        let sql = format!("UPDATE charge SET {change} WHERE credit_of IS NOT NULL");
        assert_eq!(tx.connection().execute_unprepared(&sql).await.unwrap().rows_affected(), 1, "{change}");
        assert!(!tx.verify_page(None).await.unwrap().flaws.is_empty(), "nobody noticed: {change}");
    }
    stage.finish().await;
}
