//! Granted to a tenant, used up by its next purchase.

use seatkey::{
    app::{self, NamedTenant, Submitted, TrialRequest, approve_trial, preview_order, revoke_trial},
    cli::browser::Browser,
    domain::{
        enrolment::Order,
        numbers::Tallies,
        policy::{Identity, PERSONAL_ACCOUNTS},
        staff::Actor,
        trial_grant::{Standing, State, TrialFigures, TrialRefused},
    },
    simulator::Purchase,
};
use time::{
    Duration,
    macros::{date, datetime},
};
use uuid::Uuid;

use super::{
    CONTOSO, MIRA, REASON, accepted, ada, ahead, follow, found, grant, known, mails_of, mira, move_to, part, refusal,
    standing,
};
use crate::{
    on_both_databases,
    support::{
        Stage,
        people::{ALEX, NORDWIND, PAT},
    },
};

on_both_databases! {
    a_trial_for_a_domain_is_used_by_the_next_order;
    two_purchases_race_for_one_trial;
    the_default_trial_is_never_given_twice;
    nothing_is_granted_to_personal_accounts;
    in_a_reseller_deal_the_users_tenant_counts;
    what_is_revoked_or_expired_gives_nothing;
    above_the_limits_a_second_person_approves;
    whoever_granted_is_reminded;
}

fn order(users: u32) -> Order {
    Order {
        users: Some(users),
        extras: Vec::new(),
        organisation: "Contoso GmbH".to_owned(),
        buyer_name: "Alex Weber".to_owned(),
        buyer_email: "alex.weber@contoso.example".to_owned(),
        technical_contact: "jo.brandt@contoso.example".to_owned(),
        language: "en".to_owned(),
    }
}

async fn shown_days(stage: &Stage, id: Uuid, users: u32) -> u32 {
    preview_order(&stage.app, &known(stage, id).await, order(users)).await.unwrap().first.trial_days
}

/// A purchase that Alex has looked at.
async fn bought(stage: &Stage) -> Uuid {
    let id = stage.buy();
    stage.configure(&mut Browser::of(ALEX).unwrap(), id).await;
    id
}

async fn a_trial_for_a_domain_is_used_by_the_next_order(stage: Stage) {
    let one = grant(&stage, ahead(60)).await;
    assert_eq!((one.tenant_id, one.domain.as_deref()), (Some(CONTOSO), Some("contoso.example")));
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.configure(&mut alex, id).await;
    let review = stage.review(&mut alex, id, "150").await;
    assert!(review.text.contains("15 March 2026"), "the review shows the end of 60 days: {}", review.text);
    stage.submit(&mut alex, id, &review).await;
    stage.settle().await;
    assert_eq!(known(&stage, id).await.trial_end, Some(date!(2026 - 03 - 15)));
    let used = found(&stage, one.id).await;
    assert_eq!((used.state, used.subscription_id), (State::Used, Some(id)));
    assert_eq!(refusal(revoke_trial(&stage.app, &mira(), one.id, REASON).await), TrialRefused::NotRevocable("used"));
    // Nothing is reported before both trial and grace period are over.
    move_to(&stage, datetime!(2026-03-15 23:59 UTC));
    follow(&stage).await;
    assert!(accepted(&stage, id).is_empty());
    stage.advance(Duration::minutes(2));
    follow(&stage).await;
    assert_eq!(accepted(&stage, id), [part(1, 305, 365), part(125, 305, 365)]);
    let mut tallies = Tallies::new();
    stage.app.store.tally_grants(seatkey::clock::Clock::now(&*stage.clock), &mut tallies).await.unwrap();
    let figures = TrialFigures::list(&tallies);
    assert_eq!(figures.len(), 1);
    assert_eq!((figures[0].granted(), figures[0].used(), figures[0].converted), (1, 1, 1));
    assert_eq!((figures[0].month.as_str(), figures[0].offer_id.as_str()), ("2026-01", "konnekt"));
    stage.finish().await;
}

