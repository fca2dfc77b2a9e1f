use std::collections::BTreeMap;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_invoice_has_one_line_that_the_details_add_up_to() {
    let meter = Meter::set_up().await;
    let hour = Duration::HOUR;
    assert!(meter.invoice().await.contains("Microsoft has not accepted any usage yet."));
    let mut events = vec![meter.event(hour), meter.event(hour * 2), meter.event(hour * 11), meter.event(hour * 3)];
    events[1]["quantity"] = json!(27.123_287);
    events[3]["dimension"] = json!("konnekt-25-base");
    meter.batch(&events).await;
    meter.batch(&events).await;
    // What was used goes by the price of its time.
    meter.world().set_price("konnekt", "konnekt-yearly", "DE", USER, "13.00005").unwrap();
    meter.batch(&[meter.event(hour * 4)]).await;
    meter.world().advance(Duration::days(20)).unwrap();
    meter.batch(&[meter.event(hour)]).await;
    let page = meter.invoice().await;
    // 32.123287 × 12 = 385.479444; 5 × 13.00005 = 65.00025.
    let january = [
        "January 2026</h2>",
        "<dd>3510.48 EUR</dd>",
        ">2026-01-16</td><td>KONNEKT 25 | Base Fee</td>",
        ">5</td>",
        ">600.0000 EUR</td>",
        ">3000.00 EUR</td>",
        ">2026-01-16</td><td>KONNEKT 25 | Additional Users</td>",
        ">32.123287</td>",
        ">12.0000 EUR</td>",
        ">385.48 EUR</td>",
        ">5</td>",
        ">13.00005 EUR</td>",
        ">65.00 EUR</td>",
        ">2026-01-15</td><td>KONNEKT 25 | Additional Users</td>",
        ">5</td>",
        ">12.0000 EUR</td>",
        ">60.00 EUR</td>",
        "Sum</th><td class=\"number\">3510.48 EUR</td>",
    ];
    let (february, mut rest) = page.split_at(page.find("January").unwrap());
    assert!(february.contains("so far") && february.contains("<dd>65.00 EUR</dd>"), "{february}");
    for text in january {
        let at = rest.find(text).unwrap_or_else(|| panic!("{text} is missing or comes too early: {page}"));
        rest = &rest[at + text.len()..];
    }
    let subscription =
        meter.life.stage.http.get(meter.life.stage.url(&format!("/portal/subscriptions/{}", meter.id())));
    assert!(subscription.send().await.unwrap().text().await.unwrap().contains("/invoice\">Invoices</a>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn invoices_know_private_prices_currencies_and_partners() {
    let private = BTreeMap::from([(USER.to_owned(), "1000.5".to_owned())]);
    let purchase =
        Purchase { market: Some("JP".to_owned()), private_prices: private, auto_activate: true, ..konnekt() };
    let meter = Meter::of(purchase).await;
    meter.batch(&[meter.event(Duration::HOUR)]).await;
    let page = meter.invoice().await;
    assert!(page.contains(">1000.5000 JPY</td>") && page.contains("<dd>5003 JPY</dd>"), "half away from zero: {page}");

    let kim = "c306d4e5-9f82-4173-acb4-5d3e7f901b21".parse().unwrap();
    let meter = Meter::of(Purchase { purchaser: Some(kim), auto_activate: true, ..konnekt() }).await;
    meter.batch(&[meter.event(Duration::HOUR)]).await;
    let page = meter.invoice().await;
    assert!(page.contains("bills <strong>Nordwind Distribution</strong>") && page.contains(">5</td>"), "{page}");
    assert!(!page.contains("EUR") && !page.contains("60.00"), "{page}");
    assert_eq!(page_of(&meter, &Uuid::nil().to_string()).await.0, 404);
}
