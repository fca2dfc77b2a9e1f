//! Every route, asked by everybody, with ids of their own and of others: what each of them meets stands in `rights.md`,
//! written by hand. The router only proves that the table is complete.

use std::collections::{BTreeMap, BTreeSet};

use seatkey::{
    app::{self, NamedTenant, TrialRequest},
    cli::browser::Browser,
    domain::{
        approval::{PROPOSAL_LIFETIME, Proposal, ProposalKind, ProposalState},
        policy::Identity,
        staff::{Actor, Scope},
    },
    simulator::Purchase,
    web::{Access, POLICY, list_routes},
};
use uuid::Uuid;

use crate::support::{
    Database, Stage,
    people::{ALEX, FABRIKAM, JO, NORDWIND, PAT, SAM},
    staff::{ADA, FINN, MIRA, SURI},
    told::known,
    years::bought_for,
};

const TABLE: &str = include_str!("rights.md");
/// Whoever has no part in anything: ids that belong to nobody.
const NOBODY: Uuid = Uuid::from_u128(0x5ea7_0000_0000_4000_8000_0000_0000_00ff);

/// What somebody meets, in a word.
fn met(status: u16, location: &str, text: &str) -> &'static str {
    match status {
        303 if location.starts_with("/sign-in") || location.starts_with("/console/sign-in") => "sign in",
        403 if text.contains("belongs to another role") => "other role",
        403 if text.contains("does not have the scope") => "scope",
        403 if text.contains("form is too old") => "form",
        404 => "nothing",
        200..=399 => "in",
        401 => "key",
        _ => "refused",
    }
}

/// Somebody with a session or an API key, or with neither. Those who have the right send forms without the token of their
/// session ("form": they have come as far as that); whoever has none sends it, so that it is the rights that stop them.
struct Visitor {
    http: reqwest::Client,
    cookies: String,
    csrf: String,
    /// By the scope of the route; the first one where it has none.
    keys: BTreeMap<Option<&'static str>, String>,
}

impl Visitor {
    fn anybody() -> Self {
        let http = seatkey::http::client().unwrap();
        Self { http, cookies: String::new(), csrf: String::new(), keys: BTreeMap::new() }
    }

    async fn of(stage: &Stage, person: &str, sends_token: bool) -> Self {
        let mut browser = Browser::of(person).unwrap();
        let is_staff = person.starts_with("d1a5c0de");
        let page = browser.open(stage.url(if is_staff { "console" } else { "subscriptions" })).await.unwrap();
        assert_eq!(page.status, 200);
        let csrf = if sends_token { page.field("csrf").unwrap() } else { String::new() };
        Self { cookies: browser.cookies_of(&stage.public_url), csrf, ..Self::anybody() }
    }

    /// A program with a key for every route: of its scope alone, or of all scopes but that.
    async fn program(stage: &Stage, has_scope: bool) -> Self {
        let anna = Actor::Operator { name: "anna".to_owned() };
        let mut keys = BTreeMap::new();
        for scope in Scope::ALL {
            let scopes: BTreeSet<Scope> = Scope::ALL.into_iter().filter(|one| (*one == scope) == has_scope).collect();
            let made = app::create_api_key(&stage.app, &anna, "CRM", scopes, 30).await.unwrap();
            keys.insert(None, made.text.clone());
            keys.insert(Some(scope.as_str()), made.text);
        }
        Self { keys, ..Self::anybody() }
    }

    fn with_key(key: String) -> Self {
        Self { keys: BTreeMap::from([(None, key)]), ..Self::anybody() }
    }

    async fn ask(&self, stage: &Stage, (method, access): (&str, Access), path: &str) -> &'static str {
        let url = stage.url(path.trim_start_matches('/'));
        let mut request =
            if method == "GET" { self.http.get(url) } else { self.http.post(url).form(&[("csrf", &self.csrf)]) };
        let scope = match access {
            Access::Program(scope) => Some(scope.as_str()),
            _ => None,
        };
        if let Some(key) = self.keys.get(&scope).or_else(|| self.keys.get(&None)) {
            request = request.bearer_auth(key);
        }
        let answer = request.header("cookie", &self.cookies).send().await.unwrap();
        let status = answer.status().as_u16();
        let location = answer.headers().get("location").map_or("", |value| value.to_str().unwrap()).to_owned();
        met(status, &location, &answer.text().await.unwrap())
    }
}

