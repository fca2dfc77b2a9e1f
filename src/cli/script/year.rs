//! The year after: trial, first report, upgrade, planned downgrade, renewal, suspension, reinstatement, cancellation.

use serde_json::{Value, json};
use time::{Date, Duration, macros::format_description};

use super::{Failure, Story, expect_path, expect_text, failed, purchase};
use crate::cli::browser::Page;

/// Users after the upgrade and after the planned downgrade.
const MORE: u32 = 300;
const FEWER: u32 = 200;

pub(super) async fn play(story: &mut Story<'_>) -> Result<(), Failure> {
    let first = term(story)?;
    trial(story, first).await?;
    upgrade(story, first).await?;
    plan_downgrade(story, first).await?;
    renew(story, first).await?;
    suspend_and_reinstate(story).await?;
    cancel(story).await?;
    super::ledger::check(story).await
}

/// A term as Microsoft gives it, both days inclusive.
#[derive(Clone, Copy)]
struct Term {
    start: Date,
    end: Date,
}

impl Term {
    fn days(self) -> i64 {
        (self.end - self.start).whole_days() + 1
    }
}

fn term(story: &Story<'_>) -> Result<Term, Failure> {
    let microsoft = story.scene.demo.simulator.world().subscription(story.id);
    let date = |name: &str| {
        let text = microsoft.get("term").and_then(|term| term.get(name)).and_then(Value::as_str)?;
        Date::parse(text.get(..10)?, format_description!("[year]-[month]-[day]")).ok()
    };
    let (start, end) = date("startDate").zip(date("endDate")).ok_or_else(|| failed("the term has no dates"))?;
    Ok(Term { start, end })
}

async fn trial(story: &mut Story<'_>, first: Term) -> Result<(), Failure> {
    story.scene.advance(Duration::days(24)).await?;
    expect_mail(story, "trial").await?;
    story.tell("trial_announced", "A mail says that the trial ends in a week, and what follows", &json!({}));
    story.scene.advance(Duration::days(7)).await?;
    let account = story.open_own("").await?;
    let charged_days = first.days() - 30;
    story.tell("trial_over", "Trial and grace period are over", &json!({ "chargedDays": charged_days }));
    expect_text(&account, &["License key"])?;
    first_report(story, first).await
}

/// The first fees are with Microsoft, and the key of the full term follows by itself.
async fn first_report(story: &mut Story<'_>, first: Term) -> Result<(), Failure> {
    expect_text(&story.open_own("").await?, &["Accepted by Microsoft"])?;
    expect_mail(story, "your new license key").await?;
    let key = purchase::license_key(story).await?;
    let claims = purchase::verify(story, &key).await?;
    let ends = (first.end + Duration::DAY).midnight().assume_utc().unix_timestamp();
    if claims.get("exp") != Some(&json!(ends)) || claims.get("provisional") != Some(&json!(false)) {
        return Err(failed("the key of the full term did not follow"));
    }
    let facts =
        json!({ "reported": story.scene.demo.simulator.world().usage_of(story.id).len(), "seq": claims.get("seq") });
    story.tell("first_report", "The first fees were reported and accepted; the key of the full term followed", &facts);
    Ok(())
}

async fn upgrade(story: &mut Story<'_>, first: Term) -> Result<(), Failure> {
    story.scene.advance(Duration::days(136)).await?;
    let remaining = (first.end - story.scene.now().date()).whole_days() + 1;
    let amount = upgrade_amount(remaining, first.days());
    let review = review_users(story, MORE).await?;
    expect_text(&review, &[&amount, "3,660.00"])?;
    let account = submit_users(story, &review).await?;
    expect_text(&account, &[&amount])?;
    story.scene.until_idle().await?;
    expect_mail(story, "300 users").await?;
    let words = format!("Upgrade to {MORE} users: {amount} EUR for {remaining} of {} days", first.days());
    story.tell("upgraded", &words, &json!({ "users": MORE, "amount": amount, "remainingDays": remaining }));
    Ok(())
}

/// By separate arithmetic, in millionths and cents: (3,660.00 − 2,100.00) × remaining / days, in additional users at 7.20.
fn upgrade_amount(remaining: i64, days: i64) -> String {
    let millionths = 156_000 * remaining * 1_000_000 / (days * 720);
    let cents = (millionths * 720 + 500_000) / 1_000_000;
    let (whole, rest) = (cents / 100, cents % 100);
    if whole < 1_000 {
        format!("{whole}.{rest:02}")
    } else {
        format!("{},{:03}.{rest:02}", whole / 1_000, whole % 1_000)
    }
}

