//! The JSON of subscriptions, plans and operations, in the order and spelling of the recorded traffic.

use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::super::{
    operation::{Operation, Progress},
    seed::Seed,
    subscription::Subscription,
    terms,
};

/// `lastModified` is deprecated and always this, without a zone.
const NEVER: &str = "0001-01-01T00:00:00";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct SubscriptionBody<'a> {
    id: Uuid,
    publisher_id: &'a str,
    offer_id: &'a str,
    name: &'a str,
    saas_subscription_status: &'static str,
    beneficiary: PersonBody<'a>,
    purchaser: PersonBody<'a>,
    plan_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<u32>,
    term: TermBody<'a>,
    auto_renew: bool,
    is_test: bool,
    is_free_trial: bool,
    allowed_customer_operations: &'static [&'static str],
    sandbox_type: &'a str,
    created: String,
    last_modified: &'static str,
    session_mode: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PersonBody<'a> {
    email_id: &'a str,
    object_id: Uuid,
    tenant_id: Uuid,
    puid: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TermBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    start_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_date: Option<String>,
    term_unit: &'a str,
}

impl<'a> PersonBody<'a> {
    fn of(seed: &'a Seed, oid: Uuid) -> Self {
        let found = seed.user(oid);
        Self {
            email_id: found.and_then(|(_, user)| user.email.as_deref()).unwrap_or_default(),
            object_id: oid,
            tenant_id: found.map_or(Uuid::nil(), |(tenant, _)| tenant.id),
            puid: found.map_or("", |(_, user)| &user.puid),
        }
    }
}

impl<'a> SubscriptionBody<'a> {
    pub(in super::super) fn of(seed: &'a Seed, subscription: &'a Subscription) -> Self {
        Self {
            id: subscription.id,
            publisher_id: &subscription.publisher_id,
            offer_id: &subscription.offer_id,
            name: &subscription.name,
            saas_subscription_status: subscription.status.name(),
            beneficiary: PersonBody::of(seed, subscription.beneficiary),
            purchaser: PersonBody::of(seed, subscription.purchaser),
            plan_id: &subscription.plan_id,
            quantity: subscription.quantity,
            term: TermBody {
                start_date: subscription.term.map(|term| terms::day(term.start)),
                end_date: subscription.term.map(|term| terms::day(term.end)),
                term_unit: &subscription.term_unit,
            },
            auto_renew: subscription.auto_renew,
            is_test: false,
            is_free_trial: false,
            allowed_customer_operations: subscription.allowed_operations(),
            sandbox_type: &subscription.sandbox_type,
            created: terms::instant(subscription.created),
            last_modified: NEVER,
            session_mode: &subscription.session_mode,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ResolvedBody<'a> {
    id: Uuid,
    subscription_name: &'a str,
    offer_id: &'a str,
    plan_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<u32>,
    subscription: SubscriptionBody<'a>,
}

impl<'a> ResolvedBody<'a> {
    pub(super) fn of(seed: &'a Seed, subscription: &'a Subscription) -> Self {
        Self {
            id: subscription.id,
            subscription_name: &subscription.name,
            offer_id: &subscription.offer_id,
            plan_id: &subscription.plan_id,
            quantity: subscription.quantity,
            subscription: SubscriptionBody::of(seed, subscription),
        }
    }
}

#[derive(Serialize)]
pub(super) struct ListBody<'a> {
    pub(super) subscriptions: Vec<SubscriptionBody<'a>>,
    #[serde(rename = "@nextLink", skip_serializing_if = "Option::is_none")]
    pub(super) next_link: Option<String>,
}

#[derive(Serialize)]
pub(super) struct PlansBody<'a> {
    pub(super) plans: Vec<PlanBody<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PlanBody<'a> {
    pub(super) plan_id: &'a str,
    pub(super) display_name: &'a str,
    pub(super) is_private: bool,
    pub(super) description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) min_quantity: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_quantity: Option<u32>,
    pub(super) has_free_trials: bool,
    pub(super) is_price_per_seat: bool,
    pub(super) is_stop_sell: bool,
    pub(super) market: &'a str,
    pub(super) plan_components: ComponentsBody<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source_offers: Option<[SourceOfferBody<'a>; 1]>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ComponentsBody<'a> {
    pub(super) recurrent_billing_terms: [BillingTermBody<'a>; 1],
    pub(super) metering_dimensions: Vec<MeterBody<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BillingTermBody<'a> {
    pub(super) currency: &'a str,
    pub(super) price: Box<RawValue>,
    pub(super) term_unit: &'a str,
    pub(super) term_description: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MeterBody<'a> {
    pub(super) id: &'a str,
    pub(super) currency: &'a str,
    pub(super) price_per_unit: Box<RawValue>,
    pub(super) unit_of_measure: &'a str,
    pub(super) display_name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SourceOfferBody<'a> {
    pub(super) external_id: &'a str,
}

#[derive(Serialize)]
pub(super) struct OperationsBody<'a> {
    pub(super) operations: Vec<OperationBody<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OperationBody<'a> {
    id: Uuid,
    activity_id: Uuid,
    publisher_id: &'a str,
    offer_id: &'a str,
    plan_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<u32>,
    operation_request_source: &'static str,
    subscription_id: Uuid,
    time_stamp: String,
    action: &'static str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_status_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<&'static str>,
}

impl<'a> OperationBody<'a> {
    /// The plan and the quantity are those that are asked for, not the present ones.
    pub(super) fn of(subscription: &'a Subscription, operation: &'a Operation) -> Self {
        let (plan_id, quantity) = operation.change.target(subscription);
        let failed = operation.progress == Progress::Failed;
        Self {
            id: operation.id,
            activity_id: operation.id,
            publisher_id: &subscription.publisher_id,
            offer_id: &subscription.offer_id,
            plan_id,
            quantity,
            operation_request_source: operation.source.name(),
            subscription_id: subscription.id,
            time_stamp: terms::instant(operation.created),
            action: operation.change.action(),
            status: operation.progress.name(),
            error_status_code: failed.then_some("BadRequest"),
            error_message: failed.then_some("The publisher refused the change."),
        }
    }
}
