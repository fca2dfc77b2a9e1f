//! The enrolment form: answers as they were typed, errors at their field, and what it costs beside them.

use std::{collections::BTreeSet, rc::Rc};

use actix_web::HttpResponse;

use super::{
    purchase::Shown,
    refusal::{Refusal, form_again, ok, see_other},
    visit::Visit,
};
use crate::{
    app::{AppError, preview_order, review_order},
    domain::{
        enrolment::{FrozenQuote, Order, OrderRefused},
        pricing::PricedPlan,
        subscription::{NotEnrollable, Stage},
    },
    mail::is_mailbox,
    pages::{
        enrolment::{Answers, Beside, Enrolment, Errors},
        projection::Projection,
        purchase::Priced,
    },
};

const MAX_ORGANISATION_CHARS: usize = 120;

/// `GET /subscriptions/{id}/enrol[?users=…][&quote=…]`: the form; the query carries what was typed, so that it works without
/// a script.
pub(super) async fn show(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    let shown = enrollable(&visit).await?;
    let answers = answers_to_start_with(&visit, &shown).await?;
    let (page, _) = form(&visit, &shown, answers, false).await?;
    ok(&visit, &page)
}

/// `GET /subscriptions/{id}/enrol/projection?users=…`: the part of the page that follows the typing.
pub(super) async fn projection(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    let shown = enrollable(&visit).await?;
    let mut answers = Answers { users: visit.query("users").unwrap_or_default().to_owned(), ..Answers::default() };
    answers.extras = visit.queries("extra").map(str::to_owned).collect();
    let priced = price(&visit, &shown, &answers).await?;
    let organisation = answers.organisation.clone();
    let page = match &priced {
        Ok((frozen, plan)) => {
            with_priced(frozen, plan, |priced| Projection::of(&shown.purchase(&organisation), priced))?
        }
        Err(message) => Projection::refused(message),
    };
    ok(&visit, &page)
}

/// `POST /subscriptions/{id}/enrol/review`: the form is read; a good one is frozen and reviewed.
pub(super) async fn submit(visit: Rc<Visit>) -> Result<HttpResponse, Refusal> {
    visit.check_form()?;
    let shown = enrollable(&visit).await?;
    let answers = Answers {
        users: visit.field("users").to_owned(),
        technical_contact: visit.field("technical_contact").to_owned(),
        email: visit.field("email").to_owned(),
        organisation: visit.field("organisation").to_owned(),
        extras: visit.fields("extra").map(str::to_owned).collect(),
    };
    let (page, complete) = form(&visit, &shown, answers.clone(), true).await?;
    if !complete {
        return form_again(&visit, &page);
    }
    let order = Order { language: visit.language.clone(), ..order(&shown, &answers, users_of(&answers)) };
    let reviewed = review_order(&visit.app, shown.who(), &shown.subscription, order).await?;
    Ok(see_other(&format!("{}/enrol/review/{}", shown.path(), reviewed.quote_id)))
}

/// The subscription, when it can be enrolled now; otherwise the page that fits it.
pub(super) async fn enrollable(visit: &Visit) -> Result<Shown<'_>, Refusal> {
    let shown = Shown::for_buyer(visit).await?;
    match shown.subscription.check_enrollable() {
        Ok(()) => Ok(shown),
        Err(NotEnrollable::AlreadyEnrolled) if matches!(shown.subscription.stage, Stage::Activating { .. }) => {
            Err(Refusal::Elsewhere(format!("{}/progress", shown.path())))
        }
        Err(_) => Err(Refusal::Elsewhere(shown.path())),
    }
}