async fn two_purchases_race_for_one_trial(stage: Stage) {
    let one = grant(&stage, ahead(60)).await;
    let ids = [bought(&stage).await, bought(&stage).await];
    let who = Identity { tenant_id: CONTOSO, object_id: ALEX.parse().unwrap() };
    let mut reviews = Vec::new();
    for id in ids {
        let subscription = known(&stage, id).await;
        let review = app::review_order(&stage.app, who, &subscription, order(150)).await.unwrap();
        reviews.push((subscription, review.quote_id));
    }
    let submits = reviews.iter().map(|(subscription, quote)| app::submit_order(&stage.app, who, subscription, *quote));
    let submitted = futures::future::try_join_all(submits).await.unwrap();
    let winner = submitted.iter().position(|one| matches!(one, Submitted::Accepted)).unwrap();
    let loser = 1 - winner;
    let Submitted::Changed { quote_id } = submitted[loser] else { panic!("{:?}", submitted[loser]) };
    let fresh = stage.app.store.find_quote(quote_id).await.unwrap().unwrap();
    assert_eq!((fresh.frozen.first.trial_days, fresh.frozen.trial_grants), (0, vec![]), "shown its new figures first");
    assert_eq!(found(&stage, one.id).await.subscription_id, Some(ids[winner]));
    let again = app::submit_order(&stage.app, who, &reviews[loser].0, quote_id).await.unwrap();
    assert!(matches!(again, Submitted::Accepted));
    stage.settle().await;
    assert_eq!(known(&stage, ids[winner]).await.trial_end, Some(date!(2026 - 03 - 15)));
    assert_eq!(known(&stage, ids[loser]).await.trial_end, None);
    stage.finish().await;
}

async fn the_default_trial_is_never_given_twice(stage: Stage) {
    // Fewer days than the default trial: both are used up by one order, and not added up.
    grant(&stage, ahead(10)).await;
    let mut alex = Browser::of(ALEX).unwrap();
    let first = stage.buy();
    stage.enrol(&mut alex, first, "150").await;
    stage.settle().await;
    assert_eq!(known(&stage, first).await.trial_end, Some(date!(2026 - 02 - 13)));
    let second = bought(&stage).await;
    assert_eq!(shown_days(&stage, second, 150).await, 0);
    // A grant for somebody who is not new gives its own days, and the default ones to nobody.
    grant(&stage, TrialRequest { users: Some(200), ..ahead(20) }).await;
    assert_eq!(shown_days(&stage, second, 150).await, 20);
    assert_eq!(shown_days(&stage, second, 201).await, 0, "for at most 200 users");
    stage.enrol(&mut alex, second, "200").await;
    stage.settle().await;
    assert_eq!(known(&stage, second).await.trial_end, Some(date!(2026 - 02 - 03)));
    let third = bought(&stage).await;
    assert_eq!(shown_days(&stage, third, 150).await, 0);
    stage.finish().await;
}

async fn nothing_is_granted_to_personal_accounts(stage: Stage) {
    let request = |tenant| TrialRequest { tenant: Some(tenant), ..ahead(60) };
    for tenant in [NamedTenant::Id(PERSONAL_ACCOUNTS), NamedTenant::Domain("outlook.example")] {
        let refused = refusal(app::grant_trial(&stage.app, &mira(), request(tenant)).await);
        assert_eq!(refused, TrialRefused::PersonalAccounts, "{tenant:?}");
        let prospect = super::key(14, Some(tenant), "en");
        assert_eq!(refusal(app::grant_trial(&stage.app, &mira(), prospect).await), TrialRefused::PersonalAccounts);
    }
    for (domain, expected) in [
        ("nobody.example", TrialRefused::UnknownDomain("nobody.example".to_owned())),
        ("contoso.example/v2.0", TrialRefused::NoDomain("contoso.example/v2.0".to_owned())),
        ("common", TrialRefused::NoDomain("common".to_owned())),
    ] {
        let refused = refusal(app::grant_trial(&stage.app, &mira(), request(NamedTenant::Domain(domain))).await);
        assert_eq!(refused, expected);
    }
    let nobody = TrialRequest { tenant: None, ..ahead(60) };
    assert_eq!(refusal(app::grant_trial(&stage.app, &mira(), nobody).await), TrialRefused::Nobody);
    // Whoever buys with a personal account has the default trial of their own.
    let mut pat = Browser::of(PAT).unwrap();
    let id = stage.buy_as(Purchase::of("konnekt", "konnekt-yearly", PAT.parse().unwrap()));
    stage.enrol(&mut pat, id, "150").await;
    stage.settle().await;
    assert_eq!(known(&stage, id).await.trial_end, Some(date!(2026 - 02 - 13)));
    stage.finish().await;
}

async fn in_a_reseller_deal_the_users_tenant_counts(stage: Stage) {
    let of_reseller = TrialRequest { tenant: Some(NamedTenant::Domain("nordwind.example")), ..ahead(80) };
    let reseller = grant(&stage, of_reseller).await;
    let one = grant(&stage, ahead(60)).await;
    let mut kim = Browser::of(NORDWIND).unwrap();
    let deal = Purchase::of("konnekt", "konnekt-yearly", ALEX.parse().unwrap());
    let id = stage.buy_as(Purchase { purchaser: Some(NORDWIND.parse().unwrap()), ..deal });
    stage.enrol(&mut kim, id, "150").await;
    stage.settle().await;
    assert_eq!(known(&stage, id).await.trial_end, Some(date!(2026 - 03 - 15)));
    assert_eq!(found(&stage, one.id).await.state, State::Used);
    assert_eq!(found(&stage, reseller.id).await.state, State::Open);
    stage.finish().await;
}

