//! Who may ask for what: one hand-written line for every route. A route without a line does not start, and a line is kept
//! before its handler runs. What a signed-in buyer may see of which subscription is decided by `domain::policy`; what each
//! role may do is decided a second time by the handles of `app::desk`, which have no method for anything else.

use crate::domain::staff::{Role, Scope};

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Anybody,
    /// Anybody; who is not signed in as a buyer is sent to sign in, or sees what a stranger sees.
    Buyer,
    /// Microsoft, by the token of its call.
    Microsoft,
    /// Whoever has a genuine license key.
    KeyHolder,
    /// One of the publisher's people who has one of these roles.
    Staff(&'static [Role]),
    /// One of the publisher's programs, by an API key with this scope.
    Program(Scope),
    /// Whoever reaches the management address.
    Management,
}

/// Every role.
const ALL: Access = Access::Staff(&Role::ALL);
const SALES: Access = Access::Staff(&[Role::Sales, Role::Admin]);
const SUPPORT: Access = Access::Staff(&[Role::Support, Role::Admin]);
const FINANCE: Access = Access::Staff(&[Role::Finance, Role::Admin]);

const READ: Access = Access::Program(Scope::SubscriptionsRead);

/// The table: method, route, who.
pub const POLICY: &[(&str, &str, Access)] = &[
    ("GET", "/", Access::Buyer),
    ("GET", "/landing", Access::Buyer),
    ("GET", "/sign-in", Access::Anybody),
    ("GET", "/sign-in/callback", Access::Anybody),
    ("POST", "/sign-out", Access::Buyer),
    ("GET", "/subscriptions", Access::Buyer),
    ("GET", "/subscriptions/{id}", Access::Buyer),
    ("GET", "/subscriptions/{id}/state.json", Access::Buyer),
    ("POST", "/subscriptions/{id}/ask", Access::Buyer),
    ("GET", "/subscriptions/{id}/license.lic", Access::Buyer),
    ("POST", "/subscriptions/{id}/key/resend", Access::Buyer),
    ("GET", "/subscriptions/{id}/key/replace", Access::Buyer),
    ("POST", "/subscriptions/{id}/key/replace", Access::Buyer),
    ("GET", "/subscriptions/{id}/contacts", Access::Buyer),
    ("POST", "/subscriptions/{id}/contacts", Access::Buyer),
    ("POST", "/subscriptions/{id}/users", Access::Buyer),
    ("GET", "/subscriptions/{id}/users/preview", Access::Buyer),
    ("GET", "/subscriptions/{id}/users/review/{change}", Access::Buyer),
    ("POST", "/subscriptions/{id}/users/submit", Access::Buyer),
    ("POST", "/subscriptions/{id}/users/cancel-downgrade", Access::Buyer),
    ("GET", "/subscriptions/{id}/users/progress", Access::Buyer),
    ("GET", "/subscriptions/{id}/users/progress.json", Access::Buyer),
    ("GET", "/subscriptions/{id}/withdraw", Access::Buyer),
    ("POST", "/subscriptions/{id}/withdraw", Access::Buyer),
    ("GET", "/subscriptions/{id}/enrol", Access::Buyer),
    ("GET", "/subscriptions/{id}/enrol/projection", Access::Buyer),
    ("POST", "/subscriptions/{id}/enrol/review", Access::Buyer),
    ("GET", "/subscriptions/{id}/enrol/review/{quote}", Access::Buyer),
    ("POST", "/subscriptions/{id}/enrol/submit", Access::Buyer),
    ("GET", "/subscriptions/{id}/progress", Access::Buyer),
    ("GET", "/subscriptions/{id}/progress.json", Access::Buyer),
    ("POST", "/webhook", Access::Microsoft),
    ("GET", "/api/v1/subscriptions", READ),
    ("GET", "/api/v1/subscriptions/{id}", READ),
    ("GET", "/api/v1/subscriptions/{id}/charges", READ),
    ("POST", "/api/v1/quotes", Access::Program(Scope::QuotesRead)),
    ("GET", "/api/v1/trials", Access::Program(Scope::TrialsRead)),
    ("POST", "/api/v1/trials", Access::Program(Scope::TrialsWrite)),
    ("POST", "/api/v1/license-keys/sync", Access::KeyHolder),
    ("GET", "/api/v1/openapi.json", Access::Anybody),
    ("GET", "/api/v1/docs", Access::Anybody),
    ("GET", "/.well-known/jwks.json", Access::Anybody),
    ("GET", "/.well-known/license-revocations", Access::Anybody),
    ("GET", "/assets/seatkey.css", Access::Anybody),
    ("GET", "/assets/seatkey.js", Access::Anybody),
    ("GET", "/assets/console.css", Access::Anybody),
    ("GET", "/assets/console.js", Access::Anybody),
    ("GET", "/assets/logo/{offer}", Access::Anybody),
    ("GET", "/healthz", Access::Anybody),
    ("GET", "/readyz", Access::Anybody),
    ("GET", "/metrics", Access::Management),
    ("GET", "/console/sign-in", Access::Anybody),
    ("GET", "/console/sign-in/callback", Access::Anybody),
    ("POST", "/console/sign-out", ALL),
    ("GET", "/console", ALL),
    ("GET", "/console/charges/{charge}", ALL),
    ("POST", "/console/charges/{charge}/propose", FINANCE),
    ("POST", "/console/charges/{charge}/credit", FINANCE),
    ("GET", "/console/approvals/{proposal}", ALL),
    ("POST", "/console/approvals/{proposal}/approve", FINANCE),
    ("POST", "/console/approvals/{proposal}/refuse", FINANCE),
    ("GET", "/console/subscriptions", ALL),
    ("GET", "/console/subscriptions.csv", ALL),
    ("GET", "/console/subscriptions/{id}", ALL),
    ("POST", "/console/subscriptions/{id}/notes", ALL),
    ("POST", "/console/subscriptions/{id}/users", SALES),
    ("GET", "/console/subscriptions/{id}/users/review/{change}", SALES),
    ("POST", "/console/subscriptions/{id}/users/submit", SALES),
    ("POST", "/console/subscriptions/{id}/users/cancel-downgrade", SALES),
    ("POST", "/console/subscriptions/{id}/extension", SALES),
    ("GET", "/console/subscriptions/{id}/extension/review", SALES),
    ("POST", "/console/subscriptions/{id}/extension/submit", SALES),
    ("POST", "/console/subscriptions/{id}/key/resend", SUPPORT),
    ("POST", "/console/subscriptions/{id}/key/rotate", SUPPORT),
    ("POST", "/console/subscriptions/{id}/contacts", SUPPORT),
    ("POST", "/console/subscriptions/{id}/person", SUPPORT),
    ("POST", "/console/subscriptions/{id}/webhooks/replay", SUPPORT),
    ("POST", "/console/subscriptions/{id}/jobs/retry", SUPPORT),
    ("POST", "/console/subscriptions/{id}/reconcile", SUPPORT),
    ("GET", "/console/ledger", ALL),
    ("GET", "/console/ledger.csv", FINANCE),
    ("GET", "/console/webhooks", ALL),
    ("GET", "/console/webhooks.csv", ALL),
    ("GET", "/console/jobs", ALL),
    ("GET", "/console/jobs.csv", ALL),
    ("GET", "/console/mails", ALL),
    ("GET", "/console/mails.csv", ALL),
    ("GET", "/console/mails/{id}", ALL),
    ("GET", "/console/trials", ALL),
    ("GET", "/console/trials.csv", ALL),
    ("GET", "/console/trials/conversion", ALL),
    ("GET", "/console/trials/conversion.csv", ALL),
    ("GET", "/console/trials/new", SALES),
    ("POST", "/console/trials", SALES),
    ("GET", "/console/trials/{id}", ALL),
    ("POST", "/console/trials/{id}/approve", SALES),
    ("POST", "/console/trials/{id}/revoke", SALES),
    ("GET", "/console/catalog", ALL),
    ("GET", "/console/catalog.csv", ALL),
    ("GET", "/console/staff-actions", ALL),
    ("GET", "/console/staff-actions.csv", FINANCE),
    ("GET", "/console/numbers", ALL),
    ("GET", "/console/numbers.csv", ALL),
    ("GET", "/console/search", ALL),
    ("GET", "/console/trace", ALL),
];

/// Who may ask for a route.
pub(super) fn find(method: &str, route: &str) -> Option<Access> {
    POLICY.iter().find(|(known, path, _)| *known == method && *path == route).map(|(.., access)| *access)
}