/// What is in the fields at first: what the query says, what a reviewed quote says, or sensible suggestions.
async fn answers_to_start_with(visit: &Visit, shown: &Shown<'_>) -> Result<Answers, Refusal> {
    if let Some(quote_id) = visit.query("quote").and_then(|text| uuid::Uuid::parse_str(text).ok()) {
        let quote = visit.app.store.find_quote(quote_id).await?;
        let own = quote
            .filter(|quote| quote.subscription_id == shown.subscription.microsoft.id && quote.shown_to == shown.who());
        if let Some(quote) = own {
            return Ok(answers_of(&quote.frozen.order));
        }
    }
    let smallest = shown.plan.segments().first().map_or(String::new(), |segment| segment.included.to_string());
    let text = |name: &str| visit.query(name).map(|text| text.trim().to_owned());
    Ok(Answers {
        users: text("users").unwrap_or(smallest),
        technical_contact: text("technical_contact").unwrap_or_default(),
        email: text("email").unwrap_or_else(|| shown.session.email.clone()),
        organisation: text("organisation").unwrap_or_default(),
        extras: visit.queries("extra").map(str::to_owned).collect(),
    })
}

/// The answers that made an order.
pub(super) fn answers_of(order: &Order) -> Answers {
    Answers {
        users: order.users.map(|users| users.to_string()).unwrap_or_default(),
        technical_contact: order.technical_contact.clone(),
        email: order.buyer_email.clone(),
        organisation: order.organisation.clone(),
        extras: order.extras.clone(),
    }
}

/// A number of users as people type it.
pub(super) fn typed_users(text: &str) -> Option<u32> {
    users_of(&Answers { users: text.to_owned(), ..Answers::default() })
}

/// The page, and whether every answer is good. `strict` complains about empty fields, too.
async fn form(visit: &Visit, shown: &Shown<'_>, answers: Answers, strict: bool) -> Result<(Enrolment, bool), Refusal> {
    let mut errors = if strict { complaints(&answers) } else { Errors::default() };
    let organisation = answers.organisation.clone();
    let purchase = shown.purchase(&organisation);
    let frame = shown.frame(visit);
    let now = visit.now();
    let fine = |errors: &Errors| {
        [&errors.users, &errors.technical_contact, &errors.email, &errors.organisation].iter().all(|e| e.is_empty())
    };
    if !shown.plan.is_metered() {
        let seats = shown.subscription.microsoft.quantity;
        let page = Enrolment::billed_by_microsoft(frame, &purchase, seats, &answers, &errors, now);
        return Ok((page, fine(&errors)));
    }
    let page = match price(visit, shown, &answers).await? {
        Ok((frozen, plan)) => with_priced(&frozen, &plan, |priced| {
            let page = Enrolment::new(frame, &purchase, &answers, &errors, Beside::Priced(priced), now);
            page.with_extra_prices(&plan)
        })?,
        Err(message) => {
            errors.users = message;
            let (frozen, plan) = smallest(visit, shown).await?;
            let page = Enrolment::new(frame, &purchase, &answers, &errors, Beside::Unpriced(&frozen.first), now);
            page.with_extra_prices(&plan)
        }
    };
    Ok((page, fine(&errors)))
}

/// The priced order, or why the number of users is refused.
async fn price(
    visit: &Visit,
    shown: &Shown<'_>,
    answers: &Answers,
) -> Result<Result<(FrozenQuote, PricedPlan), String>, Refusal> {
    let Some(users) = users_of(answers) else {
        return Ok(Err("Enter a whole number.".to_owned()));
    };
    match preview_order(&visit.app, &shown.subscription, order(shown, answers, Some(users))).await {
        Ok(frozen) => {
            let plan = priced_plan(shown, &frozen)?;
            Ok(Ok((frozen, plan)))
        }
        Err(AppError::Order(OrderRefused::Users(refused))) => Ok(Err(refused.to_string())),
        Err(error) => Err(error.into()),
    }
}

/// The order of the smallest segment, for its dates and prices, while the number of users is not a good one.
async fn smallest(visit: &Visit, shown: &Shown<'_>) -> Result<(FrozenQuote, PricedPlan), Refusal> {
    let users = shown.plan.segments().first().map_or(1, |segment| segment.included);
    let frozen = preview_order(&visit.app, &shown.subscription, order(shown, &Answers::default(), Some(users))).await?;
    let plan = priced_plan(shown, &frozen)?;
    Ok((frozen, plan))
}

