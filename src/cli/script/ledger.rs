//! The end of the story: what was shown is what was reported is what Microsoft accepted, line by line. Microsoft's side is
//! recomputed in whole numbers from the bytes that the simulator received; nothing of the service's arithmetic is used.

use serde_json::{Value, json};
use time::Duration;

use super::{Failure, Story, failed};
use crate::{domain::charge::Charge, simulator::ReceivedUsage, store::StoreError};

/// Lines of this story: the first term, the upgrade, the renewal.
const LINES: usize = 5;

/// Microsoft's side of a charge, in millionths and minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Billed {
    dimension: String,
    millionths: i128,
    minor: i128,
}

/// Service and simulated Microsoft agree, and every charge is told.
pub(super) async fn check(story: &mut Story<'_>) -> Result<(), Failure> {
    // A second charge in the same hour waits for the next one.
    story.scene.advance(Duration::hours(2)).await?;
    let store = &story.scene.demo.service.app.store;
    let error = |error: StoreError| failed(&error.to_string());
    let known = store.find_subscription(story.id).await.map_err(error)?.ok_or_else(|| failed("it is gone"))?;
    let charges = store.list_charges(story.id).await.map_err(error)?;
    let world = story.scene.demo.simulator.world();
    let microsoft = world.subscription(story.id);
    let status = microsoft.get("saasSubscriptionStatus").and_then(Value::as_str).unwrap_or_default().to_owned();
    if known.microsoft.status.as_str() != status {
        return Err(failed(&format!("Microsoft says {status}, the service {}", known.microsoft.status.as_str())));
    }
    let received = world.usage_of(story.id);
    let accepted: Vec<&ReceivedUsage> = received.iter().filter(|one| one.status == "Accepted").collect();
    let billed = accepted.iter().map(|one| bill(one)).collect::<Result<Vec<Billed>, Failure>>()?;
    let rows = compare(&charges, &billed)?;
    let account = story.open_own("").await?;
    for charge in &charges {
        let shown = charge.amount.to_string();
        let plain = account.text.replace(',', "");
        if !plain.contains(&shown) {
            return Err(failed(&format!("the account page does not show {shown}")));
        }
    }
    let sum: i128 = billed.iter().map(|line| line.minor).sum();
    let total = format!("{}.{:02} EUR", sum / 100, sum % 100);
    let mails = story.mails("jo.brandt@contoso.example").await?.len();
    let facts = json!({
        "status": status, "charges": rows, "mails": mails, "sent": received.len(), "shown": total, "reported": total,
        "accepted": total,
    });
    let words =
        format!("Shown = reported = accepted by Microsoft: {total} in {} lines, {} sent", rows.len(), received.len());
    story.tell("agreed", &words, &facts);
    story.progress.table(["Reason", "Charge", "Quantity", "Shown", "Accepted", "State"], &rows);
    if rows.len() == LINES { Ok(()) } else { Err(failed(&format!("the ledger has {} lines", rows.len()))) }
}

/// Every charge has its own accepted event, and no event is left over.
fn compare(charges: &[Charge], billed: &[Billed]) -> Result<Vec<[String; 6]>, Failure> {
    let mut left: Vec<&Billed> = billed.iter().collect();
    let mut rows = Vec::new();
    for charge in charges {
        let wanted = Billed {
            dimension: charge.dimension.clone(),
            millionths: charge.quantity.millionths().into(),
            minor: charge.amount.minor.into(),
        };
        let found = left.iter().position(|line| **line == wanted);
        let found = found.ok_or_else(|| failed(&format!("Microsoft has no {wanted:?}; it has {left:?}")))?;
        let line = left.remove(found);
        rows.push([
            charge.reason.as_str().to_owned(),
            charge.description.clone(),
            charge.quantity.to_string(),
            format!("{} {}", charge.amount, charge.amount.currency),
            format!("{}.{:02} EUR", line.minor / 100, line.minor % 100),
            charge.state.as_str().to_owned(),
        ]);
    }
    if left.is_empty() { Ok(rows) } else { Err(failed(&format!("Microsoft has more than was shown: {left:?}"))) }
}

/// What Microsoft bills for an event, from its bytes and Microsoft's own price.
fn bill(event: &ReceivedUsage) -> Result<Billed, Failure> {
    let price = event.unit_price.as_deref().ok_or_else(|| failed("Microsoft has no price"))?;
    let (millionths, price) = (digits(&event.quantity_text, 6)?, digits(price, 6)?);
    // Millionths times millionths of EUR; a cent is ten to the tenth of these. Half a cent is rounded up.
    let cent = 10_i128.pow(10);
    let minor = (millionths * price + cent / 2) / cent;
    Ok(Billed { dimension: event.dimension.clone(), millionths, minor })
}

/// A decimal text as a whole number of its last place.
fn digits(text: &str, places: usize) -> Result<i128, Failure> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let wrong = || failed(&format!("{text} has more than {places} decimals, or is none"));
    if rest.len() > places {
        return Err(wrong());
    }
    format!("{whole}{rest:0<places$}").parse().map_err(|_| wrong())
}
