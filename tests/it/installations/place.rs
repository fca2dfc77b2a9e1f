//! The installation: who is there, whose turn it is, and how it ends.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use seatkey::{
    app::{App, Health, KnownPrices, Pace, SharedApp, schedule_reporting, schedule_sweep},
    clock::Clock as _,
    crash::dying_at,
    domain::{charge::State, policy::Identity},
    simulator::{Purchase, Switches},
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{Batches, Mode, actors, judge};
use crate::support::{
    chance::Chance,
    lab::Lab,
    mortal,
    people::{ALEX, FABRIKAM, NORDWIND},
};

const STEPS: usize = 220;
const WORKERS: usize = 3;
/// No job has more boundaries than this.
const BOUNDARIES: usize = 18;

/// A subscription and its buyer.
pub(super) struct Life {
    pub(super) id: Uuid,
    pub(super) who: Identity,
    /// When the order was submitted, as the buyer remembers.
    pub(super) ordered_at: Option<OffsetDateTime>,
    /// The grace period that the catalog promises.
    pub(super) grace: Duration,
}

/// Everything, and the seed that decides.
pub(super) struct Installation {
    pub(super) lab: Lab,
    pub(super) mode: Mode,
    batches: Batches,
    pub(super) chance: Chance,
    pub(super) workers: Vec<SharedApp>,
    pub(super) lives: Vec<Life>,
    /// Charges that were on their way when an answer was lost or broken, or a worker died.
    pub(super) doubtful: BTreeSet<Uuid>,
    /// Something may go wrong on the way.
    pub(super) has_faults: bool,
    /// Microsoft was made to refuse events for good.
    pub(super) refused: bool,
    /// Microsoft was made to say of events that they are too old.
    pub(super) called_old: bool,
    /// A meter costs more than it did.
    pub(super) prices_rose: bool,
    /// Webhooks that have arrived.
    pub(super) posted: BTreeSet<u64>,
    log: Arc<Mutex<Vec<String>>>,
}

impl Installation {
    pub(super) async fn begin(seed: u64, (mode, batches): (Mode, Batches), log: Arc<Mutex<Vec<String>>>) -> Self {
        let lab = Lab::open().await;
        let mut own = Self {
            lab,
            mode,
            batches,
            chance: Chance::of(seed),
            workers: Vec::new(),
            lives: Vec::new(),
            doubtful: BTreeSet::new(),
            has_faults: false,
            refused: false,
            called_old: false,
            prices_rose: false,
            posted: BTreeSet::new(),
            log,
        };
        own.lab.world().switch(|switches| *switches = own.calm());
        for place in 0..WORKERS {
            let app = own.lab.stage.another().await;
            own.workers.push(app);
            own.start_anew(place);
        }
        own.move_in().await;
        own
    }

    /// Five subscriptions; in the last one nobody has enrolled yet.
    async fn move_in(&mut self) {
        let by = |offer, plan, buyer: &str| Purchase {
            market: Some("DE".to_owned()),
            ..Purchase::of(offer, plan, buyer.parse().unwrap())
        };
        let konnekt = |buyer| by("konnekt", "konnekt-yearly", buyer);
        let scepman = |buyer| by("scepman-ee", "scepman-ee-monthly", buyer);
        let reseller = Purchase { purchaser: Some(NORDWIND.parse().unwrap()), ..konnekt(FABRIKAM) };
        let activated = Purchase { auto_activate: true, ..scepman(ALEX) };
        // The second one of a tenant has no trial.
        for purchase in [konnekt(ALEX), konnekt(ALEX), activated, reseller, scepman(ALEX)] {
            let id = self.lab.stage.buy_as(purchase);
            self.lab.sweep().await;
            self.lives.push(self.life(id).await);
        }
        let now = self.lab.stage.clock.now();
        for life in self.lives.iter_mut().take(4) {
            self.lab.order(life.id, 150).await;
            // One runner: nothing overlaps.
            self.lab.stage.settle().await;
            life.ordered_at = Some(now);
        }
        schedule_reporting(&self.lab.stage.app).await.unwrap();
        schedule_sweep(&self.lab.stage.app).await.unwrap();
    }

    async fn life(&self, id: Uuid) -> Life {
        let known = self.lab.stage.app.store.find_subscription(id).await.unwrap().unwrap();
        let buyer = &known.microsoft.purchaser;
        let who = Identity { tenant_id: buyer.tenant_id.unwrap(), object_id: buyer.object_id.unwrap() };
        let grace = if known.microsoft.is_reseller_deal() { Duration::days(7) } else { Duration::hours(72) };
        Life { id, who, ordered_at: None, grace }
    }

    /// Webhooks arrive when somebody hands them over; nothing else is odd.
    fn calm(&self) -> Switches {
        Switches { lose: true, accept_all_usage: self.mode == Mode::AcceptsAll, ..Switches::default() }
    }

