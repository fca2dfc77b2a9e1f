//! A charge that nothing but people decide about: the facts, and the form of whoever proposes or approves.

use serde::Serialize;
use uuid::Uuid;

use super::{
    credit::{CreditSection, TypedCredit},
    frame::ConsoleFrame,
    ledger::tone_of,
    samples,
    table::{Cell, Column, Table, subscription_path},
};
use crate::{
    domain::{
        approval::{Proposal, ProposalKind},
        credit::{CreditRefused, Credited},
        decision::Decision,
        explanation::ExplainedCharge,
    },
    pages::{
        Page,
        words::{self, Fact, Tone},
    },
};

/// What a decision means, for whoever takes it.
fn decision_told(decision: Decision) -> (&'static str, &'static str) {
    match decision {
        Decision::Accepted => ("It arrived", "counts as accepted; the full key follows"),
        Decision::NotArrived => {
            ("It did not arrive", "it is written off, and the same quantity goes out in a new hour")
        }
        Decision::ReportAgain => ("Report it again", "what Microsoft refused is mended in Partner Center"),
        Decision::WriteOff => ("Write it off", "it is never reported; the buyer keeps what it bought"),
        Decision::Release => ("Report it as it was shown", "it goes out as soon as its hold is over"),
    }
}

/// A row of Microsoft's sums beside ours.
#[derive(Debug, Clone)]
pub struct SumRow {
    /// The UTC day.
    pub day: time::Date,
    /// What the ledger has as accepted.
    pub ours: String,
    /// What the ledger is not sure of.
    pub unsure: String,
    /// What Microsoft shows.
    pub theirs: String,
}

/// What the page tells.
#[derive(Debug)]
pub struct DecisionFacts<'a> {
    /// The subscription, by name.
    pub subscription: (Uuid, String),
    /// The charge.
    pub charge: &'a ExplainedCharge,
    /// The decisions that are possible.
    pub possible: &'a [Decision],
    /// What can be credited, or why nothing can.
    pub creditable: &'a Result<Credited, CreditRefused>,
    /// Microsoft's sums of the days around its hour, or why they cannot be had.
    pub sums: Result<Vec<SumRow>, String>,
    /// What is proposed, with the proposer's name, and whether it is the viewer.
    pub proposal: Option<(&'a Proposal, String, bool)>,
    /// Whether the viewer may propose and approve.
    pub may_decide: bool,
    /// What was typed as the reason of a decision, and what is wrong with it, or with the approval.
    pub typed: (&'a str, &'a str),
    /// What was typed into the form of a credit.
    pub credit: TypedCredit<'a>,
}

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct DecisionPage {
    frame: ConsoleFrame,
    title: String,
    href: String,
    name: String,
    state: String,
    tone: Tone,
    facts: Vec<Fact>,
    steps: Table,
    sums: Option<Table>,
    no_sums: String,
    choices: Vec<Choice>,
    propose: String,
    proposal: Option<ProposalView>,
    credit: Option<CreditSection>,
    credit_proposal: Option<ProposalView>,
    may_decide: bool,
    reason: String,
    error: String,
}

#[derive(Debug, Clone, Serialize)]
struct Choice {
    word: &'static str,
    name: &'static str,
    means: &'static str,
}

#[derive(Debug, Clone, Serialize)]
struct ProposalView {
    name: String,
    means: &'static str,
    by: String,
    at: Cell,
    until: Cell,
    reason: String,
    is_own: bool,
    approve: String,
    refuse: String,
}

/// The page of a charge's decision.
#[must_use]
pub fn decision_path(charge_id: Uuid) -> String {
    format!("/console/charges/{charge_id}")
}

