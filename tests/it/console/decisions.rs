//! Two people decide about a charge that nothing else decides.

use seatkey::{domain::charge::State, simulator::UsageTrick, store::Finding};
use time::Duration;
use uuid::Uuid;

use crate::{
    on_both_databases,
    support::{
        Stage,
        staff::{ADA, FAY, FINN, MIRA, SURI, post, signed_in},
        told::ledger,
        years::{enrolled, report_after, upgrade},
    },
};

on_both_databases! {
    one_proposes_and_another_one_approves;
    the_same_person_approves_nothing;
    a_stale_proposal_is_refused;
    a_revoked_role_decides_nothing;
    a_proposal_is_refused_or_taken_back;
    an_old_sign_in_approves_nothing;
}

/// An upgrade whose answers never were clear, until its hour was over.
pub(crate) async fn unknown(stage: &Stage) -> (Uuid, Uuid) {
    let id = enrolled(stage, "150").await;
    report_after(stage, 35).await;
    // The next charge finds its hour free.
    stage.advance(Duration::hours(2));
    stage.world().switch(|switches| switches.usage_trick = Some(UsageTrick::AllFail("Error".to_owned())));
    upgrade(stage, id, 200).await;
    report_after(stage, 0).await;
    stage.advance(Duration::hours(25));
    report_after(stage, 0).await;
    stage.world().switch(|switches| switches.usage_trick = None);
    let charges = stage.app.store.list_charges(id).await.unwrap();
    let charge = charges.iter().find(|charge| charge.state == State::Unknown).unwrap();
    (id, charge.id)
}

async fn state(stage: &Stage, charge: Uuid) -> State {
    stage.app.store.find_charge(charge).await.unwrap().unwrap().1.state
}

async fn propose(stage: &Stage, person: &str, charge: Uuid) -> Uuid {
    let mut browser = signed_in(stage, person).await;
    let today = browser.open(stage.url("console")).await.unwrap();
    assert!(today.text.contains(&charge.to_string()), "{}", today.text);
    let fields = [("decision", "not-arrived"), ("reason", "Microsoft’s support says so")];
    let page = post(stage, &mut browser, &format!("console/charges/{charge}/propose"), &fields).await;
    assert!(page.status == 200 && page.text.contains("A second person has to approve it."), "{}", page.text);
    let open = stage.app.store.list_open_proposals(10, stage.app.clock.now()).await.unwrap();
    open.iter().find(|proposal| proposal.subject == charge).unwrap().id
}

pub(super) async fn approve(stage: &Stage, person: &str, proposal: Uuid) -> (u16, String) {
    let mut browser = signed_in(stage, person).await;
    let page = post(stage, &mut browser, &format!("console/approvals/{proposal}/approve"), &[]).await;
    (page.status, page.text)
}

async fn one_proposes_and_another_one_approves(stage: Stage) {
    let (id, charge) = unknown(&stage).await;
    let mut finn = signed_in(&stage, FINN).await;
    let page = finn.open(stage.url(&format!("console/charges/{charge}"))).await.unwrap();
    for told in ["It arrived", "It did not arrive", "sums around its hour", "Contoso GmbH"] {
        assert!(page.text.contains(told), "{told} is missing: {}", page.text);
    }
    let short = [("decision", "accepted"), ("reason", "yes")];
    let page = post(&stage, &mut finn, &format!("console/charges/{charge}/propose"), &short).await;
    assert!(page.status == 422 && page.text.contains("at least 10 characters"), "{}", page.text);
    let never = [("decision", "release"), ("reason", "because I want it so")];
    let page = post(&stage, &mut finn, &format!("console/charges/{charge}/propose"), &never).await;
    assert!(page.status == 422 && page.text.contains("cannot be resolved so"), "{}", page.text);

    let proposal = propose(&stage, FINN, charge).await;
    let twice = [("decision", "accepted"), ("reason", "it is there after all")];
    let page = post(&stage, &mut finn, &format!("console/charges/{charge}/propose"), &twice).await;
    assert!(page.status == 422 && page.text.contains("proposed something about this already"), "{}", page.text);
    for person in [MIRA, SURI] {
        assert_eq!(approve(&stage, person, proposal).await.0, 403, "another role");
    }
    assert_eq!(state(&stage, charge).await, State::Unknown);
    let (status, text) = approve(&stage, FAY, proposal).await;
    assert!(status == 200 && text.contains("Approved, and carried out."), "{text}");
    assert_eq!(state(&stage, charge).await, State::WrittenOff);
    report_after(&stage, 0).await;
    let corrections: Vec<_> = ledger(&stage, id).await;
    assert!(corrections.iter().any(|line| format!("{line:?}").contains("orrection")), "{corrections:?}");
    assert_eq!(stage.app.store.list_findings(id).await.unwrap(), Vec::<Finding>::new());
    stage.finish().await;
}