    /// Lives through it; what became of everything, or what is wrong.
    pub(super) async fn live(mut self) -> Result<judge::Sums, Vec<String>> {
        for number in 0..STEPS {
            let told = self.step().await;
            self.note(&format!("{number}: {told}"));
        }
        self.settle().await;
        let judged = judge::judge(&self).await;
        drop(self.workers);
        self.lab.stage.strike().await;
        judged
    }

    fn note(&self, told: &str) {
        let now = self.lab.stage.clock.now();
        self.log.lock().unwrap().push(format!("{now} {told}"));
    }

    async fn step(&mut self) -> String {
        match self.chance.below(100) {
            0..44 => self.work(None).await,
            44..53 => {
                let boundary = u32::try_from(1 + self.chance.below(BOUNDARIES)).unwrap();
                self.work(Some(boundary)).await
            }
            53..73 => self.wait(),
            73..80 => actors::fault(self),
            80..82 => actors::trick(self),
            82..86 => actors::calm_down(self),
            86..92 => actors::buyer(self).await,
            92..95 => actors::microsoft(self),
            95..98 => actors::webhook(self).await,
            98 => {
                schedule_reporting(&self.lab.stage.app).await.unwrap();
                "the reporter is asked for".to_owned()
            }
            _ => {
                let worker = self.chance.below(WORKERS);
                self.start_anew(worker);
                format!("worker {worker} is started anew")
            }
        }
    }

    /// A new process knows nothing by heart.
    fn start_anew(&mut self, worker: usize) {
        let app = Arc::into_inner(self.workers.remove(worker)).unwrap();
        let pace = match self.batches {
            Batches::OneByOne => Pace::one_by_one(),
            Batches::Overlapping => Pace::default(),
        };
        let (health, prices) = (Health::default(), KnownPrices::default());
        self.workers.insert(worker, Arc::new(App { health, prices, pace, ..app }));
    }

    /// A worker does one job, or dies at its N-th boundary.
    async fn work(&mut self, boundary: Option<u32>) -> String {
        let worker = self.chance.below(WORKERS);
        let app = Arc::clone(&self.workers[worker]);
        let failures = self.failures();
        let done = match boundary {
            None => Some(mortal::work_but_mails(&app).await),
            Some(number) => dying_at(number, mortal::work_but_mails(&app)).await,
        };
        if done.is_none() || self.failures() != failures || self.lab.world().switches().usage_trick.is_some() {
            self.doubt().await;
        }
        match done {
            None => format!("worker {worker} dies at boundary {}", boundary.unwrap_or_default()),
            Some(None) => format!("worker {worker} has nothing to do"),
            Some(Some(told)) => format!("worker {worker}: {told}"),
        }
    }

    /// How many requests about usage had no answer, or none that says what was done.
    fn failures(&self) -> usize {
        if !self.has_faults {
            return 0;
        }
        let requests = self.lab.world().requests();
        requests.iter().filter(|one| one.path.contains("sageEvent") && one.status != Some(200)).count()
    }

    /// What is on its way may have arrived, or not.
    async fn doubt(&mut self) {
        for life in &self.lives {
            let charges = self.lab.stage.app.store.list_charges(life.id).await.unwrap();
            let sending = charges.iter().filter(|charge| charge.state == State::Sending);
            self.doubtful.extend(sending.map(|charge| charge.id));
        }
    }

    fn wait(&mut self) -> String {
        let number = |chance: &mut Chance, most| i64::try_from(1 + chance.below(most)).unwrap();
        let by = match self.chance.below(20) {
            0..9 => Duration::seconds(number(&mut self.chance, 90)),
            9..14 => Duration::minutes(number(&mut self.chance, 50)),
            14..18 => Duration::hours(number(&mut self.chance, 30)),
            18 => Duration::days(number(&mut self.chance, 6)),
            _ if self.chance.one_in(2) => Duration::days(number(&mut self.chance, 40)),
            _ => Duration::hours(number(&mut self.chance, 72)),
        };
        self.lab.advance(by);
        format!("{by} pass")
    }

    /// The storm is over: everything can be reached, and two days pass.
    async fn settle(&mut self) {
        let calm = self.calm();
        let world = self.lab.world();
        world.clear_faults();
        world.switch(|switches| *switches = calm);
        self.lab.advance(mortal::LEASE + Duration::SECOND);
        schedule_sweep(&self.lab.stage.app).await.unwrap();
        let often = std::iter::repeat_n(Duration::minutes(10), 6);
        let seldom = std::iter::repeat_n(Duration::hours(4), 12);
        for by in often.chain(seldom) {
            self.work_off().await;
            self.lab.advance(by);
        }
        self.work_off().await;
    }

    async fn work_off(&mut self) {
        for turn in 0.. {
            let app = Arc::clone(&self.workers[turn % WORKERS]);
            let Some(told) = mortal::work_but_mails(&app).await else { return };
            self.note(&format!("end: {told}"));
            assert!(turn < 1_000, "the jobs do not come to an end");
        }
    }
}
