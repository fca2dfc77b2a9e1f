//! A random history of a few subscriptions: customers, Microsoft, the network, our processes and the clock each do one step
//! at a time, whose turn it is decides a seed.

use std::sync::Arc;

use seatkey::{
    app::{receive_webhook, schedule_sweep},
    clock::Clock as _,
    crash::dying_at,
    jobs::Runner,
    simulator::{Switches, Webhook, WebhookState},
};
use time::Duration;
use uuid::Uuid;

use super::{
    chance::Chance,
    lab::{Lab, mails_by_subscription},
    mischief, mortal,
    oracle::Oracle,
};

const STEPS: usize = 120;
/// Users of whoever enrols in a plan that we charge.
const USERS: u32 = 150;
/// No job has more boundaries than this.
const BOUNDARIES: usize = 14;

/// How many subscriptions a world has.
pub(crate) const LIVES: usize = 6;

/// A world with its history.
pub(crate) struct History {
    lab: Lab,
    chance: Chance,
    /// Somebody has enrolled in these.
    lives: Vec<Oracle>,
    /// Nobody has enrolled in these.
    others: Vec<Uuid>,
    /// A new term may have begun that nobody has looked for.
    term_is_new: bool,
    log: Vec<String>,
}

/// How often each of them was looked at, and has changed.
struct Known {
    versions: Vec<i64>,
    looks: Vec<usize>,
}

impl History {
    pub(crate) async fn begin(seed: u64) -> Self {
        let mut chance = Chance::of(seed);
        let lab = Lab::open().await;
        let (enrolled, others) = mischief::buy(&lab, &mut chance);
        lab.enrol(&enrolled, USERS).await;
        let lives = enrolled.iter().map(|id| Oracle::of(&lab.stage, *id)).collect();
        Self { lab, chance, lives, others, term_is_new: false, log: Vec::new() }
    }

    /// Lives through it, and gives what is wrong at its end; nothing when all is well.
    pub(crate) async fn live(mut self) -> Vec<String> {
        for number in 0..STEPS {
            let before = self.known().await;
            let told = self.step().await;
            self.log.push(format!("{number}: {told}"));
            self.after(before).await;
        }
        let complaints = self.end().await;
        if complaints.is_empty() {
            self.lab.stage.finish().await;
            return complaints;
        }
        complaints.into_iter().chain(self.log).collect()
    }

    async fn known(&self) -> Known {
        let mut versions = Vec::new();
        for life in &self.lives {
            versions.push(self.version(life.id).await);
        }
        Known { versions, looks: self.looks() }
    }

    async fn version(&self, id: Uuid) -> i64 {
        self.lab.stage.app.store.find_subscription(id).await.unwrap().unwrap().version
    }

    /// How often Microsoft has answered what each of them is.
    fn looks(&self) -> Vec<usize> {
        let requests = self.lab.world().requests();
        let answered = |id: Uuid| {
            let path = format!("/api/saas/subscriptions/{id}");
            requests.iter().filter(|one| one.method == "GET" && one.status == Some(200) && one.path == path).count()
        };
        self.lives.iter().map(|life| answered(life.id)).collect()
    }

    /// An answer that changed what is kept was taken; what follows from it is expected from now on.
    async fn after(&mut self, before: Known) {
        let now = self.known().await;
        let (versions, looks) = (now.versions.iter().zip(before.versions), now.looks.iter().zip(before.looks));
        for ((life, version), looks) in self.lives.iter_mut().zip(versions).zip(looks) {
            if *version.0 > version.1 && *looks.0 > looks.1 {
                life.look(&self.lab.stage);
            }
        }
    }

    async fn step(&mut self) -> String {
        match self.chance.below(32) {
            0..5 => {
                let id = self.any();
                mischief::customer(self.lab.world(), &mut self.chance, id)
            }
            5..12 => self.deliver().await,
            12 => self.lose(),
            13 => self.die_receiving().await,
            14..21 => self.work().await,
            21..24 => self.die_working().await,
            24 => mischief::fault(self.lab.world(), &mut self.chance),
            25 => mischief::switch(self.lab.world(), &mut self.chance),
            26 => self.sweep().await,
            27..31 => self.wait().await,
            _ if self.chance.one_in(4) => {
                self.lab.stage.restart().await;
                "the service is started anew".to_owned()
            }
            _ => self.wait().await,
        }
    }

    fn any(&mut self) -> Uuid {
        let all: Vec<Uuid> = self.lives.iter().map(|life| life.id).chain(self.others.iter().copied()).collect();
        *self.chance.pick(&all)
    }

    fn webhook(&mut self, fits: impl Fn(&Webhook) -> bool) -> Option<Webhook> {
        let all: Vec<Webhook> = self.lab.world().webhooks().into_iter().filter(fits).collect();
        (!all.is_empty()).then(|| self.chance.pick(&all).clone())
    }

    /// Whichever comes first; now and then one that came before, or was lost and turns up again.
    async fn deliver(&mut self) -> String {
        let again = self.chance.one_in(5);
        let chosen = self.webhook(|webhook| again || webhook.state == WebhookState::Waiting);
        let Some(webhook) = chosen else { return "there is no webhook".to_owned() };
        let answer = self.lab.world().deliver(webhook.id).await.unwrap();
        format!("webhook {} ({} of {}) arrives: {answer:?}", webhook.id, webhook.action, webhook.subscription_id)
    }

