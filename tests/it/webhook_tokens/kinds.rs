//! The tables of bad tokens, and what each entry has to prove.

use std::collections::BTreeSet;

use seatkey::marketplace::{
    TokenRefused,
    TokenVersion::{self, V1, V2},
};

use super::{bad_claims, bad_headers, bad_ids, bad_shapes, bad_times, entra::Entra, forge::Forge};

type Change = fn(&mut Forge);

/// A kind of bad token.
pub(super) struct Kind {
    name: &'static str,
    versions: &'static [TokenVersion],
    /// What makes the accepted twin.
    twin: Change,
    /// The one thing that is wrong.
    wrong: Change,
    reason: TokenRefused,
}

impl Kind {
    pub(super) fn both(name: &'static str, reason: TokenRefused, wrong: Change) -> Self {
        Self { name, versions: &[V1, V2], twin: |_| {}, wrong, reason }
    }

    pub(super) fn v1(name: &'static str, reason: TokenRefused, wrong: Change) -> Self {
        Self { versions: &[V1], ..Self::both(name, reason, wrong) }
    }

    pub(super) fn v2(name: &'static str, reason: TokenRefused, wrong: Change) -> Self {
        Self { versions: &[V2], ..Self::both(name, reason, wrong) }
    }

    /// The twin is not the ordinary token, but this one.
    pub(super) fn beside(self, twin: Change) -> Self {
        Self { twin, ..self }
    }
}

/// The twin is accepted, with the one difference it is refused for the expected reason, without it the twin is accepted
/// again.
async fn prove(entra: &Entra, kind: &Kind) {
    for version in kind.versions {
        let name = format!("{} ({version:?})", kind.name);
        let mut twin = Forge::new(&entra.base, *version);
        (kind.twin)(&mut twin);
        let good = twin.header_value();
        let mut bad = twin;
        (kind.wrong)(&mut bad);
        let bad = bad.header_value();
        assert_ne!(good, bad, "{name}: nothing is wrong with it");
        let verdict = entra.tokens.verify(good.as_deref()).await;
        assert_eq!(verdict.map(|caller| caller.version), Ok(*version), "{name}: the twin");
        let verdict = entra.tokens.verify(bad.as_deref()).await;
        assert_eq!(verdict, Err(kind.reason.clone()), "{name}");
        let verdict = entra.tokens.verify(good.as_deref()).await;
        assert!(verdict.is_ok(), "{name}: the twin afterwards: {verdict:?}");
    }
}

async fn prove_all(kinds: &[Kind]) {
    let entra = Entra::open();
    for kind in kinds {
        prove(&entra, kind).await;
    }
    assert_eq!(entra.fetches(), 1, "no bad token makes us fetch again within five minutes");
}

#[tokio::test]
async fn headers() {
    prove_all(&bad_headers::kinds()).await;
}

#[tokio::test]
async fn ids() {
    prove_all(&bad_ids::kinds()).await;
}

#[tokio::test]
async fn claims() {
    prove_all(&bad_claims::kinds()).await;
}

#[tokio::test]
async fn times() {
    prove_all(&bad_times::kinds()).await;
}

#[tokio::test]
async fn shapes() {
    prove_all(&bad_shapes::kinds()).await;
}

#[test]
fn each_kind_has_a_name_of_its_own() {
    let tables = [bad_headers::kinds(), bad_ids::kinds(), bad_claims::kinds(), bad_times::kinds(), bad_shapes::kinds()];
    let names: Vec<_> = tables.iter().flatten().map(|kind| kind.name).collect();
    let different: BTreeSet<_> = names.iter().collect();
    assert_eq!(names.len(), different.len());
    assert_eq!(names.len(), 314, "kinds of bad tokens");
}

/// Only what may be Entra's trouble is answered with 503.
#[test]
fn only_keys_can_be_unavailable() {
    let tables = [bad_headers::kinds(), bad_ids::kinds(), bad_claims::kinds(), bad_times::kinds(), bad_shapes::kinds()];
    for kind in tables.iter().flatten() {
        assert_eq!(kind.reason.is_unavailable(), kind.reason == TokenRefused::KeyUnknown, "{}", kind.name);
    }
}
