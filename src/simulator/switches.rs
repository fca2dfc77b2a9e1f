//! How Microsoft's side behaves where it could behave in more than one way, and how its webhooks go wrong.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::world::{World, WorldError};

/// How long Microsoft's daily sums of the usage lag at the start, in minutes.
const USAGE_LAG_MINUTES: u32 = 120;

/// The switches; all are off at the start, only the sums of the usage lag by two hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Switches {
    /// Activating a Subscribed subscription again is refused with 400 (older documentation) instead of taken with 200.
    pub refuse_second_activation: bool,
    /// How many further copies of each new webhook are sent, all with the same operation id.
    pub duplicates: u32,
    /// New webhooks wait until they are released, in this or another order.
    pub hold: bool,
    /// New webhooks are due so many seconds after their event.
    pub delay_seconds: u32,
    /// New webhooks are never sent by themselves. Microsoft believes that they were.
    pub lose: bool,
    /// New webhooks carry six fields only (documentation of 2022).
    pub minimal_bodies: bool,
    /// The snapshots of new webhooks show the state before the event, also where they usually show the new one.
    pub stale_snapshots: bool,
    /// A PATCH with `Failure` is answered with 200, and the change happens all the same (field report of 2022).
    pub ignore_failure: bool,
    /// Changes that nobody answers hang until their webhook is given up (field report of 2021).
    pub never_auto_accept: bool,
    /// Which version of Entra's tokens the webhooks carry.
    pub token_version: TokenVersion,
    /// The next delivery carries this token, and its answer does not count: it did not come from Microsoft.
    pub hostile_token: Option<HostileToken>,
    /// Usage is never a duplicate, too old, or for a subscription that is not active: what can be read and names
    /// something that is sold is recorded and answered with `Accepted`, so that a second send cannot hide. The daily sums
    /// count the same bytes once.
    pub accept_all_usage: bool,
    /// How the answers to usage go wrong, until it is switched off.
    pub usage_trick: Option<UsageTrick>,
    /// The `Date` of every answer is so many seconds ahead of the time that it is.
    pub clock_skew_seconds: i64,
    /// An accepted usage event appears in the daily sums so many minutes later.
    pub usage_lag_minutes: u32,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            refuse_second_activation: false,
            duplicates: 0,
            hold: false,
            delay_seconds: 0,
            lose: false,
            minimal_bodies: false,
            stale_snapshots: false,
            ignore_failure: false,
            never_auto_accept: false,
            token_version: TokenVersion::default(),
            hostile_token: None,
            accept_all_usage: false,
            usage_trick: None,
            clock_skew_seconds: 0,
            usage_lag_minutes: USAGE_LAG_MINUTES,
        }
    }
}

/// What is wrong with the answers to usage. Except with `AllFail`, the events have been judged and recorded as always.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UsageTrick {
    /// The last result of a batch is missing.
    Short,
    /// The results of a batch come in the opposite order.
    Reordered,
    /// The answer ends in the middle of its JSON.
    Broken,
    /// The results of a batch come twice.
    Doubled,
    /// Every event is answered with this item status, and is not accepted.
    AllFail(String),
}

/// The version of a token; a number (1 or 2) in JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum TokenVersion {
    /// `appid`, and the older issuer.
    V1,
    /// `azp`.
    #[default]
    V2,
}

impl TryFrom<u8> for TokenVersion {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        match number {
            1 => Ok(Self::V1),
            2 => Ok(Self::V2),
            _ => Err("tokenVersion is 1 or 2"),
        }
    }
}

impl From<TokenVersion> for u8 {
    fn from(version: TokenVersion) -> Self {
        if version == TokenVersion::V1 { 1 } else { 2 }
    }
}

/// A token that has to be refused. Each differs from a good one in one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostileToken {
    /// `alg` is `none`, without a signature.
    None,
    /// Signed by HMAC, with the public key's PEM text as the secret.
    Hs256WithPublicKey,
    /// Signed by a key that is not published, under the id of one that is.
    WrongKey,
    /// Ended an hour ago.
    Expired,
    /// Begins in an hour.
    NotYet,
    /// For another application of the publisher.
    WrongAudience,
    /// `tid` is a customer's.
    WrongTenant,
    /// `iss` names a customer's tenant.
    WrongIssuer,
    /// From another application than the marketplace.
    WrongCaller,
    /// The key id is not published.
    UnknownKid,
    /// An ID token of a person of the publisher, for the right application.
    IdToken,
    /// The end of the signature is missing.
    Truncated,
}

impl HostileToken {
    /// All kinds.
    pub const ALL: [Self; 12] = [
        Self::None,
        Self::Hs256WithPublicKey,
        Self::WrongKey,
        Self::Expired,
        Self::NotYet,
        Self::WrongAudience,
        Self::WrongTenant,
        Self::WrongIssuer,
        Self::WrongCaller,
        Self::UnknownKid,
        Self::IdToken,
        Self::Truncated,
    ];
}

impl World {
    /// How the switches stand.
    #[must_use]
    pub fn switches(&self) -> Switches {
        self.state().switches.clone()
    }

    /// Changes switches. What is said of new webhooks does not change those that wait already.
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.state().switches);
    }

    /// Sets the named switches, and leaves the others as they are.
    ///
    /// # Errors
    /// When a name or a value is unknown; nothing is changed then.
    pub(super) fn switch_named(&self, named: &Value) -> Result<Switches, WorldError> {
        let mut state = self.state();
        let mut merged = serde_json::to_value(&state.switches).unwrap_or_default();
        if let (Some(merged), Some(named)) = (merged.as_object_mut(), named.as_object()) {
            merged.extend(named.clone());
        }
        let switches: Switches = serde_json::from_value(merged).map_err(|error| WorldError(error.to_string()))?;
        state.switches = switches.clone();
        Ok(switches)
    }

    /// Whether activating a Subscribed subscription again is refused with 400 (older documentation) or taken with 200
    /// (the default).
    pub fn refuse_second_activation(&self, refuse: bool) {
        self.state().switches.refuse_second_activation = refuse;
    }
}
