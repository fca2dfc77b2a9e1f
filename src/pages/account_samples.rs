//! The account page in every form that it can take.

use time::{Duration, OffsetDateTime};

use super::{
    Page,
    account::{Account, AccountFacts, Contact, KeyFacts, Viewer},
    account_actions::{ActionFacts, Actions, RefusedFacts},
    charges::{ChargeFact, ChargeReason, ChargeState},
    explained_samples::{explained, nothing},
    purchase::Purchase,
    samples::{self, Deal},
    subscriptions::Standing,
};
use crate::domain::{explanation::Explanation, time::end_of_day};

impl Page for Account {
    const TEMPLATE: &'static str = "account.html";

    fn samples() -> Vec<Self> {
        use ChargeReason::{FirstTerm, Renewal, Upgrade};
        use Standing::{Subscribed, Suspended, Unsubscribed, Withdrawing};
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
            page(Withdrawing, held, Viewer::Party, FirstTerm);
            page(Suspended, held, Viewer::Party, FirstTerm);
            page(Suspended, ChargeState::Suspended, Viewer::Party, renewal);
            page(Unsubscribed, ChargeState::Dropped, Viewer::Party, Upgrade { from: 150 });
            page(Unsubscribed, accepted, Viewer::Party, FirstTerm);
        });
        samples::with_seats(|frame, purchase| {
            let explanation = nothing();
            let facts = with_seats(purchase, &explanation);
            let page = Self::new(frame, &facts, samples::NOW);
            pages.push(page.with_actions(actions(&facts, ChargeState::Due, samples::NOW)));
        });
        pages
    }
}

/// Every charge of the first term in one state. The key has ended when the charges were dropped, the mail is stuck while
/// they are held.
fn sample(deal: &Deal<'_>, standing: Standing, state: ChargeState, viewer: Viewer, reason: ChargeReason) -> Account {
    let (quote, first) = (deal.priced.quote, deal.priced.first);
    let held = state.is_held();
    let known = state != ChargeState::Waiting;
    let now = if held { deal.now } else { first.reportable_from.saturating_add(Duration::days(3)) };
    let explanation = explained(deal, standing, (reason, state), now);
    let accounted = explanation.months.first().and_then(|month| month.charges.first());
    let (days, invoice) = (accounted.map_or("", |one| &one.days), accounted.and_then(|one| one.invoice));
    let credits = accounted.map_or(&[][..], |one| &one.credits);
    let charge = |line| ChargeFact { line, reason, days, invoice, users: quote.users, state, credits, known };
    let charges: Vec<ChargeFact<'_>> = deal.priced.charged.iter().map(charge).collect();
    let name = deal.purchase.organisation;
    let contact = |role| Contact { role, name: name.to_owned(), email: "jo@contoso.example".to_owned() };
    let expires = end_of_day(first.term.end);
    let key = KeyFacts { text: samples::KEY, expires, provisional: held, test: !held };
    let facts = AccountFacts {
        purchase: &deal.purchase,
        standing,
        users: Some(quote.users),
        planned: held.then_some(quote.segment.included),
        segment: Some(&quote.segment),
        quote: Some(quote),
        term: Some(first.term),
        first: Some(first),
        key: Some(key).filter(|_| state != ChargeState::Dropped),
        charges: &charges,
        explanation: &explanation,
        contacts: &[contact("Buyer"), contact("Technical")],
        viewer,
        mail_stuck: held,
        may_ask: deal.purchase.is_reseller_deal(),
    };
    let page = Account::new(deal.frame.clone(), &facts, now);
    page.with_actions(actions(&facts, state, deal.now))
}

/// Everything at once while the charges are held; what is left of it afterwards.
fn actions(facts: &AccountFacts<'_>, state: ChargeState, now: OffsetDateTime) -> Actions {
    let (held, waiting) = (state.is_held(), state == ChargeState::Waiting);
    let renewal = facts.term.and_then(|term| term.renewal());
    let refused = RefusedFacts { wanted: samples::HOSTILE, reason: "Must be at least 5.", at: now };
    Actions::new(&ActionFacts {
        purchase: facts.purchase,
        buyer: facts.viewer == Viewer::Party && !facts.may_ask,
        users: facts.users,
        planned: facts.planned.zip(renewal),
        refused: Some(refused).filter(|_| !held),
        term_ended: facts.term.map(|term| term.end).filter(|_| waiting),
        changeable: renewal.filter(|_| !waiting),
        suspended: facts.standing == Standing::Suspended,
        held_until: facts.first.map(|first| first.reportable_from).filter(|_| held),
        held: facts.charges.first().map(|charge| charge.line.amount),
        seats_pending: waiting,
        key: true,
        contacts: true,
        typed: if held { "" } else { samples::HOSTILE },
        error: if held { "" } else { "Enter a whole number." },
    })
}

fn with_seats<'a>(purchase: &'a Purchase<'a>, explanation: &'a Explanation) -> AccountFacts<'a> {
    AccountFacts {
        purchase,
        standing: Standing::Subscribed,
        users: Some(40),
        planned: Some(30),
        segment: None,
        quote: None,
        term: None,
        first: None,
        key: None,
        charges: &[],
        explanation,
        contacts: &[],
        viewer: Viewer::Party,
        mail_stuck: false,
        may_ask: false,
    }
}
