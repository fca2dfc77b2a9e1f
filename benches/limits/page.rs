//! Pages without a database: the enrolment page computed and rendered for a fixed subscription with fixed prices, beside a
//! handler that does nothing, under the same load.

use std::{net::TcpListener, sync::Arc};

use actix_web::{
    App, HttpResponse, HttpServer,
    dev::ServerHandle,
    http::header,
    web::{self, Data},
};
use seatkey::{
    domain::{
        catalog::{Catalog, Offer, Plan},
        enrolment::{Basis, FrozenQuote, Order, PriceSource, TodaysPrices, freeze},
        pricing::PricedPlan,
        quote_json::Amounts,
        subscription::{MicrosoftStatus, Party, Snapshot, Subscription},
    },
    pages::{
        Page as _,
        enrolment::{Answers, Beside, Enrolment, Errors},
        frame::{Frame, OfferFace, Person},
        landing::Landing,
        projection::Projection,
        purchase::{Priced, Purchase},
    },
    templates::Templates,
};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::support::{
    load::Target,
    microsoft::{PLAN, plan_with_prices},
    stage::{CATALOG, NOW},
    table::{Row, TWO_FIFTHS},
    timing::interleave,
};

const ROUNDS: usize = 7;

/// Everything that the page needs, without a database.
pub(crate) struct Fixed {
    /// Pages.
    pub(crate) templates: Templates,
    offer: Arc<Offer>,
    plan: Arc<Plan>,
    catalog_version: String,
    prices: TodaysPrices,
    subscription: Subscription,
}

impl Fixed {
    /// The example catalog, and a subscription to KONNEKT.
    pub(crate) fn new() -> Self {
        let (catalog, _) = Catalog::from_toml("catalog.example.toml", CATALOG).unwrap();
        let (_, list) = plan_with_prices(&catalog, PLAN);
        let prices = TodaysPrices { list: list.clone(), source: PriceSource::Microsoft };
        let (offer, plan) = catalog.plans_named(PLAN).next().unwrap();
        let (offer, plan) = (Arc::clone(offer), Arc::clone(plan));
        let templates = Templates::load(None).unwrap();
        Self { templates, offer, plan, catalog_version: catalog.version, prices, subscription: subscription() }
    }

    /// The enrolment page of a subscription with its quote, from the figures to the finished text.
    pub(crate) fn enrolment(&self, subscription: &Subscription, trial_days: u32, users: u32) -> String {
        let answers = Answers { users: users.to_string(), ..Answers::default() };
        let frozen = self.freeze(subscription, trial_days, users);
        let plan = PricedPlan::new(&self.plan, &self.prices.list).unwrap();
        let priced = priced(&plan, &frozen);
        let purchase = self.purchase(subscription);
        let beside = Beside::Priced(&priced);
        let page = Enrolment::new(self.frame(), &purchase, &answers, &Errors::default(), beside, NOW);
        page.with_extra_prices(&plan).render(&self.templates).unwrap()
    }

    /// The part that follows the typing.
    fn projection(&self, users: u32) -> String {
        let frozen = self.freeze(&self.subscription, self.plan.trial_days, users);
        let plan = PricedPlan::new(&self.plan, &self.prices.list).unwrap();
        let priced = priced(&plan, &frozen);
        Projection::of(&self.purchase(&self.subscription), &priced).render(&self.templates).unwrap()
    }

    fn freeze(&self, subscription: &Subscription, trial_days: u32, users: u32) -> FrozenQuote {
        let order = Order {
            users: Some(users),
            extras: Vec::new(),
            organisation: String::new(),
            buyer_name: "Alex Weber".to_owned(),
            buyer_email: "alex.weber@contoso.example".to_owned(),
            technical_contact: String::new(),
            language: String::new(),
        };
        let (plan, prices) = (&*self.plan, Some(&self.prices));
        let catalog_version = &self.catalog_version;
        freeze(Basis { subscription, plan, prices, trial_days, catalog_version, now: NOW }, order).unwrap()
    }

    fn purchase<'a>(&'a self, subscription: &'a Subscription) -> Purchase<'a> {
        Purchase {
            id: subscription.microsoft.id,
            name: &subscription.microsoft.name,
            organisation: "",
            offer: &self.offer,
            plan: &self.plan,
            amounts: Amounts::Shown,
            bought: None,
            activated: None,
        }
    }

