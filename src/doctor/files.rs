//! The files that a configuration names: catalog, logos, templates, signing keys, the digests' file.

use std::{collections::BTreeSet, path::Path};

use time::OffsetDateTime;

use crate::{
    app::checkup::{Check, Mend, Round, Verdict, Whose},
    config::Config,
    domain::catalog::Catalog,
    pages,
    signing::{KeyError, Keyring},
    startup::{self, StartError},
    templates::Templates,
};

pub(super) static CHECKS: [&Check; 9] =
    [&CATALOG, &CATALOG_WARNINGS, &LOGOS, &QUANTITIES, &TEMPLATES, &KEYS, &KEY_PERMISSIONS, &KEY_DUPLICATES, &DIGESTS];

static CATALOG: Check = Check {
    id: "catalog.file",
    is_well_when: "the file of [catalog] path can be read, and meets every rule",
    needs: &[],
    mends: &[&CORRECT_CATALOG],
};
static CATALOG_WARNINGS: Check = Check {
    id: "catalog.warnings",
    is_well_when: "nothing in the catalog looks like a slip",
    needs: &["catalog.file"],
    mends: &[&READ_WARNINGS],
};
static LOGOS: Check = Check {
    id: "catalog.logos",
    is_well_when: "every logo that the catalog names can be served",
    needs: &["catalog.file"],
    mends: &[&CORRECT_LOGO],
};
static QUANTITIES: Check = Check {
    id: "catalog.quantity_decimals",
    is_well_when: "[billing] quantity_decimals is 2 to 6",
    needs: &[],
    mends: &[&CORRECT_DECIMALS],
};
static TEMPLATES: Check = Check {
    id: "templates.own",
    is_well_when: "every template of your own can be rendered",
    needs: &[],
    mends: &[&CORRECT_TEMPLATE],
};
static KEYS: Check = Check {
    id: "signing.keys",
    is_well_when: "every file of [signing] keys is an Ed25519 key that this user can read, and every vault lets us use its keys",
    needs: &[],
    mends: &[&MAKE_KEY, &OPEN_VAULT],
};
static KEY_PERMISSIONS: Check = Check {
    id: "signing.permissions",
    is_well_when: "nobody else can read the signing keys",
    needs: &[],
    mends: &[&CLOSE_KEY],
};
static KEY_DUPLICATES: Check = Check {
    id: "signing.duplicates",
    is_well_when: "no signing key is named twice",
    needs: &["signing.keys", "signing.permissions"],
    mends: &[&NAME_ONCE],
};
static DIGESTS: Check = Check {
    id: "audit.digest_file",
    is_well_when: "the file of [audit] digest_file can be appended to",
    needs: &[],
    mends: &[&OPEN_DIGESTS],
};

static CORRECT_CATALOG: Mend = Mend {
    whose: Whose::Catalog,
    does: "Correct what is named; seatkey catalog check FILE tells everything at once, with lines.",
};
static READ_WARNINGS: Mend =
    Mend { whose: Whose::Catalog, does: "Read the warning and correct the line, or leave it if it is meant so." };
static CORRECT_LOGO: Mend = Mend {
    whose: Whose::Catalog,
    does: "Put the picture beside the catalog as .svg or .png of at most 256 kB, or correct its name in the catalog.",
};
static CORRECT_DECIMALS: Mend = Mend {
    whose: Whose::Operations,
    does: "Set [billing] quantity_decimals to a number from 2 to 6, or leave it out.",
};
static CORRECT_TEMPLATE: Mend = Mend {
    whose: Whose::Operations,
    does: "Correct the file that is named, or take it out of [templates] path: then the built-in one is used.",
};
static MAKE_KEY: Mend = Mend {
    whose: Whose::Operations,
    does: "Put the key file back from the safe; only for a new installation make one with seatkey license keygen.",
};
static OPEN_VAULT: Mend = Mend {
    whose: Whose::Operations,
    does: "See that the vault has the key and lets the identity of [entra.credential] in; deploy/ROTATION.md has the roles.",
};
static CLOSE_KEY: Mend = Mend {
    whose: Whose::Operations,
    does: "Run chmod 600 on the key file; if others may have read it, change to a new key, and publish both until the old \
           license keys have ended.",
};
static NAME_ONCE: Mend = Mend {
    whose: Whose::Operations,
    does: "Take the second copy out of [signing] keys: most likely another file was meant.",
};
static OPEN_DIGESTS: Mend = Mend {
    whose: Whose::Operations,
    does: "Make the directory of [audit] digest_file, and let this user append to the file.",
};

