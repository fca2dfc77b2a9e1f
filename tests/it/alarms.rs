//! What `GET /metrics` says while charges are held, due, stuck and accepted.

use std::net::{SocketAddr, TcpListener};

use seatkey::{
    clock::Clock as _,
    simulator::{Fault, FaultAction},
    web::{Server, ServerOptions},
};
use time::Duration;

use crate::{
    on_both_databases,
    support::{
        Stage,
        process::new_port,
        years::{enrolled, report_after, upgrade},
    },
};

on_both_databases! {
    the_alarms_follow_the_charges;
}

/// The management address of one more server on the same application.
pub(crate) struct Management {
    server: Server,
    bind: SocketAddr,
}

impl Management {
    pub(crate) fn start(stage: &Stage) -> Self {
        let bind = SocketAddr::from(([127, 0, 0, 1], new_port()));
        let options = ServerOptions { management_bind: Some(bind), workers: 1 };
        let server = Server::start(&stage.app, TcpListener::bind("127.0.0.1:0").unwrap(), options).unwrap();
        Self { server, bind }
    }

    pub(crate) fn address(&self, path: &str) -> String {
        format!("http://{}/{path}", self.bind)
    }

    pub(crate) async fn text(&self) -> String {
        let answer = seatkey::http::client().unwrap().get(self.address("metrics")).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    }

    /// The value of a metric; none when it is absent.
    pub(crate) async fn value(&self, name: &str) -> Option<i64> {
        let text = self.text().await;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned))?;
        Some(line.parse().unwrap())
    }

    async fn usage(&self, outcome: &str) -> Option<i64> {
        self.value(&format!("seatkey_usage_outcomes_total{{outcome=\"{outcome}\"}}")).await
    }

    async fn charges(&self, state: &str) -> i64 {
        self.value(&format!("seatkey_charges{{state=\"{state}\"}}")).await.unwrap()
    }
}

async fn the_alarms_follow_the_charges(stage: Stage) {
    let metrics = Management::start(&stage);
    assert_eq!(metrics.value("seatkey_oldest_due_charge_age_seconds").await, Some(0));
    assert_eq!(metrics.value("seatkey_reporter_last_success_timestamp_seconds").await, None);
    let id = enrolled(&stage, "150").await;
    assert_eq!((metrics.charges("held").await, metrics.usage("accepted").await), (2, None));
    report_after(&stage, 35).await;
    assert_eq!((metrics.charges("held").await, metrics.usage("accepted").await), (0, Some(2)));
    let success = metrics.value("seatkey_reporter_last_success_timestamp_seconds").await.unwrap();
    assert!((stage.clock.now().unix_timestamp() - success) < 600);
    assert_eq!(metrics.value("seatkey_nearest_deadline_seconds").await, None, "nothing is open");
    // Microsoft does not answer: the charge is on its way, and time runs out.
    let broken = FaultAction { status: Some(500), ..FaultAction::default() };
    stage.world().add_fault(Fault { count: 1_000, ..Fault::next("/api/batchUsageEvent", broken) });
    upgrade(&stage, id, 300).await;
    report_after(&stage, 0).await;
    let sending = metrics.charges("sending").await;
    assert!(sending > 0);
    let left = metrics.value("seatkey_nearest_deadline_seconds").await.unwrap();
    let age = metrics.value("seatkey_oldest_due_charge_age_seconds").await.unwrap();
    assert!(age >= 0 && left > 0 && left <= 24 * 3_600, "{age} {left}");
    stage.advance(Duration::HOUR);
    assert_eq!(metrics.value("seatkey_nearest_deadline_seconds").await, Some(left - 3_600));
    assert_eq!(metrics.value("seatkey_oldest_due_charge_age_seconds").await, Some(age + 3_600));
    // Nobody answers until the hour is over: a person decides.
    report_after(&stage, 1).await;
    assert_eq!(metrics.charges("unknown").await, sending);
    assert_eq!(metrics.value("seatkey_open_findings{kind=\"charge_unknown\"}").await, Some(sending));
    assert_eq!(metrics.value("seatkey_nearest_deadline_seconds").await, None);
    let tx = stage.app.store.begin().await.unwrap();
    tx.lock_reporter("a test", stage.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(metrics.value("seatkey_reporter_locked").await, Some(1));
    assert_eq!(metrics.value("seatkey_dead_jobs").await, Some(0));
    assert_eq!(metrics.value("seatkey_unreadable_webhooks_total").await, Some(0));
    let text = metrics.text().await;
    assert_eq!(text.matches("seatkey_charges{").count(), 9, "every state that is not the usual end: {text}");
    assert!(text.lines().filter(|line| line.starts_with("# HELP")).count() >= 7, "{text}");
    stage.finish().await;
    metrics.server.stop().await;
}