/// The plan with the prices of a frozen quote.
pub(super) fn priced_plan(shown: &Shown<'_>, frozen: &FrozenQuote) -> Result<PricedPlan, Refusal> {
    let unpriced = |reason: String| AppError::NoPrice { plan_id: shown.plan.id.to_string(), reason };
    let prices = frozen.prices.as_ref().ok_or_else(|| unpriced("Microsoft bills it".to_owned()))?;
    Ok(PricedPlan::new(shown.plan, &prices.list).map_err(|error| unpriced(error.to_string()))?)
}

/// Hands a frozen quote to a page.
pub(super) fn with_priced<T>(
    frozen: &FrozenQuote,
    plan: &PricedPlan,
    use_it: impl FnOnce(&Priced<'_>) -> T,
) -> Result<T, Refusal> {
    let quote = frozen.quote.as_ref().ok_or_else(|| AppError::Internal("a frozen quote without its price".into()))?;
    let priced = Priced::new(plan, quote, &frozen.extras, &frozen.first, frozen.estimated)?;
    Ok(use_it(&priced))
}

/// A number as people type it: blanks and the usual separators of thousands are ignored.
fn users_of(answers: &Answers) -> Option<u32> {
    let typed: String = answers.users.chars().filter(|c| !matches!(c, ' ' | '\u{a0}' | '\'')).collect();
    let separator = if typed.contains(',') { ',' } else { '.' };
    let groups: Vec<&str> = typed.split(separator).collect();
    // "1.5" and "0.500" are fractions: a separator of thousands has a number before it and three digits behind it.
    let fit = match groups.as_slice() {
        [first, others @ ..] if !others.is_empty() => {
            (1..=3).contains(&first.len()) && !first.starts_with('0') && others.iter().all(|group| group.len() == 3)
        }
        _ => true,
    };
    groups.concat().parse().ok().filter(|_| fit)
}

fn order(shown: &Shown<'_>, answers: &Answers, users: Option<u32>) -> Order {
    Order {
        users,
        extras: answers.extras.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect(),
        organisation: answers.organisation.clone(),
        buyer_name: shown.session.name.clone(),
        buyer_email: answers.email.clone(),
        technical_contact: answers.technical_contact.clone(),
        language: String::new(),
    }
}

fn complaints(answers: &Answers) -> Errors {
    let mailbox = |address: &str| {
        let complaint = if address.is_empty() {
            "Enter an e-mail address."
        } else if !is_mailbox(address) {
            "This is not an e-mail address; it looks like name@company.example."
        } else {
            ""
        };
        complaint.to_owned()
    };
    let organisation = match answers.organisation.chars().count() {
        0 => "Enter the name of your organisation.".to_owned(),
        1..=MAX_ORGANISATION_CHARS if !answers.organisation.chars().any(char::is_control) => String::new(),
        _ => format!("At most {MAX_ORGANISATION_CHARS} characters, on one line."),
    };
    Errors {
        users: String::new(),
        technical_contact: mailbox(&answers.technical_contact),
        email: mailbox(&answers.email),
        organisation,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_type_them() {
        let table = [
            ("150", Some(150)),
            (" 1,500 ", Some(1_500)),
            ("1.500", Some(1_500)),
            ("1 500", Some(1_500)),
            ("1,000,500", Some(1_000_500)),
            ("1.5", None),
            ("0.500", None),
            ("1500.250", None),
            ("1,500.250", None),
            (".500", None),
            ("-5", None),
            ("", None),
            ("many", None),
        ];
        for (typed, expected) in table {
            let answers = Answers { users: typed.to_owned(), ..Answers::default() };
            assert_eq!(users_of(&answers), expected, "{typed}");
        }
    }
}
