use serde_json::json;
use time::macros::datetime;
use uuid::uuid;

use super::*;

const RESOURCE: Uuid = uuid!("8f2d61c4-5b7e-4f0a-9c33-1d7e60b2a915");
const OTHER: &str = "da8dc4ae-4cdf-ed6b-e12e-9d0219306842";
const START: OffsetDateTime = datetime!(2026-01-18 10:00 UTC);

fn item(dimension: &str) -> UsageItem<'_> {
    UsageItem { resource_id: RESOURCE, dimension, effective_start: START, body: "{}" }
}

/// An answer about the item of `dimension`, changed by `more`.
fn row(dimension: &str, status: &str, more: Value) -> Value {
    let mut row = json!({
        "status": status, "messageTime": "0001-01-01T00:00:00", "resourceId": RESOURCE, "quantity": 2,
        "dimension": dimension, "effectiveStartTime": "2026-01-18T10:00:00Z", "planId": "p", "unheardOf": {"a": [1]}
    });
    let Value::Object(more) = more else { panic!("{more}") };
    row.as_object_mut().unwrap().extend(more);
    row
}

fn accepted(dimension: &str) -> Value {
    row(dimension, "Accepted", json!({"usageEventId": "e-1"}))
}

fn two() -> UsageOutcome {
    UsageOutcome::Accepted { usage_event_id: Some("e-1".to_owned()), quantity: Some(Quantity::whole(2)) }
}

