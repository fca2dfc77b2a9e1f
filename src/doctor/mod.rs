//! The self-check of a configuration, `seatkey doctor`: every part is built by itself and looked at, so that one that cannot be
//! built does not hide what is wrong with the others.
//!
//! Owns: the order of the checks, and those of files and addresses. Does not own: checks of parts of a running application
//! (`app::checkup`), and how it is shown (`cli`).
//! Invariants: nothing is changed: no migration, no file, no mail but the one that was asked for; no secret is shown.

mod addresses;
mod files;
mod secrets;
mod surroundings;

use secrecy::ExposeSecret as _;

pub use surroundings::Surroundings;

use crate::{
    app::checkup::{
        Check, Mend, Outcome, Round, Verdict, Whose, clocks, database, entra, mail, marketplace, shelf, sign_in, work,
    },
    clock::{SharedClock, new_id},
    config::Config,
    domain::catalog::Catalog,
    http,
    identity::SignInClient,
    mail::{Mailer, Outgoing},
    marketplace::Client,
    startup::{self, StartError},
    store::{Store, StoreError},
};

static REACHABLE: Check = Check {
    id: "database.reachable",
    is_well_when: "the database of [database] url can be opened",
    needs: &[],
    mends: &[&OPEN, &LET_IN],
};
static OPEN: Mend = Mend {
    whose: Whose::Database,
    does: "Correct [database] url, or let this machine and user in: the server must run and the database exist (a SQLite file is \
           made by seatkey migrate).",
};
static LET_IN: Mend = Mend {
    whose: Whose::Database,
    does: "Let the user of [database] url sign in: with the password of that address, or with password_from = \"entra\" as the role \
           that PostgreSQL has for our identity (on Azure an administrator of Microsoft Entra, of exactly that name).",
};
static MAIL_SETTINGS: Check = Check {
    id: "mail.settings",
    is_well_when: "[mail] url, from and ca_file can be used",
    needs: &[],
    mends: &[&CORRECT_MAIL],
};
static CORRECT_MAIL: Mend = Mend {
    whose: Whose::Operations,
    does: "Correct the key of [mail] that is named: url is smtp://user:password@host:587, from is Name <mailbox@domain>.",
};
static TEST_MAIL: Check = Check {
    id: "mail.test",
    is_well_when: "with --test-mail: the mail server takes a mail for that address",
    needs: &["mail.sender"],
    mends: &[&LET_THROUGH],
};
static LET_THROUGH: Mend = Mend {
    whose: Whose::Mail,
    does: "Allow this user to send to addresses outside, and look at the server's log for the reason that it gives.",
};

/// What the doctor is given.
#[derive(Debug, Clone, Copy)]
pub struct Patient<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The time.
    pub clock: &'a SharedClock,
    /// What the machine tells.
    pub surroundings: &'a Surroundings,
    /// Where a test mail goes, when one is asked for.
    pub test_mail: Option<&'a str>,
}

/// Every check that there is, in the order in which they are made.
#[must_use]
pub fn all_checks() -> Vec<&'static Check> {
    let mut all = files::CHECKS.to_vec();
    all.extend(addresses::CHECKS);
    all.extend([&REACHABLE, &surroundings::PLACE, &database::SCHEMA, &database::RIGHTS, &database::DURABLE]);
    all.extend([&secrets::MARKETPLACE.readable, &secrets::MARKETPLACE.days]);
    all.extend([&entra::AUTHORITY, &entra::TENANT, &entra::TOKEN, &entra::WEBHOOK_KEYS]);
    all.extend([&marketplace::FULFILLMENT, &marketplace::METERING]);
    all.extend([&shelf::OFFERS, &shelf::PLANS, &shelf::DIMENSIONS, &shelf::TERMS, &shelf::PRICES]);
    all.extend([&secrets::SIGN_IN.readable, &secrets::SIGN_IN.days]);
    all.extend([&sign_in::BUYERS.redirect, &sign_in::BUYERS.secret]);
    all.extend([&secrets::STAFF.readable, &secrets::STAFF.days]);
    all.extend([&sign_in::STAFF_TENANT, &sign_in::STAFF.redirect, &sign_in::STAFF.secret]);
    all.extend([&MAIL_SETTINGS, &mail::SERVER, &mail::SENDER, &TEST_MAIL]);
    all.extend([&surroundings::MOVED, &clocks::MICROSOFT, &clocks::DATABASE]);
    all.extend([&work::ALIVE, &work::DEAD, &work::REPORTER, &work::WEBHOOKS, &work::API_KEYS]);
    all
}

