//! The account page in every form that it can take.

use super::{
    Page,
    account::{Account, AccountFacts, Contact, KeyFacts, Viewer},
    charges::{ChargeFact, ChargeReason, ChargeState},
    samples,
    subscriptions::Standing,
};
use crate::domain::time::end_of_day;

impl Page for Account {
    const TEMPLATE: &'static str = "account.html";

    fn samples() -> Vec<Self> {
        let mut pages = Vec::new();
        samples::each_deal(|deal| {
            let quote = deal.priced.quote;
            let first = deal.priced.first;
            let later = first.reportable_from;
            let accepted = later.saturating_add(time::Duration::minutes(7));
            let states = [
                ChargeState::HeldUntil(later),
                ChargeState::Accepted(accepted),
                ChargeState::Sent(accepted),
                ChargeState::Due,
                ChargeState::Suspended,
                ChargeState::Dropped,
                ChargeState::Waiting,
            ];
            let contact = |role| Contact {
                role,
                name: deal.purchase.organisation.to_owned(),
                email: "jo@contoso.example".to_owned(),
            };
            let contacts = [contact("Buyer"), contact("Technical")];
            let mut page = |standing, state: ChargeState, viewer, key: bool, reason| {
                let charge = |line| ChargeFact { line, reason, part: first.part, users: quote.users, state };
                let charges: Vec<ChargeFact<'_>> = deal.priced.charged.iter().map(charge).collect();
                let facts = AccountFacts {
                    purchase: &deal.purchase,
                    standing,
                    users: Some(quote.users),
                    quote: Some(quote),
                    term: Some(first.term),
                    first: Some(first),
                    key: key.then(|| KeyFacts {
                        text: samples::KEY,
                        expires: end_of_day(first.term.end),
                        provisional: state.is_held(),
                        test: !state.is_held(),
                    }),
                    charges: &charges,
                    contacts: &contacts,
                    viewer,
                    mail_stuck: state.is_held(),
                };
                let now = if state.is_held() { deal.now } else { later.saturating_add(time::Duration::days(3)) };
                pages.push(Self::new(deal.frame.clone(), &facts, now));
            };
            for state in states {
                page(Standing::Subscribed, state, Viewer::Party, true, ChargeReason::FirstTerm);
            }
            page(Standing::Subscribed, states[1], Viewer::Looker, true, ChargeReason::FirstTerm);
            page(Standing::Suspended, states[4], Viewer::Party, true, ChargeReason::Renewal(first.term.start));
            page(Standing::Unsubscribed, states[5], Viewer::Party, false, ChargeReason::Upgrade { from: 150 });
            page(Standing::Unsubscribed, states[1], Viewer::Party, true, ChargeReason::FirstTerm);
        });
        samples::with_seats(|frame, purchase| {
            let facts = AccountFacts {
                purchase,
                standing: Standing::Subscribed,
                users: Some(40),
                quote: None,
                term: None,
                first: None,
                key: None,
                charges: &[],
                contacts: &[],
                viewer: Viewer::Party,
                mail_stuck: false,
            };
            pages.push(Self::new(frame, &facts, samples::NOW));
        });
        pages
    }
}
