//! A browser without scripts: cookies by host (ports do not count, as in real ones), redirects followed by hand. The demo's
//! story and the tests act through it.

use std::collections::BTreeMap;

use reqwest::{
    RequestBuilder, Response,
    header::{ACCEPT_LANGUAGE, COOKIE, LOCATION, SET_COOKIE},
};
use serde_json::Value;
use url::Url;

use crate::http;

const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;
const MOST_HOPS: usize = 20;

/// Why a page could not be had.
#[derive(Debug, thiserror::Error)]
pub enum BrowseError {
    /// The connection failed.
    #[error("{0}")]
    Http(#[from] reqwest::Error),
    /// An address that is none.
    #[error("{0}")]
    Address(#[from] url::ParseError),
    /// It goes round in circles.
    #[error("too many redirects")]
    Redirects,
    /// More than any page of ours.
    #[error("the page is too long")]
    TooLong,
    /// The form does not have this field.
    #[error("{0} has no form field {1}")]
    NoField(String, String),
}

/// A page as it was shown.
#[derive(Debug)]
pub struct Page {
    /// Where it was found in the end.
    pub url: Url,
    /// The status code.
    pub status: u16,
    /// Its text.
    pub text: String,
}

impl Page {
    /// The value of a form's field.
    ///
    /// # Errors
    /// [`BrowseError::NoField`].
    pub fn field(&self, name: &str) -> Result<String, BrowseError> {
        let start = self.text.split(&format!("name=\"{name}\" value=\"")).nth(1);
        let value = start.and_then(|rest| rest.split('"').next());
        value.map(str::to_owned).ok_or_else(|| BrowseError::NoField(self.url.path().to_owned(), name.to_owned()))
    }
}

/// The browser of one person of the simulated world.
#[derive(Debug, Clone)]
pub struct Browser {
    http: reqwest::Client,
    cookies: BTreeMap<(String, String), String>,
    /// The object id that the account picker is answered with.
    pub person: String,
    /// The language that it asks for.
    language: &'static str,
}

impl Browser {
    /// A fresh browser of a person (an object id of the simulated world).
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn of(person: &str) -> Result<Self, BrowseError> {
        Ok(Self { http: http::client()?, cookies: BTreeMap::new(), person: person.to_owned(), language: "en" })
    }

    /// Asks through another HTTP client, which follows no redirects either.
    #[must_use]
    pub fn through(self, http: reqwest::Client) -> Self {
        Self { http, ..self }
    }

    /// Asks for pages and mails in this language.
    #[must_use]
    pub fn reading(self, language: &'static str) -> Self {
        Self { language, ..self }
    }

    /// Opens an address.
    ///
    /// # Errors
    /// [`BrowseError`]; an error page is a page.
    pub async fn open(&mut self, url: Url) -> Result<Page, BrowseError> {
        let request = self.http.get(url.clone());
        self.go(url, request).await
    }

    /// Submits a form.
    ///
    /// # Errors
    /// [`BrowseError`]; an error page is a page.
    pub async fn post_form(&mut self, url: Url, fields: &[(&str, String)]) -> Result<Page, BrowseError> {
        let request = self.http.post(url.clone()).form(fields);
        self.go(url, request).await
    }

    /// Posts JSON, for the simulator's control interface.
    ///
    /// # Errors
    /// [`BrowseError`].
    pub async fn post_json(&self, url: Url, body: &Value) -> Result<Value, BrowseError> {
        Ok(self.http.post(url).json(body).send().await?.json().await?)
    }

    async fn go(&mut self, mut url: Url, request: RequestBuilder) -> Result<Page, BrowseError> {
        let request = request.header(ACCEPT_LANGUAGE, self.language);
        let mut response = request.header(COOKIE, self.cookies_of(&url)).send().await?;
        for _ in 0..MOST_HOPS {
            self.keep_cookies(&url, &response);
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
            let Some(location) = location.filter(|_| response.status().is_redirection()) else {
                let status = response.status().as_u16();
                let text = http::bounded_text(response, MAX_PAGE_BYTES).await?.ok_or(BrowseError::TooLong)?;
                return Ok(Page { url, status, text });
            };
            url = url.join(&location)?;
            if url.path().ends_with("/oauth2/v2.0/authorize") {
                // The account picker's answer, without its page.
                url.query_pairs_mut().append_pair("sim_user", &self.person);
            }
            let request = self.http.get(url.clone()).header(ACCEPT_LANGUAGE, self.language);
            response = request.header(COOKIE, self.cookies_of(&url)).send().await?;
        }
        Err(BrowseError::Redirects)
    }

    /// The cookies that would go to an address.
    #[must_use]
    pub fn cookies_of(&self, url: &Url) -> String {
        let host = url.host_str().unwrap_or_default();
        let own = self.cookies.iter().filter(|((of, _), _)| of == host);
        own.map(|((_, name), value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn keep_cookies(&mut self, url: &Url, response: &Response) {
        let host = url.host_str().unwrap_or_default();
        for header in response.headers().get_all(SET_COOKIE) {
            let pair =
                header.to_str().ok().and_then(|text| text.split(';').next()).and_then(|pair| pair.split_once('='));
            match pair {
                Some((name, "")) => drop(self.cookies.remove(&(host.to_owned(), name.to_owned()))),
                Some((name, value)) => drop(self.cookies.insert((host.to_owned(), name.to_owned()), value.to_owned())),
                None => {}
            }
        }
    }
}