impl DecisionPage {
    /// The page.
    #[must_use]
    pub fn new(frame: ConsoleFrame, told: DecisionFacts<'_>) -> Self {
        let charge = told.charge;
        let (sums, no_sums) = match told.sums {
            Ok(rows) => (Some(sum_table(charge, rows)), String::new()),
            Err(reason) => (None, words::sentence(&reason)),
        };
        let choice = |decision: &Decision| {
            let (name, means) = decision_told(*decision);
            Choice { word: decision.as_str(), name, means }
        };
        let path = decision_path(charge.id);
        let view = |kind| {
            let (proposal, by, is_own) = told.proposal.as_ref().filter(|(proposal, ..)| proposal.kind == kind)?;
            Some(proposal_view(proposal, by, *is_own))
        };
        let (proposal, credit_proposal) = (view(ProposalKind::ResolveCharge), view(ProposalKind::Credit));
        Self {
            frame,
            title: charge.description.clone(),
            href: subscription_path(told.subscription.0),
            name: told.subscription.1,
            state: charge.state.as_str().replace('_', " "),
            tone: tone_of(charge.state),
            facts: facts(charge),
            steps: step_table(charge),
            sums,
            no_sums,
            choices: told.possible.iter().map(choice).collect(),
            propose: format!("{path}/propose"),
            proposal,
            credit: CreditSection::of(charge, told.creditable, told.credit, &path),
            credit_proposal,
            may_decide: told.may_decide,
            reason: told.typed.0.to_owned(),
            error: told.typed.1.to_owned(),
        }
    }
}

fn facts(charge: &ExplainedCharge) -> Vec<Fact> {
    let mut facts = vec![
        Fact::new("Why", charge.words.clone()),
        Fact::with("Quantity", words::quantity(charge.quantity), charge.dimension.clone()),
    ];
    facts.extend(charge.amount.map(|amount| Fact::new("Amount", words::money(amount))));
    facts.push(Fact::new("Reportable from", words::instant(charge.reportable_from)));
    facts.push(Fact::with("Stands", words::sentence(&charge.standing), words::instant(charge.since)));
    if let Some(slot) = charge.slot {
        facts.push(Fact::with("Hour", words::instant(slot.hour), format!("attempts: {}", charge.attempts)));
    }
    facts
}

fn step_table(charge: &ExplainedCharge) -> Table {
    let row = |step: &crate::domain::explanation::Step| {
        vec![
            Cell::at(step.at),
            Cell::state(step.state.as_str().replace('_', " "), tone_of(step.state)),
            Cell::text(&step.reason),
        ]
    };
    Table {
        caption: "What happened to it".to_owned(),
        columns: vec![Column::text("When"), Column::text("State"), Column::text("Why")],
        rows: charge.steps.iter().map(row).collect(),
        empty: "Nothing yet.",
    }
}

fn sum_table(charge: &ExplainedCharge, rows: Vec<SumRow>) -> Table {
    let row = |row: SumRow| {
        vec![Cell::text(words::day(row.day)), Cell::text(row.ours), Cell::text(row.unsure), Cell::text(row.theirs)]
    };
    Table {
        caption: format!("{}, daily sums in units", charge.dimension),
        columns: vec![
            Column::text("Day"),
            Column::number("Ours, accepted"),
            Column::number("Ours, unsure"),
            Column::number("Microsoft’s"),
        ],
        rows: rows.into_iter().map(row).collect(),
        empty: "There are none.",
    }
}

fn proposal_view(proposal: &Proposal, by: &str, is_own: bool) -> ProposalView {
    let (name, means) = match proposal.kind {
        ProposalKind::ResolveCharge => {
            let (name, means) = Decision::from_word(&proposal.body).map_or(("", ""), decision_told);
            (name.to_owned(), means)
        }
        ProposalKind::Credit => (
            proposal.body.clone(),
            "given in Partner Center; it is entered in the ledger, and Microsoft is told nothing",
        ),
    };
    let path = format!("/console/approvals/{}", proposal.id);
    ProposalView {
        name,
        means,
        by: by.to_owned(),
        at: Cell::at(proposal.proposed_at),
        until: Cell::at(proposal.expires_at),
        reason: proposal.reason.clone(),
        is_own,
        approve: format!("{path}/approve"),
        refuse: format!("{path}/refuse"),
    }
}

impl Page for DecisionPage {
    const TEMPLATE: &'static str = "console/decision.html";

    fn samples() -> Vec<Self> {
        samples::decisions()
    }
}