/// What stands for the parts of an address.
#[derive(Debug, Clone, Copy)]
struct Ids {
    subscription: Uuid,
    charge: Uuid,
    proposal: Uuid,
    change: Uuid,
    quote: Uuid,
    mail: Uuid,
    trial: Uuid,
}

impl Ids {
    const UNKNOWN: Self = Self {
        subscription: NOBODY,
        charge: NOBODY,
        proposal: NOBODY,
        change: NOBODY,
        quote: NOBODY,
        mail: NOBODY,
        trial: NOBODY,
    };

    /// A subscription with what belongs to it; `change`: what somebody was shown.
    async fn of(stage: &Stage, subscription: Uuid, change: Uuid) -> Self {
        let store = &stage.app.store;
        let charge = store.list_charges(subscription).await.unwrap()[0].id;
        Self {
            subscription,
            charge,
            proposal: proposed(stage, subscription, charge).await,
            change,
            quote: store.find_enrolment(subscription).await.unwrap().unwrap().quote_id,
            mail: store.list_mails(subscription).await.unwrap()[0].id,
            trial: granted(stage).await,
        }
    }

    /// The address of a route.
    fn fill(&self, route: &str) -> String {
        let id = match route {
            route if route.starts_with("/console/mails/") => self.mail,
            route if route.starts_with("/console/trials/") => self.trial,
            _ => self.subscription,
        };
        let parts = [("{id}", id), ("{charge}", self.charge), ("{proposal}", self.proposal), ("{change}", self.change)];
        let parts = parts.into_iter().chain([("{quote}", self.quote)]);
        parts.fold(route.replace("{offer}", "none"), |path, (name, id)| path.replace(name, &id.to_string()))
    }
}

/// A charge that somebody proposes something about.
async fn proposed(stage: &Stage, subscription: Uuid, charge: Uuid) -> Uuid {
    let now = stage.app.clock.now();
    let tx = stage.app.store.begin().await.unwrap();
    let proposal = Proposal {
        id: seatkey::clock::new_id(now),
        kind: ProposalKind::ResolveCharge,
        subject: charge,
        subscription_id: Some(subscription),
        body: "accepted".to_owned(),
        basis: String::new(),
        reason: "to have one".to_owned(),
        proposed_by: NOBODY,
        proposed_at: now,
        expires_at: now + PROPOSAL_LIFETIME,
        state: ProposalState::Open,
    };
    tx.insert_proposal(&proposal).await.unwrap();
    tx.commit().await.unwrap();
    proposal.id
}

async fn granted(stage: &Stage) -> Uuid {
    let request = TrialRequest {
        offer_id: "konnekt",
        plan_id: "konnekt-yearly",
        tenant: Some(NamedTenant::Id(NOBODY)),
        prospect: None,
        days: 14,
        users: None,
        offer_days: None,
        reason: "asked for at the fair",
    };
    app::grant_trial(&stage.app, &Actor::Operator { name: "anna".to_owned() }, request).await.unwrap().id
}

/// Bought by one, for another, enrolled by the one, who has been shown another number of users.
async fn enrolled(stage: &Stage, buyer: &str, user: &str) -> Ids {
    let id = bought_for(stage, buyer, user).await;
    let subscription = known(stage, id).await;
    let tenant_id = subscription.microsoft.purchaser.tenant_id.unwrap();
    let who = Identity { tenant_id, object_id: buyer.parse().unwrap() };
    let change = app::review_change(&stage.app, who, &subscription, 300).await.unwrap();
    Ids::of(stage, id, change).await
}

