//! `seatkey quote`: what N users cost, from the catalog's list prices, and what an upgrade within a term would.

use std::path::PathBuf;

use clap::Args;
use time::{Date, macros::format_description};

use super::{Failure, catalog, output::print_json, print_line};
use crate::domain::{
    catalog::{Catalog, NotInCatalog, Plan, PriceList},
    money::{Currency, grouped},
    pricing::{PricedPlan, Quote},
    proration::{UpgradeFrom, UpgradeQuote, quote_upgrade},
    quote_json::{Amounts, QuoteJson},
    time::Term,
};

#[derive(Debug, Args)]
pub(super) struct QuoteArgs {
    /// The plan's id
    #[arg(long)]
    plan: String,
    /// Users in total
    #[arg(long)]
    users: u32,
    /// The offer's id, where plan ids repeat
    #[arg(long)]
    offer: Option<String>,
    /// The catalog; default: `SEATKEY__CATALOG__PATH`, else the built-in example
    #[arg(long)]
    catalog: Option<PathBuf>,
    /// The buyer's market, such as DE
    #[arg(long, conflicts_with = "currency")]
    market: Option<String>,
    /// The currency, such as EUR
    #[arg(long)]
    currency: Option<String>,
    /// Prints JSON
    #[arg(long)]
    json: bool,
    /// Quotes an upgrade from that many users
    #[arg(long, requires_all = ["term_start", "term_end", "on"])]
    from_users: Option<u32>,
    /// The first day of the term (YYYY-MM-DD)
    #[arg(long, value_parser = parse_date, requires = "from_users")]
    term_start: Option<Date>,
    /// The last day of the term
    #[arg(long, value_parser = parse_date, requires = "from_users")]
    term_end: Option<Date>,
    /// The day of the upgrade
    #[arg(long, value_parser = parse_date, requires = "from_users")]
    on: Option<Date>,
}

fn parse_date(text: &str) -> Result<Date, String> {
    Date::parse(text, format_description!("[year]-[month]-[day]")).map_err(|_| "write a date as YYYY-MM-DD".to_owned())
}

pub(super) fn run(args: &QuoteArgs) -> Result<(), Failure> {
    let (catalog, _) = catalog::load(args.catalog.as_deref())?;
    let plan = catalog.choose_plan(&args.plan, args.offer.as_deref()).map_err(not_in_catalog)?;
    let prices = choose_prices(&catalog, plan, args)?;
    let priced = PricedPlan::new(plan, prices).map_err(|error| Failure::Usage(error.to_string()))?;
    let quote = priced.quote(args.users).map_err(|error| Failure::No(error.to_string()))?;
    let upgrade = upgrade(&priced, args)?;
    if args.json {
        return print_json(&QuoteJson::new(&quote, upgrade.as_ref(), Amounts::Shown));
    }
    print_table(&quote, upgrade.as_ref());
    Ok(())
}

/// The prices in the named currency, or those of the named market, or the plan's own.
fn choose_prices<'a>(catalog: &Catalog, plan: &'a Plan, args: &QuoteArgs) -> Result<&'a PriceList, Failure> {
    let Some(code) = &args.currency else {
        return catalog.choose_prices(plan, args.market.as_deref()).map_err(not_in_catalog);
    };
    let currency: Currency = code.parse().map_err(|error| Failure::Usage(format!("{error}")))?;
    plan.prices_in(currency).map_err(not_in_catalog)
}

#[expect(clippy::needless_pass_by_value, reason = "used as a function in map_err")]
fn not_in_catalog(missing: NotInCatalog) -> Failure {
    let hint = match missing {
        NotInCatalog::SeveralPlans(_) => " Use --offer.",
        NotInCatalog::NoMarket(_) => " Add it under [markets], or use --currency.",
        NotInCatalog::NoPlan(_) | NotInCatalog::NoPrices { .. } => "",
    };
    Failure::Usage(format!("{missing}{hint}"))
}

fn upgrade(priced: &PricedPlan, args: &QuoteArgs) -> Result<Option<UpgradeQuote>, Failure> {
    let (Some(users), Some(start), Some(end), Some(on)) = (args.from_users, args.term_start, args.term_end, args.on)
    else {
        return Ok(None);
    };
    let term = Term::new(start, end).ok_or_else(|| Failure::Usage("the term ends before it starts".to_owned()))?;
    let today = priced.quote(users).map_err(|error| Failure::No(format!("--from-users: {error}")))?;
    let from = UpgradeFrom { users, segment: &today.segment.name, term, today: on, first_day: on };
    quote_upgrade(priced, from, args.users).map(Some).map_err(|error| Failure::No(error.to_string()))
}

fn print_table(quote: &Quote, upgrade: Option<&UpgradeQuote>) {
    let currency = quote.total.currency;
    print_line(&format!("{:<44} {:>12} {:>14} {:>14}", "Item", "Quantity", "Unit price", format!("Price, {currency}")));
    for line in &quote.lines {
        let (quantity, price) = (grouped(&line.quantity.to_string()), grouped(&line.unit_price.to_string()));
        let amount = grouped(&line.amount.to_string());
        print_line(&format!("{:<44} {quantity:>12} {price:>14} {amount:>14}", line.item.description()));
    }
    let total = grouped(&quote.total.to_string());
    print_line(&format!("{:<72} {total:>14}", format!("A full {}, without VAT", quote.term_unit.noun())));
    print_line(&format!("\n{} is the cheapest segment for {} users.", quote.segment.name, quote.users));
    if quote.unused_included_users > 0 {
        print_line(&format!("{} more users cost nothing.", quote.unused_included_users));
    }
    if let Some(next) = &quote.next_break {
        let total = grouped(&next.total.to_string());
        print_line(&format!("{} pays from {} users on ({total} {currency}).", next.segment.name, next.users));
    }
    if let Some(upgrade) = upgrade {
        print_line(&format!(
            "\nUpgrade from {} to {} users, {} of {} days: {} × {} = {} {currency} now.",
            upgrade.from_users,
            upgrade.to_users,
            upgrade.remaining_days,
            upgrade.term_days,
            upgrade.quantity,
            grouped(&upgrade.unit_price.to_string()),
            grouped(&upgrade.amount.to_string()),
        ));
    }
}