/// Makes the checks of the catalog; gives it where it can be used.
pub(super) async fn look_at_catalog(round: &mut Round<'_>, config: &Config) -> Option<Catalog> {
    let path = &config.catalog.path;
    let (mut read, mut warnings) = (None, Vec::new());
    match startup::read_catalog(path) {
        Ok((catalog, warned)) => {
            let plans: usize = catalog.offers.iter().map(|offer| offer.plans.len()).sum();
            let saw = format!("offers: {}, plans: {plans}, version {}", catalog.offers.len(), catalog.version);
            round.note(&CATALOG, Verdict::Well(saw));
            (read, warnings) = (Some(catalog), warned);
        }
        Err(error) => round.note(&CATALOG, Verdict::Wrong(&CORRECT_CATALOG, one_line(&error.to_string()))),
    }
    let warned = async {
        match warnings.first() {
            Some(first) => {
                Verdict::Warning(&READ_WARNINGS, format!("warnings: {}, the first is {first}", warnings.len()))
            }
            None => Verdict::well("nothing does"),
        }
    };
    round.look(&CATALOG_WARNINGS, warned).await;
    let logos = async {
        match read.as_mut().map(|catalog| startup::read_logos(catalog, path)) {
            Some(Err(error)) => Verdict::Wrong(&CORRECT_LOGO, one_line(&error.to_string())),
            Some(Ok(logos)) => Verdict::Well(format!("pictures: {}", logos.len())),
            None => Verdict::NotChecked("because there is no catalog".to_owned()),
        }
    };
    round.look(&LOGOS, logos).await;
    let quantities = startup::quantity_decimals(&config.billing);
    round.note(
        &QUANTITIES,
        match quantities {
            Ok(_) => Verdict::well("it is"),
            Err(error) => Verdict::Wrong(&CORRECT_DECIMALS, error.to_string()),
        },
    );
    read
}

/// Makes the check of overridden templates. The built-in ones have been tried before they were shipped.
pub(super) async fn look_at_templates(round: &mut Round<'_>, config: &Config) {
    let own = async {
        let Some(path) = config.templates.path.as_deref() else { return Verdict::well("there are none") };
        match Templates::load(Some(path)).and_then(|templates| pages::check(&templates)) {
            Ok(()) => Verdict::well("they have been rendered with samples"),
            Err(error) => Verdict::Wrong(&CORRECT_TEMPLATE, one_line(&error.to_string())),
        }
    };
    round.look(&TEMPLATES, own).await;
}

/// Makes the checks of the signing keys; gives them where they can be used.
pub(super) async fn look_at_keys(
    round: &mut Round<'_>,
    config: &Config,
    http: &reqwest::Client,
    now: OffsetDateTime,
) -> Option<Keyring> {
    let (keys, permissions, keyring) = match startup::keyring(config, http, now).await {
        Ok(keyring) => (
            Verdict::Well(format!("keys: {}", config.signing.keys.len())),
            Verdict::well("only this user can"),
            Some(keyring),
        ),
        Err(error @ StartError::Keys(KeyError::Permissions(_))) => {
            let keys = Verdict::NotChecked("because signing.permissions is not well".to_owned());
            (keys, Verdict::Wrong(&CLOSE_KEY, error.to_string()), None)
        }
        Err(StartError::Keys(error)) => {
            let permissions = Verdict::NotChecked("because signing.keys is not well".to_owned());
            let mend = if matches!(error, KeyError::Vault { .. }) { &OPEN_VAULT } else { &MAKE_KEY };
            (Verdict::Wrong(mend, error.to_string()), permissions, None)
        }
        // A vault is asked with our credential, which has checks of its own.
        Err(_) => {
            let because = || Verdict::NotChecked("because entra.credential is not well".to_owned());
            (because(), because(), None)
        }
    };
    round.note(&KEYS, keys);
    round.note(&KEY_PERMISSIONS, permissions);
    let duplicates = async {
        let published = keyring.as_ref().map(|keyring| keyring.jwks().keys).unwrap_or_default();
        let ids: BTreeSet<&str> = published.iter().map(|key| key.kid.as_str()).collect();
        match published.len() - ids.len() {
            0 => Verdict::well("none is"),
            more => Verdict::Warning(&NAME_ONCE, format!("files that hold the key of another one: {more}")),
        }
    };
    round.look(&KEY_DUPLICATES, duplicates).await;
    keyring
}

/// Makes the check of the digests' file; it is opened, and nothing is written.
pub(super) async fn look_at_digests(round: &mut Round<'_>, config: &Config) {
    let digests = async {
        let Some(path) = config.audit.digest_file.as_deref() else {
            return Verdict::well("there is none; the digests go to the log");
        };
        match try_append(path) {
            Ok(()) => Verdict::Well(format!("{} can be appended to", path.display())),
            Err(error) => Verdict::Wrong(&OPEN_DIGESTS, format!("{}: {error}", path.display())),
        }
    };
    round.look(&DIGESTS, digests).await;
}

fn try_append(path: &Path) -> std::io::Result<()> {
    if path.exists() {
        return std::fs::OpenOptions::new().append(true).open(path).map(drop);
    }
    // It would be made by the first digest; the file itself is not tried, because nothing is changed here.
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::read_dir(parent).map(drop)
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}
