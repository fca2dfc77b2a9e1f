//! Entra: whether it answers, knows our tenant, gives us a token for the marketplace, and publishes the keys of its webhooks.

use uuid::Uuid;

use super::{Check, Mend, Round, Verdict, Whose};
use crate::{
    identity::SignInClient,
    marketplace::{Client, MarketplaceError, WebhookTokens},
};

/// Entra answers.
pub static AUTHORITY: Check = Check {
    id: "entra.authority",
    is_well_when: "Entra publishes at [entra] authority what a sign-in needs, metadata and keys",
    needs: &[],
    mends: &[&UNREACHABLE],
};

/// Our tenant.
pub static TENANT: Check = Check {
    id: "entra.tenant",
    is_well_when: "Entra knows the tenant of [marketplace] tenant_id",
    needs: &["entra.authority"],
    mends: &[&UNKNOWN_TENANT],
};

/// A token for the marketplace.
pub static TOKEN: Check = Check {
    id: "entra.token",
    is_well_when: "Entra gives the application of [marketplace] a token for the marketplace",
    needs: &["entra.credential", "entra.tenant"],
    mends: &[
        &EXPIRED,
        &WRONG_SECRET,
        &UNKNOWN_APPLICATION,
        &NOT_TRUSTED,
        &NO_PRINCIPAL,
        &NOT_ALLOWED,
        &OTHER_CODE,
        &UNREACHABLE,
    ],
};

/// The keys that Microsoft's webhooks are checked with.
pub static WEBHOOK_KEYS: Check = Check {
    id: "entra.webhook_keys",
    is_well_when: "the keys that sign Microsoft's webhooks are published by [webhook] token_authority for our tenant",
    needs: &["entra.tenant"],
    mends: &[&NO_KEYS],
};

pub(super) static EXPIRED: Mend = Mend {
    whose: Whose::Operations,
    does: "Have a new client secret made in the app registration, and put it into this section of the configuration with its \
           client_secret_expires.",
};
pub(super) static WRONG_SECRET: Mend = Mend {
    whose: Whose::Operations,
    does: "Put the client secret's value (not its id) into this section of the configuration; if nobody has it any more, have \
           a new one made.",
};
pub(super) static UNKNOWN_APPLICATION: Mend = Mend {
    whose: Whose::Operations,
    does: "Correct the application (client) id in this section: Entra knows no such application in this tenant.",
};
pub(super) static UNKNOWN_TENANT: Mend = Mend {
    whose: Whose::Operations,
    does: "Correct the tenant id: it is the “Directory (tenant) ID” on the overview page of the app registration.",
};
pub(super) static NOT_TRUSTED: Mend = Mend {
    whose: Whose::EntraAdmin,
    does: "Add a federated credential to the app registration whose issuer, subject and audience are those of this workload.",
};
static NO_PRINCIPAL: Mend = Mend {
    whose: Whose::EntraAdmin,
    does: "Make the marketplace known in the tenant: az ad sp create --id 20e940b3-4c77-4b0b-9a53-9e16a1b010a7.",
};
pub(super) static NOT_ALLOWED: Mend = Mend {
    whose: Whose::EntraAdmin,
    does: "Enable the application in Entra, and take it out of the conditional access policy that blocks it.",
};
pub(super) static OTHER_CODE: Mend = Mend {
    whose: Whose::EntraAdmin,
    does: "Look the AADSTS code up at https://login.microsoftonline.com/error, and mend the app registration.",
};
pub(super) static UNREACHABLE: Mend = Mend {
    whose: Whose::Network,
    does: "Let this machine reach [entra] authority by https, directly or by HTTPS_PROXY; if it does, wait until Entra is well.",
};
static NO_KEYS: Mend = Mend {
    whose: Whose::Operations,
    does: "Correct [webhook] token_authority, or leave it out: Microsoft's public cloud signs webhooks at [entra] authority.",
};

