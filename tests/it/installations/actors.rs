//! What buyers, Microsoft and the network do.

use std::collections::BTreeMap;

use seatkey::{
    app::{
        AppError, Submitted, ask_withdrawal, cancel_downgrade, receive_webhook, review_change, review_order,
        submit_change, submit_order,
    },
    clock::Clock as _,
    domain::{enrolment::Order, subscription::Stage},
    simulator::{Fault, FaultAction, UsageTrick},
};

use super::place::Installation;

/// A number of users, in all segments that matter.
const USERS: [u32; 8] = [25, 50, 150, 151, 249, 250, 300, 1_200];

/// A buyer does something about a subscription; what is refused is refused.
pub(super) async fn buyer(own: &mut Installation) -> String {
    let index = own.chance.below(own.lives.len());
    let (id, who) = (own.lives[index].id, own.lives[index].who);
    let app = std::sync::Arc::clone(own.chance.pick(&own.workers));
    let known = app.store.find_subscription(id).await.unwrap().unwrap();
    if matches!(known.stage, Stage::AwaitingEnrolment) {
        let now = own.lab.stage.clock.now();
        let ordered = order(own, &app, index).await;
        if matches!(ordered, Ok(Submitted::Accepted)) {
            own.lives[index].ordered_at = Some(now);
        }
        return format!("{id} is ordered: {ordered:?}");
    }
    match own.chance.below(20) {
        0 => format!("{id} is withdrawn: {:?}", ask_withdrawal(&app, who, id).await),
        1..4 => format!("{id}: the downgrade is cancelled: {:?}", cancel_downgrade(&app, who, id).await),
        _ => {
            let to = *own.chance.pick(&USERS);
            let reviewed = review_change(&app, who, &known, to).await;
            let done = match reviewed {
                Ok(change) => submit_change(&app, who, &known, change).await.map(|done| format!("{done:?}").len()),
                Err(error) => Err(error),
            };
            format!("{id} is to have {to} users: {}", words(done))
        }
    }
}

fn words(done: Result<usize, AppError>) -> String {
    done.map_or_else(|error| error.to_string(), |_| "done".to_owned())
}

async fn order(own: &Installation, app: &seatkey::app::App, index: usize) -> Result<Submitted, AppError> {
    let life = &own.lives[index];
    let known = app.store.find_subscription(life.id).await?.unwrap();
    let order = Order {
        users: Some(150),
        extras: Vec::new(),
        organisation: "Contoso GmbH".to_owned(),
        buyer_name: "Alex Weber".to_owned(),
        buyer_email: "alex.weber@contoso.example".to_owned(),
        technical_contact: "jo.brandt@contoso.example".to_owned(),
        language: "en".to_owned(),
    };
    let review = review_order(app, life.who, &known, order).await?;
    submit_order(app, life.who, &known, review.quote_id).await
}

/// Microsoft, or the customer in the portal, does something.
pub(super) fn microsoft(own: &mut Installation) -> String {
    let index = own.chance.below(own.lives.len());
    let id = own.lives[index].id;
    let world = own.lab.world();
    match own.chance.below(24) {
        0..7 => format!("{id} is suspended: {}", world.suspend(id)),
        7..19 => format!("{id} is reinstated: {}", world.reinstate(id)),
        19 => format!("{id} is cancelled: {}", world.cancel(id)),
        20 => format!(
            "{id} is to have the successor: {}",
            world.customer_change(id, Some("konnekt-yearly-2"), None).is_ok()
        ),
        21 => format!("{id} does not renew: {}", world.set_auto_renew(id, false)),
        22 => format!("{id} renews: {}", world.set_auto_renew(id, true)),
        _ => {
            own.prices_rose = true;
            let dearer = world.set_price("scepman-ee", "scepman-ee-monthly", "DE", "scepman-50-user", "1.20");
            format!("a meter is dearer: {dearer:?}")
        }
    }
}

/// A webhook arrives: any one, also once more, also late. Who dies while storing it gets it again.
pub(super) async fn webhook(own: &mut Installation) -> String {
    let again = own.chance.one_in(5);
    let all = own.lab.world().webhooks();
    let waiting: Vec<_> = all.iter().filter(|webhook| again || !own.posted.contains(&webhook.id)).collect();
    if waiting.is_empty() {
        return "there is no webhook".to_owned();
    }
    let chosen = own.chance.pick(&waiting);
    let body = own.lab.world().webhook_body(chosen.id).unwrap();
    let claims = serde_json::Value::Null;
    let app = std::sync::Arc::clone(own.chance.pick(&own.workers));
    let received = receive_webhook(&app, body.as_bytes(), &claims).await;
    own.posted.insert(chosen.id);
    format!("webhook {} ({} of {}): {}", chosen.id, chosen.action, chosen.subscription_id, received.is_ok())
}

/// Something on the way to Microsoft goes wrong: once, a few times, or until further notice.
pub(super) fn fault(own: &mut Installation) -> String {
    const BATCH: &str = "/api/batchUsageEvent";
    let status = |status| FaultAction { status: Some(status), ..FaultAction::default() };
    let soon = FaultAction { headers: BTreeMap::from([("Retry-After".to_owned(), "30".to_owned())]), ..status(429) };
    let cut = FaultAction { cut: true, ..FaultAction::default() };
    let lost = FaultAction { lose_answer: true, ..FaultAction::default() };
    let all = [
        (BATCH, lost.clone()),
        (BATCH, lost.clone()),
        (BATCH, cut.clone()),
        (BATCH, soon),
        (BATCH, status(429)),
        (BATCH, status(500)),
        (BATCH, status(503)),
        (BATCH, status(401)),
        (BATCH, status(403)),
        (BATCH, status(400)),
        ("/api/usageEvent", lost.clone()),
        ("/api/usageEvent", status(503)),
        ("/api/saas/subscriptions/*", status(503)),
        ("/api/saas/subscriptions/*", cut.clone()),
        ("/api/saas/subscriptions/*/listAvailablePlans", lost),
        ("/api/**", cut),
    ];
    let (path, action) = own.chance.pick(&all).clone();
    own.refused |= action.status == Some(400);
    let until_further_notice = path == BATCH && own.chance.one_in(6);
    let count = if until_further_notice { u32::MAX } else { u32::try_from(1 + own.chance.below(4)).unwrap() };
    own.has_faults = true;
    let told = format!("the next {count} {path}: {action:?}");
    own.lab.world().add_fault(Fault { count, ..Fault::next(path, action) });
    told
}

/// Microsoft's answers about usage go wrong.
pub(super) fn trick(own: &mut Installation) -> String {
    let fail = |status: &str| UsageTrick::AllFail(status.to_owned());
    let all = [
        UsageTrick::Short,
        UsageTrick::Reordered,
        UsageTrick::Broken,
        UsageTrick::Broken,
        UsageTrick::Doubled,
        fail("Error"),
        fail("Expired"),
        fail("ResourceNotActive"),
        fail("InvalidDimension"),
        fail("SomethingNew"),
    ];
    let trick = own.chance.pick(&all).clone();
    own.refused |= trick == fail("InvalidDimension");
    own.called_old |= trick == fail("Expired");
    own.lab.world().switch(|switches| switches.usage_trick = Some(trick.clone()));
    format!("{trick:?} from now on")
}

/// All is well again, for now.
pub(super) fn calm_down(own: &mut Installation) -> String {
    own.has_faults = false;
    own.lab.world().clear_faults();
    own.lab.world().switch(|switches| switches.usage_trick = None);
    "all is well again".to_owned()
}
