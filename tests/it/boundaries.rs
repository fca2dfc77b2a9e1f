//! Every boundary of the reporter: before each commit and after it, before each request and after its answer, from the end
//! of a hold to the key that follows the acceptance. At each of them the worker meets an error, dies, or stands still until
//! another one has taken over; the first time, and the second time, too. Each charge is accepted once, and the ledger says so.

#![expect(clippy::print_stdout, reason = "the number of boundaries is printed")]

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, mpsc},
};

use seatkey::{
    app::{SharedApp, report_usage, schedule_reporting},
    crash::{Mishap, meeting, recorded},
    domain::charge::State,
    signing,
    simulator::{Fault, FaultAction, Purchase},
};
use time::Duration;
use uuid::Uuid;

use crate::support::{Database, Stage, lab, lab::Lab, mortal, people::ALEX};

/// The grace period of the example catalog, and a moment.
const HOLD: Duration = Duration::seconds(72 * 3_600 + 1);
/// Longer than a lease, and than a sender owns its events.
const TAKEN_OVER: Duration = Duration::minutes(3);

/// A boundary: its name, and which one of this name.
type Boundary = (&'static str, u32);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_error_at_every_boundary() {
    everywhere(|place, boundary| Box::pin(place.fails(boundary))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_abort_at_every_boundary() {
    everywhere(|place, boundary| Box::pin(place.dies(boundary))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stall_at_every_boundary() {
    everywhere(|place, boundary| Box::pin(place.stalls(boundary))).await;
}

/// Whoever comes back late knows nothing of what another one has sent meanwhile: "not active" proves nothing to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_comes_back_late_does_not_take_another_slot() {
    let place = Place::open().await;
    let id = place.hold_ends().await;
    while !place.has(id, State::Due).await {
        mortal::work(&place.second).await;
    }
    let (first, (reached, is_reached), (go_on, goes_on)) = (Arc::clone(&place.first), mpsc::channel(), mpsc::channel());
    let mishap = Mishap::Stalls(reached, Mutex::new(goes_on));
    let boundary = ("before a request to the marketplace", 1);
    let late = tokio::spawn(async move { meeting(boundary, mishap, report_usage(&first)).await });
    tokio::task::spawn_blocking(move || is_reached.recv()).await.unwrap().unwrap();
    place.lab.advance(TAKEN_OVER);
    let lost = FaultAction { lose_answer: true, ..FaultAction::default() };
    place.lab.world().add_fault(Fault::next("/api/batchUsageEvent", lost));
    report_usage(&place.second).await.unwrap();
    assert!(place.lab.world().suspend(id));
    drop(go_on);
    late.await.unwrap().unwrap().unwrap();
    assert!(place.has(id, State::Sending).await, "it may be there");
    assert!(place.lab.world().reinstate(id));
    place.recover().await;
    place.check(id, "late").await;
    place.lab.stage.strike().await;
}

/// Says whether the worker came to the boundary.
type Trial = for<'a> fn(&'a Place, Boundary) -> futures::future::BoxFuture<'a, bool>;

async fn everywhere(trial: Trial) {
    let place = Place::open().await;
    let boundaries = place.record().await;
    let kinds: BTreeSet<&str> = boundaries.iter().map(|(name, _)| *name).collect();
    println!("{} boundaries, {} kinds: {kinds:?}", boundaries.len(), kinds.len());
    for kind in [
        "before a commit",
        "after a commit",
        "before a request to the marketplace",
        "after an answer of the marketplace",
    ] {
        assert!(kinds.contains(kind), "the recording run did not meet \"{kind}\"");
    }
    let (mut met, count) = (0, boundaries.len());
    for boundary in boundaries {
        for times in 1..=2 {
            let id = place.hold_ends().await;
            met += usize::from(trial(&place, boundary).await);
            if times == 2 {
                place.lab.advance(TAKEN_OVER);
                trial(&place, (boundary.0, 1)).await;
            }
            place.recover().await;
            place.check(id, &format!("{boundary:?}, {times} times")).await;
        }
    }
    println!("{met} of {} first times", 2 * count);
    // What the calendar asks of the others adds or takes a job here and there.
    assert!(met * 10 >= 2 * count * 9, "only {met} of {} first times", 2 * count);
    place.lab.stage.strike().await;
}

/// Two workers on one database.
struct Place {
    lab: Lab,
    first: SharedApp,
    second: SharedApp,
}

impl Place {
    async fn open() -> Self {
        let lab = Lab { stage: Stage::set_with(Database::Sqlite, &lab::catalog()).await };
        lab.world().switch(|switches| switches.lose = true);
        let (first, second) = (lab.stage.another().await, lab.stage.another().await);
        let place = Self { lab, first, second };
        // The first one of a tenant has a trial; the others have none.
        let id = place.buy();
        place.lab.enrol(&[id], 150).await;
        place
    }

    fn buy(&self) -> Uuid {
        self.lab.stage.buy_as(Purchase::of("konnekt", "konnekt-yearly", ALEX.parse().unwrap()))
    }

    /// A subscription whose first charges may be reported from now on.
    async fn hold_ends(&self) -> Uuid {
        let id = self.buy();
        self.lab.enrol(&[id], 150).await;
        self.lab.advance(HOLD);
        schedule_reporting(&self.first).await.unwrap();
        id
    }

    async fn has(&self, id: Uuid, state: State) -> bool {
        let charges = self.lab.stage.app.store.list_charges(id).await.unwrap();
        charges.iter().any(|charge| charge.state == state)
    }

    async fn record(&self) -> Vec<Boundary> {
        let id = self.hold_ends().await;
        let (_, names) = recorded(work_off(&self.first)).await;
        self.check(id, "undisturbed").await;
        let number = |index: usize| names[..=index].iter().filter(|name| **name == names[index]).count();
        (0..names.len()).map(|index| (names[index], u32::try_from(number(index)).unwrap())).collect()
    }

    async fn fails(&self, boundary: Boundary) -> bool {
        // Where nothing can fail, it goes on.
        meeting(boundary, Mishap::Fails, work_off(&self.first)).await.is_some()
    }

    async fn dies(&self, boundary: Boundary) -> bool {
        meeting(boundary, Mishap::Dies, work_off(&self.first)).await.is_none()
    }

    /// It stands still, time passes, another one takes over, and then it goes on.
    async fn stalls(&self, boundary: Boundary) -> bool {
        let ((reached, is_reached), (go_on, goes_on)) = (mpsc::channel(), mpsc::channel());
        let first = Arc::clone(&self.first);
        let mishap = Mishap::Stalls(reached, Mutex::new(goes_on));
        let stalled = tokio::spawn(async move { meeting(boundary, mishap, work_off(&first)).await });
        // An error says that it came to its end without having met the boundary.
        let met = tokio::task::spawn_blocking(move || is_reached.recv().is_ok()).await.unwrap();
        if met {
            self.lab.advance(TAKEN_OVER);
            // Before a commit it holds the database's one write lock: nobody else can do anything.
            if boundary.0 != "before a commit" {
                work_off(&self.second).await;
            }
        }
        drop(go_on);
        stalled.await.unwrap();
        met
    }

    /// Everything can be reached, and time passes.
    async fn recover(&self) {
        for _ in 0..6 {
            self.lab.advance(TAKEN_OVER);
            work_off(&self.second).await;
        }
    }

    async fn check(&self, id: Uuid, story: &str) {
        let store = &self.lab.stage.app.store;
        let charges = store.list_charges(id).await.unwrap();
        let accepted = self.lab.world().usage_of(id).into_iter().filter(|one| one.usage_event_id.is_some());
        let mut accepted: Vec<(String, String)> = accepted.map(|one| (one.dimension, one.quantity_text)).collect();
        let mut expected: Vec<(String, String)> =
            charges.iter().map(|charge| (charge.dimension.clone(), charge.quantity.to_string())).collect();
        accepted.sort();
        expected.sort();
        assert_eq!((charges.len(), accepted), (2, expected), "{story}");
        assert!(charges.iter().all(|charge| charge.state == State::Accepted), "{story}: {charges:?}");
        let key = store.find_newest_key(id).await.unwrap().unwrap();
        assert!(!signing::inspect(&key.compact).unwrap().provisional, "{story}: the key is provisional");
        assert_eq!(store.count_dead_jobs().await.unwrap(), 0, "{story}: a job waits for a person");
    }
}

/// Everything that is due now; errors give a job back.
async fn work_off(app: &SharedApp) {
    for _ in 0..1_000 {
        if mortal::work(app).await.is_none() {
            return;
        }
    }
    panic!("the jobs do not come to an end");
}