/// What a code of Entra's means for a credential.
pub(super) fn mend_of(words: &str) -> &'static Mend {
    static MENDS: [(&[&str], &Mend); 7] = [
        (&["AADSTS7000222"], &EXPIRED),
        (&["AADSTS7000215", "AADSTS7000218"], &WRONG_SECRET),
        (&["AADSTS700016"], &UNKNOWN_APPLICATION),
        (&["AADSTS90002", "AADSTS900023", "AADSTS900021"], &UNKNOWN_TENANT),
        (
            &["AADSTS70021", "AADSTS700211", "AADSTS700212", "AADSTS700213", "AADSTS700222", "AADSTS700024"],
            &NOT_TRUSTED,
        ),
        (&["AADSTS500011", "AADSTS650052", "AADSTS7000229"], &NO_PRINCIPAL),
        (&["AADSTS7000112", "AADSTS53003", "AADSTS530003"], &NOT_ALLOWED),
    ];
    let code: String = words.split("AADSTS").nth(1).map(digits).unwrap_or_default();
    let code = format!("AADSTS{code}");
    let known = MENDS.iter().find(|(codes, _)| codes.contains(&code.as_str()));
    known.map_or(&OTHER_CODE, |(_, mend)| *mend)
}

fn digits(text: &str) -> String {
    text.chars().take_while(char::is_ascii_digit).collect()
}

/// Looks at Entra itself, and at the marketplace's tenant in it.
pub async fn look_at_tenant(round: &mut Round<'_>, sign_in: &SignInClient, tenant_id: Uuid) {
    let authority = async {
        match sign_in.try_metadata().await {
            Ok(()) => Verdict::well("metadata and keys can be read"),
            Err(error) => Verdict::Wrong(&UNREACHABLE, error.to_string()),
        }
    };
    round.look(&AUTHORITY, authority).await;
    let tenant = async {
        match sign_in.try_tenant(tenant_id).await {
            Ok(()) => Verdict::well("Entra knows it"),
            Err(error) => Verdict::Wrong(&UNKNOWN_TENANT, format!("[marketplace] tenant_id {tenant_id}: {error}")),
        }
    };
    round.look(&TENANT, tenant).await;
}

/// Looks at the token for the marketplace.
pub async fn look_at_token(round: &mut Round<'_>, client: &Client) {
    round.look(&TOKEN, token(client)).await;
}

/// Looks at the keys of webhooks.
pub async fn look_at_webhook_keys(round: &mut Round<'_>, webhook_tokens: &WebhookTokens) {
    round.look(&WEBHOOK_KEYS, webhook_keys(webhook_tokens)).await;
}

async fn token(client: &Client) -> Verdict {
    match client.try_credential().await {
        Ok(()) => Verdict::well("Entra gives a token"),
        Err(MarketplaceError::Credential(words)) => {
            Verdict::Wrong(mend_of(&words), format!("[entra.credential] {words}"))
        }
        Err(error) => Verdict::Wrong(&UNREACHABLE, error.to_string()),
    }
}

async fn webhook_keys(webhook_tokens: &WebhookTokens) -> Verdict {
    match webhook_tokens.try_keys().await {
        Ok(keys) => Verdict::Well(format!("keys published: {keys}")),
        Err(reason) => Verdict::Wrong(&NO_KEYS, reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_to_its_end() {
        let told = |words| mend_of(words);
        assert_eq!(told("AADSTS7000222: expired"), &EXPIRED);
        assert_eq!(told("x AADSTS70021: no matching federated identity"), &NOT_TRUSTED);
        assert_eq!(told("AADSTS700016: not found"), &UNKNOWN_APPLICATION);
        assert_eq!(told("AADSTS90002: no tenant"), &UNKNOWN_TENANT);
        assert_eq!(told("AADSTS1: what is this"), &OTHER_CODE);
        assert_eq!(told("nothing"), &OTHER_CODE);
    }
}
