use super::*;
use crate::domain::time::Term;
use time::{
    Duration,
    macros::{date, datetime},
};

const NOW: OffsetDateTime = datetime!(2026-01-15 10:12 UTC);

fn snapshot(status: MicrosoftStatus, term: Option<Term>) -> Snapshot {
    Snapshot {
        id: Uuid::nil(),
        offer_id: "konnekt".into(),
        plan_id: "konnekt-yearly".into(),
        name: "konnekt-prod".into(),
        status,
        beneficiary: Party::default(),
        purchaser: Party::default(),
        term_unit: None,
        term,
        auto_renew: true,
        update_allowed: true,
        is_test: false,
        quantity: None,
    }
}

fn first() -> Term {
    Term::new(date!(2026 - 01 - 15), date!(2027 - 01 - 14)).unwrap()
}

fn second() -> Term {
    Term::new(date!(2027 - 01 - 15), date!(2028 - 01 - 14)).unwrap()
}

fn active() -> Subscription {
    let enrolled = Enrolled { enrolled_at: NOW, activated_at: NOW };
    let fresh = Subscription::new(snapshot(MicrosoftStatus::Subscribed, Some(first())), NOW);
    Subscription { stage: Stage::Active(enrolled), term: Some(first()), ..fresh }
}

#[test]
fn the_documented_table_is_the_machine() {
    let documented = include_str!("states.md");
    let table = transition_table();
    assert!(documented.contains(&table), "states.md does not hold this table:\n{table}");
}

#[test]
fn a_refusal_names_stage_and_event() {
    let ended = Stage::Ended { enrolled: None, ended_at: NOW };
    let refused = ended.on(Event::UsersRaised, NOW).unwrap_err();
    assert_eq!(refused.to_string(), "an upgrade is not possible while a subscription is ended");
}

#[test]
fn an_answer_tells_what_happened_or_that_it_is_old() {
    use {Event::*, MicrosoftStatus::*};
    let suspended = Subscription {
        stage: active().stage.on(Event::Suspended, NOW).unwrap(),
        microsoft: snapshot(MicrosoftStatus::Suspended, Some(first())),
        ..active()
    };
    let ended = Subscription {
        stage: active().stage.on(Event::Ended, NOW).unwrap(),
        microsoft: snapshot(Unsubscribed, Some(first())),
        ..active()
    };
    let other_plan = Snapshot { plan_id: "konnekt-3".into(), ..snapshot(Unsubscribed, Some(first())) };
    let table: [(&str, Subscription, Snapshot, Option<Vec<Event>>); 11] = [
        ("the same again", active(), snapshot(Subscribed, Some(first())), None),
        ("a suspension", active(), snapshot(MicrosoftStatus::Suspended, Some(first())), Some(vec![Event::Suspended])),
        ("the payment came", suspended, snapshot(Subscribed, Some(first())), Some(vec![Reinstated])),
        ("the end", active(), snapshot(Unsubscribed, Some(first())), Some(vec![Ended])),
        ("the end in another plan", active(), other_plan, Some(vec![PlanChanged, Ended])),
        ("a new term: a fact, written by its own job", active(), snapshot(Subscribed, Some(second())), Some(vec![])),
        ("dates are missing this time", active(), snapshot(Subscribed, None), None),
        ("an older answer: pending", active(), snapshot(PendingFulfillmentStart, None), None),
        ("an older answer: revived", ended.clone(), snapshot(Subscribed, Some(second())), None),
        ("over, said again", ended, snapshot(Unsubscribed, Some(first())), None),
        ("a word that nobody knows", active(), snapshot(Unknown("Paused".into()), Some(first())), None),
    ];
    for (name, known, fresh, expected) in table {
        let events = observe(&known, &fresh).map(|observation| observation.events);
        assert_eq!(events, expected, "{name}");
    }
}

#[test]
fn an_earlier_term_never_overwrites_a_later_one() {
    let renewed = Subscription { microsoft: snapshot(MicrosoftStatus::Subscribed, Some(second())), ..active() };
    assert_eq!(renewed.unwritten_renewal(), Some(second()));
    assert_eq!(observe(&renewed, &snapshot(MicrosoftStatus::Suspended, Some(first()))), None);
    let written = Subscription { term: Some(second()), ..renewed };
    assert_eq!(written.unwritten_renewal(), None);
}

#[test]
fn the_calendar_of_a_year() {
    let trial_end = Some(date!(2026 - 02 - 13));
    let subscription = Subscription { trial_end, ..active() };
    let retention = Duration::days(90);
    let mut at = NOW;
    let mut calendar = Vec::new();
    while let Some(next) = next_appointment(&subscription, retention, at) {
        calendar.push((next.date(), due_notice(&subscription, next)));
        at = next;
    }
    let expected = [
        (date!(2026 - 02 - 07), vec![Notice::TrialEnds { days: 7 }]),
        (date!(2026 - 02 - 13), vec![Notice::TrialEnds { days: 1 }]),
        (date!(2026 - 12 - 16), vec![Notice::RenewalAhead { days: 30 }]),
        (date!(2027 - 01 - 08), vec![Notice::RenewalAhead { days: 7 }]),
    ];
    assert_eq!(calendar, expected);
    let late = datetime!(2027-01-10 00:00 UTC);
    assert_eq!(
        due_notice(&subscription, late),
        [Notice::RenewalAhead { days: 7 }],
        "after an outage, the last one only"
    );
}

#[test]
fn a_purchase_that_nobody_configures_is_remembered_until_microsoft_drops_it() {
    let fresh = Subscription::new(snapshot(MicrosoftStatus::PendingFulfillmentStart, None), NOW);
    let days = [0, 1, 6, 7, 24, 25, 29, 30];
    let told: Vec<Option<u32>> = days
        .iter()
        .map(|day| match due_notice(&fresh, NOW + Duration::days(*day)).as_slice() {
            [Notice::SetUpReminder { days }] => Some(*days),
            _ => None,
        })
        .collect();
    assert_eq!(told, [None, Some(1), Some(1), Some(7), Some(7), Some(25), Some(25), None]);
}

#[test]
fn records_are_kept_for_a_week_at_least() {
    let ended = Subscription { stage: Stage::Ended { enrolled: None, ended_at: NOW }, term: None, ..active() };
    assert_eq!(erasure_due(&ended, Duration::days(90)), Some(NOW + Duration::days(90)));
    assert_eq!(erasure_due(&ended, Duration::days(1)), Some(NOW + Duration::days(7)));
    assert_eq!(erasure_due(&active(), Duration::days(1)), None);
    let paid = Subscription { term: Some(first()), ..ended };
    let term_over = datetime!(2027-01-15 00:00 UTC);
    assert_eq!(erasure_due(&paid, Duration::days(90)), Some(term_over), "its license runs until then");
}
