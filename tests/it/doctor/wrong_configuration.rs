//! What is wrong in the configuration itself, and in the files that it names.

use std::os::unix::fs::PermissionsExt as _;

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use seatkey::{
    app::checkup::Whose::{Catalog, EntraAdmin, Mail, Network, Operations, PartnerCenter},
    doctor::Surroundings,
    signing::{self, Keyring},
};

use super::{
    bench::{Bench, Look, Wrong, complaints, only},
    puppets::{Nobody, Puppet},
};
use crate::support::{Database, stage};

const NOBODY: &str = "\"6f9619ff-8b86-4d01-b42d-00cf4fc964ff\"";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_configuration_is_well_in_everything() {
    let bench = Bench::set(Database::Sqlite).await;
    let outcomes = bench.examine(&bench.good).await;
    assert_eq!(complaints(&outcomes), Vec::<String>::new());
    let unchecked: Vec<_> = outcomes.iter().filter(|one| one.verdict.saw().starts_with("because")).collect();
    assert!(unchecked.is_empty(), "{unchecked:#?}");
    let made: Vec<&str> = outcomes.iter().map(|outcome| outcome.check.id).collect();
    let known = seatkey::doctor::all_checks();
    let known: Vec<&str> = known.iter().map(|check| check.id).filter(|id| *id != "mail.test").collect();
    assert_eq!(made, known, "every check of the table is made once, in its order");
    bench.stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_are_wrong_are_named() {
    let bench = Bench::set(Database::Sqlite).await;
    let quoted = |name: &str| format!("\"{}\"", bench.file(name).display());
    let missing = bench.with_key("catalog", "path", &quoted("missing.toml"));
    bench.complains("a missing catalog", &missing, ("catalog.file", Wrong, Catalog, "Correct what is named")).await;
    let logo = bench.with_catalog("accent_color = \"#0072c6\"", "accent_color = \"#0072c6\"\nlogo = \"missing.png\"");
    bench.complains("a missing logo", &logo, ("catalog.logos", Wrong, Catalog, "Put the picture")).await;
    std::fs::write(bench.file("overlapping.toml"), stage::catalog()).unwrap();
    let overlapping = bench.with_key("catalog", "path", &quoted("overlapping.toml"));
    bench
        .complains("segments that overlap", &overlapping, ("catalog.warnings", Look, Catalog, "Read the warning"))
        .await;
    let decimals = format!("{}[billing]\nquantity_decimals = 7\n", bench.good);
    let expected = ("catalog.quantity_decimals", Wrong, Operations, "Set [billing]");
    bench.complains("seven decimals", &decimals, expected).await;

    std::fs::create_dir(bench.file("templates")).unwrap();
    std::fs::write(bench.file("templates").join("landin.html"), "x").unwrap();
    let templates = format!("{}[templates]\npath = {}\n", bench.good, quoted("templates"));
    let expected = ("templates.own", Wrong, Operations, "Correct the file that is named");
    let saw = bench.complains("a misspelt template", &templates, expected).await;
    assert!(saw.contains("landin.html"), "{saw}");

    let no_key = bench.with_key("signing", "keys", &format!("[{}]", quoted("missing.pem")));
    bench.complains("a missing key", &no_key, ("signing.keys", Wrong, Operations, "Put the key file back")).await;
    std::fs::copy(bench.file("key.pem"), bench.file("open.pem")).unwrap();
    std::fs::set_permissions(bench.file("open.pem"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = bench.with_key("signing", "keys", &format!("[{}]", quoted("open.pem")));
    bench.complains("a key for everybody", &open, ("signing.permissions", Wrong, Operations, "Run chmod 600")).await;
    let twice = bench.with_key("signing", "keys", &format!("[{0}, {0}]", quoted("key.pem")));
    bench.complains("a key twice", &twice, ("signing.duplicates", Look, Operations, "Take the second copy")).await;

    let digests = format!("{}[audit]\ndigest_file = {}\n", bench.good, quoted("nowhere/digests"));
    bench.complains("no directory", &digests, ("audit.digest_file", Wrong, Operations, "Make the directory")).await;
    assert!(!bench.file("nowhere").exists(), "nothing is made");
    bench.stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_that_are_wrong_are_named() {
    let bench = Bench::set(Database::Sqlite).await;
    let own = &bench.stage.public_url;
    let below = bench.with_key("server", "public_url", &format!("\"{own}licenses/\""));
    let expected = ("server.public_url", Wrong, Operations, "Set [server] public_url to scheme and host alone");
    bench.complains("a path", &below, expected).await;
    let nobody = Nobody::here();
    let expected = ("server.reachable", Wrong, Network, "Start the service");
    bench.complains("nobody there", &bench.at(&nobody.url()), expected).await;

    let ok = || ("/healthz", 200, "ok\n".to_owned());
    let refusal = || ("/webhook", 401, "{}".to_owned());
    let keys = Keyring::from_files(&[bench.file("key.pem")]).unwrap().jwks();
    let ours = || ("/.well-known/jwks.json", 200, serde_json::to_string(&keys).unwrap());
    let another = ("/.well-known/jwks.json", 200, r#"{"keys":[{"kty":"OKP","kid":"another"}]}"#.to_owned());
    let expected = ("server.installation", Wrong, Network, "Let public_url lead to this installation");
    let front = Puppet::front(vec![ok(), another, refusal()]).await;
    bench.complains("another installation", &bench.at(&front.url()), expected).await;
    let front = Puppet::front(vec![ok(), ours(), ("/webhook", 302, String::new())]).await;
    let expected = ("server.webhook", Wrong, Network, "Let POST <public_url>/webhook through");
    bench.complains("a proxy that sends webhooks on", &bench.at(&front.url()), expected).await;
    let front = Puppet::front(vec![ok(), ours(), refusal(), ("/metrics", 200, "seatkey_dead_jobs 0".to_owned())]).await;
    let expected = ("server.metrics", Wrong, Network, "Let the proxy lead to [server] bind alone");
    bench.complains("metrics for everybody", &bench.at(&front.url()), expected).await;

    signing::generate(&bench.file("second.pem")).unwrap();
    let (first, second) = (bench.file("key.pem"), bench.file("second.pem"));
    let two = format!("[\"{}\", \"{}\"]", first.display(), second.display());
    let expected = ("server.keys", Wrong, Operations, "Start every replica anew");
    bench.complains("a new key", &bench.with_key("signing", "keys", &two), expected).await;

    let bind = format!("\"127.0.0.1:{}\"", own.port().unwrap());
    let same = bench.with_key("server", "management_bind", &bind);
    let expected = ("server.management", Wrong, Operations, "Give [server] management_bind a port of its own");
    bench.complains("one port for both", &same, expected).await;
    let outside = bench.with_key("server", "management_bind", "\"203.0.113.7:8081\"");
    let expected = ("server.management", Look, Operations, "Bind [server] management_bind to 127.0.0.1");
    bench.complains("the internet", &outside, expected).await;
    bench.stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_and_secrets_that_are_wrong_are_named() {
    let bench = Bench::set(Database::Sqlite).await;
    let name_it = "Give the section its secret";
    for (section, readable, days) in [
        ("entra.credential", "entra.credential", "entra.secret_days"),
        ("sign_in", "sign_in.credential", "sign_in.secret_days"),
        ("staff", "staff.credential", "staff.secret_days"),
    ] {
        let none = bench.with_key(section, "client_secret", "");
        bench.complains("no secret", &none, (readable, Wrong, Operations, name_it)).await;
        let unsaid = bench.with_key(section, "client_secret_expires", "");
        bench.complains("no day", &unsaid, (days, Look, Operations, "Write the day")).await;
        let renew = "Make a new client secret in the app registration and hand it";
        let soon = bench.with_key(section, "client_secret_expires", "\"2026-02-10\"");
        let saw = bench.complains("a day to come", &soon, (days, Look, EntraAdmin, renew)).await;
        assert_eq!(saw, "it ends on 2026-02-10, in 26 days");
        let over = bench.with_key(section, "client_secret_expires", "\"2026-01-15\"");
        bench.complains("a day that is over", &over, (days, Wrong, EntraAdmin, renew)).await;
    }
    let value = "Put the client secret's value (not its id)";
    let application = "Correct the application (client) id";
    let tenant = "Correct the tenant id";
    let table = [
        ("entra.credential", "client_secret", "\"another\"", ("entra.token", Wrong, Operations, value)),
        ("marketplace", "application_id", NOBODY, ("entra.token", Wrong, Operations, application)),
        ("marketplace", "tenant_id", NOBODY, ("entra.tenant", Wrong, Operations, tenant)),
        ("sign_in", "client_secret", "\"another\"", ("sign_in.secret", Wrong, Operations, value)),
        ("sign_in", "client_id", NOBODY, ("sign_in.redirect", Wrong, Operations, application)),
        ("staff", "client_secret", "\"another\"", ("staff.secret", Wrong, Operations, value)),
        ("staff", "client_id", NOBODY, ("staff.redirect", Wrong, Operations, application)),
        ("staff", "tenant_id", NOBODY, ("staff.tenant", Wrong, Operations, tenant)),
    ];
    for (section, key, value, expected) in table {
        bench.complains(&format!("[{section}] {key}"), &bench.with_key(section, key, value), expected).await;
    }
    // The application is ours, and its secret good; it is only not the one of the offers.
    let other = bench.with_key("marketplace", "application_id", "\"9e4d2c1b-6f7a-4b8c-9d0e-1a2b3c4d5e66\"");
    let other = other.replacen("\"marketplace-secret\"", "\"staff-secret\"", 1);
    let expected =
        ("marketplace.fulfillment", Wrong, PartnerCenter, "Enter [marketplace] tenant_id and application_id");
    bench.complains("another application", &other, expected).await;

    let (nobody, microsoft) = (Nobody::here(), bench.stage.simulator.base_url().clone());
    let elsewhere = |section: &str, key: &str| bench.with_key(section, key, &format!("\"{}\"", nobody.url()));
    let expected = ("entra.authority", Wrong, Network, "Let this machine reach [entra] authority");
    bench.complains("nobody is Entra", &elsewhere("entra", "authority"), expected).await;
    let webhook = format!("{}[webhook]\ntoken_authority = \"{}\"\n", bench.good, nobody.url());
    let expected = ("entra.webhook_keys", Wrong, Operations, "Correct [webhook] token_authority");
    bench.complains("nobody signs webhooks", &webhook, expected).await;
    let expected = ("marketplace.fulfillment", Wrong, Network, "Let this machine reach the host of [marketplace]");
    bench.complains("nobody is the marketplace", &elsewhere("marketplace", "base_url"), expected).await;
    let wrong_path = bench.with_key("marketplace", "base_url", &format!("\"{microsoft}apis\""));
    let expected = ("marketplace.fulfillment", Wrong, Operations, "Correct [marketplace] base_url");
    bench.complains("another path", &wrong_path, expected).await;
    let expected = ("marketplace.metering", Wrong, Network, "Let this machine reach the host of [marketplace]");
    bench.complains("nobody meters", &elsewhere("marketplace", "metering_base_url"), expected).await;
    let wrong_path = bench.with_key("marketplace", "metering_base_url", &format!("\"{microsoft}apis\""));
    let expected = ("marketplace.metering", Wrong, Operations, "Correct [marketplace] metering_base_url");
    bench.complains("another path of the meters", &wrong_path, expected).await;
    bench.stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_settings_that_are_wrong_are_named() {
    let bench = Bench::set(Database::Sqlite).await;
    let settings = "Correct the key of [mail] that is named";
    let url = bench.with_key("mail", "url", "\"http://127.0.0.1:25\"");
    bench.complains("another scheme", &url, ("mail.settings", Wrong, Operations, settings)).await;
    let from = bench.with_key("mail", "from", "\"licenses at example\"");
    bench.complains("no mailbox", &from, ("mail.settings", Wrong, Operations, settings)).await;
    let nobody = Nobody::here();
    let closed = bench.with_key("mail", "url", &format!("\"smtp://127.0.0.1:{}\"", nobody.port()));
    bench.complains("nobody there", &closed, ("mail.server", Wrong, Network, "Let this machine reach the host")).await;

    let on = |puppet: &Puppet, user: &str| {
        bench.with_key("mail", "url", &format!("\"smtp://{user}127.0.0.1:{}\"", puppet.port()))
    };
    let plain = Puppet::mail(&["AUTH PLAIN LOGIN"], ("AUTH", "535 5.7.8 wrong")).await;
    let expected = ("mail.server", Wrong, Operations, "Correct user and password");
    let saw = bench.complains("another password", &on(&plain, "user:hunter2@"), expected).await;
    assert!(!saw.contains("hunter2"), "{saw}");
    let strict = Puppet::mail(&[], ("MAIL FROM", "550 5.7.60 not allowed to send as this sender")).await;
    let expected = ("mail.sender", Wrong, Mail, "Allow this user to send as");
    bench.complains("another sender", &on(&strict, ""), expected).await;

    // A CA of its own asks for TLS, on loopback, too.
    std::fs::write(bench.file("ca.pem"), bench.stage.simulator.smtp_ca_pem()).unwrap();
    let ca = format!("\"smtp://127.0.0.1:{}\"\nca_file = \"{}\"", plain.port(), bench.file("ca.pem").display());
    let expected = ("mail.server", Wrong, Mail, "Switch STARTTLS on");
    bench.complains("no STARTTLS", &bench.with_key("mail", "url", &ca), expected).await;
    let mut another = CertificateParams::new(Vec::new()).unwrap();
    another.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = another.self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
    std::fs::write(bench.file("another.pem"), pem).unwrap();
    let smtp = bench.stage.simulator.smtp_url();
    let untrusted = format!("\"{smtp}\"\nca_file = \"{}\"", bench.file("another.pem").display());
    let expected = ("mail.server", Wrong, Mail, "Give the mail server a certificate");
    bench.complains("another CA", &bench.with_key("mail", "url", &untrusted), expected).await;
    let trusted = format!("\"{smtp}\"\nca_file = \"{}\"", bench.file("ca.pem").display());
    let outcomes = bench.examine(&bench.with_key("mail", "url", &trusted)).await;
    assert_eq!(complaints(&outcomes), Vec::<String>::new(), "STARTTLS with the right CA");
    assert!(bench.stage.world().mails().is_empty(), "no mail is sent");
    bench.stage.strike().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_machine_tells_is_looked_at() {
    let bench = Bench::set(Database::Sqlite).await;
    let table = [
        ("tmpfs / tmpfs rw 0 0", None, ("database.place", Look, Operations, "Mount a volume")),
        ("host:/x / nfs4 rw 0 0", None, ("database.place", Wrong, Operations, "Move the SQLite file to a local disk")),
        ("overlay / overlay rw 0 0", None, ("database.place", Look, Operations, "Mount a volume")),
        ("/dev/sda1 / ext4 rw 0 0", Some("clock"), ("clock.moved", Look, Operations, "Remove SEATKEY_CLOCK_FILE")),
    ];
    for (mounts, clock_file, expected) in table {
        let surroundings = Surroundings { clock_file: clock_file.map(Into::into), mounts: mounts.to_owned() };
        only(mounts, &bench.examine_in(&bench.good, &surroundings).await, expected);
    }
    bench.stage.strike().await;
}
