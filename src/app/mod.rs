//! Use cases: they join the domain with the adapters. One file each, named verb_noun.
//!
//! Invariants: state, charges, audit and jobs are written in one transaction; no network call inside it; what changes
//! something at Microsoft is a job with a stored intent.

mod acknowledge_finding;
mod activate_subscription;
mod answer_once;
mod api_keys;
mod approve;
mod approve_trial;
mod ask_reseller;
mod back_up;
mod bind_trial;
mod change_plan;
mod change_seats;
mod change_users;
mod check_usage;
pub mod checkup;
mod contacts;
mod converge;
mod deed;
mod desk;
mod digest_ledger;
mod end_subscription;
mod enter_credit;
mod error;
mod explain;
mod extend_trial;
mod find_prices;
mod follow_trace;
mod grant_trial;
mod handle_webhook;
mod health;
mod issue_key;
mod keep_appointment;
mod keep_trial;
mod late_usage;
mod life_mail;
mod list_waiting;
mod open_purchase;
mod open_trial;
mod preview_extension;
mod preview_mail;
mod quote_users;
mod receive_webhook;
mod reconcile;
mod reconcile_usage;
mod release_charges;
mod renew_subscription;
mod report_usage;
mod resolve_charge;
mod restore;
mod review_order;
mod revoke_trial;
mod roll_up;
mod send_mail;
mod show_decision;
mod sign_in;
mod staff_sign_in;
mod submit_order;
mod sync_key;
mod trial_mail;
mod use_trial;
mod verify_ledger;
mod welcome_mail;
mod withdraw_subscription;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use ring::rand::{SecureRandom as _, SystemRandom};
use time::{Date, Duration, OffsetDateTime};
use tokio::sync::Notify;
use url::Url;

pub use acknowledge_finding::{Acknowledged, acknowledge_finding};
pub use activate_subscription::activate_subscription;
pub use answer_once::{ANSWERS_KEPT_FOR, ApiAnswer, Once, answer_once};
pub use api_keys::{CreatedKey, create_api_key, recognise_api_key, revoke_api_key};
pub use approve_trial::approve_trial;
pub use ask_reseller::{Asked, ask_reseller};
pub use back_up::{BackedUp, BackupError, BackupStep, back_up};
pub use bind_trial::bind_trial;
pub use change_plan::rewrite_charges;
pub use change_seats::{SEATS, SeatsAsked, SeatsWanted, carry_out_seats, change_seats};
pub use change_users::{ChangeSubmitted, cancel_downgrade, preview_change, review_change, submit_change};
pub use check_usage::HasChecked;
pub use checkup::{check_up, schedule_check_up};
pub use contacts::{Contacts, change_contacts, resend_key, rotate_license};
pub use deed::Deed;
pub use desk::{Desk, DeskRefused, FinanceDesk, NOTE_CHARS, SalesDesk, SupportDesk};
pub use digest_ledger::{digest_ledger, schedule_digest};
pub use error::AppError;
pub use explain::explain_charges;
pub use extend_trial::{TrialExtension, extend_trial, write_extension};
pub use find_prices::{Freshness, KnownPrices, find_prices};
pub use follow_trace::{MAX_ID_CHARS, TraceLine, follow_trace};
pub use grant_trial::{NamedTenant, PreparedTrial, TrialRequest, grant_trial, prepare_trial, write_trial};
pub use handle_webhook::{REFUSED_CHANGE, handle_webhook};
pub use health::{Health, Trouble};
pub use issue_key::issue_due_key;
pub use keep_appointment::keep_appointment;
pub use keep_trial::keep_trial;
pub use list_waiting::{Waiting, What, count_waiting, list_waiting};
pub use open_purchase::{open_purchase, record_arrival};
pub use preview_extension::{ExtensionPreview, preview_extension};
pub use preview_mail::{PREVIEWS, preview_mail};
pub use quote_users::{CustomerQuote, quote_users};
pub use receive_webhook::{Received, receive_webhook};
pub use reconcile::{
    ReconciledPage, Repair, reconcile_page, reconcile_subscription, schedule_sweep, sweep_subscriptions,
};
pub use reconcile_usage::{reconcile_usage, schedule_usage_reconciliation};
pub use release_charges::{PRICE_RISEN, release_charges};
pub use renew_subscription::renew_subscription;
pub use report_usage::{Pace, report_usage, schedule_reporting};
pub use resolve_charge::{Resolution, resolve_charge};
pub use restore::{FinishOptions, Named, RestoreReport, begin_restore, finish_restore};
pub use review_order::{Reviewed, preview_order, review_order};
pub use revoke_trial::revoke_trial;
pub use roll_up::{roll_up, schedule_roll_up};
pub use send_mail::send_mail;
pub use show_decision::{DaySums, DecisionCase, show_decision};
pub use sign_in::{SESSION_IDLE, begin_sign_in, end_session, finish_sign_in, forget_expired};
pub use staff_sign_in::{
    StaffArrived, begin_staff_sign_in, end_staff_session, find_staff_session, finish_staff_sign_in,
};
pub use submit_order::{Submitted, submit_order};
pub use sync_key::{KnownRevocations, Synced, list_revoked, sync_key};
pub use verify_ledger::{VerifiedLedger, verify_digest, verify_ledger};
pub use welcome_mail::license_file_name;
pub use withdraw_subscription::{ask_withdrawal, withdraw_subscription};

