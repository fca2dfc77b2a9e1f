//! A marketplace that answers at once, without checking anything: what a page costs beside Microsoft's own time.

use std::net::TcpListener;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev::ServerHandle, web};
use seatkey::{
    domain::{
        catalog::{Catalog, Plan, PriceList},
        money::Currency,
    },
    marketplace::{CredentialError, TokenSource},
};
use secrecy::SecretString;
use url::Url;

use super::stage::CATALOG;

/// The plan of every benchmark.
pub(crate) const PLAN: &str = "konnekt-yearly";

/// The running server.
pub(crate) struct Microsoft {
    base: String,
    handle: ServerHandle,
}

impl Microsoft {
    /// Starts it on a free port of loopback.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let plans = web::Data::new(plans_json());
        let app = move || App::new().app_data(plans.clone()).default_service(web::to(answer));
        let server = HttpServer::new(app).workers(1).disable_signals().shutdown_timeout(1).listen(listener).unwrap();
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { base, handle }
    }

    /// The address under which every subscription has this status.
    pub(crate) fn base_url(&self, status: &str) -> Url {
        format!("{}/{status}", self.base).parse().unwrap()
    }

    /// The same, where everything is subscribed and nothing is listed: a sweep finds nothing to do.
    pub(crate) fn unlisted_url(&self) -> Url {
        self.base_url(UNLISTED)
    }

    /// Stops it at once.
    pub(crate) async fn stop(self) {
        self.handle.stop(false).await;
    }
}

/// A bearer token that nobody checks.
#[derive(Debug)]
pub(crate) struct OneToken;

#[async_trait::async_trait]
impl TokenSource for OneToken {
    async fn token(&self) -> Result<SecretString, CredentialError> {
        Ok(SecretString::from("token"))
    }

    async fn renewed_token(&self) -> Result<SecretString, CredentialError> {
        self.token().await
    }
}

/// A catalog plan with its prices in euros.
pub(crate) fn plan_with_prices<'a>(catalog: &'a Catalog, plan_id: &'a str) -> (&'a Plan, &'a PriceList) {
    let (_, plan) = catalog.plans_named(plan_id).next().unwrap();
    (plan, plan.list_prices(Currency::EUR).unwrap())
}

const UNLISTED: &str = "unlisted";

/// `/{status}/saas/subscriptions/{id}[/listAvailablePlans]`
async fn answer(request: HttpRequest, body: web::Bytes, plans: web::Data<String>) -> HttpResponse {
    let parts: Vec<&str> = request.path().trim_start_matches('/').split('/').collect();
    let body = match parts.as_slice() {
        [UNLISTED, "saas", "subscriptions", ""] => r#"{"subscriptions":[]}"#.to_owned(),
        [UNLISTED, "saas", "subscriptions", id] => subscription_json("Subscribed", id),
        [status, "saas", "subscriptions", ""] => listing_json(status, request.query_string()),
        [_, "batchUsageEvent"] => {
            actix_web::rt::time::sleep(METERING_TAKES).await;
            accepted_json(&body)
        }
        [_, "usageEvents"] => "[]".to_owned(),
        [_, "saas", "subscriptions", _, "listAvailablePlans"] => plans.get_ref().clone(),
        [status, "saas", "subscriptions", id] => subscription_json(status, id),
        _ => return HttpResponse::NotFound().finish(),
    };
    HttpResponse::Ok().content_type("application/json").body(body)
}

/// How long it thinks about a batch of usage events.
const METERING_TAKES: std::time::Duration = std::time::Duration::from_millis(20);

/// Every event is accepted; its fields are given back as they came.
fn accepted_json(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Batch<'a> {
        #[serde(borrow)]
        request: Vec<&'a serde_json::value::RawValue>,
    }
    let batch: Batch<'_> = serde_json::from_slice(body).unwrap();
    let row = |event: &&serde_json::value::RawValue| {
        let fields = event.get().trim_start_matches('{');
        let id = "ecedc6dd-c396-4c33-966d-09562588241d";
        format!(r#"{{"usageEventId":"{id}","status":"Accepted","messageTime":"2026-01-15T10:12:00Z",{fields}"#)
    };
    let rows: Vec<String> = batch.request.iter().map(row).collect();
    format!(r#"{{"result":[{}],"count":{}}}"#, rows.join(","), rows.len())
}

/// Subscriptions in the whole listing.
pub(crate) const LISTED: u128 = 100_000;
/// Subscriptions on a page of it.
const ON_A_PAGE: u128 = 100;

/// A page of the listing; the next one is named on another host, as Microsoft does.
fn listing_json(status: &str, query: &str) -> String {
    let token = query.split('&').find_map(|pair| pair.strip_prefix("continuationToken="));
    let first: u128 = token.map_or(0, |token| token.parse().unwrap());
    let ids = first..(first + ON_A_PAGE).min(LISTED);
    let next = first + ON_A_PAGE;
    let page: Vec<String> =
        ids.map(|number| subscription_json(status, &uuid::Uuid::from_u128(number + 1).to_string())).collect();
    let link = if next < LISTED {
        format!(
            r#","@nextLink":"https://main.prod.marketplaceapi.azure.com/api/saas/subscriptions/?continuationToken={next}""#
        )
    } else {
        String::new()
    };
    format!(r#"{{"subscriptions":[{}]{link}}}"#, page.join(","))
}

/// A subscription of a customer of its own: its tenant has the same id, so that each has its first-time trial.
pub(crate) fn subscription_json(status: &str, id: &str) -> String {
    let dates = if status == "Subscribed" { r#""startDate":"2026-01-15","endDate":"2027-01-14","# } else { "" };
    let party = format!(
        r#"{{"emailId":"alex.weber@contoso.example","objectId":"{object}","tenantId":"{id}","puid":"100320000000"}}"#,
        object = "a1e4b2c3-7d60-4f51-8a92-3b1c5d7e9f01",
    );
    format!(
        r#"{{"id":"{id}","publisherId":"konnekt","offerId":"konnekt","name":"konnekt-prod",
"saasSubscriptionStatus":"{status}","beneficiary":{party},"purchaser":{party},"planId":"{PLAN}",
"term":{{{dates}"termUnit":"P1Y"}},"autoRenew":true,"isTest":false,"isFreeTrial":false,
"allowedCustomerOperations":["Read","Update","Delete"],"sandboxType":"None","created":"2026-01-15T10:00:00Z",
"lastModified":"0001-01-01T00:00:00","sessionMode":"None"}}"#
    )
}

fn plans_json() -> String {
    let (catalog, _) = Catalog::from_toml("catalog.example.toml", CATALOG).unwrap();
    let (_, list) = plan_with_prices(&catalog, PLAN);
    let meter = |(id, price)| {
        format!(r#"{{"id":"{id}","currency":"EUR","pricePerUnit":{price},"unitOfMeasure":"x","displayName":"{id}"}}"#)
    };
    let meters: Vec<String> = list.prices.iter().map(meter).collect();
    format!(
        r#"{{"plans":[{{"planId":"{PLAN}","displayName":"KONNEKT, yearly","isPrivate":false,"market":"DE",
"planComponents":{{"recurrentBillingTerms":[],"meteringDimensions":[{}]}}}}]}}"#,
        meters.join(",")
    )
}
