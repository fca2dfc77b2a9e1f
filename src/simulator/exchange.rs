//! A request and its answer, as plain values: every part of the simulator is a function from the one to the other.

use serde::{Serialize, de::DeserializeOwned};

/// What arrived, with the body read completely.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    /// As it stood in the address, still encoded.
    pub(super) query: String,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// The first header of this name (lower case).
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The decoded parameters of the address.
    pub(super) fn query(&self) -> Form {
        Form::parse(self.query.as_bytes())
    }

    /// The decoded parameters of a form body.
    pub(super) fn form(&self) -> Form {
        Form::parse(&self.body)
    }

    /// The body as JSON; an empty body counts as `{}`.
    ///
    /// # Errors
    /// The parser's sentence when the body is something else.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, String> {
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        serde_json::from_slice(body).map_err(|error| error.to_string())
    }

    /// The path's parts between the slashes, empty ones left out, percent-decoded.
    pub(super) fn segments(&self) -> Vec<String> {
        self.path.split('/').filter(|part| !part.is_empty()).map(percent_decode).collect()
    }
}

/// Decoded name-value pairs; the first of a name counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    fn parse(bytes: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(bytes).into_owned().collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The value, or an empty text.
    pub(super) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Reply {
    /// A status without a body.
    pub(super) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// JSON, as the given value prints itself.
    pub(super) fn json(status: u16, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self::empty(status).header("content-type", "application/json; charset=utf-8").body(body),
            Err(error) => Self::text(500, &error.to_string()),
        }
    }

    /// Plain text.
    pub(super) fn text(status: u16, text: &str) -> Self {
        Self::empty(status).header("content-type", "text/plain; charset=utf-8").body(text.as_bytes().to_vec())
    }

    /// A page. Purchase tokens travel in addresses, hence no referrer.
    pub(super) fn html(status: u16, page: String) -> Self {
        Self::empty(status)
            .header("content-type", "text/html; charset=utf-8")
            .header("referrer-policy", "no-referrer")
            .header("cache-control", "no-store")
            .body(page.into_bytes())
    }

    /// 303 to another address.
    pub(super) fn see_other(location: &str) -> Self {
        Self::empty(303).header("location", location).header("cache-control", "no-store")
    }

    /// With one more header.
    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }

    /// Bytes of a given type.
    pub(super) fn bytes(status: u16, content_type: &str, body: Vec<u8>) -> Self {
        Self::empty(status).header("content-type", content_type).body(body)
    }
}

/// Decodes `%XX`; leaves `+` alone.
pub(super) fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let hex = text.get(at + 1..at + 3).filter(|_| byte == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        decoded.push(hex.unwrap_or(byte));
        at += if hex.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Encodes a value for a query.
pub(super) fn encode(value: &str) -> String {
    url::form_urlencoded::byte_serialize(value.as_bytes()).collect()
}
