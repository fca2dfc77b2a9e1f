//! The body of a webhook, read as leniently as it is written: Microsoft promises no schema (reference, 5.1). Nothing of it
//! is believed; it only tells where to look.

use serde_json::Value;
use uuid::Uuid;

use super::wire::count;

/// What a webhook says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookBody {
    /// The operation; not always a GUID, and missing in old forms.
    pub operation_id: Option<String>,
    /// Open-ended: `ChangePlan`, `Renew`, …
    pub action: String,
    /// The subscription.
    pub subscription_id: Uuid,
    /// The plan after it.
    pub plan_id: Option<String>,
    /// The seats after it.
    pub quantity: Option<u32>,
    /// When it happened, as text.
    pub time_stamp: Option<String>,
    source: Option<String>,
    plan_before: Option<String>,
    quantity_before: Option<u32>,
}

/// No operation id of Microsoft's is longer.
const MAX_ID_CHARS: usize = 200;
/// No action is longer.
const MAX_ACTION_CHARS: usize = 64;

impl WebhookBody {
    /// Reads it; `None` when there is no action or no subscription.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let body: Value = serde_json::from_str(text).ok()?;
        let word = |value: &Value, name: &str| {
            let text = value.get(name)?.as_str()?.trim();
            (!text.is_empty()).then(|| text.to_owned())
        };
        let before = body.get("subscription");
        Some(Self {
            operation_id: word(&body, "id").filter(|id| id.len() <= MAX_ID_CHARS),
            action: word(&body, "action")
                .or_else(|| word(&body, "operationType"))
                .filter(|action| action.len() <= MAX_ACTION_CHARS)?,
            subscription_id: Uuid::parse_str(&word(&body, "subscriptionId")?).ok()?,
            plan_id: word(&body, "planId"),
            quantity: body.get("quantity").and_then(count),
            time_stamp: word(&body, "timeStamp"),
            source: word(&body, "operationRequestSource"),
            plan_before: before.and_then(|before| word(before, "planId")),
            quantity_before: before.and_then(|before| before.get("quantity")).and_then(count),
        })
    }

    /// Whether it is about a change that we asked for.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.source.as_deref() == Some("Partner")
    }

    /// Whether it takes a failed change back: what is to be is what was (reference, 5.1).
    #[must_use]
    pub fn is_revert(&self) -> bool {
        match self.action.as_str() {
            "ChangePlan" => self.plan_id.is_some() && self.plan_id == self.plan_before,
            "ChangeQuantity" => self.quantity.is_some() && self.quantity == self.quantity_before,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_that_was_ever_seen_can_be_read() {
        let id = "8f2d61c4-5b7e-4f0a-9c33-1d7e60b2a915";
        let full = format!(
            r#"{{"id":"op","action":"ChangePlan","subscriptionId":"{id}","planId":"b","quantity":"","timeStamp":"2026-02-10T18:48:58.4449937Z",
               "operationRequestSource":"Azure","status":"InProgress","subscription":{{"planId":"a","quantity":null}},"purchaseToken":null,"new":[1]}}"#
        );
        let body = WebhookBody::read(&full).unwrap();
        assert_eq!((body.action.as_str(), body.plan_id.as_deref(), body.quantity), ("ChangePlan", Some("b"), None));
        assert!(!body.is_ours() && !body.is_revert());
        let revert = WebhookBody::read(&full.replace(r#""planId":"a""#, r#""planId":"b""#)).unwrap();
        assert!(revert.is_revert());
        let ancient =
            WebhookBody::read(&format!(r#"{{"subscriptionId":"{id}","operationType":"Reinstate"}}"#)).unwrap();
        assert_eq!((ancient.action.as_str(), ancient.operation_id), ("Reinstate", None));
        for bad in ["", "[]", "null", "{}", r#"{"action":"Renew"}"#, r#"{"action":"Renew","subscriptionId":"x"}"#] {
            assert_eq!(WebhookBody::read(bad), None, "{bad}");
        }
    }
}