    fn lose(&mut self) -> String {
        let Some(webhook) = self.webhook(|webhook| webhook.state == WebhookState::Waiting) else {
            return "there is no webhook to lose".to_owned();
        };
        format!("webhook {} is lost: {}", webhook.id, self.lab.world().lose_webhook(webhook.id))
    }

    /// The process dies while it stores a webhook: Microsoft gets no answer and sends it again.
    async fn die_receiving(&mut self) -> String {
        let Some(webhook) = self.webhook(|webhook| webhook.state == WebhookState::Waiting) else {
            return "there is no webhook to die of".to_owned();
        };
        let body = self.lab.world().webhook_body(webhook.id).unwrap();
        let boundary = u32::try_from(1 + self.chance.below(2)).unwrap();
        let claims = serde_json::Value::Null;
        let lived = dying_at(boundary, receive_webhook(&self.lab.stage.app, body.as_bytes(), &claims)).await;
        format!("webhook {} is received up to boundary {boundary}: {:?}", webhook.id, lived.is_some())
    }

    async fn work(&mut self) -> String {
        let runner = Runner::new(Arc::clone(&self.lab.stage.app));
        format!("a job is done: {}", runner.run_next().await.unwrap())
    }

    async fn die_working(&mut self) -> String {
        let boundary = 1 + self.chance.below(BOUNDARIES);
        let done = dying_at(u32::try_from(boundary).unwrap(), mortal::work(&self.lab.stage.app)).await;
        format!("a job up to boundary {boundary}: {done:?}")
    }

    /// As the schedule does every quarter of an hour; its steps are jobs like any other.
    async fn sweep(&mut self) -> String {
        schedule_sweep(&self.lab.stage.app).await.unwrap();
        "a comparison of everything is asked for".to_owned()
    }

    /// Seconds, hours, days; and now and then a term is over. Terms that were skipped are another story: everything is
    /// compared between two of them.
    async fn wait(&mut self) -> String {
        let by = match self.chance.below(12) {
            0..7 => Duration::seconds(i64::try_from(1 + self.chance.below(15)).unwrap()),
            7..9 => Duration::minutes(i64::try_from(1 + self.chance.below(20)).unwrap()),
            9..11 => Duration::hours(i64::try_from(1 + self.chance.below(30)).unwrap()),
            _ => return self.next_term().await,
        };
        self.lab.advance(by);
        format!("{by} pass")
    }

    async fn next_term(&mut self) -> String {
        if std::mem::replace(&mut self.term_is_new, true) {
            self.settle().await;
        }
        let id = self.lives[self.chance.below(self.lives.len())].id;
        let moved = self.lab.world().advance_past_term(id);
        // Whoever was suspended over the end of a term has more than one end behind.
        format!("the term of {id} is over: {moved:?}, it is {}", self.lab.stage.clock.now())
    }

    /// Everything is compared once, and what follows is done.
    async fn settle(&mut self) {
        self.lab.world().clear_faults();
        let before = self.known().await;
        self.lab.sweep().await;
        self.after(before).await;
        self.lab.run_due().await;
    }

    /// Everything that is to be done is done, and time passes until the next of it.
    async fn come_to_rest(&mut self) {
        loop {
            let before = self.known().await;
            let worked = self.work().await;
            self.after(before).await;
            self.log.push(format!("end: {worked}"));
            if worked.ends_with("false") {
                let Some(next) = self.lab.stage.app.store.find_next_job_time().await.unwrap() else { break };
                self.lab.advance((next - self.lab.stage.clock.now()).max(Duration::SECOND));
            }
        }
    }

    /// The storm is over: leases end, one comparison of everything, and then all must be well.
    async fn end(&mut self) -> Vec<String> {
        let world = self.lab.world();
        world.clear_faults();
        world.switch(|switches| *switches = Switches::default());
        self.lab.advance(mortal::LEASE + Duration::SECOND);
        self.come_to_rest().await;
        self.settle().await;
        // A key may wait for what the comparison has found.
        self.come_to_rest().await;
        self.complaints().await
    }

    async fn complaints(&self) -> Vec<String> {
        let (stage, mails) = (&self.lab.stage, mails_by_subscription(self.lab.world()));
        let mut complaints = Vec::new();
        for life in &self.lives {
            let mailed = mails.get(&life.id).cloned().unwrap_or_default();
            let of_life = life.complaints(stage, &mailed).await.into_iter().chain(self.lab.differences(life.id).await);
            complaints.extend(of_life.map(|complaint| format!("{}: {complaint}, mails {mailed:?}", life.id)));
        }
        for id in &self.others {
            let mailed = mails.get(id).cloned().unwrap_or_default();
            let odd = mailed.iter().filter(|mail| !mail.starts_with("set_up_reminder"));
            complaints.extend(odd.map(|mail| format!("{id} is nobody's, and got {mail}")));
            complaints.extend(self.lab.differences(*id).await.into_iter().map(|what| format!("{id}: {what}")));
        }
        let left = stage.app.store.find_next_job_time().await.unwrap();
        complaints.extend(left.map(|at| format!("a job is left for {at}")));
        let dead = stage.app.store.count_dead_jobs().await.unwrap();
        complaints.extend((dead > 0).then(|| format!("{dead} jobs wait for a person")));
        complaints
    }
}
