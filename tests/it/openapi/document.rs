//! A validator of the part of OpenAPI that Microsoft's document uses: types, properties, words, three formats, references.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use url::Url;
use uuid::Uuid;

/// A request and its answer.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    /// Names in lower case.
    pub(super) request_headers: Vec<(String, String)>,
    pub(super) request_body: Option<Value>,
    pub(super) status: u16,
    /// Names in lower case.
    pub(super) response_headers: Vec<(String, String)>,
    pub(super) response_body: Option<Value>,
}

impl Exchange {
    /// A GET that is answered so.
    pub(super) fn of_answer(method: &str, path: &str, body: &Value) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: vec![("api-version".to_owned(), "2018-08-31".to_owned())],
            request_headers: Vec::new(),
            request_body: None,
            status: 200,
            response_headers: Vec::new(),
            response_body: Some(body.clone()),
        }
    }

    /// A change that is accepted.
    pub(super) fn accepted(method: &str, path: &str) -> Self {
        let location = vec![("operation-location".to_owned(), "https://x.example/operations/1".to_owned())];
        let answer = Self::of_answer(method, path, &Value::Null);
        Self { status: 202, response_headers: location, response_body: None, ..answer }
    }

    /// One of the session records.
    pub(super) fn of_record(record: &Value) -> Self {
        let url = Url::parse(record["request"]["uri"].as_str().unwrap()).unwrap();
        let headers = |of: &str| {
            let pairs = record[of]["headers"].as_object().unwrap().iter();
            pairs.map(|(name, value)| (name.to_lowercase(), value.as_str().unwrap().to_owned())).collect()
        };
        // An empty body is written as an empty array.
        let body =
            |of: &str| Some(record[of]["body"].clone()).filter(|body| *body != json!(null) && *body != json!([]));
        Self {
            method: record["request"]["method"].as_str().unwrap().to_owned(),
            path: url.path().to_owned(),
            query: url.query_pairs().into_owned().collect(),
            request_headers: headers("request"),
            request_body: body("request"),
            status: u16::try_from(record["response"]["status"].as_u64().unwrap()).unwrap(),
            response_headers: headers("response"),
            response_body: body("response"),
        }
    }
}

/// One of Microsoft's documents.
pub(super) struct Document(Value);

impl Document {
    pub(super) fn fulfillment() -> Self {
        Self(serde_json::from_str(include_str!("../../fixtures/openapi/saasapi.v2.json")).unwrap())
    }

    pub(super) fn metering() -> Self {
        Self(serde_json::from_str(include_str!("../../fixtures/openapi/meteringapi.v1.json")).unwrap())
    }

    /// Everything in which the exchanges differ, each thing once.
    pub(super) fn findings(&self, exchanges: &[Exchange]) -> BTreeSet<String> {
        exchanges.iter().flat_map(|exchange| self.check(exchange)).collect()
    }

    /// The operations that the exchanges belong to.
    pub(super) fn operations(&self, exchanges: &[Exchange]) -> BTreeSet<String> {
        exchanges.iter().filter_map(|exchange| self.operation(exchange)).collect()
    }

    /// The name of the operation that an exchange belongs to: method and path as in the document.
    fn operation(&self, exchange: &Exchange) -> Option<String> {
        let path = exchange.path.strip_prefix("/api")?;
        let paths = self.0["paths"].as_object()?;
        // A fixed path goes before one with a parameter.
        let mut fitting: Vec<&String> = paths.keys().filter(|template| fits(template, path)).collect();
        fitting.sort_by_key(|template| template.matches('{').count());
        let template = fitting.first()?;
        paths[*template].get(exchange.method.to_lowercase())?;
        Some(format!("{} {template}", exchange.method))
    }

    /// Everything in which the exchange differs.
    fn check(&self, exchange: &Exchange) -> Vec<String> {
        let Some(name) = self.operation(exchange) else {
            return vec![format!("{} {}: not in the document", exchange.method, exchange.path)];
        };
        let (_, template) = name.split_once(' ').unwrap();
        let operation = &self.0["paths"][template][exchange.method.to_lowercase()];
        let mut found = self.check_parameters(operation, &name, exchange);
        self.check_request_body(operation, &name, exchange, &mut found);
        self.check_response(operation, &name, exchange, &mut found);
        found
    }