/// Makes all checks, telling each outcome at once.
///
/// # Errors
/// When this process cannot make an HTTP client at all.
pub async fn examine(patient: Patient<'_>, tell: impl FnMut(&Outcome) + Send) -> Result<Vec<Outcome>, StartError> {
    let Patient { config, clock, surroundings, .. } = patient;
    let http = http::client()?;
    let mut round = Round::telling(tell);
    let catalog = files::look_at_catalog(&mut round, config).await;
    files::look_at_templates(&mut round, config).await;
    let keyring = files::look_at_keys(&mut round, config, &http, clock.now()).await;
    files::look_at_digests(&mut round, config).await;
    let keys = keyring.as_ref().map(|keyring| keyring.jwks().keys).unwrap_or_default();
    addresses::look(&mut round, config, &http, &keys).await;
    let store = look_at_database(&mut round, config, surroundings).await;
    let client = look_at_microsoft(&mut round, patient, &http, catalog.as_ref()).await;
    look_at_staff(&mut round, patient, &http).await;
    look_at_mail(&mut round, patient).await;
    round.look(&surroundings::MOVED, async { surroundings.is_moved() }).await;
    match &client {
        Some(client) => clocks::look_at_microsoft(&mut round, client, clock).await,
        None => skip(&mut round, &[&clocks::MICROSOFT]).await,
    }
    with_store(&mut round, store.as_ref(), clock).await;
    if let Some(store) = store {
        store.close().await;
    }
    Ok(round.into_outcomes())
}

async fn look_at_database(round: &mut Round<'_>, config: &Config, surroundings: &Surroundings) -> Option<Store> {
    let mut opened = None;
    let reachable = async {
        match open(config).await {
            Ok(store) => {
                let kind = if store.is_postgres() { "PostgreSQL" } else { "SQLite" };
                opened = Some(store);
                Verdict::Well(format!("{kind} answers"))
            }
            Err(error @ StartError::Store(StoreError::Refused(_))) => Verdict::Wrong(&LET_IN, error.to_string()),
            Err(error) => Verdict::Wrong(&OPEN, error.to_string()),
        }
    };
    round.look(&REACHABLE, reachable).await;
    let place = async {
        let address = config.database.address().unwrap_or_default();
        surroundings.place_of(address.expose_secret())
    };
    round.look(&surroundings::PLACE, place).await;
    match &opened {
        Some(store) => database::look(round, store).await,
        None => skip(round, &[&database::SCHEMA, &database::RIGHTS, &database::DURABLE]).await,
    }
    opened
}

async fn open(config: &Config) -> Result<Store, StartError> {
    Ok(Store::open(startup::database_access(config)?).await?)
}

/// What cannot be looked at is told all the same, with what stands in the way.
async fn skip(round: &mut Round<'_>, checks: &[&'static Check]) {
    for check in checks {
        round.look(check, async { Verdict::NotChecked("because what it stands on is not there".to_owned()) }).await;
    }
}

/// Entra, the marketplace and the buyers' sign-in.
async fn look_at_microsoft(
    round: &mut Round<'_>,
    patient: Patient<'_>,
    http: &reqwest::Client,
    catalog: Option<&Catalog>,
) -> Option<Client> {
    let Patient { config, clock, .. } = patient;
    let tenant_id = config.marketplace.tenant_id;
    let client = startup::marketplace_client(config, http.clone(), clock);
    let client = secrets::look(round, &secrets::MARKETPLACE, secrets::of_marketplace(config), client, clock).await;
    let sign_in = startup::sign_in(config, http.clone(), clock);
    // Entra is asked by the buyers' registration, which needs no secret for that.
    let anybody = SignInClient::anonymous((&config.entra.authority, None), http.clone(), clock);
    entra::look_at_tenant(round, &anybody, tenant_id).await;
    match &client {
        Some(client) => entra::look_at_token(round, client).await,
        None => skip(round, &[&entra::TOKEN]).await,
    }
    let webhook_tokens = startup::webhook_tokens(config, http.clone(), clock);
    entra::look_at_webhook_keys(round, &webhook_tokens).await;
    match (&client, catalog) {
        (Some(client), Some(catalog)) => {
            let subscriptions = marketplace::look(round, client, clock).await;
            shelf::look(round, client, catalog, &subscriptions.unwrap_or_default()).await;
        }
        (Some(client), None) => {
            marketplace::look(round, client, clock).await;
            skip(round, SHELF).await;
        }
        (None, _) => {
            skip(round, &[&marketplace::FULFILLMENT, &marketplace::METERING]).await;
            skip(round, SHELF).await;
        }
    }
    let sign_in = secrets::look(round, &secrets::SIGN_IN, secrets::of_sign_in(config), sign_in, clock).await;
    match &sign_in {
        Some(sign_in) => sign_in::look(round, &sign_in::BUYERS, sign_in, tenant_id).await,
        None => skip(round, &[&sign_in::BUYERS.redirect, &sign_in::BUYERS.secret]).await,
    }
    client
}