async fn plan_downgrade(story: &mut Story<'_>, first: Term) -> Result<(), Failure> {
    let review = review_users(story, FEWER).await?;
    expect_text(&review, &["2,700.00"])?;
    let account = submit_users(story, &review).await?;
    expect_text(&account, &["Cancel downgrade"])?;
    story.scene.until_idle().await?;
    let day = first.end.next_day().map(|day| day.to_string());
    let words = format!("A downgrade to {FEWER} users is planned for the renewal");
    story.tell("downgrade_planned", &words, &json!({ "users": FEWER, "effective": day }));
    Ok(())
}

async fn renew(story: &mut Story<'_>, first: Term) -> Result<(), Failure> {
    let announced = first.end - Duration::days(29);
    story.scene.advance(Duration::days((announced - story.scene.now().date()).whole_days())).await?;
    expect_mail(story, "renewal").await?;
    story.tell("renewal_announced", "A mail announces the renewal 30 days ahead, with its fees", &json!({}));
    story.in_portal("pass-term").await?;
    story.scene.until_idle().await?;
    let second = term(story)?;
    let account = story.open_own("").await?;
    expect_text(&account, &["200", "2,100.00", "600.00"])?;
    let key = purchase::license_key(story).await?;
    let claims = purchase::verify(story, &key).await?;
    if claims.get("users") != Some(&json!(FEWER)) {
        return Err(failed("the key of the new term has other users"));
    }
    let facts = json!({ "start": second.start.to_string(), "end": second.end.to_string(), "users": FEWER, "seq": claims.get("seq") });
    story.tell("renewed", "Renewed for another year with 200 users: 2,700.00 EUR", &facts);
    Ok(())
}

async fn suspend_and_reinstate(story: &mut Story<'_>) -> Result<(), Failure> {
    story.scene.advance(Duration::days(40)).await?;
    story.in_portal("suspend").await?;
    story.scene.until_idle().await?;
    expect_text(&story.open_own("").await?, &["What to do about the payment"])?;
    story.tell("suspended", "A payment failed: Microsoft suspends, the page says what to do", &json!({}));
    story.in_portal("reinstate").await?;
    story.scene.until_idle().await?;
    let account = story.open_own("").await?;
    if account.text.contains("What to do about the payment") {
        return Err(failed("the account page does not know of the reinstatement"));
    }
    story.tell("reinstated", "Paid: everything goes on as before", &json!({}));
    Ok(())
}

async fn cancel(story: &mut Story<'_>) -> Result<(), Failure> {
    story.scene.advance(Duration::days(20)).await?;
    story.in_portal("cancel").await?;
    story.scene.until_idle().await?;
    expect_text(&story.open_own("").await?, &["To have it again"])?;
    story.tell("cancelled", "Cancelled in the portal: what was due stays, no more fees", &json!({}));
    Ok(())
}

async fn review_users(story: &mut Story<'_>, users: u32) -> Result<Page, Failure> {
    let account = story.open_own("").await?;
    let fields = [("csrf", account.field("csrf")?), ("users", users.to_string())];
    let review = story.post_own("/users", &fields).await?;
    expect_path(&review, "/users/review/")?;
    Ok(review)
}

async fn submit_users(story: &mut Story<'_>, review: &Page) -> Result<Page, Failure> {
    let fields = [("csrf", review.field("csrf")?), ("change", review.field("change")?)];
    let account = story.post_own("/users/submit", &fields).await?;
    expect_path(&account, &story.id.to_string())?;
    if account.url.path().contains("/review/") {
        return Err(failed("the change was not accepted"));
    }
    Ok(account)
}

/// The newest mail to the technical contact is about this.
async fn expect_mail(story: &mut Story<'_>, words: &str) -> Result<(), Failure> {
    let mails = story.mails("jo.brandt@contoso.example").await?;
    let subjects: Vec<&str> = mails.iter().filter_map(|mail| mail.get("subject")?.as_str()).collect();
    if subjects.iter().any(|subject| subject.contains(words)) {
        Ok(())
    } else {
        Err(failed(&format!("no mail is about \"{words}\"; there are: {}", subjects.join(", "))))
    }
}
