//! The app registrations that people sign in with: the buyers' and the staff's.

use uuid::Uuid;

use super::{
    Check, Mend, Round, Verdict, Whose,
    entra::{
        EXPIRED, NOT_ALLOWED, NOT_TRUSTED, OTHER_CODE, UNKNOWN_APPLICATION, UNKNOWN_TENANT, WRONG_SECRET, mend_of,
    },
};
use crate::identity::{RedirectAnswer, SignInClient, SignInError};

/// The checks of one registration.
#[derive(Debug)]
pub struct Registration {
    /// Its section of the configuration.
    section: &'static str,
    /// Application and redirect address.
    pub redirect: Check,
    /// The secret.
    pub secret: Check,
    /// Whether its own tenant is known, so that an application that is unknown there is wrong.
    tenant_is_its_own: bool,
}

/// `[sign_in]`
pub static BUYERS: Registration = Registration {
    section: "sign_in",
    redirect: Check {
        id: "sign_in.redirect",
        is_well_when: "Entra knows the buyers' application and sends people back to <public_url>/sign-in/callback",
        needs: &["sign_in.credential", "server.public_url", "entra.authority"],
        mends: &[&REGISTER, &UNKNOWN_APPLICATION, &ONE_TENANT],
    },
    secret: Check {
        id: "sign_in.secret",
        is_well_when: "Entra takes the secret of [sign_in], or the registration trusts this workload",
        needs: &["sign_in.redirect", "entra.tenant"],
        mends: &[&EXPIRED, &WRONG_SECRET, &NOT_TRUSTED, &OTHER_TENANT, &NOT_ALLOWED, &OTHER_CODE],
    },
    tenant_is_its_own: false,
};

/// `[staff]`
pub static STAFF: Registration = Registration {
    section: "staff",
    redirect: Check {
        id: "staff.redirect",
        is_well_when: "Entra knows the staff's application and sends people back to <public_url>/console/sign-in/callback",
        needs: &["staff.credential", "server.public_url", "staff.tenant"],
        mends: &[&REGISTER, &UNKNOWN_APPLICATION],
    },
    secret: Check {
        id: "staff.secret",
        is_well_when: "Entra takes the secret of [staff], or the registration trusts this workload",
        needs: &["staff.redirect"],
        mends: &[&EXPIRED, &WRONG_SECRET, &NOT_TRUSTED, &UNKNOWN_APPLICATION, &NOT_ALLOWED, &OTHER_CODE],
    },
    tenant_is_its_own: true,
};

static REGISTER: Mend = Mend {
    whose: Whose::EntraAdmin,
    does: "Enter exactly this address as a redirect URI (platform “Web”) of the app registration, or correct [server] public_url.",
};
static ONE_TENANT: Mend = Mend {
    whose: Whose::EntraAdmin,
    does: "Make the buyers' app registration multi-tenant: “Accounts in any organizational directory and personal accounts”.",
};
static OTHER_TENANT: Mend = Mend {
    whose: Whose::Operations,
    does: "Sign in once as a buyer: the registration is of another tenant than [marketplace] tenant_id, or its id is wrong.",
};

/// The staff's own tenant.
pub static STAFF_TENANT: Check = Check {
    id: "staff.tenant",
    is_well_when: "Entra knows the tenant of [staff] tenant_id",
    needs: &["entra.authority"],
    mends: &[&UNKNOWN_TENANT],
};

/// Looks at the staff's tenant; the client is theirs.
pub async fn look_at_tenant(round: &mut Round<'_>, staff: &SignInClient) {
    let tenant = async {
        match staff.try_metadata().await {
            Ok(()) => Verdict::well("Entra knows it"),
            Err(error) => Verdict::Wrong(&UNKNOWN_TENANT, format!("[staff] tenant_id: {error}")),
        }
    };
    round.look(&STAFF_TENANT, tenant).await;
}

/// Makes the checks of a registration. `home` is the tenant to ask in where people of all tenants may sign in.
pub async fn look(round: &mut Round<'_>, which: &'static Registration, client: &SignInClient, home: Uuid) {
    round.look(&which.redirect, redirect(which, client)).await;
    round.look(&which.secret, secret(which, client, home)).await;
}

async fn redirect(which: &Registration, client: &SignInClient) -> Verdict {
    let address = client.redirect().as_str();
    let refused = |mend, words: &str| Verdict::Wrong(mend, format!("[{}] {address}: {words}", which.section));
    match client.try_redirect().await {
        Ok(RedirectAnswer::Known) => Verdict::Well(format!("{address} is registered")),
        Ok(RedirectAnswer::Refused(words)) if words.contains("AADSTS50011:") => refused(&REGISTER, &words),
        Ok(RedirectAnswer::Refused(words)) if words.contains("AADSTS50194:") => refused(&ONE_TENANT, &words),
        Ok(RedirectAnswer::Refused(words)) => match mend_of(&words) {
            mend if *mend == OTHER_CODE => Verdict::Well(format!("{address} must be registered; Entra does not tell")),
            mend => refused(mend, &words),
        },
        Ok(RedirectAnswer::Untold) => Verdict::Well(format!("{address} must be registered; Entra does not tell")),
        Err(error) => Verdict::NotChecked(error.to_string()),
    }
}

async fn secret(which: &Registration, client: &SignInClient, home: Uuid) -> Verdict {
    match client.try_secret(home).await {
        Ok(()) => Verdict::well("Entra takes it"),
        Err(SignInError::Registration(words)) => match mend_of(&words) {
            mend if *mend == UNKNOWN_APPLICATION && !which.tenant_is_its_own => {
                Verdict::Warning(&OTHER_TENANT, format!("[{}] {words}", which.section))
            }
            mend => Verdict::Wrong(mend, format!("[{}] {words}", which.section)),
        },
        Err(error) => Verdict::NotChecked(error.to_string()),
    }
}
