//! Microsoft's marketplace: whether it lets us in, at both of its addresses.

use time::Duration;

use super::{Check, Mend, Round, Verdict, Whose};
use crate::{
    clock::SharedClock,
    domain::{subscription::Snapshot, time::utc_day},
    marketplace::{Client, MarketplaceError},
};

/// The fulfillment API lets us in.
pub static FULFILLMENT: Check = Check {
    id: "marketplace.fulfillment",
    is_well_when: "the fulfillment API answers, and takes our application as that of the offers",
    needs: &["entra.token"],
    mends: &[&NOT_REGISTERED, &WRONG_ADDRESS, &UNREACHABLE, &UNWELL],
};

/// So does the metering API.
pub static METERING: Check = Check {
    id: "marketplace.metering",
    is_well_when: "the metering API answers, and takes our application as that of the offers",
    needs: &["entra.token", "marketplace.fulfillment"],
    mends: &[&NOT_REGISTERED, &WRONG_METERING_ADDRESS, &UNREACHABLE, &UNWELL],
};

static NOT_REGISTERED: Mend = Mend {
    whose: Whose::PartnerCenter,
    does: "Enter [marketplace] tenant_id and application_id on the page “Technical configuration” of every offer in Partner Center, \
           and publish the offer, or correct them here.",
};
static WRONG_ADDRESS: Mend = Mend {
    whose: Whose::Operations,
    does: "Correct [marketplace] base_url, or leave it out: https://marketplaceapi.microsoft.com/api is the default.",
};
static WRONG_METERING_ADDRESS: Mend = Mend {
    whose: Whose::Operations,
    does: "Correct [marketplace] metering_base_url, or leave it out: the default is base_url.",
};
static UNREACHABLE: Mend = Mend {
    whose: Whose::Network,
    does: "Let this machine reach the host of [marketplace] base_url (and metering_base_url) by https, directly or by HTTPS_PROXY.",
};
static UNWELL: Mend = Mend {
    whose: Whose::Microsoft,
    does: "Wait, and look at https://status.azure.com; everything that is to be done is kept and tried again.",
};

/// Pages of the listing that are read; an offer that is not in the catalog is mostly on the first.
const PAGES: usize = 5;
/// Daily sums of so long are asked for; what they say is not looked at.
const SUMS_OF: Duration = Duration::days(1);

/// Makes these checks; gives the subscriptions of the first pages, where they could be read.
pub async fn look(round: &mut Round<'_>, client: &Client, clock: &SharedClock) -> Option<Vec<Snapshot>> {
    let mut seen = None;
    let fulfillment = async {
        match list(client).await {
            Ok(subscriptions) => {
                let saw = format!("it answers; subscriptions read: {}", subscriptions.len());
                seen = Some(subscriptions);
                Verdict::Well(saw)
            }
            Err(error) => refused(&error, &WRONG_ADDRESS),
        }
    };
    round.look(&FULFILLMENT, fulfillment).await;
    let metering = async {
        match client.list_usage(utc_day(clock.now() - SUMS_OF)).await {
            Ok(_) => Verdict::well("it answers"),
            Err(error) => refused(&error, &WRONG_METERING_ADDRESS),
        }
    };
    round.look(&METERING, metering).await;
    seen
}

async fn list(client: &Client) -> Result<Vec<Snapshot>, MarketplaceError> {
    let (mut all, mut continuation) = (Vec::new(), None);
    for _ in 0..PAGES {
        let page = client.list_subscriptions(continuation.as_deref()).await?.value;
        all.extend(page.subscriptions);
        continuation = page.continuation;
        if continuation.is_none() {
            break;
        }
    }
    Ok(all)
}

fn refused(error: &MarketplaceError, wrong_address: &'static Mend) -> Verdict {
    let mend = match error {
        MarketplaceError::Credential(_) => &NOT_REGISTERED,
        MarketplaceError::Unreached(_) | MarketplaceError::NoAnswer(_) => &UNREACHABLE,
        MarketplaceError::Unavailable { .. } | MarketplaceError::Conflict(_) => &UNWELL,
        MarketplaceError::NotFound(_)
        | MarketplaceError::Refused { .. }
        | MarketplaceError::Unreadable(_)
        | MarketplaceError::BadPurchaseToken(_) => wrong_address,
    };
    Verdict::Wrong(mend, error.to_string())
}
