//! What one request, webhook or job has led to.

use std::rc::Rc;

use super::visit::{Answer, StaffVisit, ok};
use crate::{
    app::{MAX_ID_CHARS, TraceLine, follow_trace},
    pages::console::{
        frame::Room,
        trace::{LineFacts, TracePage},
    },
    store::HOUSE,
};

/// `GET /console/trace?id=…`
pub(super) async fn show(visit: Rc<StaffVisit>) -> Answer {
    let id: String = visit.query("id").unwrap_or_default().trim().chars().take(MAX_ID_CHARS).collect();
    let lines = follow_trace(&visit.app.store, &id).await?;
    let facts: Vec<LineFacts<'_>> = lines.iter().map(facts).collect();
    ok(&visit, &TracePage::new(visit.frame(Room::None).await?, &id, &facts))
}

fn facts(line: &TraceLine) -> LineFacts<'_> {
    let is_of_subscription = matches!(line.kind, "audit" | "webhook" | "charge" | "mail");
    LineFacts {
        at: line.at,
        kind: line.kind,
        name: &line.name,
        subscription: line.subject.filter(|id| is_of_subscription && *id != HOUSE),
        subject: line.subject.filter(|_| !is_of_subscription),
        references: [line.reference.as_deref(), line.other_reference.as_deref()],
        outcome: line.outcome.as_deref().unwrap_or_default(),
    }
}