/// A column: who, and with which ids.
type Column = (&'static str, Visitor, Ids);

/// One of the tables of the file, as it is found.
async fn ask_all(stage: &Stage, title: &str, columns: &[Column]) -> Vec<String> {
    let names: Vec<&str> = columns.iter().map(|(name, ..)| *name).collect();
    let mut lines = vec![format!("## {title}"), format!("| route | {} |", names.join(" | "))];
    lines.push(format!("|---|{}", "---|".repeat(names.len())));
    for (method, route, access) in POLICY {
        // A sign-out would change who somebody is; the management address is another one.
        if *access == Access::Management || route.ends_with("/sign-out") {
            continue;
        }
        let mut line = format!("| {method} {route} |");
        for (_, visitor, ids) in columns {
            line += &format!(" {} |", visitor.ask(stage, (method, *access), &ids.fill(route)).await);
        }
        lines.push(line);
    }
    lines
}

#[tokio::test]
async fn everybody_meets_what_the_table_says() {
    let stage = Stage::set(Database::Memory).await;
    let direct = enrolled(&stage, ALEX, ALEX).await;
    let resold = enrolled(&stage, NORDWIND, ALEX).await;
    let others = enrolled(&stage, FABRIKAM, FABRIKAM).await;
    // Somebody with a personal account and a purchase of their own.
    let personal = stage.buy_as(Purchase::of("konnekt", "konnekt-yearly", PAT.parse().unwrap()));
    stage.configure(&mut Browser::of(PAT).unwrap(), personal).await;

    let mut columns: Vec<Column> = vec![("anonymous", Visitor::anybody(), direct)];
    for (name, person, sends_token) in [
        ("buyer", ALEX, false),
        ("colleague", JO, true),
        ("other tenant", FABRIKAM, true),
        ("personal", SAM, true),
        ("reseller", NORDWIND, true),
        ("Sales", MIRA, false),
        ("Finance", FINN, false),
        ("Support", SURI, false),
        ("Admin", ADA, false),
    ] {
        columns.push((name, Visitor::of(&stage, person, sends_token).await, direct));
    }
    columns.push(("key", Visitor::program(&stage, true).await, direct));
    columns.push(("other key", Visitor::program(&stage, false).await, direct));
    columns.push(("no such key", Visitor::with_key(format!("sk_{}", "A".repeat(43))), direct));
    let mut found = ask_all(&stage, "A direct purchase", &columns).await;

    let mut columns: Vec<Column> = Vec::new();
    for (name, person, sends_token) in [
        ("purchaser", NORDWIND, false),
        ("beneficiary", ALEX, true),
        ("beneficiary’s colleague", JO, true),
        ("other tenant", FABRIKAM, true),
        ("Sales", MIRA, false),
        ("Finance", FINN, false),
        ("Support", SURI, false),
    ] {
        columns.push((name, Visitor::of(&stage, person, sends_token).await, resold));
    }
    columns.push(("key", Visitor::program(&stage, true).await, resold));
    found.extend(ask_all(&stage, "A reseller deal", &columns).await);

    // The own subscription, with what belongs to another one.
    let mixed = |own: Ids| Ids { change: others.change, quote: others.quote, ..own };
    let buyer = async |person| Visitor::of(&stage, person, true).await;
    let columns: Vec<Column> = vec![
        ("buyer, another’s", buyer(ALEX).await, others),
        ("buyer, parts of another’s", Visitor::of(&stage, ALEX, false).await, mixed(direct)),
        ("reseller, another’s", buyer(NORDWIND).await, others),
        ("reseller, parts of another’s", Visitor::of(&stage, NORDWIND, false).await, mixed(resold)),
        ("buyer, unknown", buyer(ALEX).await, Ids::UNKNOWN),
        ("Admin, unknown", Visitor::of(&stage, ADA, true).await, Ids::UNKNOWN),
        ("key, unknown", Visitor::program(&stage, true).await, Ids::UNKNOWN),
    ];
    found.extend(ask_all(&stage, "Ids of others, and of nobody", &columns).await);

    let found = found.join("\n");
    let (written, met) = (rows(TABLE), rows(&found));
    for (written, met) in written.iter().zip(&met) {
        assert_eq!(written, met, "who meets what has changed; all of it:\n{found}");
    }
    assert_eq!(written.len(), met.len(), "{found}");
    stage.strike().await;
}

fn rows(table: &str) -> Vec<&str> {
    table.lines().filter(|line| line.starts_with("| ") || line.starts_with("## ")).collect()
}

#[test]
fn every_route_has_a_line_and_every_line_a_route() {
    let mut lines = BTreeMap::<(String, &str), usize>::new();
    for (method, route, _) in POLICY {
        *lines.entry(((*method).to_owned(), *route)).or_default() += 1;
    }
    for (line, count) in &lines {
        assert_eq!(*count, 1, "{line:?} stands there more than once");
    }
    let routes = list_routes();
    for route in &routes {
        assert!(lines.contains_key(route), "nobody has said who may ask for {route:?}");
    }
    for line in lines.keys() {
        assert!(routes.contains(line), "there is no route {line:?}");
    }
}
