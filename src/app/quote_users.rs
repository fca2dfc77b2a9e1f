//! What a number of users costs a subscription, for programs: as the account page would show it, keeping nothing.

use super::{App, AppError, Freshness, find_prices, preview_change, review_order::check_term};
use crate::domain::{
    change::{ChangeRefused, forecast_renewal},
    pricing::Quote,
    proration::UpgradeQuote,
    quote_json::{Amounts, QuoteJson},
    subscription::Subscription,
};

/// A quote at the prices of one customer.
#[derive(Debug)]
pub struct CustomerQuote {
    quote: Quote,
    /// Where more users than now are asked for.
    upgrade: Option<UpgradeQuote>,
    amounts: Amounts,
}

impl CustomerQuote {
    /// As JSON; without amounts in a reseller deal.
    #[must_use]
    pub fn json(&self) -> QuoteJson {
        QuoteJson::new(&self.quote, self.upgrade.as_ref(), self.amounts)
    }
}

/// A full term of `users`; for more than the users of today also what the upgrade costs now.
///
/// # Errors
/// [`AppError::Change`] with the reason in words; [`AppError::NoPrice`]; [`AppError::Marketplace`].
pub async fn quote_users(app: &App, subscription: &Subscription, users: u32) -> Result<CustomerQuote, AppError> {
    let microsoft = &subscription.microsoft;
    let amounts = if microsoft.is_reseller_deal() { Amounts::Hidden } else { Amounts::Shown };
    if subscription.users.is_some_and(|today| users > today) {
        let change = preview_change(app, subscription, users).await?;
        return Ok(CustomerQuote { quote: change.next, upgrade: change.upgrade, amounts });
    }
    let (_, plan) = app.find_plan(&microsoft.offer_id, &microsoft.plan_id)?;
    check_term(microsoft, plan)?;
    let prices = find_prices(app, microsoft, plan, Freshness::Shown).await?.ok_or(ChangeRefused::NotMetered)?;
    Ok(CustomerQuote { quote: forecast_renewal(plan, &prices.list, users)?, upgrade: None, amounts })
}
