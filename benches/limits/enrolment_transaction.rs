//! The two transactions of an enrolment, beside the same rows written bare: alone, and with everything that their use
//! case does around them.

use std::future::Future;

use seatkey::{
    app::{Step, Submitted, activate_subscription, submit_order},
    clock::Stopwatch,
    domain::{
        charge::{Reason, State},
        policy::trial_customer,
        subscription::{Stage as Progress, Subscription},
    },
    store::{AuditEntry, JobKind, Lease, NewCharges},
};
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::{
    ground::{Ground, enrolment, prepare, renamed, subscription},
    rows::{ACTOR, DETAIL},
};
use crate::support::{
    bare::Statement,
    stage::{Database, NOW, Stage},
    table::{Row, THREE_FIFTHS},
    timing::interleave,
};

const ROUNDS: usize = 9;
/// Enrolments in one measurement.
const BLOCK: usize = 40;

pub(crate) fn measure(runtime: &Runtime, database: Database<'_>) -> Vec<Row> {
    let stage = runtime.block_on(Stage::set(database));
    let (ground, microsoft) = runtime.block_on(prepare(&stage));
    let orders = || runtime.block_on(ground.bought(BLOCK));
    let ordered = || runtime.block_on(ground.ordered(BLOCK));
    let bare_order = |id| ground.rows_of_order(id);
    let bare_activation = |(id, job)| ground.rows_of_activation(id, job);
    let samples = interleave(
        ROUNDS,
        [
            &mut || rate(runtime, orders(), |id| ground.accept(id)),
            &mut || rate(runtime, orders(), |id| ground.submit(id)),
            &mut || bare_rate(runtime, &ground, &orders().into_iter().map(bare_order).collect::<Vec<_>>()),
            &mut || rate(runtime, ordered(), |(id, job)| ground.complete(id, job)),
            &mut || rate(runtime, ordered(), |(id, job)| ground.activate(id, job)),
            &mut || bare_rate(runtime, &ground, &ordered().into_iter().map(bare_activation).collect::<Vec<_>>()),
        ],
    );
    let row = |what: &str, index, limit| {
        let pair = [samples.median(index), samples.median(limit)];
        let what = format!("{what}, {}", database.name());
        Row::rate(what, pair, samples.quotient(index, limit), Some(THREE_FIFTHS))
    };
    let rows = vec![
        row("the order's transaction (5 rows)", 0, 2),
        row("`submit_order` with its two calls to Microsoft", 1, 2),
        row("the activation's transaction (11 rows, 5 reads)", 3, 5),
        row("`activate_subscription` with its call, key and mail", 4, 5),
    ];
    runtime.block_on(async {
        ground.bare.close().await;
        microsoft.stop().await;
        stage.strike().await;
    });
    rows
}

/// Enrolments per second, one after the other.
fn rate<T, F: Future<Output = ()>>(runtime: &Runtime, subjects: Vec<T>, mut work: impl FnMut(T) -> F) -> f64 {
    runtime.block_on(async {
        let count = u32::try_from(subjects.len()).unwrap();
        let watch = Stopwatch::start();
        for subject in subjects {
            work(subject).await;
        }
        f64::from(count) / watch.elapsed().as_secs_f64()
    })
}

fn bare_rate(runtime: &Runtime, ground: &Ground, blocks: &[Vec<Statement>]) -> f64 {
    runtime.block_on(async {
        let mut kept = ground.bare.keep().await;
        let count = u32::try_from(blocks.len()).unwrap();
        let watch = Stopwatch::start();
        for statements in blocks {
            kept.transact(statements).await;
        }
        f64::from(count) / watch.elapsed().as_secs_f64()
    })
}

/// What is measured.
impl Ground {
    /// The transaction of `submit_order`, by the same calls of the store.
    async fn accept(&self, id: Uuid) {
        let subscription = self.activating(id);
        let customer = trial_customer(&subscription.microsoft.beneficiary).unwrap();
        let tx = self.pending.store.begin().await.unwrap();
        tx.update_subscription(&subscription, NOW).await.unwrap();
        tx.insert_enrolment(&enrolment(id)).await.unwrap();
        tx.insert_trial_use("konnekt", &customer, id, 30, NOW).await.unwrap();
        let entry = AuditEntry { subscription_id: id, actor: ACTOR, action: "order_submitted", detail: DETAIL };
        tx.record_audit(entry, NOW);
        tx.insert_job(JobKind::ActivateSubscription, id, NOW).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The whole use case.
    async fn submit(&self, id: Uuid) {
        let subscription = subscription(renamed(&self.bought, id), Progress::AwaitingEnrolment);
        let submitted = submit_order(&self.pending, self.buyer(id), &subscription, id).await.unwrap();
        assert!(matches!(submitted, Submitted::Accepted), "{submitted:?}");
    }

    /// The transaction of `activate_subscription`, by the same calls of the store.
    async fn complete(&self, id: Uuid, job: Lease) {
        let tx = self.subscribed.store.begin().await.unwrap();
        let known = tx.get_subscription(id).await.unwrap();
        let enrolment = tx.get_enrolment(id).await.unwrap();
        let quote = tx.get_quote(enrolment.quote_id).await.unwrap();
        tx.update_subscription(&Subscription { version: known.version, ..self.active(id) }, NOW).await.unwrap();
        tx.schedule_job(JobKind::KeepAppointment, id, NOW, NOW).await.unwrap();
        tx.insert_charges(self.new_charges(id, quote.id), NOW).await.unwrap();
        assert_eq!(tx.list_charges(id).await.unwrap().len(), self.charges.len());
        assert_eq!(tx.find_newest_key(id).await.unwrap(), None);
        tx.insert_license_key(&self.key_of(id), NOW).await.unwrap();
        assert!(tx.queue_mail(&self.mail_of(id), NOW).await.unwrap());
        let action = "subscription_activated";
        let entry = AuditEntry { subscription_id: id, actor: ACTOR, action, detail: DETAIL };
        tx.record_audit(entry, NOW);
        tx.finish_job(job).await.unwrap();
        tx.commit().await.unwrap();
    }

    fn new_charges(&self, id: Uuid, cause_id: Uuid) -> NewCharges<'_> {
        NewCharges {
            subscription_id: id,
            cause_id,
            reason: Reason::Enrolment,
            plan_id: "konnekt-yearly",
            term_start: self.first.term.start,
            lines: &self.charges,
            part: self.first.part,
            users: Some(150),
            from_users: None,
            reportable_from: self.first.reportable_from,
            state: State::Held,
        }
    }

    /// The whole step of the job.
    pub(crate) async fn activate(&self, id: Uuid, job: Lease) {
        let step = activate_subscription(&self.subscribed, job, id).await.unwrap();
        assert_eq!(step, Step::Done);
    }
}