    fn check_parameters(&self, operation: &Value, name: &str, exchange: &Exchange) -> Vec<String> {
        let mut found = Vec::new();
        let parameters = operation["parameters"].as_array().unwrap();
        for parameter in parameters {
            let key = parameter["name"].as_str().unwrap();
            let given = match parameter["in"].as_str().unwrap() {
                "query" => value_of(&exchange.query, key),
                "header" => value_of(&exchange.request_headers, key),
                _ => None,
            };
            let is_path = parameter["in"] == "path";
            match given {
                Some(given) => {
                    self.check_value(&parameter["schema"], &json!(given), &format!("{name}: {key}"), &mut found);
                }
                None if parameter["required"] == true && !is_path => found.push(format!("{name}: {key} is missing")),
                None => {}
            }
        }
        let unknown = exchange.query.iter().filter(|(key, _)| {
            !parameters.iter().any(|parameter| parameter["in"] == "query" && parameter["name"] == key.as_str())
        });
        found.extend(unknown.map(|(key, _)| format!("{name}: {key}: not in the document")));
        found
    }

    fn check_request_body(&self, operation: &Value, name: &str, exchange: &Exchange, found: &mut Vec<String>) {
        let schema = operation.pointer("/requestBody/content/application~1json/schema");
        match (schema, &exchange.request_body) {
            (Some(schema), Some(body)) => self.check_value(schema, body, name, found),
            (Some(_), None) => found.push(format!("{name}: no request body")),
            (None, Some(_)) => found.push(format!("{name}: a request body")),
            (None, None) => {}
        }
    }

    fn check_response(&self, operation: &Value, name: &str, exchange: &Exchange, found: &mut Vec<String>) {
        let Some(response) = operation["responses"].get(exchange.status.to_string()) else {
            found.push(format!("{name}: status {}", exchange.status));
            return;
        };
        for header in response["headers"].as_object().into_iter().flat_map(|headers| headers.keys()) {
            if value_of(&exchange.response_headers, &header.to_lowercase()).is_none() {
                found.push(format!("{name}: {header} is missing"));
            }
        }
        let schema = response.pointer("/content/application~1json/schema");
        match (schema, &exchange.response_body) {
            (Some(schema), Some(body)) => self.check_value(schema, body, name, found),
            (Some(_), None) => found.push(format!("{name}: no body")),
            // What an error looks like is not in the document.
            (None, Some(_)) if exchange.status < 400 => found.push(format!("{name}: a body")),
            (None, _) => {}
        }
    }

    /// `at` names the place: the schema's name, then the properties.
    fn check_value(&self, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let target = self.0.pointer(&reference[1..]).unwrap();
            // A word keeps the name of its place; an object brings its own.
            let own = reference.rsplit('/').next().unwrap();
            let is_object = target["type"] == "object";
            return self.check_value(target, value, if is_object { own } else { at }, found);
        }
        let kind = schema["type"].as_str().unwrap();
        if !is_of_type(kind, value) {
            let article = if kind.starts_with(['a', 'i', 'o']) { "an" } else { "a" };
            found.push(format!("{at}: not {article} {kind}"));
            return;
        }
        if schema.get("enum").and_then(Value::as_array).is_some_and(|words| !words.contains(value)) {
            found.push(format!("{at}: not one of the words"));
        }
        if let (Some(format), Some(text)) = (schema.get("format").and_then(Value::as_str), value.as_str())
            && !has_format(format, text)
        {
            found.push(format!("{at}: not a {format}"));
        }
        for item in value.as_array().into_iter().flatten() {
            self.check_value(&schema["items"], item, &format!("{at}[]"), found);
        }
        for (name, member) in value.as_object().into_iter().flatten() {
            match schema["properties"].get(name) {
                Some(property) => self.check_value(property, member, &format!("{at}.{name}"), found),
                None => found.push(format!("{at}.{name}: not in the document")),
            }
        }
    }
}

fn is_of_type(kind: &str, value: &Value) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the document has a type {other}"),
    }
}

fn has_format(format: &str, text: &str) -> bool {
    match format {
        "uuid" => text.len() == 36 && Uuid::parse_str(text).is_ok(),
        "date-time" => OffsetDateTime::parse(text, &Rfc3339).is_ok(),
        "uri" => Url::parse(text).is_ok(),
        // People of the simulated world may have none; the reference says that it can be empty.
        "email" => text.is_empty() || text.contains('@'),
        other => panic!("the document has a format {other}"),
    }
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    let part_fits = |(wanted, part): (&&str, &&str)| {
        if wanted.starts_with('{') { has_format("uuid", part) } else { wanted == part }
    };
    template.len() == path.len() && template.iter().zip(&path).all(part_fits)
}

fn value_of<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}
