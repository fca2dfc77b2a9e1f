//! What the roll-up of the console's pictures is made from: sums over subscriptions and ledger, grouped by the database. Each
//! is one pass over a table, so that a million subscriptions take seconds and the memory of the groups.

use std::{collections::BTreeMap, pin::pin};

use futures::StreamExt as _;
use sea_orm::{ConnectionTrait as _, QueryResult, Statement, StreamTrait as _, TryGetable, Value};
use time::{Date, OffsetDateTime, macros::format_description};
use uuid::Uuid;

use super::{Result, Store, StoreError, charges::NOT_ACCEPTED};
use crate::{
    clock::{from_micros, to_micros},
    domain::{
        change::FrozenChange,
        charge::State,
        money::{Amount, Quantity, UnitPrice},
        numbers::{Mark, Of, Outcome, Step, Tallies, Tally, Topic, month_of, tally, week_of},
        proration::Part,
        recurring::{RecurringFees, months_in},
        time::{Term, utc_day},
        trial_grant::{self, CONVERTED, Standing},
    },
};

/// Microseconds of a day: whole days can be grouped by in both databases alike.
const DAY: i64 = 86_400_000_000;
/// Whose figures they are; a reseller deal is what `Snapshot::is_reseller_deal` calls one.
const MARK: &str = "CASE WHEN s.is_test THEN 'test' WHEN s.purchaser_tenant_id IS DISTINCT FROM s.beneficiary_tenant_id \
                    OR NOT s.update_allowed THEN 'reseller' ELSE '' END";
/// In use.
const IN_USE: &str = "s.stage IN ('active', 'suspended')";
/// Fees that recur: extras have no part of a term. What was dropped is no revenue.
const RECURRING: &str = "c.part_days > 0 AND c.state NOT IN ('cancelled', 'written_off', 'expired')";

/// Fees of direct customers that are alike, with the number of subscriptions whose base fee is among them.
#[derive(Debug, Clone)]
pub struct FeeGroup {
    /// The offer.
    pub offer_id: String,
    /// The three letters.
    pub currency: String,
    /// The fees.
    pub fees: RecurringFees,
    /// Base fees among them.
    pub subscriptions: i64,
}

/// Fees of current terms that renew, of one subscription where a downgrade is planned for it.
#[derive(Debug, Clone)]
pub struct RenewalFees {
    /// The subscription, where a downgrade is planned.
    pub planned: Option<Uuid>,
    /// The offer.
    pub offer_id: String,
    /// The three letters.
    pub currency: String,
    /// The fees.
    pub fees: RecurringFees,
}

struct Line(QueryResult);

impl Line {
    fn get<T: TryGetable>(&self, column: &str) -> Result<T> {
        Ok(self.0.try_get("", column)?)
    }

    fn wrong(column: &'static str, value: impl std::fmt::Display) -> StoreError {
        StoreError::inconsistent("charge", column, "a group", value.to_string())
    }

    fn mark(&self) -> Result<Mark> {
        let word: String = self.get("mark")?;
        Mark::from_word(&word).ok_or_else(|| Self::wrong("mark", word))
    }

    fn date(&self, column: &'static str) -> Result<Date> {
        let text: String = self.get(column)?;
        let date = Date::parse(&text, format_description!("[year]-[month]-[day]"));
        date.map_err(|_| Self::wrong(column, text))
    }

    /// A day that was grouped by.
    fn day(&self, column: &str) -> Result<Option<Date>> {
        let number: Option<i64> = self.get(column)?;
        Ok(number.map(|days| utc_day(from_micros(days.saturating_mul(DAY)))))
    }

    fn fees(&self, ended: bool) -> Result<RecurringFees> {
        let price: String = self.get("unit_price")?;
        let millionths: i64 = self.get("quantity")?;
        let days = |column: &'static str| -> Result<u32> {
            let days: i32 = self.get(column)?;
            u32::try_from(days).map_err(|_| Self::wrong(column, days))
        };
        Ok(RecurringFees {
            quantity: Quantity::from_millionths(millionths).ok_or_else(|| Self::wrong("quantity", millionths))?,
            unit_price: price.parse::<UnitPrice>().map_err(|_| Self::wrong("unit_price", &price))?,
            term_start: self.date("term_start")?,
            part: Part { days: days("part_days")?, of_days: days("part_of_days")? },
            ended_on: if ended { self.day("ended")? } else { None },
        })
    }

    fn of(&self, topic: Topic, period: String, item: &str, currency: &str) -> Result<Of> {
        let (item, currency) = (item.to_owned(), currency.to_owned());
        Ok(Of { topic, period, offer_id: self.get("offer")?, item, currency, mark: self.mark()? })
    }
}

