//! A year of history for the demo: some dozens of organisations buy, change, renew, cancel and get into trouble, by the
//! simulator's clock and webhooks. Everything is done over HTTP, as buyers, staff, programs and the portal do it; nothing
//! is written past the service. Who does what on which day stands in `cast.toml`.

mod buyer;
mod cast;
mod staff;

use std::collections::HashMap;

use time::{Date, Duration, OffsetDateTime};
use uuid::Uuid;

use super::{
    Failure,
    browser::{Browser, Page},
    demo::Demo,
    scene::{Scene, failed},
};
use crate::simulator::Seed;

use cast::Scheduled;
pub use cast::{Act, Cast, Deed, Kind, Organisation, Trial};

/// What only waits for some seconds (a poll, another attempt) is waited for; what waits longer has an hour of its own.
const A_MOMENT: Duration = Duration::minutes(2);
const MOST_MOMENTS: u32 = 60;
/// When a day begins: after Microsoft's midnight, before anybody acts.
const MORNING: Duration = Duration::hours(6);

/// How far the history is.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The day.
    pub date: Date,
    /// Days that are told.
    pub told: u16,
    /// Days that there are.
    pub days: u16,
    /// Purchases so far.
    pub purchases: usize,
}

/// Why a history broke off. What was told before stays.
#[derive(Debug, thiserror::Error)]
#[error("{date}, {what}: {reason}")]
pub struct HistoryError {
    date: Date,
    what: String,
    reason: String,
}

/// Tells the history, from where the demo's clock stands to the machine's time.
///
/// # Errors
/// [`HistoryError`] names the day, the organisation and the act.
pub async fn tell(demo: &Demo, cast: &Cast, mut watch: impl FnMut(Moment)) -> Result<(), HistoryError> {
    let first_day = demo.service.app.clock.now().date();
    let wrong = |date: Date, what: String| move |error: Failure| HistoryError { date, what, reason: error.to_string() };
    let house = || "the service".to_owned();
    let mut teller = Teller::new(demo, cast).map_err(wrong(first_day, house()))?;
    let mut schedule = cast.schedule(first_day.midnight().assume_utc()).into_iter().peekable();
    for told in 0..cast.days {
        let day = first_day.midnight().assume_utc() + Duration::days(told.into());
        let date = day.date();
        watch(Moment { date, told, days: cast.days, purchases: teller.count_purchases() });
        teller.go_to(day + MORNING).await.map_err(wrong(date, house()))?;
        while let Some(next) = schedule.next_if(|next| next.at < day + Duration::DAY) {
            let what = || format!("{}, {:?}", next.organisation.name, next.act.deed);
            teller.go_to(next.at).await.map_err(wrong(date, house()))?;
            teller.perform(&next).await.map_err(wrong(date, what()))?;
        }
    }
    let date = demo.service.app.clock.now().date();
    watch(Moment { date, told: cast.days, days: cast.days, purchases: teller.count_purchases() });
    catch_up(demo).await.map_err(wrong(date, house()))
}

/// Brings the demo's clock to the machine's time.
///
/// # Errors
/// [`Failure`] when the service does not come to rest.
pub async fn catch_up(demo: &Demo) -> Result<(), Failure> {
    let scene = Scene::of(demo)?;
    while demo.clock.lag() > A_MOMENT {
        scene.advance((demo.clock.lag() - A_MOMENT).clamp(Duration::SECOND, Duration::DAY)).await?;
        settle(&scene).await?;
    }
    scene.advance(demo.clock.lag()).await
}

/// Until nothing is left to do, passing the seconds that something waits for.
async fn settle(scene: &Scene<'_>) -> Result<(), Failure> {
    for _ in 0..MOST_MOMENTS {
        scene.until_idle().await?;
        let next =
            scene.demo.service.app.store.find_next_job_time().await.map_err(|error| failed(&error.to_string()))?;
        let wait = next.map(|next| next - scene.now()).filter(|wait| *wait < A_MOMENT);
        let Some(wait) = wait else { return Ok(()) };
        scene.advance(wait.max(Duration::ZERO) + Duration::SECOND).await?;
    }
    Err(failed("the service does not come to an end"))
}

/// What an organisation has come to.
#[derive(Debug, Default)]
struct Standing {
    /// By plan, oldest first.
    purchases: Vec<(String, Uuid)>,
    /// Whose person acts for it.
    partner: Option<String>,
    /// The newest.
    trial: Option<Uuid>,
}

/// Whoever tells the history: all browsers, and what has happened so far.
struct Teller<'a> {
    scene: Scene<'a>,
    seed: Seed,
    /// By the person's name.
    browsers: HashMap<String, Browser>,
    /// By the organisation's domain.
    standings: HashMap<String, Standing>,
    /// Of the publisher's program.
    api_key: Option<String>,
}

impl<'a> Teller<'a> {
    fn new(demo: &'a Demo, cast: &Cast) -> Result<Self, Failure> {
        let (browsers, standings) = (HashMap::new(), HashMap::new());
        Ok(Self { scene: Scene::of(demo)?, seed: cast.seed(), browsers, standings, api_key: None })
    }

