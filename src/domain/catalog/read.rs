//! The catalog file as it is written, with the place of every value that a rule may object to.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::{FirstKey, check::Finding};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCatalog {
    #[serde(default)]
    pub(super) offer: Vec<Spanned<RawOffer>>,
    #[serde(default)]
    pub(super) markets: BTreeMap<String, Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOffer {
    pub(super) id: Spanned<String>,
    pub(super) name: String,
    pub(super) publisher: String,
    pub(super) support_url: String,
    pub(super) support_email: String,
    #[serde(default)]
    pub(super) accent_color: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) logo: Option<String>,
    #[serde(default)]
    pub(super) trial_group: Option<String>,
    #[serde(default)]
    pub(super) plan: Vec<Spanned<RawPlan>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPlan {
    pub(super) id: Spanned<String>,
    pub(super) name: String,
    pub(super) term_unit: String,
    pub(super) model: Spanned<String>,
    #[serde(default)]
    pub(super) trial_days: Option<Spanned<u32>>,
    #[serde(default)]
    pub(super) grace_period: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) reseller_grace_period: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) first_key: Option<FirstKey>,
    #[serde(default)]
    pub(super) devices_per_user: Option<u32>,
    #[serde(default)]
    pub(super) tenant_members_may_buy: bool,
    #[serde(default)]
    pub(super) successor_of: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) minimum_users: Option<Spanned<u32>>,
    #[serde(default)]
    pub(super) segment: Vec<Spanned<RawSegment>>,
    #[serde(default)]
    pub(super) extra: Vec<Spanned<RawExtra>>,
    #[serde(default)]
    pub(super) prices: BTreeMap<Spanned<String>, BTreeMap<String, Spanned<toml::Value>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSegment {
    pub(super) name: String,
    pub(super) included: Spanned<u32>,
    #[serde(default)]
    pub(super) maximum: Option<Spanned<u32>>,
    pub(super) base_dimension: Spanned<String>,
    pub(super) user_dimension: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawExtra {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) dimension: Spanned<String>,
}

/// Reads the text; what the TOML reader refuses (a wrong type, an unknown key) becomes a finding with its line.
pub(super) fn parse(file: &str, text: &str) -> Result<RawCatalog, Box<Finding>> {
    toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let field = field_at(text, at);
        Box::new(Finding::error(file, text, at, &field, error.message().to_owned()))
    })
}

/// The key of the line on which a value stands.
fn field_at(text: &str, at: usize) -> String {
    let start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    let line = text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    line.split('=').next().unwrap_or_default().trim().trim_matches(['[', ']', '"']).to_owned()
}
