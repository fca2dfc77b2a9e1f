//! How the business stands, from the hourly roll-up of the console's pictures. Tests count in no figure, and no amount of a
//! reseller deal is told.

use std::collections::BTreeMap;

use prometheus_client::registry::Registry;

use super::{Labelled, register as one};
use crate::{
    domain::numbers::{Mark, Topic},
    store::RolledUp,
};

pub(super) fn register(registry: &mut Registry, rolled_up: &RolledUp) {
    let (subscriptions, users, revenue) =
        (Labelled::<1>::default(), Labelled::<1>::default(), Labelled::<2>::default());
    let (purchases, reported) = (Labelled::<2>::default(), Labelled::<1>::default());
    // Of one offer there are several rows: by segment, currency and customer.
    let mut steps = BTreeMap::<(String, String), i64>::new();
    for (of, tally) in rolled_up.tallies.iter().filter(|(of, _)| of.mark != Mark::Test) {
        let offer = || ("offer", of.offer_id.clone());
        match of.topic {
            Topic::Segment => {
                subscriptions.get_or_create(&[offer()]).inc_by(tally.count);
                users.get_or_create(&[offer()]).inc_by(tally.users);
            }
            Topic::Revenue => {
                let labels = [offer(), ("currency", of.currency.clone())];
                revenue.get_or_create(&labels).inc_by(tally.amount_minor.unwrap_or(0));
            }
            Topic::Purchase => *steps.entry((of.offer_id.clone(), of.item.clone())).or_default() += tally.count,
            Topic::Reported => {
                reported.get_or_create(&[offer()]).inc_by(tally.count);
            }
            _ => {}
        }
    }
    for ((offer, step), count) in steps {
        purchases.get_or_create(&[("offer", offer), ("step", step)]).set(count);
    }
    registry.register("subscriptions_in_use", "Subscriptions in use, by offer", subscriptions);
    registry.register("users", "Users of the subscriptions in use, by offer", users);
    let help = "What the recurring fees of direct customers are worth in this month, in minor units of the currency";
    registry.register("monthly_revenue_minor_units", help, revenue);
    registry.register("purchases_this_month", "How far the purchases of this month have come", purchases);
    registry.register("charges_reported_this_week", "Charges that Microsoft accepted in this week", reported);
    if let Some(at) = rolled_up.at {
        let help = "When the figures of the business were counted; they are counted every hour";
        one(registry, "rolled_up_timestamp_seconds", help, at.unix_timestamp());
    }
}
