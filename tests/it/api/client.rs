//! A program of the publisher's, and what it is answered. Every answer has to fit the published document.

use std::collections::BTreeSet;

use reqwest::{RequestBuilder, header::HeaderMap};
use seatkey::{
    app,
    domain::staff::{Actor, Scope},
    http,
};
use serde_json::Value;
use uuid::Uuid;

use super::document;
use crate::support::Stage;

/// Whoever makes the keys of the stories.
pub(crate) fn anna() -> Actor {
    Actor::Operator { name: "anna".to_owned() }
}

/// A key with these scopes: its id and its text.
pub(crate) async fn make_key(stage: &Stage, scopes: &[Scope], days: u32) -> (Uuid, String) {
    let scopes: BTreeSet<Scope> = scopes.iter().copied().collect();
    let made = app::create_api_key(&stage.app, &anna(), "CRM", scopes, days).await.unwrap();
    (made.key.id, made.text)
}

/// A program with a key, or without.
pub(crate) struct Program<'s> {
    stage: &'s Stage,
    http: reqwest::Client,
    authorization: Option<String>,
}

/// An answer as it came.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The problem's name and its sentence.
    pub(crate) fn problem(&self) -> (u16, &str, &str) {
        let name = self.body["type"].as_str().and_then(|kind| kind.strip_prefix("/api/v1/docs#"));
        (self.status, name.unwrap_or_default(), self.body["detail"].as_str().unwrap_or_default())
    }
}

impl<'s> Program<'s> {
    /// A program that sends this header.
    pub(crate) fn sending(stage: &'s Stage, authorization: Option<String>) -> Self {
        Self { stage, http: http::client().unwrap(), authorization }
    }

    /// A program with a key of its own.
    pub(crate) async fn with(stage: &'s Stage, scopes: &[Scope]) -> Self {
        let (_, key) = make_key(stage, scopes, 365).await;
        Self::sending(stage, Some(format!("Bearer {key}")))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, self.http.get(self.stage.url(path))).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_text(path, body.to_string()).await
    }

    pub(crate) async fn post_text(&self, path: &str, body: String) -> Answer {
        let request = self.http.post(self.stage.url(path)).header("Content-Type", "application/json").body(body);
        self.ask("POST", path, request).await
    }

    /// The same with a name for this very request.
    pub(crate) async fn post_once(&self, path: &str, name: &str, body: &Value) -> Answer {
        let request = self.http.post(self.stage.url(path)).header("Idempotency-Key", name).body(body.to_string());
        self.ask("POST", path, request).await
    }

    /// Any request; the answer has to be one that the document tells of.
    pub(crate) async fn ask(&self, method: &str, path: &str, request: RequestBuilder) -> Answer {
        let request = match &self.authorization {
            Some(authorization) => request.header("Authorization", authorization),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{method} {path}: {status} {text}"));
        let answer = Answer { status, headers, body };
        assert_eq!(document::findings(method, path, &answer), Vec::<String>::new(), "{method} {path}: {text}");
        let id = answer.header("x-request-id");
        Uuid::parse_str(id).unwrap();
        assert!(status < 400 || answer.body["requestId"] == id, "{text}");
        answer
    }

    /// A request with a method of one's own.
    pub(crate) async fn send(&self, method: &str, path: &str) -> Answer {
        self.ask(method, path, self.http.request(method.parse().unwrap(), self.stage.url(path))).await
    }
}