const SHELF: &[&Check] = &[&shelf::OFFERS, &shelf::PLANS, &shelf::DIMENSIONS, &shelf::TERMS, &shelf::PRICES];

async fn look_at_staff(round: &mut Round<'_>, patient: Patient<'_>, http: &reqwest::Client) {
    let Patient { config, clock, .. } = patient;
    let Some(settings) = &config.staff else {
        let none = || Verdict::NotChecked("there is no [staff], and so no console".to_owned());
        for check in [&secrets::STAFF.readable, &secrets::STAFF.days, &sign_in::STAFF_TENANT] {
            round.note(check, none());
        }
        return;
    };
    let staff = startup::staff_sign_in(config, settings, http.clone(), clock);
    let staff = secrets::look(round, &secrets::STAFF, secrets::of_staff(settings), staff, clock).await;
    let anybody = SignInClient::anonymous((&config.entra.authority, Some(settings.tenant_id)), http.clone(), clock);
    sign_in::look_at_tenant(round, &anybody).await;
    match &staff {
        Some(staff) => sign_in::look(round, &sign_in::STAFF, staff, settings.tenant_id).await,
        None => skip(round, &[&sign_in::STAFF.redirect, &sign_in::STAFF.secret]).await,
    }
}

async fn look_at_mail(round: &mut Round<'_>, patient: Patient<'_>) {
    let mailer = match startup::mailer(patient.config) {
        Ok(mailer) => {
            round.note(&MAIL_SETTINGS, Verdict::well("they can be used"));
            mailer
        }
        Err(error) => {
            round.note(&MAIL_SETTINGS, Verdict::Wrong(&CORRECT_MAIL, error.to_string()));
            return skip(round, &[&mail::SERVER, &mail::SENDER]).await;
        }
    };
    mail::look(round, &mailer).await;
    if let Some(address) = patient.test_mail {
        round.look(&TEST_MAIL, send_test(&mailer, address, patient.clock)).await;
    }
}

async fn send_test(mailer: &Mailer, address: &str, clock: &SharedClock) -> Verdict {
    let now = clock.now();
    let text = "This is the test mail that was asked for with seatkey doctor --test-mail. Nothing has to be done.\n";
    let (message_id, recipients) = (format!("doctor.{}@seatkey", new_id(now)), [address.to_owned()]);
    let html = format!("<p>{}</p>", text.trim_end());
    let mail = Outgoing {
        message_id: &message_id,
        recipients: &recipients,
        reply_to: address,
        subject: "Seatkey: test mail",
        text_body: text,
        html_body: &html,
        attachments: &[],
        date: now,
    };
    match mailer.send(mail).await {
        Ok(()) => Verdict::Well(format!("it was taken for {address}")),
        Err(error) => Verdict::Wrong(&LET_THROUGH, error.to_string()),
    }
}

async fn with_store(round: &mut Round<'_>, store: Option<&Store>, clock: &SharedClock) {
    match store {
        Some(store) => {
            clocks::look_at_database(round, store, clock).await;
            work::look(round, store, clock).await;
        }
        None => {
            let all = [&clocks::DATABASE, &work::ALIVE, &work::DEAD, &work::REPORTER, &work::WEBHOOKS, &work::API_KEYS];
            skip(round, &all).await;
        }
    }
}
