//! Whether answers fit the published OpenAPI document: a validator of the part of JSON Schema that it uses.

use std::sync::LazyLock;

use seatkey::pages::api_document::DOCUMENT;
use serde_json::{Value, json};
use time::{Date, OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};
use uuid::Uuid;

use super::client::Answer;

static READ: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(DOCUMENT).unwrap());

/// Everything in which an answer differs from the document. A problem may come at any address.
pub(super) fn findings(method: &str, path: &str, answer: &Answer) -> Vec<String> {
    let media = answer.header("content-type").split(';').next().unwrap_or_default().to_owned();
    let told = operation(method, path).map(|operation| &operation["responses"][answer.status.to_string()]);
    let problem =
        json!({ "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } } });
    let told = match told {
        Some(Value::Null) => return vec![format!("{} is not among its answers", answer.status)],
        Some(told) => resolve(told),
        None if answer.status >= 400 => &problem,
        None => return vec!["is not in the document".to_owned()],
    };
    let schema = &told["content"][&media]["schema"];
    if schema.is_null() {
        return vec![format!("{media} is not what {} is told as", answer.status)];
    }
    let mut found = Vec::new();
    check(schema, &answer.body, "$", &mut found);
    found
}

fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let path = path.split('?').next().unwrap_or_default();
    let fits = |template: &str| {
        let (told, asked): (Vec<&str>, Vec<&str>) =
            (template.trim_start_matches('/').split('/').collect(), path.trim_start_matches('/').split('/').collect());
        told.len() == asked.len() && told.iter().zip(&asked).all(|(told, asked)| told == asked || told.starts_with('{'))
    };
    let paths = READ["paths"].as_object()?;
    let operations = paths.iter().find(|(template, _)| fits(template))?.1;
    operations.get(method.to_lowercase())
}

fn resolve(schema: &'static Value) -> &'static Value {
    let Some(reference) = schema["$ref"].as_str() else { return schema };
    READ.pointer(reference.trim_start_matches('#')).unwrap_or_else(|| panic!("the document has no {reference}"))
}

/// Where a value differs from its schema.
fn check(schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = READ.pointer(reference.trim_start_matches('#')).unwrap();
        return check(target, value, at, found);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fitting = choices.iter().filter(|choice| {
            let mut wrong = Vec::new();
            check(choice, value, at, &mut wrong);
            wrong.is_empty()
        });
        if fitting.count() != 1 {
            found.push(format!("{at}: {value} fits none, or several"));
        }
        return;
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !types.contains(&kind(value)) {
        found.push(format!("{at}: {value} is no {types:?}"));
    }
    if let Some(words) = schema["enum"].as_array().filter(|words| !words.contains(value)) {
        found.push(format!("{at}: {value} is none of {words:?}"));
    }
    match value {
        Value::String(text) => check_format(schema["format"].as_str().unwrap_or_default(), text, at, found),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| {
            check(&schema["items"], item, &format!("{at}[{index}]"), found);
        }),
        Value::Object(_) => check_object(schema, value, at, found),
        _ => {}
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn check_object(schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(name).is_none() {
            found.push(format!("{at}.{name} is missing"));
        }
    }
    for (name, field) in value.as_object().unwrap() {
        match schema["properties"].get(name) {
            Some(told) => check(told, field, &format!("{at}.{name}"), found),
            None if schema["additionalProperties"] == false => found.push(format!("{at}.{name} is not told")),
            None => {}
        }
    }
}

fn check_format(format: &str, text: &str, at: &str, found: &mut Vec<String>) {
    let fits = match format {
        "uuid" => Uuid::parse_str(text).is_ok(),
        "date-time" => OffsetDateTime::parse(text, &Rfc3339).is_ok() && text.ends_with('Z'),
        "date" => Date::parse(text, format_description!("[year]-[month]-[day]")).is_ok(),
        "decimal" => !text.is_empty() && text.chars().all(|sign| sign.is_ascii_digit() || ".-".contains(sign)),
        "uri-reference" => text.starts_with('/'),
        "" => true,
        other => panic!("nobody knows the format {other}"),
    };
    if !fits {
        found.push(format!("{at}: \"{text}\" is no {format}"));
    }
}

#[test]
fn what_does_not_fit_is_found() {
    let schema = |name: &str| READ["components"]["schemas"][name].clone();
    let wrong = |name: &str, value: &Value| {
        let mut found = Vec::new();
        check(&schema(name), value, "$", &mut found);
        found
    };
    let good = json!({ "startDate": "2026-01-15", "endDate": "2027-01-14", "termUnit": null });
    assert_eq!(wrong("Term", &good), Vec::<String>::new());
    for (field, value) in [("startDate", json!("15.01.2026")), ("endDate", json!(5)), ("more", json!(1))] {
        let mut bad = good.clone();
        bad[field] = value;
        assert_eq!(wrong("Term", &bad).len(), 1, "{bad}");
    }
    assert_eq!(wrong("Term", &json!({ "startDate": "2026-01-15", "endDate": "2027-01-14" })).len(), 1);
    let page = json!({ "items": [good], "nextCursor": null });
    assert!(wrong("SubscriptionPage", &page).len() > 5, "an item of another shape");
    let planned = json!({ "users": 100, "effective": "2027-01-15" });
    assert!(wrong("PlannedChange", &planned).is_empty());
}
