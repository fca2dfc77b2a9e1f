//! The account page in every form that it can take.

use time::Duration;

use super::{
    Page,
    account::{Account, AccountFacts, Contact, KeyFacts, Viewer},
    charges::{ChargeFact, ChargeReason, ChargeState},
    purchase::Purchase,
    samples::{self, Deal},
    subscriptions::Standing,
};
use crate::domain::time::end_of_day;

impl Page for Account {
    const TEMPLATE: &'static str = "account.html";

    fn samples() -> Vec<Self> {
        use ChargeReason::{FirstTerm, Renewal, Upgrade};
        use Standing::{Subscribed, Suspended, Unsubscribed};
        let mut pages = Vec::new();
        samples::each_deal(|deal| {
            let held_until = deal.priced.first.reportable_from;
            let accepted = ChargeState::Accepted(held_until.saturating_add(Duration::minutes(7)));
            let (held, renewal) = (ChargeState::HeldUntil(held_until), Renewal(deal.priced.first.term.start));
            let mut page = |standing, state, viewer, reason| pages.push(sample(deal, standing, state, viewer, reason));
            for state in [held, accepted, ChargeState::Sent(held_until), ChargeState::Due, ChargeState::Waiting] {
                page(Subscribed, state, Viewer::Party, FirstTerm);
            }
            page(Subscribed, accepted, Viewer::Looker, FirstTerm);
            page(Suspended, ChargeState::Suspended, Viewer::Party, renewal);
            page(Unsubscribed, ChargeState::Dropped, Viewer::Party, Upgrade { from: 150 });
            page(Unsubscribed, accepted, Viewer::Party, FirstTerm);
        });
        samples::with_seats(|frame, purchase| pages.push(Self::new(frame, &with_seats(purchase), samples::NOW)));
        pages
    }
}

/// Every charge of the first term in one state. The key has ended when the charges were dropped, the mail is stuck while
/// they are held.
fn sample(deal: &Deal<'_>, standing: Standing, state: ChargeState, viewer: Viewer, reason: ChargeReason) -> Account {
    let (quote, first) = (deal.priced.quote, deal.priced.first);
    let held = state.is_held();
    let charge = |line| ChargeFact { line, reason, part: first.part, users: quote.users, state };
    let charges: Vec<ChargeFact<'_>> = deal.priced.charged.iter().map(charge).collect();
    let name = deal.purchase.organisation;
    let contact = |role| Contact { role, name: name.to_owned(), email: "jo@contoso.example".to_owned() };
    let expires = end_of_day(first.term.end);
    let key = KeyFacts { text: samples::KEY, expires, provisional: held, test: !held };
    let facts = AccountFacts {
        purchase: &deal.purchase,
        standing,
        users: Some(quote.users),
        quote: Some(quote),
        term: Some(first.term),
        first: Some(first),
        key: Some(key).filter(|_| state != ChargeState::Dropped),
        charges: &charges,
        contacts: &[contact("Buyer"), contact("Technical")],
        viewer,
        mail_stuck: held,
        may_ask: deal.purchase.is_reseller_deal(),
    };
    let now = if held { deal.now } else { first.reportable_from.saturating_add(Duration::days(3)) };
    Account::new(deal.frame.clone(), &facts, now)
}

fn with_seats<'a>(purchase: &'a Purchase<'a>) -> AccountFacts<'a> {
    AccountFacts {
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
        may_ask: false,
    }
}