async fn what_is_revoked_or_expired_gives_nothing(stage: Stage) {
    let one = grant(&stage, ahead(60)).await;
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.configure(&mut alex, id).await;
    let review = stage.review(&mut alex, id, "150").await;
    assert_eq!(refusal(revoke_trial(&stage.app, &mira(), one.id, "oops").await), TrialRefused::Reason);
    revoke_trial(&stage.app, &mira(), one.id, "the deal is off").await.unwrap();
    let changed = stage.submit(&mut alex, id, &review).await;
    assert!(changed.url.path().contains("review") && changed.text.contains("13 February 2026"), "{}", changed.text);
    let listed =
        |standing| stage.app.store.list_trial_grants(Some(standing), None, 10, datetime!(2026-01-15 12:00 UTC));
    assert_eq!(listed(Standing::Revoked).await.unwrap().len(), 1);
    assert_eq!(listed(Standing::Open).await.unwrap(), []);
    let late = grant(&stage, TrialRequest { offer_days: Some(5), ..ahead(60) }).await;
    assert_eq!(shown_days(&stage, id, 150).await, 60);
    move_to(&stage, datetime!(2026-01-20 23:59 UTC));
    assert_eq!(shown_days(&stage, id, 150).await, 60, "the whole last day counts");
    stage.advance(Duration::MINUTE);
    assert_eq!(shown_days(&stage, id, 150).await, 30);
    assert_eq!(found(&stage, late.id).await.standing(datetime!(2026-01-21 0:00 UTC)), Standing::Expired);
    stage.finish().await;
}

async fn above_the_limits_a_second_person_approves(stage: Stage) {
    let one = grant(&stage, ahead(120)).await;
    assert_eq!(one.state, State::Proposed);
    let id = bought(&stage).await;
    assert_eq!(shown_days(&stage, id, 150).await, 30, "what nobody has approved gives nothing");
    let program = Actor::Program { key_id: Uuid::from_u128(9), name: "CRM".to_owned() };
    let same_at_the_command_line = Actor::Operator { name: "mira sales".to_owned() };
    for (approver, expected) in [
        (mira(), TrialRefused::SamePerson),
        (same_at_the_command_line, TrialRefused::SamePerson),
        (program, TrialRefused::Program),
        (super::member(3, "Suri", "", "Support"), TrialRefused::NotSales),
    ] {
        assert_eq!(refusal(approve_trial(&stage.app, &approver, one.id).await), expected, "{approver:?}");
    }
    assert_eq!(refusal(approve_trial(&stage.app, &ada(), one.id).await), TrialRefused::GranterWithoutRole);
    super::mira_is_known(&stage).await;
    approve_trial(&stage.app, &ada(), one.id).await.unwrap();
    assert_eq!(shown_days(&stage, id, 150).await, 120);
    assert_eq!(refusal(approve_trial(&stage.app, &ada(), one.id).await), TrialRefused::NotProposed("open"));
    // An approval that comes too late is none.
    let late = grant(&stage, TrialRequest { users: Some(5_000), ..ahead(30) }).await;
    assert_eq!(late.state, State::Proposed);
    stage.advance(Duration::days(31));
    assert_eq!(refusal(approve_trial(&stage.app, &ada(), late.id).await), TrialRefused::Expired);
    assert_eq!(standing(&stage, id).await, []);
    stage.finish().await;
}

async fn whoever_granted_is_reminded(stage: Stage) {
    grant(&stage, ahead(60)).await;
    let unused = TrialRequest { tenant: Some(NamedTenant::Domain("fabrikam.example")), ..ahead(14) };
    grant(&stage, unused).await;
    let mut alex = Browser::of(ALEX).unwrap();
    let id = stage.buy();
    stage.enrol(&mut alex, id, "150").await;
    stage.settle().await;
    // The offer to Fabrikam ends with 14 February; the trial of Contoso on 15 March.
    for _ in 0..60 {
        stage.advance(Duration::DAY);
        follow(&stage).await;
    }
    let reminders = mails_of(&stage, "trial_reminder");
    let subjects: Vec<&str> = reminders.iter().map(|mail| mail.subject.as_str()).collect();
    assert_eq!(
        subjects,
        [
            "KONNEKT: a trial that nobody has used ends on 14 February 2026 (fabrikam.example)",
            "KONNEKT: a trial ends on 15 March 2026 (contoso.example)",
            "KONNEKT: a trial ends on 15 March 2026 (contoso.example)",
        ]
    );
    assert!(reminders.iter().all(|mail| mail.recipients == [MIRA]), "{subjects:?}");
    assert_eq!(mails_of(&stage, "trial_ends").len(), 2, "the buyer has reminders of their own");
    stage.finish().await;
}
