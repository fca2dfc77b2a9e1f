//! `seatkey doctor`: the self-check of a configuration, shown.

use serde_json::json;

use super::{
    Failure,
    output::{print_json_line, print_line},
    serve::ConfigArgs,
};
use crate::{
    app::checkup::{Check, Outcome, Verdict},
    doctor::{self, Patient, Surroundings},
};

#[derive(Debug, clap::Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// JSON lines instead of words: one for each check, and a last one with the sums
    #[arg(long)]
    json: bool,
    /// Sends a test mail to this address
    #[arg(long, value_name = "ADDRESS")]
    test_mail: Option<String>,
    /// Looks at nothing, and prints the table of all checks (Markdown)
    #[arg(long, conflicts_with_all = ["json", "test_mail"])]
    list: bool,
}

pub(super) fn run(args: &DoctorArgs) -> Result<(), Failure> {
    if args.list {
        print_line(table().trim_end());
        return Ok(());
    }
    let (config, clock) = args.config.load_with_clock()?;
    let surroundings = Surroundings::of_this_machine();
    let patient =
        Patient { config: &config, clock: &clock, surroundings: &surroundings, test_mail: args.test_mail.as_deref() };
    let outcomes = super::block_on(async {
        let mut shown = Shown { json: args.json, concern: "" };
        let examined = doctor::examine(patient, |outcome| shown.show(outcome)).await;
        examined.map_err(|error| Failure::No(error.to_string()))
    })?;
    conclude(&outcomes, args.json)
}

/// What has been shown so far.
struct Shown {
    json: bool,
    concern: &'static str,
}

impl Shown {
    fn show(&mut self, outcome: &Outcome) {
        if self.json {
            // Nothing in a line of text cannot be written as JSON.
            drop(print_json_line(&as_json(outcome)));
            return;
        }
        let concern = outcome.check.concern();
        if concern != self.concern {
            let gap = if self.concern.is_empty() { "" } else { "\n" };
            print_line(&format!("{gap}{}", title(concern)));
            self.concern = concern;
        }
        print_line(&line(outcome));
    }
}

fn title(concern: &'static str) -> &'static str {
    match concern {
        "catalog" => "Catalog",
        "templates" => "Templates",
        "signing" => "Signing keys",
        "audit" => "Audit",
        "server" => "Addresses",
        "database" => "Database",
        "entra" => "Entra",
        "marketplace" => "Microsoft's marketplace",
        "sign_in" => "The buyers' sign-in",
        "staff" => "The console",
        "mail" => "Mail",
        "clock" => "Clocks",
        "work" => "Work",
        other => other,
    }
}

fn line(outcome: &Outcome) -> String {
    let (word, verdict) = (word(&outcome.verdict), &outcome.verdict);
    let mut text = format!("  {word:<8}{:<26}{}", outcome.check.id, verdict.saw());
    if let Some(mend) = verdict.mend() {
        text.push_str(&format!("\n{:10}→ {}: {}", "", mend.whose.as_str(), mend.does));
    }
    text
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Well(_) => "well",
        Verdict::Warning(..) => "look",
        Verdict::Wrong(..) => "WRONG",
        Verdict::NotChecked(_) => "-",
    }
}

fn as_json(outcome: &Outcome) -> serde_json::Value {
    let level = match outcome.verdict {
        Verdict::Well(_) => "well",
        Verdict::Warning(..) => "warning",
        Verdict::Wrong(..) => "wrong",
        Verdict::NotChecked(_) => "notChecked",
    };
    let mend = outcome.verdict.mend();
    json!({
        "check": outcome.check.id,
        "level": level,
        "saw": outcome.verdict.saw(),
        "whose": mend.map(|mend| mend.whose.as_str()),
        "mend": mend.map(|mend| mend.does),
    })
}

fn conclude(outcomes: &[Outcome], json: bool) -> Result<(), Failure> {
    let count = |is: fn(&Verdict) -> bool| outcomes.iter().filter(|outcome| is(&outcome.verdict)).count();
    let well = count(|verdict| matches!(verdict, Verdict::Well(_)));
    let warnings = count(|verdict| matches!(verdict, Verdict::Warning(..)));
    let wrong = count(|verdict| matches!(verdict, Verdict::Wrong(..)));
    let not_checked = count(|verdict| matches!(verdict, Verdict::NotChecked(_)));
    if json {
        print_json_line(&json!({ "well": well, "warnings": warnings, "wrong": wrong, "notChecked": not_checked }))?;
    } else {
        print_line(&format!(
            "\n{} checks: {well} well, {warnings} to look at, {wrong} wrong, {not_checked} not checked.",
            outcomes.len()
        ));
    }
    match wrong {
        0 => Ok(()),
        1 => Err(Failure::No("1 check is wrong; the sentence below it mends it".to_owned())),
        more => Err(Failure::No(format!("{more} checks are wrong; the sentence below each mends it"))),
    }
}

/// All checks as a table, with everything that can come of each.
fn table() -> String {
    let mut text = "| Check | Is well when | Otherwise |\n|---|---|---|\n".to_owned();
    for check in doctor::all_checks() {
        text.push_str(&row(check));
    }
    text
}

fn row(check: &Check) -> String {
    let mends = check.mends.iter().map(|mend| format!("*{}*: {}", mend.whose.as_str(), plain(mend.does)));
    let mends: Vec<String> = mends.collect();
    format!("| `{}` | {} | {} |\n", check.id, plain(check.is_well_when), mends.join("<br>"))
}

/// Angle brackets of placeholders are no tags, and a bar ends no cell.
fn plain(text: &str) -> String {
    text.replace('<', "&lt;").replace('>', "&gt;").replace('|', "\\|")
}
