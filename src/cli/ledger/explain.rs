//! `seatkey ledger explain`: every charge in words, month by month, with the invoice that it is on.

use uuid::Uuid;

use crate::{
    app,
    cli::{
        Failure,
        output::{print_json, print_line},
        serve::ConfigArgs,
    },
    domain::{
        explanation::{ExplainedCharge, Explanation, ExplanationJson, Month, Payer, StateSum},
        money::Amount,
        subscription::Subscription,
        words,
    },
    startup,
};

/// So many columns every terminal has.
const WIDTH: usize = 100;
/// Where the amounts of a month end.
const AMOUNTS_END: usize = 84;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ExplainArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Its id, as Microsoft gives it
    subscription: Uuid,
    /// JSON, with the fields of the API and the history of every charge
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ExplainArgs) -> Result<(), Failure> {
    let (config, clock) = args.config.load_with_clock()?;
    crate::cli::block_on(async {
        let app = startup::build(&config, clock).await.map_err(|error| Failure::Usage(error.to_string()))?;
        let no = |error: &dyn std::fmt::Display| Failure::No(error.to_string());
        let found = app.store.find_subscription(args.subscription).await.map_err(|error| no(&error))?;
        let subscription =
            found.ok_or_else(|| Failure::No(format!("there is no subscription {}", args.subscription)))?;
        let charges = app.store.list_charges(args.subscription).await.map_err(|error| no(&error))?;
        let explanation =
            app::explain_charges(&app, &subscription, &charges, None).await.map_err(|error| no(&error))?;
        if args.json {
            return print_json(&ExplanationJson::new(&subscription, &explanation));
        }
        tell(&subscription, &explanation).iter().for_each(|line| print_line(line));
        Ok(())
    })
}

/// The explanation as lines of text.
fn tell(subscription: &Subscription, explanation: &Explanation) -> Vec<String> {
    let microsoft = &subscription.microsoft;
    let users = subscription.users.map(|users| format!(", {}", words::users(users))).unwrap_or_default();
    let payer = match explanation.payer {
        Payer::Buyer => "Microsoft bills the buyer.",
        Payer::Reseller => "Microsoft bills the reseller; amounts are told to nobody.",
        Payer::Nobody => "A test: Microsoft bills nobody.",
    };
    let (name, plan, status) = (&microsoft.name, &microsoft.plan_id, microsoft.status.as_str());
    let mut lines = wrapped(0, &format!("{name} ({}): {plan}{users}, {status}. {payer}", microsoft.id));
    for month in &explanation.months {
        lines.push(String::new());
        lines.extend(tell_month(month));
    }
    if explanation.months.is_empty() {
        lines.push("There are no charges.".to_owned());
    }
    if !explanation.timeline.is_empty() {
        lines.extend([String::new(), "What happens when".to_owned()]);
    }
    lines.extend(explanation.timeline.iter().map(|point| format!("  {:<28}{}", point.when, point.words)));
    if let Some(ending) = &explanation.ending {
        lines.extend([String::new(), "A cancellation today".to_owned()]);
        lines.extend(wrapped(2, &format!("Fees: {}", ending.fees_words())));
        lines.extend(wrapped(2, &format!("License: {}", ending.license_words())));
    }
    lines
}

fn tell_month(month: &Month) -> Vec<String> {
    let used = words::month(month.first);
    let mut lines = vec![match month.invoice {
        Some(invoice) => format!("{used}, on the invoice of {}", words::month(invoice)),
        None => used.clone(),
    }];
    lines.extend(month.charges.iter().flat_map(tell_charge));
    lines.extend(month.saas.map(|sum| with_amount("  The invoice’s one line “SaaS”", sum)));
    if !month.cost_details.is_empty() {
        lines.push(format!("  The portal’s cost details of {used}"));
    }
    for line in &month.cost_details {
        let text = format!("    {:<44}{:>16}", line.description, words::quantity(line.quantity));
        lines.push(line.amount.map_or_else(|| text.clone(), |amount| with_amount(&text, amount)));
    }
    lines.extend(
        month.credited.map(|sum| with_amount("  Given back by Microsoft with credits, outside of this invoice", sum)),
    );
    lines.extend(month.expected.map(|sum| with_amount("  On its way to this invoice, unless it is dropped", sum)));
    let sum = |sum: &StateSum| {
        let amount = sum.amount.map(|amount| format!(" ({})", words::money(amount))).unwrap_or_default();
        format!("{} {}{amount}", sum.count, sum.state.as_str().replace('_', " "))
    };
    lines.extend(wrapped(2, &format!("Charges: {}", month.sums.iter().map(sum).collect::<Vec<_>>().join(", "))));
    lines
}

fn tell_charge(charge: &ExplainedCharge) -> Vec<String> {
    let mut lines = wrapped(2, &charge.words);
    lines.extend(wrapped(4, &format!("{}.", charge.standing)));
    let sent = charge.slot.map(|slot| {
        let id = charge.usage_event_id.map(|id| format!(", usage event {id}")).unwrap_or_default();
        let times = if charge.attempts == 1 { "once".to_owned() } else { format!("{} times", charge.attempts) };
        format!(", sent {times} for {}{id}", words::instant(slot.effective_start))
    });
    lines.extend(wrapped(4, &format!("{}, {}{}", charge.id, charge.dimension, sent.unwrap_or_default())));
    for credit in &charge.credits {
        lines.extend(wrapped(4, &format!("{}: {}.", words::instant(credit.at), credit.words)));
    }
    for step in &charge.steps {
        let text = format!("{}: {}, {}", words::instant(step.at), step.state.as_str().replace('_', " "), step.reason);
        lines.extend(wrapped(6, &text));
    }
    lines
}

/// The amounts of a month stand under each other.
fn with_amount(text: &str, amount: Amount) -> String {
    let room = AMOUNTS_END.saturating_sub(text.chars().count());
    format!("{text}{:>room$}", words::money(amount))
}

/// Lines of at most [`WIDTH`] columns; those that go on stand further in.
fn wrapped(indent: usize, text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = " ".repeat(indent);
    let mut is_empty = true;
    for word in text.split(' ') {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent + 2)));
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_go_on_further_in() {
        let text = "word ".repeat(40);
        let lines = wrapped(4, text.trim());
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH));
        assert!(lines[0].starts_with("    word") && lines[1].starts_with("      word"));
        assert_eq!(lines.iter().flat_map(|line| line.split_whitespace()).count(), 40);
    }
}
