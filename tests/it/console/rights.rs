//! Every route, asked by everybody, for a subscription of Alex's: what each of them meets stands in `rights.md`, written
//! by hand. The router only proves that the table is complete.

use std::collections::BTreeMap;

use seatkey::{
    cli::browser::Browser,
    simulator::Purchase,
    web::{Access, POLICY, list_routes},
};
use uuid::Uuid;

use crate::support::{
    Database, Stage,
    people::{ALEX, FABRIKAM, JO, NORDWIND, PAT, SAM},
    staff::{ADA, FINN, MIRA, SURI},
};

const TABLE: &str = include_str!("rights.md");
const PEOPLE: [(&str, &str); 10] = [
    ("anonymous", ""),
    ("buyer", ALEX),
    ("colleague", JO),
    ("other tenant", FABRIKAM),
    ("personal", SAM),
    ("reseller", NORDWIND),
    ("Sales", MIRA),
    ("Finance", FINN),
    ("Support", SURI),
    ("Admin", ADA),
];

/// What somebody meets, in a word.
fn met(status: u16, location: &str, text: &str) -> &'static str {
    match status {
        303 if location.starts_with("/sign-in") || location.starts_with("/console/sign-in") => "sign in",
        403 if text.contains("belongs to another role") => "other role",
        403 if text.contains("form is too old") => "form",
        404 => "nothing",
        200..=399 => "in",
        401 => "key",
        _ => "refused",
    }
}

/// Somebody with a session, where they can have one. The buyer and the staff send forms without its token ("form": they
/// have come as far as that); whoever has no rights sends it, so that it is the rights that stop them.
struct Visitor {
    http: reqwest::Client,
    cookies: String,
    csrf: String,
}

impl Visitor {
    async fn of(stage: &Stage, person: &str) -> Self {
        let http = seatkey::http::client().unwrap();
        if person.is_empty() {
            return Self { http, cookies: String::new(), csrf: String::new() };
        }
        let mut browser = Browser::of(person).unwrap();
        let is_staff = person.starts_with("d1a5c0de");
        let page = browser.open(stage.url(if is_staff { "console" } else { "subscriptions" })).await.unwrap();
        assert_eq!(page.status, 200);
        let csrf = if is_staff || person == ALEX { String::new() } else { page.field("csrf").unwrap() };
        Self { http, cookies: browser.cookies_of(&stage.public_url), csrf }
    }

    async fn ask(&self, stage: &Stage, method: &str, path: &str) -> &'static str {
        let url = stage.url(path.trim_start_matches('/'));
        let request =
            if method == "GET" { self.http.get(url) } else { self.http.post(url).form(&[("csrf", &self.csrf)]) };
        let answer = request.header("cookie", &self.cookies).send().await.unwrap();
        let status = answer.status().as_u16();
        let location = answer.headers().get("location").map_or("", |value| value.to_str().unwrap()).to_owned();
        met(status, &location, &answer.text().await.unwrap())
    }
}

#[tokio::test]
async fn everybody_meets_what_the_table_says() {
    let stage = Stage::set(Database::Memory).await;
    let id = enrolled(&stage).await;
    let mut visitors = Vec::new();
    for (name, person) in PEOPLE {
        visitors.push((name, Visitor::of(&stage, person).await));
    }
    let mut lines = vec![head()];
    for (method, route, access) in POLICY {
        // A sign-out would change who somebody is; the management address is another one.
        if *access == Access::Management || route.ends_with("/sign-out") {
            continue;
        }
        let path = route.replace("{id}", &id.to_string()).replace("{offer}", "none");
        let path = fill(&path);
        let mut line = format!("| {method} {route} |");
        for (_, visitor) in &visitors {
            line += &format!(" {} |", visitor.ask(&stage, method, &path).await);
        }
        lines.push(line);
    }
    let found = lines.join("\n");
    let (written, found): (Vec<&str>, Vec<&str>) = (rows(TABLE), rows(&found));
    for (written, found) in written.iter().zip(&found) {
        assert_eq!(written, found, "who meets what has changed; all of it:\n{}", lines.join("\n"));
    }
    assert_eq!(written.len(), found.len(), "{}", lines.join("\n"));
    stage.strike().await;
}

/// Ids that belong to nobody.
fn fill(path: &str) -> String {
    let stranger = Uuid::from_u128(0x5ea7_0000_0000_4000_8000_0000_0000_00ff).to_string();
    path.split('/')
        .map(|part| if part.starts_with('{') { stranger.as_str() } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

fn head() -> String {
    let names: Vec<&str> = PEOPLE.iter().map(|(name, _)| *name).collect();
    format!("| route | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len()))
}

fn rows(table: &str) -> Vec<&str> {
    table.lines().filter(|line| line.starts_with("| GET") || line.starts_with("| POST")).collect()
}

async fn enrolled(stage: &Stage) -> Uuid {
    let id = stage.buy_as(Purchase::of("konnekt", "konnekt-yearly", ALEX.parse().unwrap()));
    stage.enrol(&mut Browser::of(ALEX).unwrap(), id, "150").await;
    stage.settle().await;
    // Somebody with a personal account and a purchase of their own.
    let other = stage.buy_as(Purchase::of("konnekt", "konnekt-yearly", PAT.parse().unwrap()));
    stage.configure(&mut Browser::of(PAT).unwrap(), other).await;
    id
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