    fn frame(&self) -> Frame {
        let person = Person { name: "Alex Weber".to_owned(), organisation: None };
        let nonce = Uuid::new_v4().simple().to_string();
        Frame::new(OfferFace::of(&self.offer), Some(person), &nonce, "fLJbQxZ3mQ0Vn6c2kq8yq0p1nU7o9wS5dR4tE3aW2xY")
    }
}

fn priced<'a>(plan: &'a PricedPlan, frozen: &'a FrozenQuote) -> Priced<'a> {
    let quote = frozen.quote.as_ref().unwrap();
    Priced::new(plan, quote, &frozen.extras, &frozen.first, frozen.estimated).unwrap()
}

fn subscription() -> Subscription {
    let party =
        Party { tenant_id: Some(Uuid::from_u128(7)), object_id: Some(Uuid::from_u128(8)), email: String::new() };
    let microsoft = Snapshot {
        id: Uuid::from_u128(9),
        offer_id: "konnekt".to_owned(),
        plan_id: PLAN.to_owned(),
        name: "konnekt-prod".to_owned(),
        status: MicrosoftStatus::PendingFulfillmentStart,
        beneficiary: party.clone(),
        purchaser: party,
        term_unit: None,
        term: None,
        auto_renew: true,
        update_allowed: true,
        is_test: false,
        quantity: None,
    };
    Subscription::new(microsoft, NOW)
}

/// An answer with the headers of a page.
pub(crate) fn html(text: String) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'self'; script-src 'self'"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(text)
}

pub(crate) fn measure(runtime: &Runtime) -> Vec<Row> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let handle = runtime.block_on(async { serve(listener) });
    let target = |path: &str| Target { address, path: path.to_owned(), cookie: String::new() };
    let (enrolment, projection) = (target("/enrolment/{users}"), target("/projection/{users}"));
    let (landing, nothing, ready_made) = (target("/landing"), target("/nothing"), target("/ready-made"));
    assert!(enrolment.body().contains("2,100.00") && projection.body().contains("2,100.00"));
    let samples = interleave(
        ROUNDS,
        [
            &mut || enrolment.requests_per_second(),
            &mut || projection.requests_per_second(),
            &mut || landing.requests_per_second(),
            &mut || nothing.requests_per_second(),
            &mut || ready_made.requests_per_second(),
        ],
    );
    let row = |what: &str, index, limit, goal| {
        Row::rate(what, [samples.median(index), samples.median(limit)], samples.quotient(index, limit), goal)
    };
    let rows = vec![
        row("enrolment page with its quote, no database", 0, 3, Some(TWO_FIFTHS)),
        row("the same (limit: a page of that size, ready-made)", 0, 4, None),
        row("the projection alone, as it follows the typing", 1, 3, None),
        row("landing page (no quote)", 2, 3, Some(TWO_FIFTHS)),
    ];
    runtime.block_on(handle.stop(false));
    rows
}

fn serve(listener: TcpListener) -> ServerHandle {
    let fixed = Data::new(Fixed::new());
    let ready_made = Data::new(fixed.enrolment(&fixed.subscription, fixed.plan.trial_days, 150));
    let app = move || {
        App::new()
            .app_data(fixed.clone())
            .app_data(ready_made.clone())
            .route("/nothing", web::get().to(HttpResponse::Ok))
            .route("/ready-made", web::get().to(|text: Data<String>| async move { html(text.get_ref().clone()) }))
            .route(
                "/enrolment/{users}",
                web::get().to(|fixed: Data<Fixed>, users: web::Path<u32>| async move {
                    html(fixed.enrolment(&fixed.subscription, fixed.plan.trial_days, *users))
                }),
            )
            .route(
                "/projection/{users}",
                web::get()
                    .to(|fixed: Data<Fixed>, users: web::Path<u32>| async move { html(fixed.projection(*users)) }),
            )
            .route(
                "/landing",
                web::get().to(|fixed: Data<Fixed>| async move {
                    let page =
                        Landing::new(Frame::new(OfferFace::neutral(None), None, &Uuid::new_v4().to_string(), ""));
                    html(page.render(&fixed.templates).unwrap())
                }),
            )
    };
    let server = HttpServer::new(app).workers(1).disable_signals().shutdown_timeout(1).listen(listener).unwrap().run();
    let handle = server.handle();
    tokio::spawn(server);
    handle
}
