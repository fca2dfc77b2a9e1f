//! A browser that goes one step at a time, so that a test can put something in between.

use std::collections::BTreeMap;

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use url::Url;

#[derive(Debug, Clone)]
pub(super) struct Walker {
    http: reqwest::Client,
    /// Of the service's host alone.
    pub(super) cookies: BTreeMap<String, String>,
    person: String,
}

/// What one request gave.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) status: u16,
    pub(super) location: Option<Url>,
    pub(super) text: String,
}

pub(super) const SESSION: &str = "seatkey-buyer-session";

impl Walker {
    pub(super) fn of(person: &str) -> Self {
        Self { http: seatkey::http::client().unwrap(), cookies: BTreeMap::new(), person: person.to_owned() }
    }

    /// One GET of the service; nothing is followed.
    pub(super) async fn get(&mut self, url: &Url) -> Step {
        self.send(url, self.http.get(url.clone())).await
    }

    pub(super) async fn post(&mut self, url: &Url, fields: &[(&str, &str)]) -> Step {
        self.send(url, self.http.post(url.clone()).form(fields)).await
    }

    async fn send(&mut self, url: &Url, request: reqwest::RequestBuilder) -> Step {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let answer = request.header(COOKIE, cookies.join("; ")).send().await.unwrap();
        for header in answer.headers().get_all(SET_COOKIE) {
            let (name, value) = header.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            match value {
                "" => drop(self.cookies.remove(name)),
                value => drop(self.cookies.insert(name.to_owned(), value.to_owned())),
            }
        }
        let location = answer.headers().get(LOCATION).map(|value| url.join(value.to_str().unwrap()).unwrap());
        Step { status: answer.status().as_u16(), location, text: answer.text().await.unwrap() }
    }

    /// From `/sign-in` to the account picker and its answer: the callback's address, not opened yet.
    pub(super) async fn leave(&mut self, service: &Url, to: Option<&str>) -> Url {
        let mut url = service.join("sign-in").unwrap();
        if let Some(to) = to {
            url.query_pairs_mut().append_pair("to", to);
        }
        let mut entra = self.get(&url).await.location.expect("the way to Entra");
        entra.query_pairs_mut().append_pair("sim_user", &self.person);
        // Another host: our cookies stay at home.
        let answer = self.http.get(entra).send().await.unwrap();
        answer.headers()[LOCATION].to_str().unwrap().parse().unwrap()
    }

    /// All the way; the first page after it.
    pub(super) async fn sign_in(&mut self, service: &Url) -> Step {
        let callback = self.leave(service, Some("/subscriptions")).await;
        self.get(&callback).await
    }

    /// Whether the service knows who this is.
    pub(super) async fn is_signed_in(&mut self, service: &Url) -> bool {
        self.get(&service.join("subscriptions").unwrap()).await.status == 200
    }
}