async fn the_same_person_approves_nothing(stage: Stage) {
    let (_, charge) = unknown(&stage).await;
    for person in [FINN, ADA] {
        let proposal = propose(&stage, person, charge).await;
        let (status, text) = approve(&stage, person, proposal).await;
        assert!(status == 422 && text.contains("It takes a second person"), "{text}");
        assert_eq!(state(&stage, charge).await, State::Unknown);
        let mut browser = signed_in(&stage, person).await;
        let why = [("reason", "that was a mistake")];
        post(&stage, &mut browser, &format!("console/approvals/{proposal}/refuse"), &why).await;
    }
    stage.finish().await;
}

async fn a_stale_proposal_is_refused(stage: Stage) {
    let (_, charge) = unknown(&stage).await;
    let proposal = propose(&stage, FINN, charge).await;
    // Somebody decides at the command line meanwhile.
    let people = ["--reason", "the bank confirmed it", "--by", "Jo Brandt", "--approved-by", "Kim Lund"];
    let store = stage.app.store.clone();
    let resolution = seatkey::app::Resolution {
        charge_id: charge,
        decision: seatkey::domain::decision::Decision::Accepted,
        reason: people[1],
        by: people[3],
        approved_by: people[5],
    };
    seatkey::app::resolve_charge(&stage.app, resolution).await.unwrap();
    let (status, text) = approve(&stage, FAY, proposal).await;
    assert!(status == 422 && text.contains("It has changed since it was proposed"), "{text}");
    assert_eq!(store.find_charge(charge).await.unwrap().unwrap().1.state, State::Accepted);
    report_after(&stage, 0).await;
    stage.finish().await;
}

async fn a_revoked_role_decides_nothing(stage: Stage) {
    let (_, charge) = unknown(&stage).await;
    let proposal = propose(&stage, FINN, charge).await;
    stage.world().set_roles(FINN.parse().unwrap(), &["Support"]);
    signed_in(&stage, FINN).await;
    let (status, text) = approve(&stage, FAY, proposal).await;
    assert!(status == 422 && text.contains("does not have the role Finance any more"), "{text}");
    // The approver's, too: what counts is the last sign-in, and not what an open session has seen.
    stage.world().set_roles(FINN.parse().unwrap(), &["Finance"]);
    signed_in(&stage, FINN).await;
    let mut fay = signed_in(&stage, FAY).await;
    stage.world().set_roles(FAY.parse().unwrap(), &["Sales"]);
    signed_in(&stage, FAY).await;
    let page = post(&stage, &mut fay, &format!("console/approvals/{proposal}/approve"), &[]).await;
    assert_eq!(page.status, 403, "{}", page.text);
    assert_eq!(state(&stage, charge).await, State::Unknown);
    stage.finish().await;
}

async fn a_proposal_is_refused_or_taken_back(stage: Stage) {
    let (_, charge) = unknown(&stage).await;
    for person in [FAY, FINN] {
        let proposal = propose(&stage, FINN, charge).await;
        let mut browser = signed_in(&stage, person).await;
        let path = format!("console/approvals/{proposal}/refuse");
        let page = post(&stage, &mut browser, &path, &[("reason", "no")]).await;
        assert_eq!(page.status, 422, "{}", page.text);
        let page = post(&stage, &mut browser, &path, &[("reason", "Microsoft has not answered yet")]).await;
        assert!(page.text.contains("Refused. Nothing was changed."), "{}", page.text);
        let (status, text) = approve(&stage, FAY, proposal).await;
        assert!(status == 422 && text.contains("not open any more"), "{text}");
    }
    // What nobody decides about is over after a week, and makes room.
    let old = propose(&stage, FINN, charge).await;
    stage.advance(Duration::days(7));
    assert!(approve(&stage, FAY, old).await.1.contains("not open any more"));
    propose(&stage, FINN, charge).await;
    assert_eq!(state(&stage, charge).await, State::Unknown);
    stage.finish().await;
}

async fn an_old_sign_in_approves_nothing(stage: Stage) {
    let (_, charge) = unknown(&stage).await;
    let mut fay = signed_in(&stage, FAY).await;
    for _ in 0..2 {
        stage.advance(Duration::minutes(40));
        fay.open(stage.url("console")).await.unwrap();
    }
    let proposal = propose(&stage, FINN, charge).await;
    let page = post(&stage, &mut fay, &format!("console/approvals/{proposal}/approve"), &[]).await;
    assert!(page.status == 422 && page.text.contains("sign in again"), "{}", page.text);
    let (status, text) = approve(&stage, FAY, proposal).await;
    assert!(status == 200 && text.contains("Approved"), "{text}");
    report_after(&stage, 0).await;
    stage.finish().await;
}