use crate::{
    clock::SharedClock,
    domain::catalog::{Catalog, Offer, Plan},
    identity::SignInClient,
    mail::Mailer,
    marketplace::{Client, WebhookTokens},
    meters::Meters,
    signing::Keyring,
    store::Store,
    templates::Templates,
};

/// Everything that a use case may need, made once at the start.
#[derive(Debug)]
pub struct App {
    /// The database.
    pub store: Store,
    /// What is sold.
    pub catalog: Catalog,
    /// What somebody should look at in it.
    pub catalog_warnings: Vec<String>,
    /// Microsoft's marketplace.
    pub marketplace: Client,
    /// Who may call the webhook.
    pub webhook_tokens: WebhookTokens,
    /// The buyers' sign-in.
    pub sign_in: SignInClient,
    /// The staff's; `None` = there is no console.
    pub staff_sign_in: Option<SignInClient>,
    /// Outgoing mail.
    pub mailer: Mailer,
    /// License signing.
    pub keyring: Keyring,
    /// The list of revoked licenses as it was signed last.
    pub revocations: KnownRevocations,
    /// Pages and mails.
    pub templates: Templates,
    /// The time.
    pub clock: SharedClock,
    /// How buyers reach us; the issuer of license keys.
    pub public_url: Url,
    /// What is wrong with our own credentials.
    pub health: Health,
    /// The days on which our secrets expire, as far as the configuration says them.
    pub secrets_expire: BTreeMap<Trouble, Date>,
    /// Prices that were shown in the last minute.
    pub prices: KnownPrices,
    /// Logos of offers, by offer id.
    pub logos: BTreeMap<String, Logo>,
    /// How long personal data of an ended subscription is kept.
    pub retention: Duration,
    /// What this process counts.
    pub meters: Meters,
    /// When this process was started.
    pub started_at: OffsetDateTime,
    /// How fast usage is reported.
    pub pace: Pace,
    /// Where the daily digest of the ledger is appended.
    pub digest_file: Option<PathBuf>,
    /// Whether this process has looked for usage that the ledger does not know of.
    pub has_checked: HasChecked,
    /// Wakes the job runner.
    pub wake: Notify,
}

/// A picture from the catalog's folder, read at start.
#[derive(Debug, Clone)]
pub struct Logo {
    /// Its media type.
    pub kind: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The application, shared by pages and jobs.
pub type SharedApp = Arc<App>;

/// What a job reports when it has come to an end for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There is nothing more to do.
    Done,
    /// To be run again after a while: Microsoft is still working.
    Again(time::Duration),
}

impl App {
    /// Offer and plan of a subscription.
    ///
    /// # Errors
    /// [`AppError::NotOffered`] when the catalog does not have them.
    pub fn find_plan(&self, offer_id: &str, plan_id: &str) -> Result<(&Arc<Offer>, &Arc<Plan>), AppError> {
        let not_offered = || AppError::NotOffered { offer_id: offer_id.to_owned(), plan_id: plan_id.to_owned() };
        self.catalog.find_plan(offer_id, plan_id).ok_or_else(not_offered)
    }

    /// The public address without its final slash.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.public_url.as_str().trim_end_matches('/')
    }
}

/// 256 random bits for a cookie or a form, as text.
///
/// # Errors
/// [`AppError::Internal`] when the system gives no randomness.
pub fn random_token() -> Result<String, AppError> {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let mut bytes = [0_u8; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| AppError::Internal("the system gives no random numbers".into()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// What the database keeps of a cookie: somebody who reads the database cannot use it.
#[must_use]
pub fn token_digest(token: &str) -> String {
    crate::hash::sha256_hex(token.as_bytes())
}