    fn count_purchases(&self) -> usize {
        self.standings.values().map(|standing| standing.purchases.len()).sum()
    }

    async fn go_to(&self, at: OffsetDateTime) -> Result<(), Failure> {
        // Whole seconds are passed, and never too few.
        let wait = at - self.scene.now() + Duration::SECOND;
        self.scene.advance(wait.max(Duration::ZERO)).await?;
        settle(&self.scene).await
    }

    async fn perform(&mut self, scheduled: &Scheduled<'_>) -> Result<(), Failure> {
        let Scheduled { organisation: of, act, .. } = *scheduled;
        match &act.deed {
            Deed::Buys { plan, by, test } => self.buy(of, plan, by.as_deref(), *test).await?,
            Deed::IsGranted { by, trial } => self.grant(of, by, trial).await?,
            Deed::IsApproved { by } => self.decide_trial(of, by, "approve", "").await?,
            Deed::IsRevoked { by, reason } => self.decide_trial(of, by, "revoke", reason).await?,
            Deed::MeetsTrouble { status } => self.answer_usage_with(status.as_deref()).await?,
            Deed::IsNotTold { lost } => self.lose_webhooks(*lost).await?,
            deed => {
                let id = self.purchase(of, act)?;
                self.perform_on(of, id, deed).await?;
            }
        }
        settle(&self.scene).await
    }

    /// What is about a purchase.
    async fn perform_on(&mut self, of: &Organisation, id: Uuid, deed: &Deed) -> Result<(), Failure> {
        match deed {
            Deed::Looks => self.configure(of, id).await.map(drop),
            Deed::Reviews { users } => self.review(of, id, *users).await.map(drop),
            Deed::Enrols { users } => self.enrol(of, id, *users).await,
            Deed::Changes { users } => self.change(of, id, *users).await,
            Deed::Keeps => self.confirm(of, id, "", "users/cancel-downgrade").await,
            Deed::Withdraws => self.confirm(of, id, "withdraw", "withdraw").await,
            Deed::Cancels => self.in_portal(of, id, "cancel", &[]).await,
            Deed::StopsRenewal => self.in_portal(of, id, "recurring", &[("on", "no".to_owned())]).await,
            Deed::FailsToPay => self.in_portal(of, id, "suspend", &[]).await,
            Deed::Pays => self.in_portal(of, id, "reinstate", &[]).await,
            Deed::AsksForPlan { plan } => self.in_portal(of, id, "change-plan", &[("plan", plan.clone())]).await,
            Deed::IsExtended { extends, days, reason } => self.extend(of, id, (extends, *days), reason).await,
            Deed::IsNoted { by, text } => self.on_subscription(by, id, "notes", &[("text", text)]).await,
            Deed::IsSentKey { by, reason } => self.on_subscription(by, id, "key/resend", &[("reason", reason)]).await,
            Deed::IsProposed { by, decision, reason } => self.propose(by, id, decision, reason).await,
            Deed::IsDecided { by } => self.approve(by, id).await,
            other => Err(failed(&format!("{other:?} is not about a purchase"))),
        }
    }

    /// The newest purchase, or the newest of the plan that the act names.
    fn purchase(&self, of: &Organisation, act: &Act) -> Result<Uuid, Failure> {
        let purchases = self.standings.get(&of.domain).map_or(&[][..], |standing| &standing.purchases);
        let wanted = purchases.iter().rev().find(|(plan, _)| act.of.as_ref().is_none_or(|of| of == plan));
        wanted.map(|(_, id)| *id).ok_or_else(|| failed("nothing was bought yet"))
    }

    /// Somebody's browser; people are found by their names.
    fn browser(&mut self, name: &str, language: &'static str) -> Result<&mut Browser, Failure> {
        if !self.browsers.contains_key(name) {
            let oid = self.oid(name)?;
            self.browsers.insert(name.to_owned(), Browser::of(&oid.to_string())?.reading(language));
        }
        self.browsers.get_mut(name).ok_or_else(|| failed("nobody"))
    }

    fn oid(&self, name: &str) -> Result<Uuid, Failure> {
        let mut people = self.seed.tenants.iter().flat_map(|tenant| &tenant.users);
        let found = people.find(|person| person.name == name).map(|person| person.oid);
        found.ok_or_else(|| failed(&format!("nobody is called {name}")))
    }
}

/// The page, unless it says no; then its own words.
fn accepted(page: Page, part: &str) -> Result<Page, Failure> {
    if page.status == 200 && page.url.path().contains(part) {
        return Ok(page);
    }
    let words =
        page.text.split("role=\"alert\"").nth(1).or_else(|| page.text.split("<main").nth(1)).unwrap_or_default();
    let words: String = words.split('<').flat_map(|piece| piece.split('>').nth(1)).collect::<Vec<_>>().join(" ");
    let words: Vec<&str> = words.split_whitespace().take(60).collect();
    Err(failed(&format!("{} answered {} instead of {part}: {}", page.url.path(), page.status, words.join(" "))))
}