fn outcomes(rows: &[Value], items: &[UsageItem<'_>]) -> Vec<Option<UsageOutcome>> {
    batch_outcomes(&json!({"result": rows, "count": rows.len()}).to_string(), items).unwrap()
}

fn only(row: Value) -> Option<UsageOutcome> {
    outcomes(&[row], &[item("d")]).pop().unwrap()
}

#[test]
fn every_status_of_an_item_is_read() {
    let words = || "X: no".to_owned();
    let table = [
        ("Expired", UsageOutcome::Expired),
        ("Error", UsageOutcome::Error(words())),
        ("ResourceNotFound", UsageOutcome::ResourceNotFound(words())),
        ("ResourceNotAuthorized", UsageOutcome::ResourceNotAuthorized(words())),
        ("ResourceNotActive", UsageOutcome::ResourceNotActive(words())),
        ("InvalidDimension", UsageOutcome::InvalidDimension(words())),
        ("InvalidQuantity", UsageOutcome::InvalidQuantity(words())),
        ("BadArgument", UsageOutcome::BadArgument(words())),
        ("Postponed", UsageOutcome::Unknown("Postponed".to_owned())),
        (" Expired ", UsageOutcome::Expired),
    ];
    for (status, outcome) in table {
        let error = json!({"error": {"code": "X", "message": "no", "additionalInfo": "of any shape"}});
        assert_eq!(only(row("d", status, error)), Some(outcome), "{status}");
    }
    assert_eq!(only(accepted("d")), Some(two()));
    let bare = only(row("d", "Error", json!({})));
    assert_eq!(bare, Some(UsageOutcome::Error("no reason given".to_owned())), "an error without its words");
}

#[test]
fn a_duplicate_is_of_the_message_that_was_accepted() {
    let duplicate = |message: Value| {
        only(row(
            "d",
            "Duplicate",
            json!({"error": {"additionalInfo": {"acceptedMessage": message}, "code": "Conflict"}}),
        ))
    };
    let of =
        |id: Option<&str>, quantity| Some(UsageOutcome::Duplicate { usage_event_id: id.map(str::to_owned), quantity });
    let three = Some(Quantity::whole(3));
    let full = json!({"usageEventId": "e-0", "status": "Duplicate", "quantity": 3, "resourceId": RESOURCE,
        "dimension": "d", "effectiveStartTime": "2026-01-18T10:59:59.9999999Z"});
    assert_eq!(duplicate(full.clone()), of(Some("e-0"), three), "of another minute of the same hour");
    assert_eq!(duplicate(json!({"quantity": "3"})), of(None, three));
    assert_eq!(duplicate(json!({})), of(None, None), "never the quantity that we sent");
    for (name, value) in
        [("resourceId", OTHER), ("dimension", "e"), ("effectiveStartTime", "2026-01-18T11:00:00Z"), ("resourceId", "x")]
    {
        let mut other = full.clone();
        other[name] = json!(value);
        assert_eq!(duplicate(other), None, "{name} of another slot");
    }
    for error in [json!(null), json!({}), json!("Conflict"), json!({"additionalInfo": []})] {
        assert_eq!(only(row("d", "Duplicate", json!({ "error": error }))), of(None, None), "{error}");
    }
}

#[test]
fn half_a_refusal_of_a_duplicate_says_nothing() {
    let text = r#"{"additionalInfo":{"acceptedMessage":{"quantity":3,"#;
    assert_eq!(super::duplicate(text, &item("d")), None);
}

#[test]
fn answers_find_their_item_wherever_they_stand() {
    let items = [item("a"), item("b"), item("c")];
    let refused = row("b", "Expired", json!({}));
    let expected = [Some(two()), Some(UsageOutcome::Expired), Some(two())];
    assert_eq!(outcomes(&[accepted("a"), refused.clone(), accepted("c")], &items), expected);
    assert_eq!(outcomes(&[accepted("c"), accepted("a"), refused.clone()], &items), expected, "reordered");
    assert_eq!(outcomes(&[accepted("c"), refused.clone()], &items)[..2], [None, expected[1].clone()], "short");
    assert_eq!(outcomes(&[], &items), [None, None, None]);
    let strange = row("z", "Accepted", json!({}));
    assert_eq!(outcomes(&[strange, accepted("c"), refused, accepted("a")], &items), expected, "more than asked");
}

#[test]
fn every_item_may_fail() {
    let items: Vec<String> = (0..25).map(|number| format!("d{number}")).collect();
    let items: Vec<_> = items.iter().map(|dimension| item(dimension)).collect();
    let rows: Vec<_> = items.iter().rev().map(|item| row(item.dimension, "ResourceNotActive", json!({}))).collect();
    let all = outcomes(&rows, &items);
    assert!(
        all.len() == 25 && all.iter().all(|one| matches!(one, Some(UsageOutcome::ResourceNotActive(_)))),
        "{all:?}"
    );
}

#[test]
fn what_is_said_twice_counts_once_and_a_contradiction_not_at_all() {
    assert_eq!(outcomes(&[accepted("d"), accepted("d")], &[item("d")]), [Some(two())]);
    for other in [
        row("d", "Duplicate", json!({})),
        row("d", "Accepted", json!({"usageEventId": "e-2"})),
        row("d", "Accepted", json!({"usageEventId": "e-1", "quantity": 3})),
        row("d", "", json!({})),
    ] {
        assert_eq!(outcomes(&[accepted("d"), other.clone()], &[item("d")]), [None], "{other}");
        assert_eq!(outcomes(&[other.clone(), accepted("d")], &[item("d")]), [None], "{other}");
    }
    assert_eq!(outcomes(&[accepted("d")], &[item("d"), item("d")]), [None, None], "whose answer is it?");
}

#[test]
fn an_answer_without_its_key_or_status_is_nobodys() {
    for name in ["resourceId", "dimension", "effectiveStartTime", "status"] {
        for value in [json!(null), json!(""), json!(3), json!("0001-01-01T00:00:00")] {
            let mut changed = accepted("d");
            changed[name] = value.clone();
            let unknown = (name == "status" && value == "0001-01-01T00:00:00")
                .then(|| UsageOutcome::Unknown("0001-01-01T00:00:00".to_owned()));
            assert_eq!(only(changed.clone()), unknown, "{name}: {value}");
        }
        let mut missing = accepted("d");
        missing.as_object_mut().unwrap().remove(name);
        assert_eq!(only(missing), None, "{name}");
    }
    for row in [json!(null), json!(3), json!([]), json!({})] {
        assert_eq!(outcomes(&[row.clone(), accepted("d")], &[item("d")]), [Some(two())], "{row} hides nothing");
    }
}

#[test]
fn instants_are_compared_not_their_texts() {
    for (text, is_same) in [
        ("2026-01-18T10:00:00", true),
        ("2026-01-18T10:00:00.0000000Z", true),
        ("2026-01-18T10:00:00.0000000", true),
        ("2026-01-18T11:00:00+01:00", true),
        ("2026-01-18T10:00:00.0000001Z", false),
        ("2026-01-18T10:00:01Z", false),
        ("2026-01-18", false),
    ] {
        let found = only(row("d", "Accepted", json!({"usageEventId": "e-1", "effectiveStartTime": text})));
        assert_eq!(found.is_some(), is_same, "{text}");
    }
}

#[test]
fn quantities_are_what_their_text_says() {
    let table = [
        ("5.0", Some(5_000_000)),
        ("117.534246", Some(117_534_246)),
        ("\"117.534246\"", Some(117_534_246)),
        ("\" 1 \"", Some(1_000_000)),
        ("1E-06", Some(1)),
        ("1.5e+2", Some(150_000_000)),
        ("9007199254.740993", Some(9_007_199_254_740_993)),
        ("0", Some(0)),
        ("117.5342460", Some(117_534_246)),
        ("117.53424600000001", Some(117_534_246)),
        ("117.5342464", None),
        ("0.1000000000000000000000000000001", None),
        ("1.00000000000000000000000000000001e0", None),
        ("-1", None),
        ("1e30", None),
        ("null", None),
        ("true", None),
        ("\"\"", None),
        ("\"NaN\"", None),
        ("[1]", None),
    ];
    for (text, millionths) in table {
        let body = format!(
            r#"{{"result":[{{"status":"Accepted","quantity":{text},"dimension":"d","resourceId":"{RESOURCE}",
                "effectiveStartTime":"2026-01-18T10:00:00Z"}}]}}"#
        );
        let expected = millionths.and_then(Quantity::from_millionths);
        let outcome = UsageOutcome::Accepted { usage_event_id: None, quantity: expected };
        assert_eq!(batch_outcomes(&body, &[item("d")]).unwrap(), [Some(outcome)], "{text}");
    }
}