impl Store {
    /// Tells each line as it comes: there may be hundreds of thousands.
    async fn each_line(&self, sql: String, mut tell: impl FnMut(Line) -> Result<()>) -> Result<()> {
        let statement = Statement::from_string(self.db.get_database_backend(), sql);
        let mut lines = pin!(self.db.inner().stream_raw(statement).await?);
        while let Some(line) = lines.next().await {
            tell(Line(line?))?;
        }
        Ok(())
    }

    /// These statements read whole tables; the step that they belong to says how long they may take.
    async fn lines(&self, sql: String, values: impl IntoIterator<Item = Value>) -> Result<Vec<Line>> {
        let statement = Statement::from_sql_and_values(self.db.get_database_backend(), sql, values);
        Ok(self.db.inner().query_all_raw(statement).await?.into_iter().map(Line).collect())
    }

    /// All fees of direct customers that recur, one group after the other.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn each_fee_group(&self, mut tell: impl FnMut(FeeGroup)) -> Result<()> {
        // The base fee is a term's first line; an upgrade's lines have the users before it.
        let sql = format!(
            "SELECT s.offer_id AS offer, c.currency AS currency, c.unit_price AS unit_price, c.term_start AS term_start, \
             c.part_days AS part_days, c.part_of_days AS part_of_days, s.ended_at / {DAY} AS ended, \
             CAST(SUM(c.quantity_millionths) AS BIGINT) AS quantity, \
             CAST(SUM(CASE WHEN c.position = 0 AND c.from_users IS NULL THEN 1 ELSE 0 END) AS BIGINT) AS subscriptions \
             FROM charge AS c JOIN subscription AS s ON s.id = c.subscription_id \
             WHERE {RECURRING} AND {MARK} = '' GROUP BY 1, 2, 3, 4, 5, 6, 7"
        );
        self.each_line(sql, |line| {
            let (offer_id, currency) = (line.get("offer")?, line.get("currency")?);
            tell(FeeGroup { offer_id, currency, fees: line.fees(true)?, subscriptions: line.get("subscriptions")? });
            Ok(())
        })
        .await
    }

    /// The fees of the current terms of direct customers that renew by themselves, one group after the other.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn each_renewal_fees(&self, mut tell: impl FnMut(RenewalFees)) -> Result<()> {
        let sql = format!(
            "SELECT s.offer_id AS offer, c.currency AS currency, c.unit_price AS unit_price, c.term_start AS term_start, \
             c.part_days AS part_days, c.part_of_days AS part_of_days, \
             CASE WHEN s.planned_users IS NULL THEN NULL ELSE s.id END AS planned, \
             CAST(SUM(c.quantity_millionths) AS BIGINT) AS quantity \
             FROM charge AS c JOIN subscription AS s ON s.id = c.subscription_id AND s.ledger_term_start = c.term_start \
             WHERE {RECURRING} AND {MARK} = '' AND {IN_USE} AND s.auto_renew GROUP BY 1, 2, 3, 4, 5, 6, 7"
        );
        self.each_line(sql, |line| {
            let (planned, offer_id) = (line.get("planned")?, line.get("offer")?);
            tell(RenewalFees { planned, offer_id, currency: line.get("currency")?, fees: line.fees(false)? });
            Ok(())
        })
        .await
    }

    /// What a term will cost after the planned downgrades, as it was shown when they were planned.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn list_planned_totals(&self) -> Result<BTreeMap<Uuid, Amount>> {
        let sql = "SELECT h.subscription_id AS id, h.body AS body FROM change AS h \
                   JOIN subscription AS s ON s.id = h.subscription_id \
                   WHERE s.planned_users IS NOT NULL AND h.kind = 'downgrade' AND h.state = 'done' \
                   ORDER BY h.created_at, h.id";
        let total = |line: Line| {
            let (id, body): (Uuid, String) = (line.get("id")?, line.get("body")?);
            let change: FrozenChange = serde_json::from_str(&body)
                .map_err(|error| StoreError::inconsistent("change", "body", id, error.to_string()))?;
            Ok((id, change.next.total))
        };
        self.lines(sql.to_owned(), []).await?.into_iter().map(total).collect()
    }

    /// Subscriptions in use and their users by segment (by plan, where it has none), for the month of `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tally_segments(&self, now: OffsetDateTime, tallies: &mut Tallies) -> Result<()> {
        let sql = format!(
            "SELECT s.offer_id AS offer, {MARK} AS mark, COALESCE(s.segment, s.plan_id) AS item, COUNT(*) AS count, \
             CAST(SUM(COALESCE(s.users, s.quantity, 0)) AS BIGINT) AS users \
             FROM subscription AS s WHERE {IN_USE} GROUP BY 1, 2, 3"
        );
        for line in self.lines(sql, []).await? {
            let item: String = line.get("item")?;
            let of = line.of(Topic::Segment, month_of(utc_day(now)), &item, "")?;
            tally(tallies, of, Tally { count: line.get("count")?, users: line.get("users")?, amount_minor: None });
        }
        Ok(())
    }

    /// How far the purchases since then have come.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tally_purchases(&self, since: OffsetDateTime, tallies: &mut Tallies) -> Result<()> {
        const CONDITIONS: [(Step, &str); 6] = [
            (Step::Bought, "1 = 1"),
            (
                Step::Quoted,
                "s.enrolled_at IS NOT NULL OR EXISTS (SELECT 1 FROM quote AS q WHERE q.subscription_id = s.id)",
            ),
            (Step::Ordered, "s.enrolled_at IS NOT NULL"),
            (Step::Subscribed, "s.enrolled_at IS NOT NULL AND s.activated_at IS NOT NULL"),
            (Step::Signed, "EXISTS (SELECT 1 FROM license_key AS k WHERE k.subscription_id = s.id)"),
            (
                Step::Mailed,
                "EXISTS (SELECT 1 FROM license_key AS k JOIN mail AS m ON m.subscription_id = k.subscription_id \
                 WHERE k.subscription_id = s.id AND m.state = 'sent' AND m.created_at >= k.created_at)",
            ),
        ];
        let sums = CONDITIONS.map(|(step, condition)| {
            format!("CAST(SUM(CASE WHEN {condition} THEN 1 ELSE 0 END) AS BIGINT) AS {}", step.as_str())
        });
        let sql = format!(
            "SELECT s.offer_id AS offer, {MARK} AS mark, s.created_at / {DAY} AS day, {} \
             FROM subscription AS s WHERE s.created_at >= $1 GROUP BY 1, 2, 3",
            sums.join(", ")
        );
        for line in self.lines(sql, [to_micros(since).into()]).await? {
            let Some(day) = line.day("day")? else { continue };
            for step in Step::ALL {
                let of = line.of(Topic::Purchase, month_of(day), step.as_str(), "")?;
                tally(tallies, of, Tally { count: line.get(step.as_str())?, ..Tally::default() });
            }
        }
        Ok(())
    }

    /// What became of the trials that began since then.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tally_trials(&self, since: OffsetDateTime, tallies: &mut Tallies) -> Result<()> {
        let [converted, running, lost] = Outcome::ALL.map(Outcome::as_str);
        let sql = format!(
            "SELECT s.offer_id AS offer, {MARK} AS mark, s.enrolled_at / {DAY} AS day, \
             CASE WHEN EXISTS (SELECT 1 FROM charge AS c WHERE c.subscription_id = s.id AND c.state = 'accepted') \
             THEN '{converted}' WHEN s.ended_at IS NULL THEN '{running}' ELSE '{lost}' END AS item, COUNT(*) AS count \
             FROM subscription AS s WHERE s.trial_end IS NOT NULL AND s.enrolled_at >= $1 GROUP BY 1, 2, 3, 4"
        );
        for line in self.lines(sql, [to_micros(since).into()]).await? {
            let (Some(day), item) = (line.day("day")?, line.get::<String>("item")?) else { continue };
            let of = line.of(Topic::Trial, month_of(day), &item, "")?;
            tally(tallies, of, Tally { count: line.get("count")?, ..Tally::default() });
        }
        Ok(())
    }

    /// What became of the trials that were granted, at `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tally_grants(&self, now: OffsetDateTime, tallies: &mut Tallies) -> Result<()> {
        let [used, revoked] = [trial_grant::State::Used, trial_grant::State::Revoked].map(trial_grant::State::as_str);
        let expired = Standing::Expired.as_str();
        // A grant that nobody has used has no subscription. What a test used counts nowhere.
        let sql = format!(
            "SELECT g.offer_id AS offer, CASE WHEN s.is_test THEN 'test' ELSE '' END AS mark, g.granted_at / {DAY} AS day, \
             CASE WHEN g.state NOT IN ('{used}', '{revoked}') AND g.expires_at <= $1 THEN '{expired}' ELSE g.state END AS item, \
             COUNT(*) AS count, CAST(SUM(CASE WHEN g.state = '{used}' AND EXISTS (SELECT 1 FROM charge AS c \
             WHERE c.subscription_id = g.subscription_id AND c.state = 'accepted') THEN 1 ELSE 0 END) AS BIGINT) AS converted \
             FROM trial_grant AS g LEFT JOIN subscription AS s ON s.id = g.subscription_id GROUP BY 1, 2, 3, 4"
        );
        for line in self.lines(sql, [to_micros(now).into()]).await? {
            let (Some(day), item) = (line.day("day")?, line.get::<String>("item")?) else { continue };
            for (item, column) in [(item.as_str(), "count"), (CONVERTED, "converted")] {
                let of = line.of(Topic::Grant, month_of(day), item, "")?;
                if of.mark != Mark::Test {
                    tally(tallies, of, Tally { count: line.get(column)?, ..Tally::default() });
                }
            }
        }
        Ok(())
    }

    /// Renewals of terms longer than a month, by the month in which they are expected, and those of them with a planned
    /// downgrade; without amounts.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tally_renewals(&self, tallies: &mut Tallies) -> Result<()> {
        let sql = format!(
            "SELECT s.offer_id AS offer, {MARK} AS mark, s.ledger_term_start AS term_start, s.ledger_term_end AS term_end, \
             COUNT(*) AS count, CAST(SUM(COALESCE(s.users, s.quantity, 0)) AS BIGINT) AS users, \
             COUNT(s.planned_users) AS fewer, \
             CAST(SUM(CASE WHEN s.planned_users IS NULL THEN 0 ELSE s.users - s.planned_users END) AS BIGINT) AS fewer_users \
             FROM subscription AS s WHERE {IN_USE} AND s.auto_renew AND s.ledger_term_start IS NOT NULL \
             AND s.ledger_term_end IS NOT NULL GROUP BY 1, 2, 3, 4"
        );
        for line in self.lines(sql, []).await? {
            let term = Term { start: line.date("term_start")?, end: line.date("term_end")? };
            let Some(day) = term.renewal().filter(|_| months_in(term.days()) > 1) else { continue };
            for (topic, count, users) in
                [(Topic::Renewal, "count", "users"), (Topic::Downgrade, "fewer", "fewer_users")]
            {
                let counted = Tally { count: line.get(count)?, users: line.get(users)?, amount_minor: None };
                if counted.count > 0 {
                    // The amounts are known apart, in their currencies.
                    tally(tallies, line.of(topic, month_of(day), "", "")?, counted);
                }
            }
        }
        Ok(())
    }

    /// What Microsoft accepted since then, by week, and what is held, due, or waits for a person in the week of `now`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tally_charges(
        &self,
        (since, now): (OffsetDateTime, OffsetDateTime),
        tallies: &mut Tallies,
    ) -> Result<()> {
        let columns = format!("s.offer_id AS offer, {MARK} AS mark, c.currency AS currency");
        let sums = "COUNT(*) AS count, CAST(SUM(c.amount_minor) AS BIGINT) AS amount";
        let tables = "charge AS c JOIN subscription AS s ON s.id = c.subscription_id";
        let sql = format!(
            "SELECT {columns}, c.state_at / {DAY} AS day, {sums} FROM {tables} \
             WHERE c.state = 'accepted' AND c.state_at >= $1 GROUP BY 1, 2, 3, 4"
        );
        for line in self.lines(sql, [to_micros(since).into()]).await? {
            if let Some(day) = line.day("day")? {
                tally_charge(&line, Topic::Reported, week_of(day), tallies)?;
            }
        }
        let open = State::ALL.into_iter().filter(|state| state.is_open());
        let open: Vec<String> = open.map(|state| format!("'{}'", state.as_str())).collect();
        let sql = format!(
            "SELECT {columns}, c.state AS state, {sums} FROM {tables} WHERE c.state IN ({}) AND c.{NOT_ACCEPTED} \
             GROUP BY 1, 2, 3, 4",
            open.join(", ")
        );
        for line in self.lines(sql, []).await? {
            let word: String = line.get("state")?;
            let topic = match State::from_word(&word) {
                Some(State::Held) => Topic::Held,
                Some(State::Due | State::Sending) => Topic::Due,
                _ => Topic::Stuck,
            };
            tally_charge(&line, topic, week_of(utc_day(now)), tallies)?;
        }
        Ok(())
    }
}

/// No amount of a reseller deal is tallied.
fn tally_charge(line: &Line, topic: Topic, period: String, tallies: &mut Tallies) -> Result<()> {
    let of = line.of(topic, period, "", &line.get::<String>("currency")?)?;
    let amount_minor = if of.mark == Mark::Reseller { None } else { Some(line.get("amount")?) };
    let of = if amount_minor.is_none() { Of { currency: String::new(), ..of } } else { of };
    tally(tallies, of, Tally { count: line.get("count")?, users: 0, amount_minor });
    Ok(())
}