#[test]
fn what_cannot_be_read_says_where_and_not_what() {
    let secret = "KONNEKT 117.534246";
    for text in ["", "null", "{}", "[]", "3", r#"{"result":null}"#, r#"{"result":{}}"#, r#"{"result":[{}"#] {
        let error = batch_outcomes(text, &[item("d")]).unwrap_err();
        assert!(matches!(error, MarketplaceError::Unreadable(_)) && !error.is_certainly_unprocessed(), "{text}");
    }
    for text in [format!("\"{secret}\""), format!(r#"{{"result":"{secret}"}}"#)] {
        let words = batch_outcomes(&text, &[item("d")]).unwrap_err().to_string();
        assert!(!words.contains("117"), "{words}");
    }
}

#[test]
fn a_single_event_is_answered_by_itself() {
    let single = |body: &Value| accepted_outcome(&body.to_string(), &item("d")).unwrap();
    assert_eq!(single(&accepted("d")), Some(two()));
    let bare = UsageOutcome::Accepted { usage_event_id: None, quantity: None };
    assert_eq!(single(&json!({"status": "Accepted"})), Some(bare), "it can only be about the one that was sent");
    assert_eq!(single(&row("d", "Expired", json!({}))), Some(UsageOutcome::Expired));
    for (name, value) in [("resourceId", OTHER), ("dimension", "e"), ("effectiveStartTime", "0001-01-01T00:00:00")] {
        assert_eq!(single(&row("d", "Accepted", json!({ name: value }))), None, "{name}");
    }
    assert_eq!(single(&json!({})), None);
    assert!(accepted_outcome("<html>", &item("d")).is_err());
}

#[test]
fn the_details_of_a_refusal_name_the_outcome() {
    let detail = |code: &str| json!({"message": "The resourceId is required.", "target": "ResourceId", "code": code});
    let body = |details: Value, code: &str| {
        let message = "One or more errors have occurred.";
        json!({"message": message, "target": "usageEventRequest", "details": details, "code": code}).to_string()
    };
    let documented = refusal_in(&body(json!([detail("BadArgument")]), "BadArgument"));
    assert_eq!(documented, Some(UsageOutcome::BadArgument("BadArgument: The resourceId is required.".to_owned())));
    let words = "ResourceNotActive: The resourceId is required.".to_owned();
    let second = refusal_in(&body(json!([detail("Other"), null, 3, detail("ResourceNotActive")]), "BadArgument"));
    assert_eq!(second, Some(UsageOutcome::ResourceNotActive(words)), "the details say it more precisely");
    assert_eq!(refusal_in(&body(json!(null), "Expired")), Some(UsageOutcome::Expired), "without details");
    for text in ["", "<html>", "\"no\"", "{}", r#"{"Error":{"Code":"ApiVersionUnspecified"}}"#] {
        assert_eq!(refusal_in(text), None, "{text}");
    }
    for code in ["Accepted", "Duplicate", "Conflict", ""] {
        assert_eq!(refusal_in(&body(json!([detail(code)]), code)), None, "{code}: a 400 takes nothing");
    }
}
